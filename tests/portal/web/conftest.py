"""The portal and people in front of it."""

from __future__ import annotations

import shutil

import pytest

from tests.portal.web.fixtures import app, enter, rows, settings, visitor

__all__ = ["app", "enter", "rows", "settings", "visitor"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where there is no Chromium the tests that drive it are left out, and pytest says how many."""
    if shutil.which("chromium"):
        return
    driven = [item for item in items if item.get_closest_marker("browser")]
    if driven:
        items[:] = [item for item in items if item not in driven]
        config.hook.pytest_deselected(items=driven)
