"""Bring a database up or down to a revision of the schema, from any directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import migrations
from portal.models.engine import make_engine
from portal.models.transactions import BEGIN_MODE

HEAD = "head"
BASE = "base"
_ADVISORY_LOCK = 7_250_616


def upgrade(url: str | sa.URL, revision: str = HEAD) -> None:
    """Run every migration up to ``revision``, all in one transaction; two at once wait for each other."""
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str | sa.URL, revision: str = BASE) -> None:
    """Undo every migration above ``revision``; what their tables held is lost."""
    _run(url, lambda config: command.downgrade(config, revision))


def head() -> str:
    """The newest revision that this code knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None, "there is no migration"  # noqa: S101  # a packaging fault, not a user's
    return revision


def current(engine: sa.Engine) -> str | None:
    """The revision that a database is at; null: none has run."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config


def _run(url: str | sa.URL, work: Callable[[Config], None]) -> None:
    config = _config()
    with _exclusive(url) as connection:
        config.attributes["connection"] = connection
        work(config)


@contextmanager
def _exclusive(url: str | sa.URL) -> Iterator[sa.Connection]:
    engine = make_engine(url, poolclass=sa.NullPool)
    try:
        with engine.connect().execution_options(**{BEGIN_MODE: "IMMEDIATE"}) as connection:
            _foreign_keys_off(connection)
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
                yield connection
    finally:
        engine.dispose()


def _foreign_keys_off(connection: sa.Connection) -> None:
    # SQLite rebuilds and drops tables row by row; this works only outside a transaction. The connection is not reused.
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute("PRAGMA foreign_keys = OFF").close()
