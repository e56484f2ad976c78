"""What may happen to a request."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.domain import requests
from portal.domain.errors import Invalid
from portal.domain.states import RequestState

TODAY = dt.date(2026, 11, 22)
UNDECIDED = {RequestState.DRAFT, RequestState.SUBMITTED, RequestState.WAITLISTED}


@pytest.mark.parametrize(("drawdown", "interruptible", "tier"), [(True, False, 0), (False, False, 1), (False, True, 2)])
def test_the_default_tiers(drawdown, interruptible, tier):
    assert requests.default_tier(drawdown=drawdown, interruptible=interruptible) == tier


@pytest.mark.parametrize("state", RequestState)
def test_a_request_can_be_amended_and_withdrawn_until_it_is_decided(state):
    assert requests.can_amend(state) is (state in UNDECIDED)
    assert requests.can_withdraw(state) is (state in UNDECIDED)


def test_a_window_has_passed_when_its_latest_start_has():
    assert not requests.window_has_passed(TODAY, TODAY)
    assert requests.window_has_passed(TODAY - dt.timedelta(1), TODAY)


@pytest.mark.parametrize(
    ("wants_waitlist", "days_ahead", "state"),
    [
        (True, 1, RequestState.WAITLISTED),
        (True, 0, RequestState.DECLINED),
        (False, 1, RequestState.DECLINED),
    ],
)
def test_a_declined_request_waits_where_its_tenant_wants_it_and_a_start_lies_ahead(wants_waitlist, days_ahead, state):
    latest_start = TODAY + dt.timedelta(days_ahead)

    assert requests.state_after_decline(wants_waitlist=wants_waitlist, latest_start=latest_start, today=TODAY) is state


def test_a_request_reaches_beyond_a_day_when_no_start_of_its_window_is_early_enough():
    start = dt.date(2027, 1, 1)

    assert not requests.reaches_beyond(start, 30, dt.date(2027, 1, 31))
    assert requests.reaches_beyond(start, 31, dt.date(2027, 1, 31))


@pytest.mark.parametrize(("gpus", "min_gpus"), [(4, 4), (68, 8), (72, 72), (144, 72), (7_200, 3_600)])
def test_sizes_in_their_multiple_are_good(gpus, min_gpus):
    requests.check_size(gpus, min_gpus)


@pytest.mark.parametrize(("gpus", "min_gpus"), [(0, 0), (-4, -4), (70, 70), (100, 72)])
def test_a_size_that_is_no_block_is_refused(gpus, min_gpus):
    with pytest.raises(Invalid, match="no block"):
        requests.check_size(gpus, min_gpus)


@pytest.mark.parametrize(("gpus", "min_gpus"), [(144, 68), (144, 0), (144, 216), (68, 2), (72, -72)])
def test_a_least_size_out_of_range_or_multiple_is_refused(gpus, min_gpus):
    with pytest.raises(Invalid, match="least size"):
        requests.check_size(gpus, min_gpus)
