"""The portal and people in front of it, on a clean SQLite file."""

from __future__ import annotations

from tests.portal.conftest import _sqlite_template, clock, sqlite_url
from tests.portal.web.fixtures import app, enter, rows, settings, visitor

__all__ = ["_sqlite_template", "app", "clock", "enter", "rows", "settings", "sqlite_url", "visitor"]
