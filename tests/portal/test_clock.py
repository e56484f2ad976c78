"""The one place that reads a clock."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from portal.clock import Clock, FixedClock
from portal.models.settings import Settings
from tests.portal.conftest import NOW


def test_now_is_aware_and_in_utc():
    before = dt.datetime.now(dt.UTC)

    assert before <= Clock().now() <= dt.datetime.now(dt.UTC)
    assert Clock().now().utcoffset() == dt.timedelta(0)


def test_the_business_day_is_the_utc_day(session, clock):
    assert clock.business_day(session) == dt.date(2026, 11, 22)


def test_the_utc_day_counts_wherever_the_instant_was_told(session):
    late_in_memphis = dt.datetime(2026, 11, 22, 23, 0, tzinfo=dt.timezone(dt.timedelta(hours=-6)))

    assert FixedClock(late_in_memphis).business_day(session) == dt.date(2026, 11, 23)


def test_the_business_day_can_be_fixed_and_instants_cannot(session, clock):
    session.execute(sa.update(Settings).values(business_day=dt.date(2027, 3, 1)))

    assert clock.business_day(session) == dt.date(2027, 3, 1)
    assert clock.now() == NOW


def test_a_fixed_clock_moves_when_it_is_told_to(clock):
    clock.move(dt.timedelta(hours=2))

    assert clock.now() == NOW + dt.timedelta(hours=2)
