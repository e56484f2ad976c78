"""A new contract as an admin writes it, checked as a whole: every fault beside its field."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from portal.domain.errors import Invalid
from portal.domain.states import Party
from portal.models.contracts import CommitmentStep, Contract, FeeStep
from solver.terms import GPUS_PER_TRAY

LONGEST_ID = 48
RESERVED_ID = "new"  # the page of new contracts has its address
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_LEAST, _MOST = dt.date(2000, 1, 1), dt.date(2100, 1, 1)
_Value = TypeVar("_Value", int, Decimal)


@dataclass(frozen=True, slots=True)
class Step:
    """From ``start`` on, until the next step or the contract's end: GPUs committed, US dollars per calendar month."""

    start: dt.date
    gpus: int
    monthly_fee: Decimal


@dataclass(frozen=True, slots=True)
class NewContract:
    """The terms for ``[start, end)``. ``overage_rate`` null: no overage. Rows are named by database id."""

    public_id: str
    tenant_id: int
    start: dt.date
    end: dt.date
    lock_in_until: dt.date
    notice_days: int
    notice_by: Party
    booking_lead_days: int
    move_notice_days: int
    cancellation_days: int
    cancellation_fee_percent: int
    overage_rate: Decimal | None
    site_id: int | None
    assumption: str
    steps: Sequence[Step]

    def to_row(self) -> Contract:
        """The contract with its schedules; steps that do not differ are one."""
        row = Contract(
            public_id=self.public_id,
            tenant_id=self.tenant_id,
            start=self.start,
            end=self.end,
            lock_in_until=self.lock_in_until,
            notice_days=self.notice_days,
            notice_by=self.notice_by,
            booking_lead_days=self.booking_lead_days,
            move_notice_days=self.move_notice_days,
            cancellation_days=self.cancellation_days,
            cancellation_fee_percent=self.cancellation_fee_percent,
            overage=self.overage_rate is not None,
            overage_rate=self.overage_rate,
            site_id=self.site_id,
            assumption=self.assumption,
        )
        gpus = [(step.start, step.gpus) for step in self.steps]
        row.commitment_steps = [CommitmentStep(start=s, end=e, gpus=value) for s, e, value in _runs(gpus, self.end)]
        fees = [(step.start, step.monthly_fee) for step in self.steps]
        row.fee_steps = [FeeStep(start=s, end=e, monthly_fee=value) for s, e, value in _runs(fees, self.end)]
        return row


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field; ``steps`` is the schedule as a whole."""

    field: str
    sentence: str


class WrongContract(Invalid):
    """Terms that no contract can have; ``problems`` name the fields."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__(" ".join(problem.sentence for problem in problems))


def check(new: NewContract) -> None:
    """Raise `WrongContract` with everything that is wrong."""
    found = tuple(_problems(new))
    if found:
        raise WrongContract(found)


def _problems(new: NewContract) -> Iterator[Problem]:
    if len(new.public_id) > LONGEST_ID or not _ID.fullmatch(new.public_id):
        yield Problem("public_id", f"Up to {LONGEST_ID} letters, digits, dots, hyphens; the first a letter or digit.")
    if new.public_id == RESERVED_ID:
        yield Problem("public_id", "This word is taken. Choose another id.")
    if not _LEAST <= new.start < _MOST:
        yield Problem("start", "Choose a day in this century.")
    if new.end > _MOST:
        yield Problem("last_day", "Choose a day in this century.")
    if new.end <= new.start:
        yield Problem("last_day", "The last day lies before the first one.")
    if not new.start <= new.lock_in_until <= new.end:
        yield Problem("lock_in_until", "Notice can be given from a day within the contract on.")
    yield from _counts(new)
    yield from _schedule(new)


def _counts(new: NewContract) -> Iterator[Problem]:
    for field in ("notice_days", "booking_lead_days", "move_notice_days", "cancellation_days"):
        if not 0 <= getattr(new, field) <= 36_500:
            yield Problem(field, "A number of days, 0 or more.")
    if not 0 <= new.cancellation_fee_percent <= 100:
        yield Problem("cancellation_fee_percent", "A share from 0 to 100 percent.")
    rate = new.overage_rate
    if rate is not None and (rate < 0 or rate >= 1_000_000 or rate != round(rate, 6)):
        yield Problem("overage_rate", "US dollars per GPU-hour, with no more than six decimals.")


def _schedule(new: NewContract) -> Iterator[Problem]:
    steps = new.steps
    if not steps:
        yield Problem("steps", "A contract has one step or more: from a day on, so many GPUs for so much a month.")
        return
    if steps[0].start != new.start:
        yield Problem("steps", "The first step begins on the contract's first day.")
    if any(after.start <= before.start for before, after in pairwise(steps)):
        yield Problem("steps", "Each step begins after the one before it.")
    if steps[-1].start >= new.end:
        yield Problem("steps", "The last step begins after the contract has ended.")
    if any(step.gpus < 0 or step.gpus % GPUS_PER_TRAY or step.gpus > 10**9 for step in steps):
        yield Problem("steps", f"GPUs come in trays of {GPUS_PER_TRAY}: 0 or a multiple of it.")
    if any(not _is_fee(step.monthly_fee) for step in steps):
        yield Problem("steps", "A fee is an amount of 0 or more in dollars and cents.")


def _is_fee(amount: Decimal) -> bool:
    return 0 <= amount < 10**15 and amount == round(amount, 2)


def _runs(steps: Sequence[tuple[dt.date, _Value]], end: dt.date) -> Iterator[tuple[dt.date, dt.date, _Value]]:
    """``[start, end)`` of each value; steps that repeat the value before them are left out."""
    kept: list[tuple[dt.date, _Value]] = [steps[0]]
    kept += [after for before, after in pairwise(steps) if after[1] != before[1]]
    ends = [*(start for start, _ in kept[1:]), end]
    for (start, value), until in zip(kept, ends, strict=True):
        yield start, until, value
