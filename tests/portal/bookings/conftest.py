"""The portal, people in front of it, and a small landlord."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from tests.portal.bookings.landlord import Landlord, landlord
from tests.portal.web.fixtures import app, enter, rows, settings, visitor

__all__ = ["app", "enter", "rows", "settings", "visitor"]


@pytest.fixture
def town(session: Session) -> Landlord:
    """One site with two halls of one pod of four racks; two tenants; a rate card."""
    return landlord(session)


@pytest.fixture
def web_town(rows: Session) -> Landlord:
    """The same on the portal's database, committed."""
    return landlord(rows)
