"""The portal and people in front of it."""

from __future__ import annotations

from tests.portal.web.fixtures import app, enter, rows, settings, visitor

__all__ = ["app", "enter", "rows", "settings", "visitor"]
