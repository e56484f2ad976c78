"""Engines for both databases. Importing this module imports every model, so that no foreign key is left open."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from portal.models import metadata as metadata  # see above
from portal.models.transactions import BEGIN_MODE

BUSY_TIMEOUT_MS = 20_000


def make_engine(url: str | sa.URL, **options: Any) -> sa.Engine:
    """An engine for ``sqlite:///...`` or ``postgresql://...``; ``options`` go to `sqlalchemy.create_engine`."""
    engine = sa.create_engine(database_url(url), **options)
    prepare(engine)
    return engine


def database_url(url: str | sa.URL) -> sa.URL:
    """``url`` with psycopg 3 as PostgreSQL's driver. Raises `ValueError` for another database."""
    parsed = sa.make_url(url)
    if parsed.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        return parsed
    raise ValueError(f"{parsed.drivername} is not supported: the database is sqlite:///... or postgresql://...")


def prepare(engine: sa.Engine) -> None:
    """Make an engine that someone else created behave as `make_engine`'s do."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite does.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    mode = connection.get_execution_options().get(BEGIN_MODE, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
