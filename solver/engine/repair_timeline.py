"""Days from today on, cut into pieces within which nothing changes: bit ``p`` of a mask is piece ``p``.

Pieces and not days, because a reservation may last to the end of the calendar.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from solver.snapshot import Snapshot

Mask = int
DAY_BY_DAY = 31
FEW = 4
"""With no more reservations, and a horizon no further away, the timeline is cut at each of so many days."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Piece ``p`` is the days ``[bounds[p], bounds[p + 1])``, counted from today; ``horizon`` is the first piece beyond
    the horizon.
    """

    today: dt.date
    bounds: tuple[int, ...]
    horizon: int

    @property
    def pieces(self) -> int:
        return len(self.bounds) - 1

    @property
    def everything(self) -> Mask:
        return (1 << self.pieces) - 1

    def piece(self, day: dt.date) -> int:
        """The first piece that starts on or after ``day``."""
        return bisect_left(self.bounds, (day - self.today).days, 0, self.pieces)

    def date(self, piece: int) -> dt.date:
        """The first day of ``piece``."""
        return self.today + dt.timedelta(self.bounds[piece])

    def mask(self, start: dt.date, end: dt.date | None) -> Mask:
        """The pieces in ``[start, end)``; ``end`` null: all from ``start`` on."""
        last = self.pieces if end is None else self.piece(end)
        return self.between(self.piece(start), last)

    def between(self, first: int, last: int) -> Mask:
        """The pieces ``[first, last)``."""
        return ((1 << (last - first)) - 1) << first if last > first else 0

    def from_piece(self, first: int) -> Mask:
        return self.between(first, self.pieces)

    def days(self, mask: Mask) -> int:
        """How many days the pieces last together."""
        return sum(self.bounds[last] - self.bounds[first] for first, last in runs(mask))


def runs(mask: Mask) -> Iterator[tuple[int, int]]:
    """The runs ``[first, last)`` of set bits, in order."""
    while mask:
        first = lowest(mask)
        last = first + lowest(~(mask >> first))
        yield first, last
        mask = mask >> last << last


def ranges(mask: Mask) -> list[Mask]:
    """The runs of set bits as masks, in order."""
    return [((1 << (last - first)) - 1) << first for first, last in runs(mask)]


def pieces_of(mask: Mask) -> Iterator[int]:
    """The set bits, in order."""
    while mask:
        yield lowest(mask)
        mask &= mask - 1


def lowest(mask: Mask) -> int:
    """The lowest set bit of a mask that has one."""
    return (mask & -mask).bit_length() - 1


def build(snapshot: Snapshot) -> Timeline:
    """Cut at every day on which a reservation, an outage, a power limit, a recall notice or a hold changes.

    Where there is little of all every day is a piece: R11 may make it best to replace a rack later than one is free.
    """
    today = snapshot.today
    last = max((r.end for r in snapshot.reservations), default=today)
    last = max(last, today + dt.timedelta(1))
    days = {0, (last - today).days}
    days |= {(day - today).days for day in _changes(snapshot) if today < day < last}
    if len(snapshot.reservations) <= FEW and (snapshot.horizon_end - today).days <= DAY_BY_DAY:
        days.update(range(min(DAY_BY_DAY, (last - today).days)))
    bounds = tuple(sorted(days))
    return Timeline(today, bounds, bisect_left(bounds, (snapshot.horizon_end - today).days, 0, len(bounds) - 1))


def _changes(snapshot: Snapshot) -> Iterator[dt.date]:
    yield snapshot.horizon_end
    for reservation in snapshot.reservations:
        yield from (reservation.start, reservation.end)
        for segment in reservation.placement:
            yield from (segment.start, segment.end)
        if reservation.recall_notice_days is not None:
            yield first_recall(snapshot.today, reservation.recall_notice_days)
    for outage in snapshot.outages:
        yield outage.start
        if outage.end is not None:
            yield outage.end
    for site in snapshot.sites:
        for limit in site.power_limits:
            yield from (limit.start, limit.end)
    for contract in snapshot.contracts:
        yield contract.terms.holds_from(snapshot.today)
        for step in contract.terms.commitments_in_force():
            yield from (step.start, step.end)


def first_recall(today: dt.date, notice_days: int) -> dt.date:
    """R11: the first day on which a block of this notice can be gone, capped at the calendar's last day."""
    return dt.date.max if notice_days > (dt.date.max - today).days else today + dt.timedelta(notice_days)
