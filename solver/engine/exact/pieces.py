"""Days from today on, cut into pieces within which no day differs from another, whatever is decided.

A request starts on a day of its window, everything else begins or ends on a day that the snapshot names. A recall that
ends inside a piece may as well end with it: that costs less, and the piece's first day was in order with the block.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from solver.snapshot import Request, Reservation, Snapshot


@dataclass(frozen=True, slots=True)
class Pieces:
    """Piece ``p`` is the days ``[cuts[p], cuts[p + 1])`` from today; the plan decides the pieces below ``decided``."""

    today: dt.date
    cuts: tuple[int, ...]
    decided: int

    def __len__(self) -> int:
        return len(self.cuts) - 1

    def at(self, day: int) -> int:
        """The first piece that starts on ``day`` or later."""
        return bisect_left(self.cuts, day, 0, len(self))

    def span(self, first: int, last: int) -> range:
        """The pieces of the days ``[first, last)``, cut to today and after."""
        return range(self.at(first), self.at(last))

    def between(self, start: dt.date, end: dt.date) -> range:
        """The pieces of the days ``[start, end)``, cut to today and after."""
        return self.span(self.number(start), self.number(end))

    def days(self, piece: int) -> int:
        return self.cuts[piece + 1] - self.cuts[piece]

    def number(self, day: dt.date) -> int:
        return (day - self.today).days

    def date(self, piece: int) -> dt.date:
        """The first day of ``piece``."""
        return self.today + dt.timedelta(self.cuts[piece])


def cut(snapshot: Snapshot) -> Pieces:
    """The pieces of a snapshot, to the end of its last reservation."""
    today, horizon = snapshot.today, (snapshot.horizon_end - snapshot.today).days
    last = max([horizon, *((r.end - today).days for r in snapshot.reservations)])
    days = {0, horizon, last}
    days |= {(day - today).days for day in _dates(snapshot)}
    for request in snapshot.requests:
        for start in starts(snapshot, request):
            days |= {start, start + request.days}
    cuts = tuple(sorted(day for day in days if 0 <= day <= last))
    return Pieces(today, cuts, bisect_left(cuts, horizon))


def starts(snapshot: Snapshot, request: Request) -> range:
    """R4, R6: the days, counted from today, on which the request may start."""
    first, end = max(request.earliest_start, snapshot.today), snapshot.horizon_end
    if request.contract is not None:
        terms = snapshot.contract_by_id[request.contract].terms
        first, end = max(first, terms.start), min(end, terms.effective_end)
    last = min((request.latest_start - snapshot.today).days, (end - snapshot.today).days - request.days)
    return range((first - snapshot.today).days, last + 1)


def _dates(snapshot: Snapshot) -> Iterator[dt.date]:
    for outage in snapshot.outages:
        yield from (outage.start, outage.end or outage.start)
    for site in snapshot.sites:
        for limit in site.power_limits:
            yield from (limit.start, limit.end)
    for contract in snapshot.contracts:
        terms = contract.terms
        yield from (terms.start, terms.effective_end, terms.holds_from(snapshot.today))
        for step in terms.commitments_in_force():
            yield from (step.start, step.end)
    for reservation in snapshot.reservations:
        yield from _reservation_dates(reservation, snapshot.today)


def _reservation_dates(reservation: Reservation, today: dt.date) -> Iterator[dt.date]:
    yield from (reservation.start, reservation.end)
    for segment in reservation.placement:
        yield from (segment.start, segment.end)
    notice = reservation.recall_notice_days
    if notice is not None and notice < (reservation.end - today).days:
        yield today + dt.timedelta(notice)
