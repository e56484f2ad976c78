"""``berth db``: the schema of the database."""

from __future__ import annotations

import click

from portal.commands.support import settings
from portal.models import migrate
from portal.models.engine import make_engine


@click.group()
def database() -> None:
    """Bring the database up to this version of Berth, or back."""


@database.command()
@click.argument("revision", default=migrate.HEAD)
def upgrade(revision: str) -> None:
    """Run every migration up to REVISION (the newest). Safe to run twice, and by two at once."""
    checked = settings()
    migrate.upgrade(checked.database_url, revision)
    click.echo(f"The database is at revision {migrate.current(make_engine(checked.database_url))}.")


@database.command()
@click.argument("revision")
@click.confirmation_option(prompt="What the undone tables and columns hold is lost. Go on?")
def downgrade(revision: str) -> None:
    """Undo every migration above REVISION (`base`: all of them)."""
    migrate.downgrade(settings().database_url, revision)
