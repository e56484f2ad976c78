"""Whether notice may be given, and from when on."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from portal.domain import notices
from portal.domain.contract import Agreement, Fee
from portal.domain.errors import NoticeRefused
from portal.domain.states import NoticeState, Party
from solver.terms import Terms

DAY = dt.date(2026, 11, 22)
AGREEMENT = Agreement(
    terms=Terms(
        start=dt.date(2026, 7, 1),
        end=dt.date(2027, 7, 1),
        lock_in_until=dt.date(2026, 10, 1),
        notice_days=90,
        notice_given_on=None,
        booking_lead_days=0,
        commitments=(),
    ),
    fees=(Fee(dt.date(2026, 7, 1), dt.date(2027, 7, 1), Decimal(100)),),
    notice_by=Party.EITHER,
)


def test_notice_ends_the_contract_after_the_notice_days():
    assert notices.check_notice(AGREEMENT, Party.TENANT, DAY) == dt.date(2027, 2, 20)


@pytest.mark.parametrize("day", [dt.date(2026, 10, 1), dt.date(2027, 4, 1)])
def test_the_first_and_the_last_day_of_notice_are_good(day):
    """2027-04-01 and 90 days is 2027-06-30, a day before the contract's end."""
    assert notices.check_notice(AGREEMENT, Party.PROVIDER, day) == day + dt.timedelta(90)


def test_before_the_lock_in_it_is_refused_with_the_first_day():
    with pytest.raises(NoticeRefused, match="from 1 Oct 2026 on") as refusal:
        notices.check_notice(AGREEMENT, Party.TENANT, dt.date(2026, 9, 30))

    assert refusal.value.first_date == dt.date(2026, 10, 1)


def test_notice_that_would_end_with_the_contract_is_refused():
    with pytest.raises(NoticeRefused, match="ends after 30 Jun 2027 anyway") as refusal:
        notices.check_notice(AGREEMENT, Party.TENANT, dt.date(2027, 4, 2))

    assert refusal.value.first_date is None


def test_a_second_notice_is_refused():
    running = replace(AGREEMENT, terms=replace(AGREEMENT.terms, notice_given_on=dt.date(2026, 11, 1)))

    with pytest.raises(NoticeRefused, match="given on 1 Nov 2026; this contract ends after 29 Jan 2027"):
        notices.check_notice(running, Party.PROVIDER, DAY)


@pytest.mark.parametrize(("allowed", "refused"), [(Party.TENANT, Party.PROVIDER), (Party.PROVIDER, Party.TENANT)])
def test_a_party_that_may_not_leave_is_refused(allowed, refused):
    one_sided = replace(AGREEMENT, notice_by=allowed)

    assert notices.check_notice(one_sided, allowed, DAY) == dt.date(2027, 2, 20)
    with pytest.raises(NoticeRefused, match=f"the {refused} may not give notice"):
        notices.check_notice(one_sided, refused, DAY)


class TestReceipt:
    def test_notice_is_dated_today(self):
        notices.check_receipt(DAY, today=DAY, has_document=False)

    def test_an_earlier_day_needs_its_document(self):
        earlier = DAY - dt.timedelta(3)

        notices.check_receipt(earlier, today=DAY, has_document=True)
        with pytest.raises(NoticeRefused, match="document") as refusal:
            notices.check_receipt(earlier, today=DAY, has_document=False)
        assert refusal.value.first_date == DAY

    def test_a_later_day_is_refused(self):
        with pytest.raises(NoticeRefused, match="from the day it is received"):
            notices.check_receipt(DAY + dt.timedelta(1), today=DAY, has_document=True)


class TestState:
    def test_a_notice_is_effective_from_the_day_that_ends_the_contract(self):
        ends_on = dt.date(2027, 2, 20)

        assert notices.state_on(NoticeState.RUNNING, ends_on, ends_on - dt.timedelta(1)) is NoticeState.RUNNING
        assert notices.state_on(NoticeState.RUNNING, ends_on, ends_on) is NoticeState.EFFECTIVE

    def test_a_withdrawn_notice_never_takes_effect(self):
        assert notices.state_on(NoticeState.WITHDRAWN, DAY, DAY) is NoticeState.WITHDRAWN

    def test_only_a_running_notice_can_be_withdrawn(self):
        ends_on = dt.date(2027, 2, 20)

        assert notices.can_withdraw(NoticeState.RUNNING, ends_on, DAY)
        assert not notices.can_withdraw(NoticeState.RUNNING, ends_on, ends_on)
        assert not notices.can_withdraw(NoticeState.WITHDRAWN, ends_on, DAY)
