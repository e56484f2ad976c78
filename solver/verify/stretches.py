"""Time for `solver.verify`: the days from today on, cut into stretches within which no day differs from another.

Every day on which anything of the snapshot or the plan begins or ends is a cut, so what holds on one day of a stretch
holds on all of it, and days beyond the horizon (or a century away) cost no more than those before it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from solver.plan import Plan
from solver.snapshot import Contract, Reservation, Snapshot
from solver.terms import add_days

Flags = NDArray[np.bool_]
Run = tuple[int, int]


class _Span(Protocol):
    @property
    def start(self) -> dt.date: ...
    @property
    def end(self) -> dt.date: ...


@dataclass(frozen=True, slots=True)
class Stretches:
    """``cuts`` is the first day of each stretch and, last, the end of the last one.

    ``decided`` is the number of stretches before ``horizon_end``: those that the plan decides.
    """

    cuts: tuple[dt.date, ...]
    decided: int

    def __len__(self) -> int:
        return len(self.cuts) - 1

    def index(self, day: dt.date) -> int:
        """The number of the stretch that starts on ``day``, which is a cut; cut to ``[0, len]`` outside."""
        return min(bisect_left(self.cuts, day), len(self))

    def span(self, start: dt.date, end: dt.date) -> slice:
        """The stretches of ``[start, end)``, cut to today and after; both days are cuts or lie outside."""
        first = self.index(start)
        return slice(first, max(first, self.index(end)))

    def text(self, first: int, last: int) -> str:
        """The days of the stretches ``[first, last)``, half-open: ``[2027-01-01, 2027-02-01)``."""
        return f"[{self.cuts[first]}, {self.cuts[last]})"

    def text_of(self, flags: Flags) -> str:
        """The days of the flagged stretches; of more than three ranges, the first three."""
        ranges = [self.text(first, last) for first, last in runs(flags)]
        return ", ".join(ranges[:3]) + (f" and {len(ranges) - 3} more" if len(ranges) > 3 else "")


def runs(flags: Flags) -> list[Run]:
    """Where ``flags`` is true without a break, as ``[first, last)``."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def cut(snapshot: Snapshot, plan: Plan) -> Stretches:
    """The stretches of a snapshot and a plan."""
    today = snapshot.today
    days = {day for day in _days(snapshot, plan) if day > today}
    cuts = (today, *sorted(days))
    return Stretches(cuts, decided=bisect_left(cuts, snapshot.horizon_end))


def _days(snapshot: Snapshot, plan: Plan) -> Iterator[dt.date]:
    yield snapshot.horizon_end
    for site in snapshot.sites:
        for limit in site.power_limits:
            yield from (limit.start, limit.end)
    for outage in snapshot.outages:
        yield from (outage.start, outage.end or outage.start)
    for contract in snapshot.contracts:
        yield from _contract_days(contract, snapshot.today)
    for reservation in snapshot.reservations:
        yield from _reservation_days(reservation, snapshot.today)
    yield from _plan_days(plan)


def _contract_days(contract: Contract, today: dt.date) -> Iterator[dt.date]:
    terms = contract.terms
    yield from (terms.start, terms.effective_end, terms.holds_from(today))
    for step in terms.commitments_in_force():
        yield from (step.start, step.end)


def _reservation_days(reservation: Reservation, today: dt.date) -> Iterator[dt.date]:
    yield from (reservation.start, reservation.end, add_days(today, reservation.recall_notice_days or 0))
    for segment in reservation.placement:
        yield from (segment.start, segment.end)


def _plan_days(plan: Plan) -> Iterator[dt.date]:
    for recall in plan.recalls:
        yield recall.end
    segments = (segment for move in plan.moves for segment in move.placement)
    spans: Iterable[Iterable[_Span]] = (plan.accepted, segments, plan.shortfalls, plan.hold_shortfalls)
    for ranges in spans:
        for item in ranges:
            yield from (item.start, item.end)
