"""Everything that one reservation may come to when capacity is lost (R10, R11), day by day, as if it stood alone.

Covers what `tests.solver.reference.disasters` makes: one segment of placement from start to end, perhaps with fewer
GPUs than were promised.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from solver.snapshot import Reservation
from tests.solver.reference.facts import Facts

Day = dict[str, int]  # GPUs by rack
Spot = tuple[str, int]  # a site and a day


@dataclass(frozen=True)
class Way:
    """The racks on each day from day ``first`` on, to the reservation's end or its recall.

    ``fallback``: one that may be moved, but is treated as a frozen one. ``given_up``: racks by day that only power may
    take. ``full``: where and when power must have taken a replacement in turn.
    """

    reservation: Reservation
    first: int
    recalled_days: int
    days: tuple[Day, ...]
    fallback: bool = False
    given_up: tuple[tuple[str, int], ...] = ()
    full: tuple[Spot, ...] = ()

    @property
    def end(self) -> int:
        return self.first + len(self.days)

    def on(self, day: int) -> Day:
        return self.days[day - self.first] if self.covers(day) else {}

    def covers(self, day: int) -> bool:
        return self.first <= day < self.end

    def begun(self, day: int, own: Day) -> set[str]:
        """Racks other than its own that stood in before a day and don't on that day."""
        before = {rack for racks in self.days[: day - self.first] for rack in racks}
        return before - own.keys() - self.on(day).keys()

    def short(self, day: int) -> int:
        """GPUs that it lacks on a day."""
        return self.reservation.gpus - sum(self.on(day).values()) if self.covers(day) else 0


class Loss(Facts):
    """The facts of a disaster: where and when power may take racks."""

    @cached_property
    def tiers(self) -> list[int]:
        """The tiers of reservations with a day left."""
        return sorted({r.tier for r in self.snapshot.reservations if self.number(r.end) > 0})

    @cached_property
    def excess(self) -> dict[str, list[int]]:
        """R10: by how many racks reservations, where they stand in the snapshot, need more than a site's power."""
        excess = {}
        for site in self.sites:
            standing = [
                {
                    rack
                    for r in self.snapshot.reservations
                    for rack in self._placed(r, day)
                    if self.site_of[rack] == site
                }
                for day in range(self.horizon)
            ]
            by_day = [max(0, len(racks) - self.power[site][day]) for day, racks in enumerate(standing)]
            excess[site] = by_day + [0] * (self.days - self.horizon)
        return excess

    def _placed(self, reservation: Reservation, day: int) -> Iterator[str]:
        for segment in reservation.placement:
            if self.number(segment.start) <= day < self.number(segment.end):
                yield from segment.racks


