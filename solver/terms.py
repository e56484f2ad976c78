"""What a contract means on a day, written once; solver and portal both read it from here.

Rule numbers (R6, R7, ...) are those of the planning problem, see ``docs/model.md``. All intervals are half-open
``[start, end)`` in UTC days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

GPUS_PER_RACK = 72
GPUS_PER_TRAY = 4


def block_multiple(gpus: int) -> int:
    """The step in which a block of ``gpus`` GPUs may grow or shrink: whole racks from 72 on, trays below."""
    return GPUS_PER_RACK if gpus >= GPUS_PER_RACK else GPUS_PER_TRAY


def is_block_size(gpus: int) -> bool:
    """Whether a block may have this many GPUs: positive, whole trays below one rack, whole racks from there on."""
    return gpus > 0 and gpus % block_multiple(gpus) == 0


@dataclass(frozen=True, slots=True)
class Commitment:
    """One step of a commitment schedule: ``gpus`` GPUs on each day of ``[start, end)``."""

    start: dt.date
    end: dt.date
    gpus: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The dates and counts of one contract that decide what it means on a day.

    ``booking_lead_days`` and ``notice_days`` are whole days, 0 or more. Gaps in ``commitments`` are 0 GPUs.
    """

    start: dt.date
    end: dt.date
    lock_in_until: dt.date
    notice_days: int
    notice_given_on: dt.date | None
    booking_lead_days: int
    commitments: tuple[Commitment, ...]

    @property
    def effective_end(self) -> dt.date:
        """The first day on which the contract is no longer in force."""
        if self.notice_given_on is None:
            return self.end
        return min(self.end, self.end_if_notice_on(self.notice_given_on))

    def end_if_notice_on(self, day: dt.date) -> dt.date:
        """The first day after the notice period of a notice given on ``day``; not cut at the contract's own end."""
        return add_days(day, self.notice_days)

    def in_force(self, day: dt.date) -> bool:
        """R6: a contract is in force on ``start <= day < effective_end``."""
        return self.start <= day < self.effective_end

    def committed(self, day: dt.date) -> int:
        """The schedule's GPUs on ``day`` while the contract is in force, else 0."""
        if not self.in_force(day):
            return 0
        return next((step.gpus for step in self.commitments if step.start <= day < step.end), 0)

    def commitments_in_force(self) -> Iterable[Commitment]:
        """The steps of the schedule, cut to the days on which the contract is in force; empty steps left out."""
        for step in self.commitments:
            start, end = max(step.start, self.start), min(step.end, self.effective_end)
            if start < end:
                yield Commitment(start, end, step.gpus)

    def holds_from(self, today: dt.date) -> dt.date:
        """R7: a hold is released inside the booking lead; unbooked commitment is held from this day on."""
        return add_days(today, self.booking_lead_days)

    def held(self, day: dt.date, *, booked: int, today: dt.date) -> int:
        """R7: GPUs that must stay free for the contract on ``day`` when ``booked`` GPUs are already promised."""
        if day < self.holds_from(today):
            return 0
        return max(0, self.committed(day) - booked)


def add_days(day: dt.date, days: int) -> dt.date:
    """``day + days`` (0 or more), capped at the last day of the calendar: a notice period may be longer than it."""
    return dt.date.max if days > (dt.date.max - day).days else day + dt.timedelta(days)
