"""The application for tests of pages, and people in front of it.

A feature's tests take them by importing them in their `conftest.py`:
`from tests.portal.web.fixtures import app, enter, settings, visitor  # noqa: F401 - fixtures`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from portal.app import create_app
from portal.clock import FixedClock
from portal.config import Settings, load_settings
from portal.domain.states import Role
from portal.models.transactions import begin_write
from portal.models.users import User
from portal.web.database import db
from tests.portal import factories
from tests.portal.web.visitor import Visitor

Enter = Callable[..., Visitor]


@pytest.fixture
def settings(sqlite_url: sa.URL) -> Settings:
    """Test mode on a clean SQLite file."""
    return load_settings({"BERTH_MODE": "test", "BERTH_DATABASE_URL": sqlite_url.render_as_string(False)})


@pytest.fixture
def app(settings: Settings, clock: FixedClock) -> Iterator[Flask]:
    """The portal, at the time of `clock`."""
    app = create_app(settings, time=clock)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def rows(app: Flask) -> Iterator[Session]:
    """A session on the portal's database, for what tests put there; commit before a page is to see it."""
    with app.app_context():
        engine = db.engine
    with Session(engine) as session:
        yield session


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Someone who has not signed in."""
    return Visitor(app)


@pytest.fixture
def enter(app: Flask, rows: Session, clock: FixedClock) -> Enter:
    """`enter(Role.ADMIN)` or `enter(user)`: someone who has signed in. Commit what `rows` holds before."""

    def enter_as(who: Role | User) -> Visitor:
        begin_write(rows)
        user = factories.user(rows, who) if isinstance(who, Role) else who
        return Visitor(app).enter_as(rows, user, clock.now())

    return enter_as
