"""Database fixtures: every test that asks for a database runs on SQLite and on PostgreSQL, each time on a clean one."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.clock import FixedClock
from portal.models.engine import make_engine
from tests.portal import databases

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def clock() -> FixedClock:
    """It is 09:00 UTC on 2026-11-22 until a test moves it."""
    return FixedClock(NOW)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> sa.URL:
    """The URL of a clean migrated database, also for processes that a test starts."""
    url: sa.URL = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def engine(database_url: sa.URL) -> Iterator[sa.Engine]:
    """An engine on the clean database."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """A session that rolls back what a test did not commit."""
    with Session(engine) as session:
        yield session


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> Iterator[sa.URL]:
    """A clean migrated SQLite file."""
    path = tmp_path / "berth.db"
    shutil.copyfile(_sqlite_template, path)
    yield sa.make_url(f"sqlite:///{path}")
    for left in tmp_path.glob("berth.db*"):
        left.unlink()


@pytest.fixture
def postgresql_url(_postgresql_server_url: sa.URL) -> Iterator[sa.URL]:
    """The PostgreSQL database of this test process, cleaned after the test."""
    yield _postgresql_server_url
    engine = make_engine(_postgresql_server_url, poolclass=sa.NullPool)
    databases.clean(engine)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> Iterator[sa.URL]:
    """The URL of a database in which no migration has run."""
    if request.param == "sqlite":
        yield sa.make_url(f"sqlite:///{request.getfixturevalue('tmp_path')}/empty.db")
        return
    with databases.empty_postgresql_database(request.getfixturevalue("_postgresql_server_url")) as url:
        yield url


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.migrated_sqlite_file(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def _postgresql_server_url() -> Iterator[sa.URL]:
    with databases.postgresql_database() as url:
        yield url
