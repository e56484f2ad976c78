"""What a reservation is on a day."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.domain.reservations import Ending, is_live, state_on
from portal.domain.states import RECORDED_ENDINGS, ReservationState

START, END = dt.date(2027, 1, 1), dt.date(2027, 2, 1)
ONE_DAY = dt.timedelta(1)


@pytest.mark.parametrize(
    ("day", "state", "live"),
    [
        (START - ONE_DAY, ReservationState.SCHEDULED, True),
        (START, ReservationState.ACTIVE, True),
        (END - ONE_DAY, ReservationState.ACTIVE, True),
        (END, ReservationState.COMPLETED, False),
    ],
)
def test_the_state_follows_from_the_dates(day, state, live):
    assert state_on(START, END, None, day) is state
    assert is_live(START, END, None, day) is live


@pytest.mark.parametrize("ending", sorted(RECORDED_ENDINGS))
def test_a_recorded_ending_counts_from_its_day_on(ending):
    ended = Ending(ending, dt.date(2027, 1, 10))

    assert state_on(START, dt.date(2027, 1, 10), ended, dt.date(2027, 1, 9)) is ReservationState.ACTIVE
    assert state_on(START, dt.date(2027, 1, 10), ended, dt.date(2027, 1, 10)) is ending
    assert not is_live(START, dt.date(2027, 1, 10), ended, dt.date(2027, 1, 10))


def test_a_reservation_cancelled_before_its_start_is_cancelled_at_once():
    cancelled = Ending(ReservationState.CANCELLED, dt.date(2026, 12, 1))

    assert state_on(START, END, cancelled, dt.date(2026, 12, 1)) is ReservationState.CANCELLED
    assert state_on(START, END, cancelled, END) is ReservationState.CANCELLED


def test_a_state_that_follows_from_dates_cannot_be_recorded():
    with pytest.raises(ValueError, match="never recorded"):
        Ending(ReservationState.COMPLETED, END)