class Ways:
    """All ways of one reservation."""

    def __init__(self, facts: Loss, reservation: Reservation) -> None:
        (segment,) = reservation.placement
        assert (segment.start, segment.end) == (reservation.start, reservation.end)
        self.facts, self.reservation, self.own = facts, reservation, dict(segment.racks)
        self.first, self.last = max(0, facts.number(reservation.start)), facts.number(reservation.end)
        self.is_whole = reservation.gpus >= 72
        self.slots = max(1, reservation.gpus // 72)
        site = facts.bound_site(reservation)
        self.allowed = [rack for rack in facts.racks if site in (None, facts.site_of[rack])]
        self.is_complete = sum(self.own.values()) == reservation.gpus
        self.levels = _levels(facts, reservation)

    def all(self) -> Iterator[Way]:
        """Kept, placed anew, or treated as a frozen one; recalled or not."""
        is_frozen = self.facts.number(self.reservation.start) < self.reservation.move_notice_days
        for end in [self.last, *self._recall_ends()]:
            if not is_frozen:
                yield from self._anew(end)
            if not is_frozen and self._can_stay(end):
                yield self._way(end, [self.own] * (end - self.first))
            for way in self._bound(end):
                yield way if is_frozen else replace(way, fallback=True)

    def _recall_ends(self) -> Iterable[int]:
        notice = self.reservation.recall_notice_days
        return () if notice is None else range(max(self.facts.number(self.reservation.start), notice, 0), self.last)

    def _way(self, end: int, days: Iterable[Day], **fields: object) -> Way:
        return Way(self.reservation, self.first, self.last - end, tuple(days), **fields)  # type: ignore[arg-type]

    def _can_stay(self, end: int) -> bool:
        days = range(self.first, end)
        return self.is_complete and all(self.facts.healthy[rack][day] for rack in self.own for day in days)

    def _anew(self, end: int) -> Iterator[Way]:
        """R10: one new placement for the whole interval, in scope and site."""
        gpus = min(72, self.reservation.gpus)
        days = range(self.first, end)
        for racks in itertools.combinations(self.allowed, self.slots):
            in_scope = len({self.facts.unit(self.reservation.scope, rack) for rack in racks}) == 1
            if in_scope and all(self.facts.healthy[rack][day] for rack in racks for day in days):
                yield self._way(end, [dict.fromkeys(racks, gpus)] * len(days))

    def _bound(self, end: int) -> Iterator[Way]:
        """R10: it keeps its racks but for taken ones, each of which may be replaced once, until that is taken too."""
        for walk in self._walks(_Walk((), (), (), frozenset(), self._missing()), end):
            yield self._way(end, walk.days, given_up=walk.given_up, full=walk.full)

    def _missing(self) -> int:
        """Racks that the snapshot's placement lacks: so many may be replaced from the beginning."""
        return self.slots - len(self.own)

    def _walks(self, walk: _Walk, end: int) -> Iterator[_Walk]:
        day = self.first + len(walk.days)
        if day >= end:
            yield walk
            return
        for step in self._steps(walk, day):
            yield from self._walks(step, end)

    def _steps(self, walk: _Walk, day: int) -> Iterator[_Walk]:
        """Every way to spend one more day."""
        standing = [rack for rack in self.own if not self._is_lost(rack, day)]
        budget = walk.budget + sum(self._is_lost(r, day) and not self._was_lost(r, day) for r in self.own)
        healthy, before = self.facts.healthy, max(day - 1, 0)
        budget += sum(not healthy[r][day] and healthy[r][before] for r in walk.used)
        for given_up in self._subsets([rack for rack in standing if self._has_excess(rack, day)]):
            kept = {rack: self.own[rack] for rack in standing if rack not in given_up}
            fresh = sum((rack, day - 1) not in walk.given_up for rack in given_up)
            for racks in self._replacements(kept, given_up, day):
                left = [rack for rack in walk.last_used if rack not in racks and self._may_be_full(rack, day)]
                for dark in self._subsets(left):
                    rest = budget + fresh + len(dark) - len(racks.keys() - walk.used)
                    if rest >= 0:
                        yield _Walk(
                            (*walk.days, kept | racks),
                            (*walk.given_up, *((rack, day) for rack in given_up)),
                            (*walk.full, *((self.facts.site_of[rack], day) for rack in dark)),
                            walk.used | racks.keys(),
                            rest,
                            frozenset(racks),
                        )

    def _replacements(self, kept: Day, given_up: tuple[str, ...], day: int) -> Iterator[Day]:
        """Racks that stand in on a day, or none, for what is not kept."""
        open_slots = self.slots - len(kept)
        racks = [r for r in self.allowed if self.facts.healthy[r][day] and r not in kept and r not in given_up]
        if self.is_whole:
            for chosen in self._subsets(racks):
                if len(chosen) <= open_slots:
                    yield dict.fromkeys(chosen, 72)
            return
        yield {}
        if open_slots:
            yield from ({rack: gpus} for rack in racks for gpus in self.levels)

    def _subsets(self, racks: list[str]) -> Iterator[tuple[str, ...]]:
        for size in range(len(racks), -1, -1):
            yield from itertools.combinations(racks, size)

    def _is_lost(self, rack: str, day: int) -> bool:
        """R10: from the first day of its own in an outage on; a small block's also where GPUs are missing."""
        is_partly_missing = not self.is_whole and not self.is_complete
        return is_partly_missing or not all(self.facts.healthy[rack][self.first : day + 1])

    def _was_lost(self, rack: str, day: int) -> bool:
        return day > self.first and self._is_lost(rack, day - 1)

    def _has_excess(self, rack: str, day: int) -> bool:
        return self.facts.excess[self.facts.site_of[rack]][day] > 0

    def _may_be_full(self, rack: str, day: int) -> bool:
        return self.facts.healthy[rack][day] and self.facts.power[self.facts.site_of[rack]][day] < len(self.facts.racks)


@dataclass(frozen=True)
class _Walk:
    """The first days of a way. ``budget``: how many racks more may begin to stand in."""

    days: tuple[Day, ...]
    given_up: tuple[tuple[str, int], ...]
    full: tuple[Spot, ...]
    used: frozenset[str]
    budget: int
    last_used: frozenset[str] = frozenset()


def _levels(facts: Loss, reservation: Reservation) -> list[int]:
    """GPUs that a small block may have of a rack: all, or what some of the other small blocks leave of it."""
    others = [r.gpus for r in facts.snapshot.reservations if r.gpus < 72 and r.id != reservation.id]
    sums = {sum(some) for size in range(len(others) + 1) for some in itertools.combinations(others, size)}
    return sorted({min(reservation.gpus, 72 - total) for total in sums if total < 72}, reverse=True)
