"""What every command needs: checked settings, a database, and refusals as sentences."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.config import Settings, settings_or_exit
from portal.domain.errors import DomainError
from portal.models import migrate
from portal.models.engine import make_engine
from portal.web.logs import configure_logs

REFUSED = 1


def settings() -> Settings:
    """The checked settings, with their folder made and logs set up; wrong ones end the command with 2."""
    checked = settings_or_exit()
    checked.var_dir.mkdir(parents=True, exist_ok=True)
    configure_logs(checked)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return checked


def engine_of(checked: Settings) -> sa.Engine:
    """The database, brought up to this version of Berth; ends the command where it is not."""
    engine = make_engine(checked.database_url)
    if migrate.current(engine) != migrate.head():
        raise click.ClickException("The database is not up to this version of Berth. Run: berth db upgrade")
    return engine


@contextmanager
def writing(engine: sa.Engine) -> Iterator[Session]:
    """A session that is committed at the end; a refusal ends the command with its sentence."""
    with refusing(), Session(engine) as session:
        yield session
        session.commit()


@contextmanager
def refusing() -> Iterator[None]:
    """A rule's refusal as the command's error."""
    try:
        yield
    except DomainError as refused:
        raise click.ClickException(refused.sentence) from None
