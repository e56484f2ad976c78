"""What fits on top of a plan, alone, as it stands, with nothing moved (R1 to R9): asked by tenants and by the engine.

NumPy only: this runs in the web process as well. Starts are days counted from today.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from solver import placing
from solver.cluster import Counts
from solver.fit import Ask, ask_of, fits, most, room_for
from solver.plan import CounterKind, CounterOffer
from solver.racks import Flags
from solver.snapshot import SCOPES, Request
from solver.standing import Room, Standing

__all__ = ["Ask", "Starts", "ask_of", "counter_offers", "largest", "place", "ranges", "starts", "window"]

FIRST_STEP = 32  # days


@dataclass(frozen=True, slots=True)
class Starts:
    """Every start in ``[first, until)`` fits."""

    first: dt.date
    until: dt.date


def starts(standing: Standing, ask: Ask, first: int, last: int) -> Flags:
    """For each start in ``[first, last)`` (within ``[0, days]``) whether ``ask.min_gpus`` GPUs fit for ``ask.days``."""
    room = room_for(standing, ask)
    return fits(standing, ask, room, first, last)


def largest(standing: Standing, ask: Ask, first: int, last: int) -> Counts:
    """For each start in ``[first, last)`` the most GPUs that fit for ``ask.days``, in the ask's multiple, from
    ``ask.min_gpus`` to ``ask.gpus``; 0 where not even the least fits.
    """
    by_unit = most(standing, ask, room_for(standing, ask), first, last, least=ask.min_gpus)
    gpus: Counts = by_unit.max(axis=1, initial=0)
    return gpus


def place(standing: Standing, ask: Ask, start: int, gpus: int) -> dict[str, int] | None:
    """GPUs by rack for ``gpus`` GPUs from day ``start`` on: fewest halls, then pods, then the tightest fit; a block
    below 72 GPUs shares a rack where it can. None where the block doesn't fit.
    """
    return placing.place(standing, ask, room_for(standing, ask), start=start, gpus=gpus)


def window(standing: Standing, request: Request) -> tuple[int, int]:
    """The request's window as starts ``[first, last)`` from today on, before the horizon; empty where it is past."""
    today, days = standing.cluster.today, standing.cluster.days
    first = min(max((request.earliest_start - today).days, 0), days)
    return first, min(max((request.latest_start - today).days + 1, first), days)


def ranges(standing: Standing, ask: Ask, first: int, last: int) -> list[Starts]:
    """The starts in ``[first, last)`` at which ``ask.min_gpus`` GPUs fit, as ranges."""
    found = np.concatenate(([False], starts(standing, ask, first, last), [False]))
    edges = (first + np.flatnonzero(found[1:] != found[:-1])).tolist()
    date = standing.cluster.date
    return [Starts(date(begin), date(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def counter_offers(standing: Standing, request: Request) -> list[CounterOffer]:
    """Blocks of the same terms that fit instead: at most one of each kind, nearest first.

    ``earlier`` and ``later`` by their distance from the window, then ``wider``, ``smaller`` and ``shorter``.
    """
    search = _Search(standing, request)
    return [*search.other_days(), *search.wider(), *search.smaller(), *search.shorter()]


class _Search:
    """The search for counter-offers to one request; all kinds share the room that counts of GPUs leave it."""

    def __init__(self, standing: Standing, request: Request) -> None:
        self.standing = standing
        self.request = request
        self.ask = replace(ask_of(request), min_gpus=request.gpus)
        self.room: Room = room_for(standing, self.ask)
        self.first, self.last = window(standing, request)

    def other_days(self) -> list[CounterOffer]:
        """The same block at the nearest start before the window, and after it."""
        today = self.standing.cluster.today
        found = []
        before = self._last_start(self.first)
        if before is not None:
            found.append(((self.request.earliest_start - today).days - before, self._offer("earlier", before)))
        after = self._first_start(self.last)
        if after is not None:
            found.append((after - (self.request.latest_start - today).days, self._offer("later", after)))
        return [offer for _, offer in sorted(found, key=lambda pair: pair[0])]

    def _first_start(self, first: int) -> int | None:
        """The first start from ``first`` on; asked in growing steps, as it is often near."""
        step, end = FIRST_STEP, self.standing.cluster.days - self.ask.days + 1
        while first < end:
            found = np.flatnonzero(self._fits(self.ask, first, min(first + step, end)))
            if len(found):
                return first + int(found[0])
            first, step = first + step, step * 4
        return None

    def _last_start(self, last: int) -> int | None:
        """The last start before ``last``, likewise."""
        step, last = FIRST_STEP, min(last, self.standing.cluster.days - self.ask.days + 1)
        while last > 0:
            first = max(0, last - step)
            found = np.flatnonzero(self._fits(self.ask, first, last))
            if len(found):
                return first + int(found[-1])
            last, step = first, step * 4
        return None

    def wider(self) -> Iterator[CounterOffer]:
        """The same block in the same window, in the next wider scope in which it fits."""
        for scope in SCOPES[SCOPES.index(self.ask.scope) + 1 :]:
            ask = replace(self.ask, scope=scope)
            found = np.flatnonzero(self._fits(ask, self.first, self.last))
            if len(found):
                yield self._offer("wider", self.first + int(found[0]), ask)
                return

    def smaller(self) -> Iterator[CounterOffer]:
        """The largest block that fits at a start of the window."""
        ask = replace(self.ask, gpus=self.ask.gpus - self.ask.multiple)
        if self.first == self.last or not ask.gpus:
            return
        by_unit = most(self.standing, ask, self.room, self.first, self.last)
        gpus = by_unit.max(axis=1, initial=0)
        best = int(gpus.argmax())
        if gpus[best] > 0:
            yield self._offer("smaller", self.first + best, replace(self.ask, gpus=int(gpus[best])))

    def shorter(self) -> Iterator[CounterOffer]:
        """The block with the most days that fits at a start of the window."""
        days = self._most_days()
        if days:
            ask = replace(self.ask, days=days)
            found = np.flatnonzero(self._fits(ask, self.first, self.last))
            yield self._offer("shorter", self.first + int(found[0]), ask)

    def _most_days(self) -> int:
        """A block that fits for some days fits for fewer as well: halve the doubt."""
        low, high = 0, min(self.ask.days - 1, self.standing.cluster.days - self.first)
        while low < high:
            middle = (low + high + 1) // 2
            if self._fits(replace(self.ask, days=middle), self.first, self.last).any():
                low = middle
            else:
                high = middle - 1
        return low

    def _fits(self, ask: Ask, first: int, last: int) -> Flags:
        return fits(self.standing, ask, self.room, first, last)

    def _offer(self, kind: CounterKind, start: int, ask: Ask | None = None) -> CounterOffer:
        """The block of ``ask`` (the request's own where none is given) as an offer."""
        block, cluster = ask or self.ask, self.standing.cluster
        end = cluster.date(start + block.days)
        return CounterOffer(kind=kind, gpus=block.gpus, start=cluster.date(start), end=end, scope=block.scope)
