"""What a contract is on a day, as its pages say it: state, value, key dates, and commitment against bookings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from portal.domain import notices
from portal.domain.contract import (
    Agreement,
    NoticeEffect,
    Value,
    effect_of_notice,
    fees_between,
    first_effective_end,
    first_notice_date,
    last_notice_date,
    value_on,
)
from portal.domain.states import NoticeState, Party
from portal.models.contracts import Contract, Notice
from portal.web.charts.axis import Window
from portal.web.charts.step import Line, Series, StepView, step_view
from portal.web.format import gpus_text, money_text

SIDES = (Party.TENANT, Party.PROVIDER)


@dataclass(frozen=True, slots=True)
class KeyDate:
    """A day that matters; ``day`` is as pages show it: the last day of what ends there.

    An ``is_certain`` one comes whatever anybody does.
    """

    day: dt.date
    title: str
    note: str = ""
    kind: str = "neutral"
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class ScheduleStep:
    """GPUs committed and US dollars per calendar month on each day of ``[start, end)``."""

    start: dt.date
    end: dt.date
    gpus: int
    monthly_fee: Decimal


@dataclass(frozen=True)
class Overview:
    """One contract as ``day`` sees it."""

    contract: Contract
    day: dt.date

    @cached_property
    def agreement(self) -> Agreement:
        return self.contract.agreement

    @cached_property
    def value(self) -> Value:
        return value_on(self.agreement, self.day)

    @cached_property
    def key_dates(self) -> tuple[KeyDate, ...]:
        """In their order; of one day, in the order of a contract's life."""
        return tuple(sorted(_key_dates(self.contract, self.agreement, self.day), key=lambda each: each.day))

    @cached_property
    def schedule(self) -> tuple[ScheduleStep, ...]:
        """Commitment and fee beside each other, as agreed, cut wherever either changes."""
        contract = self.contract
        spans = [(each.start, each.end) for each in contract.commitment_steps]
        spans += [(each.start, each.end) for each in contract.fee_steps]
        cuts = sorted({contract.start, contract.end, *(day for span in spans for day in span)})
        return tuple(_step(contract, start, end) for start, end in pairwise(cuts))

    @property
    def next_date(self) -> KeyDate | None:
        return next((each for each in self.key_dates if each.day >= self.day and each.is_certain), None)

    @property
    def has_begun(self) -> bool:
        return self.contract.start <= self.day

    @property
    def has_ended(self) -> bool:
        return self.effective_end <= self.day

    @property
    def in_force(self) -> bool:
        return self.agreement.terms.in_force(self.day)

    @property
    def effective_end(self) -> dt.date:
        return self.agreement.terms.effective_end

    @property
    def last_day(self) -> dt.date:
        """The last day in force."""
        return _last(self.effective_end)

    @property
    def committed(self) -> int:
        return self.agreement.terms.committed(self.day)

    @property
    def monthly_fee(self) -> Decimal:
        """US dollars per calendar month at the day's step."""
        return next((fee.monthly for fee in self.agreement.fees if fee.start <= self.day < fee.end), Decimal(0))

    @property
    def notice(self) -> Notice | None:
        return self.contract.notice

    @property
    def notice_state(self) -> NoticeState | None:
        notice = self.notice
        return None if notice is None else notices.state_on(notice.state, notice.ends_on, self.day)

    @property
    def who_may_leave(self) -> str:
        return {
            Party.EITHER: "either party",
            Party.TENANT: "the tenant",
            Party.PROVIDER: "the provider",
        }[self.contract.notice_by]

    @property
    def left_to_pay(self) -> Decimal:
        """The fees from the day to the contract's own end, notice or not."""
        terms = self.agreement.terms
        return fees_between(self.agreement.fees, max(terms.start, self.day), terms.end)

    def first_notice(self, party: Party) -> dt.date | None:
        """The first day from today on on which this side can give notice."""
        return first_notice_date(self.agreement, party, self.day)

    @property
    def earliest_notice(self) -> NoticeEffect | None:
        """What the first notice that a side can still give would do; null: nobody can."""
        days = [day for day in map(self.first_notice, SIDES) if day is not None]
        return effect_of_notice(self.agreement, min(days)) if days else None


