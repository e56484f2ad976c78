"""The one place that reads a clock. Everything else is given the instant or the day."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.models.settings import Settings


class Clock:
    """Real time. Only the business day can be fixed, by the settings' row; instants, leases and expiries cannot."""

    def now(self) -> dt.datetime:
        """This instant, aware, in UTC."""
        return dt.datetime.now(dt.UTC)

    def business_day(self, session: Session) -> dt.date:
        """The day that rules call today: the fixed one, else the UTC day."""
        return session.scalar(sa.select(Settings.business_day)) or self.now().date()


class FixedClock(Clock):
    """A clock for tests that stands still until it is moved."""

    def __init__(self, now: dt.datetime) -> None:
        self._now = now.astimezone(dt.UTC)

    def now(self) -> dt.datetime:
        return self._now

    def move(self, by: dt.timedelta) -> None:
        """Go on (or back) by this much."""
        self._now += by
