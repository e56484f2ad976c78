"""What a contract is worth, and what leaving it costs. What it means on a day is in `solver.terms`.

A month's fee is the sum of fee x days in force / days in that calendar month, rounded half-even to cents once per
month. All intervals are half-open ``[start, end)``; all amounts are US dollars.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from portal.domain.money import ZERO, to_cents
from portal.domain.states import Party
from solver.terms import Terms


@dataclass(frozen=True, slots=True)
class Fee:
    """``monthly`` US dollars per calendar month on each day of ``[start, end)``."""

    start: dt.date
    end: dt.date
    monthly: Decimal


@dataclass(frozen=True, slots=True)
class Agreement:
    """A contract's terms with its fee schedule (steps never overlap) and who may give notice."""

    terms: Terms
    fees: tuple[Fee, ...]
    notice_by: Party

    def may_leave(self, party: Party) -> bool:
        """Whether this side may give notice at all."""
        return self.notice_by in {party, Party.EITHER}


@dataclass(frozen=True, slots=True)
class MonthFee:
    """What one calendar month costs; ``month`` is its first day, ``days`` the days charged."""

    month: dt.date
    days: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Value:
    """A contract's value as one day sees it.

    ``firm_until`` is E, the first day that nothing secures; ``firm`` the fees from the start to E; ``payable`` those
    from the day to E; ``at_risk`` what full term is worth beyond firm.
    """

    full_term: Decimal
    firm_until: dt.date
    firm: Decimal
    payable: Decimal
    at_risk: Decimal


@dataclass(frozen=True, slots=True)
class NoticeEffect:
    """What happens if notice is given on ``given_on``: the contract ends at ``ends_on`` (exclusive)."""

    given_on: dt.date
    ends_on: dt.date
    firm: Decimal
    payable: Decimal
    forgone: Decimal
    """The fees from ``ends_on`` to the contract's own end, which nobody will owe."""

    @property
    def last_day(self) -> dt.date:
        """The last day in force, as pages show it."""
        return self.ends_on - dt.timedelta(days=1)


def month_fees(fees: tuple[Fee, ...], start: dt.date, end: dt.date) -> Iterator[MonthFee]:
    """The fee of each calendar month that has a day in ``[start, end)``, charged for these days."""
    month = start.replace(day=1)
    while month < end:
        following = _next_month(month)
        first, last = max(start, month), min(end, following)
        yield MonthFee(month, (last - first).days, to_cents(_share_of_month(fees, first, last)))
        month = following


def fees_between(fees: tuple[Fee, ...], start: dt.date, end: dt.date) -> Decimal:
    """The sum of the month fees of ``[start, end)``; 0 where it is empty."""
    return sum((month.amount for month in month_fees(fees, start, end)), ZERO)


def full_term_value(agreement: Agreement) -> Decimal:
    """The fees from the contract's start to its own end, notice or not."""
    return fees_between(agreement.fees, agreement.terms.start, agreement.terms.end)


def firm_until(agreement: Agreement, day: dt.date) -> dt.date:
    """E: where a running notice ends the contract, else where the tenant's notice given on ``day`` would.

    A notice can be given from the lock-in on; where the tenant may not leave, E is the contract's end.
    """
    terms = agreement.terms
    if terms.notice_given_on is not None:
        return terms.effective_end
    if not agreement.may_leave(Party.TENANT):
        return terms.end
    return min(terms.end, terms.end_if_notice_on(max(day, terms.lock_in_until)))


def value_on(agreement: Agreement, day: dt.date) -> Value:
    """The contract's value as ``day`` sees it."""
    start, until = agreement.terms.start, firm_until(agreement, day)
    full_term, firm = full_term_value(agreement), fees_between(agreement.fees, start, until)
    return Value(
        full_term=full_term,
        firm_until=until,
        firm=firm,
        payable=fees_between(agreement.fees, max(start, day), until),
        at_risk=full_term - firm,
    )


def first_notice_date(agreement: Agreement, party: Party, day: dt.date) -> dt.date | None:
    """The first day from ``day`` on on which this side can give notice; null: it cannot.

    It cannot where it may not, where a notice runs, or where a notice would end on or after the contract's end.
    """
    terms = agreement.terms
    first = max(day, terms.lock_in_until)
    if not agreement.may_leave(party) or terms.notice_given_on is not None:
        return None
    return first if terms.end_if_notice_on(first) < terms.end else None


def first_effective_end(agreement: Agreement, party: Party, day: dt.date) -> dt.date | None:
    """The earliest end that this side can bring about from ``day`` on; null: it cannot leave."""
    first = first_notice_date(agreement, party, day)
    return None if first is None else agreement.terms.end_if_notice_on(first)


def last_notice_date(agreement: Agreement) -> dt.date | None:
    """The last day on which a notice still ends the contract early; null: no notice ever does."""
    terms = agreement.terms
    if terms.notice_days >= (terms.end - terms.lock_in_until).days:
        return None
    return terms.end - dt.timedelta(days=terms.notice_days + 1)


def effect_of_notice(agreement: Agreement, day: dt.date) -> NoticeEffect:
    """What happens if notice is given on ``day``; whether it may be is `portal.domain.notices`' answer."""
    terms = agreement.terms
    ends_on = min(terms.end, terms.end_if_notice_on(day))
    firm = fees_between(agreement.fees, terms.start, ends_on)
    return NoticeEffect(
        given_on=day,
        ends_on=ends_on,
        firm=firm,
        payable=fees_between(agreement.fees, max(terms.start, day), ends_on),
        forgone=full_term_value(agreement) - firm,
    )


def _share_of_month(fees: tuple[Fee, ...], start: dt.date, end: dt.date) -> Fraction:
    """The exact fee of ``[start, end)``, which lies within one calendar month."""
    days_in_month = calendar.monthrange(start.year, start.month)[1]
    charged = (Fraction(fee.monthly) * max(0, (min(end, fee.end) - max(start, fee.start)).days) for fee in fees)
    return sum(charged, Fraction(0)) / days_in_month


def _next_month(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=31)).replace(day=1)