def commitment_chart(contract: Contract, booked: Mapping[dt.date, int], window: Window) -> StepView:
    """Commitment as an area, bookings as a line over it."""
    committed: dict[dt.date, int] = {}
    for step in contract.terms.commitments_in_force():
        committed[step.start] = step.gpus
        committed.setdefault(step.end, 0)
    stack = [Series("Committed", committed, colour=0)]
    return step_view(window, stack, [Line("Booked", booked or {contract.start: 0}, "booked")])


def whole_term(contract: Contract) -> Window:
    return Window(contract.start, contract.end)


def totals(overviews: Sequence[Overview]) -> Mapping[str, Decimal]:
    """Firm and at-risk value over all contracts that have not ended."""
    running = [each for each in overviews if not each.has_ended]
    return {
        "firm": sum((each.value.firm for each in running), Decimal(0)),
        "at_risk": sum((each.value.at_risk for each in running if each.notice is None), Decimal(0)),
        "payable": sum((each.value.payable for each in running), Decimal(0)),
    }


def _key_dates(contract: Contract, agreement: Agreement, today: dt.date) -> Iterator[KeyDate]:
    yield KeyDate(contract.start, "Contract starts", kind="ok")
    yield from _ramp(contract)
    if contract.notice is None:
        yield from _notice_dates(contract, agreement, today)
        yield KeyDate(_last(contract.end), "Last day of the term")
        return
    given, ends = contract.notice.given_on, contract.notice.ends_on
    yield KeyDate(given, f"Notice given by the {contract.notice.party}", kind="wait")
    yield KeyDate(_last(ends), "Last day in force, by notice", kind="bad")
    yield KeyDate(_last(contract.end), "Last day of the term as agreed", "no longer reached")


def _step(contract: Contract, start: dt.date, end: dt.date) -> ScheduleStep:
    gpus = next((each.gpus for each in contract.commitment_steps if each.start <= start < each.end), 0)
    fee = next((each.monthly_fee for each in contract.fee_steps if each.start <= start < each.end), Decimal(0))
    return ScheduleStep(start, end, gpus, fee)


def _ramp(contract: Contract) -> Iterator[KeyDate]:
    for before, step in pairwise(contract.commitment_steps):
        verb = "rises" if step.gpus > before.gpus else "falls" if step.gpus < before.gpus else "stays"
        yield KeyDate(step.start, f"Commitment {verb} to {gpus_text(step.gpus)}", kind="info")
    for earlier, fee in pairwise(contract.fee_steps):
        if fee.monthly_fee != earlier.monthly_fee:
            yield KeyDate(fee.start, f"Fee becomes {money_text(fee.monthly_fee)} a month", kind="info")


def _notice_dates(contract: Contract, agreement: Agreement, today: dt.date) -> Iterator[KeyDate]:
    """The first and the last day for notice, and the earliest end that a notice can still bring about."""
    party = Party.TENANT if agreement.may_leave(Party.TENANT) else Party.PROVIDER
    first, last = first_notice_date(agreement, party, contract.start), last_notice_date(agreement)
    if first is None or last is None:
        return
    yield KeyDate(first, "First day on which notice can be given", kind="wait")
    end = first_effective_end(agreement, party, max(today, contract.start))
    if end is not None:
        note = "if notice is given today" if first <= today else "if notice is given on the first day"
        yield KeyDate(_last(end), "Earliest last day", note, kind="wait", is_certain=False)
    yield KeyDate(last, "Last day on which notice ends it early", kind="wait")


def _last(end: dt.date) -> dt.date:
    return end - dt.timedelta(days=1)
