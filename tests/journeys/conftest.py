"""Installations to walk through: a small landlord, served by real processes, and people with browsers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.building import build
from tests.journeys.installation import Installation
from tests.journeys.tab import DESKTOP, Tab
from tests.portal import databases

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
Opens = Callable[..., Tab]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Headless, and without a way out of this machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_tab(chromium: Browser, installation: Installation) -> Iterator[Opens]:
    """Signs somebody in, in a browser of their own, at a width; at the end every page was looked at."""
    tabs: list[Tab] = []

    def opens(email: str, width: int = DESKTOP) -> Tab:
        tabs.append(Tab(chromium, installation.address, width))
        return tabs[-1].sign_in(email)

    yield opens
    for tab in tabs:
        tab.close()


@pytest.fixture
def installation(quiet_installation: Installation) -> Installation:
    """A served landlord; starting a worker is the test's."""
    quiet_installation.start_server()
    return quiet_installation


@pytest.fixture
def quiet_installation(landlord_url: sa.URL, tmp_path: Path) -> Iterator[Installation]:
    """A landlord for whom nothing runs yet."""
    made = Installation(landlord_url, tmp_path)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def landlord_url(request: pytest.FixtureRequest) -> sa.URL:
    """The journeys' landlord on SQLite, unless the test asks for ``postgresql`` by an indirect parameter."""
    url: sa.URL = request.getfixturevalue(f"_{getattr(request, 'param', 'sqlite')}_landlord")
    return url


@pytest.fixture
def _sqlite_landlord(tmp_path: Path, _sqlite_town: Path) -> sa.URL:
    path = tmp_path / "berth.db"
    shutil.copyfile(_sqlite_town, path)
    return sa.make_url(f"sqlite:///{path}")


@pytest.fixture
def _postgresql_landlord() -> Iterator[sa.URL]:
    with databases.postgresql_database() as url:
        build(url)
        yield url


@pytest.fixture(scope="session")
def _sqlite_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = databases.migrated_sqlite_file(tmp_path_factory.mktemp("town"))
    build(sa.make_url(f"sqlite:///{path}"))
    return path
