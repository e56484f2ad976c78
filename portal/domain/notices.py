"""Whether notice may be given, and what a notice is on a day."""

from __future__ import annotations

import datetime as dt

from portal.domain.contract import Agreement, first_notice_date
from portal.domain.days import day_text, last_day_text
from portal.domain.errors import NoticeRefused
from portal.domain.states import NoticeState, Party


def state_on(recorded: NoticeState, ends_on: dt.date, day: dt.date) -> NoticeState:
    """A running notice is effective from the day on which it ends the contract; this follows from the date."""
    if recorded is NoticeState.RUNNING and day >= ends_on:
        return NoticeState.EFFECTIVE
    return recorded


def can_withdraw(recorded: NoticeState, ends_on: dt.date, day: dt.date) -> bool:
    """Whether the parties can still take the notice back (the other one has to consent)."""
    return state_on(recorded, ends_on, day) is NoticeState.RUNNING


def check_notice(agreement: Agreement, party: Party, given_on: dt.date) -> dt.date:
    """The day on which a notice given by ``party`` on ``given_on`` ends the contract.

    Raises `NoticeRefused`, with the first day on which this party can give notice, where one runs already, the party
    may not leave, the lock-in still holds, or the notice would end on or after the contract's own end.
    """
    terms = agreement.terms
    first = first_notice_date(agreement, party, given_on)
    if terms.notice_given_on is not None:
        raise NoticeRefused(
            f"Notice was given on {day_text(terms.notice_given_on)}; "
            f"this contract ends after {last_day_text(terms.effective_end)}.",
            first,
        )
    if not agreement.may_leave(party):
        raise NoticeRefused(
            f"Under this contract the {party} may not give notice. It runs through {last_day_text(terms.end)}.", first
        )
    if first is None:
        raise NoticeRefused(
            f"Notice takes {terms.notice_days} days, and the contract ends after {last_day_text(terms.end)} anyway.",
            first,
        )
    if given_on < terms.lock_in_until:
        raise NoticeRefused(f"Notice can be given from {day_text(first)} on.", first)
    return terms.end_if_notice_on(given_on)


def check_receipt(given_on: dt.date, *, today: dt.date, has_document: bool) -> None:
    """A notice is dated the day of its receipt: never ahead, and earlier than today only with its document."""
    if given_on > today:
        raise NoticeRefused(
            f"Notice counts from the day it is received. Give it on {day_text(given_on)}, or today.", given_on
        )
    if given_on < today and not has_document:
        raise NoticeRefused(
            "An earlier day of receipt needs the document that proves it. Add it, or choose today.", today
        )
