"""Everything that may become of the reservations (R1, R3, R10, R11), written out course by course.

Covers what the generator makes: a reservation's placement is one segment with all of its GPUs; where power is below
what stands in a site, no outage is there too, all blocks there use whole racks, and none of them may stand elsewhere.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from solver.snapshot import Reservation
from tests.solver.reference.facts import Facts

Slot = tuple[str | None, ...]  # the rack on each day of a course; None: short
Standing = Callable[[int], dict[str, int]]  # GPUs by rack on a day


@dataclass(frozen=True)
class Course:
    """One reservation from day ``first`` to its end on day ``end``: a rack, or none, for each slot and day.

    For ``kept`` days a slot has its own rack, or the new placement's; then replacements, which give way to what others
    keep. ``fallback``: a movable reservation treated as a frozen one, which needs that nothing else is left for it.
    """

    reservation: Reservation
    first: int
    end: int
    recalled_days: int
    slots: tuple[Slot, ...]
    kept: tuple[int, ...] = ()
    fallback: bool = False

    @property
    def gpus(self) -> int:
        """GPUs of one slot."""
        return self.reservation.gpus // len(self.slots)

    @property
    def recalled_value(self) -> float:
        """The share (by days) of the reservation's value that its recall gives up."""
        own_days = (self.reservation.end - self.reservation.start).days
        return self.reservation.value_usd * self.recalled_days / own_days

    def on(self, day: int) -> dict[str, int]:
        """GPUs by rack on a day."""
        if not self.first <= day < self.end:
            return {}
        return {slot[day - self.first]: self.gpus for slot in self.slots if slot[day - self.first] is not None}

    def keeps(self, day: int) -> dict[str, int]:
        """GPUs by rack on a day, replacements left out."""
        i = day - self.first
        if not self.first <= day < self.end:
            return {}
        return {slot[i]: self.gpus for slot, kept in zip(self.slots, self.kept, strict=True) if i < kept}

    def short(self, day: int) -> int:
        """GPUs that it lacks on a day."""
        return self.reservation.gpus - sum(self.on(day).values()) if self.first <= day < self.end else 0


def joint_courses(facts: Facts) -> Iterator[tuple[Course, ...]]:
    """Every way to leave all reservations together."""
    choices = [list(courses(facts, r)) for r in facts.snapshot.reservations if facts.number(r.end) > 0]
    seen = set()
    for wanted in _compatible(choices, ()):
        for chosen in _given_way(wanted):
            key = tuple((course.end, course.slots) for course in chosen)
            if key in seen or not _needs_fallbacks(chosen, choices):
                continue
            seen.add(key)
            dark = _without_power(facts, chosen)
            if not _idle_racks(facts, dark):
                yield dark


def courses(facts: Facts, reservation: Reservation) -> Iterator[Course]:
    """Every course of one reservation, as if it stood alone."""
    (segment,) = reservation.placement
    assert (segment.start, segment.end) == (reservation.start, reservation.end)
    assert sum(segment.racks.values()) == reservation.gpus
    first, last = max(0, facts.number(reservation.start)), facts.number(reservation.end)
    for end in [last, *_recall_ends(facts, reservation, last)]:
        yield from _standing(facts, Course(reservation, first, end, last - end, ()))


def outside(facts: Facts, course: Course, day: int) -> int:
    """The reservation's GPUs on a day on which its racks lie in more than one unit of its scope."""
    racks = course.on(day)
    units = {facts.unit(course.reservation.scope, rack) for rack in racks}
    return sum(racks.values()) if len(units) > 1 else 0


def _recall_ends(facts: Facts, reservation: Reservation, last: int) -> Iterator[int]:
    if reservation.interruptible:
        yield from range(max(facts.number(reservation.start), reservation.recall_notice_days or 0), last)


def _standing(facts: Facts, course: Course) -> Iterator[Course]:
    own = list(course.reservation.placement[0].racks)
    days = range(course.first, course.end)
    is_lost = any(not facts.healthy[rack][day] for rack in own for day in days)
    if facts.number(course.reservation.start) < course.reservation.move_notice_days:
        yield from _as_frozen(facts, course, own)
        return
    for racks in [*_new_placements(facts, course, len(own)), *([] if is_lost else [own])]:
        slots = tuple((rack,) * len(days) for rack in racks)
        yield replace(course, slots=slots, kept=(len(days),) * len(slots))
    if is_lost:
        yield from _as_frozen(facts, replace(course, fallback=True), own)


def _new_placements(facts: Facts, course: Course, count: int) -> Iterator[tuple[str, ...]]:
    """R10: one new placement for the whole interval, in scope and site, on healthy racks."""
    for racks in itertools.combinations(_allowed_racks(facts, course.reservation), count):
        in_scope = len({facts.unit(course.reservation.scope, rack) for rack in racks}) == 1
        if in_scope and all(facts.healthy[rack][day] for rack in racks for day in range(course.first, course.end)):
            yield racks


def _as_frozen(facts: Facts, course: Course, own: list[str]) -> Iterator[Course]:
    """R10: it keeps its racks but for those that an outage takes, each of which may be replaced."""
    allowed = _allowed_racks(facts, course.reservation)
    taken = [_taken(facts, rack, course.first, course.end) for rack in own]
    options = [set(_slots(facts, rack, allowed, course.first, course.end)) for rack in own]
    for slots in itertools.product(*map(_in_order, options)):
        days = zip(*slots, strict=True)
        if all(max(Counter(rack for rack in day if rack).values(), default=0) <= 1 for day in days):
            yield replace(course, slots=slots, kept=tuple(day - course.first for day in taken))


def _in_order(slots: set[Slot]) -> list[Slot]:
    return sorted(slots, key=lambda slot: [rack or "" for rack in slot])


def _taken(facts: Facts, rack: str, first: int, end: int) -> int:
    return next((day for day in range(first, end) if not facts.healthy[rack][day]), end)


def _slots(facts: Facts, rack: str, allowed: list[str], first: int, end: int) -> Iterator[Slot]:
    """The rack until an outage takes it; then nothing, or from a day on a replacement until that is taken in turn."""
    taken = _taken(facts, rack, first, end)
    kept = (rack,) * (taken - first)
    yield (*kept, *(None,) * (end - taken))
    for start in range(taken, end):
        for replacement in allowed:
            if facts.healthy[replacement][start]:
                waiting = (None,) * (start - taken)
                yield from ((*kept, *waiting, *rest) for rest in _slots(facts, replacement, allowed, start, end))


def _allowed_racks(facts: Facts, reservation: Reservation) -> list[str]:
    site = facts.bound_site(reservation)
    return [rack for rack in facts.racks if site in (None, facts.site_of[rack])]


def _compatible(choices: list[list[Course]], chosen: tuple[Course, ...]) -> Iterator[tuple[Course, ...]]:
    """R1: what they keep is at most 72 GPUs on a rack on each day."""
    if len(chosen) == len(choices):
        yield chosen
        return
    for course in choices[len(chosen)]:
        if _fit(course, [other.keeps for other in chosen], course.keeps):
            yield from _compatible(choices, (*chosen, course))


def _given_way(wanted: tuple[Course, ...]) -> Iterator[tuple[Course, ...]]:
    """Every order in which replacements may be served: who comes later lacks the rack while it has no room."""
    for order in itertools.permutations(range(len(wanted))):
        chosen = list(wanted)
        for position, i in enumerate(order):
            served = [chosen[j].on if j in order[:position] else chosen[j].keeps for j in range(len(wanted)) if j != i]
            chosen[i] = _where_room_is_left(wanted[i], served)
        yield tuple(chosen)


def _where_room_is_left(course: Course, others: list[Standing]) -> Course:
    slots = []
    for slot, kept in zip(course.slots, course.kept, strict=True):
        days = range(course.first, course.end)
        slots.append(
            tuple(
                rack
                if rack is None or day - course.first < kept or _load(others, day)[rack] + course.gpus <= 72
                else None
                for rack, day in zip(slot, days, strict=True)
            )
        )
    return replace(course, slots=tuple(slots))


def _fit(course: Course, others: list[Standing], mine: Standing) -> bool:
    for day in range(course.first, course.end):
        load = _load(others, day)
        if any(load[rack] + gpus > 72 for rack, gpus in mine(day).items()):
            return False
    return True


def _load(standing: list[Standing], day: int) -> Counter[str]:
    load: Counter[str] = Counter()
    for on in standing:
        load.update(on(day))
    return load


def _needs_fallbacks(chosen: tuple[Course, ...], choices: list[list[Course]]) -> bool:
    """R10: a movable reservation is treated as frozen only where no course of its own is left beside the others."""
    for i, course in enumerate(chosen):
        others = [other.on for other in chosen[:i] + chosen[i + 1 :]]
        if course.fallback and any(
            not other.fallback and other.end == course.end and _fit(other, others, other.on) for other in choices[i]
        ):
            return False
    return True


def _without_power(facts: Facts, chosen: tuple[Course, ...]) -> tuple[Course, ...]:
    """R3, R10: power takes as many racks as there are too many, interruptible ones first."""
    result = list(chosen)
    for day, site in itertools.product(range(facts.horizon), facts.sites):
        racks = {rack for course in result for rack in course.on(day) if facts.site_of[rack] == site}
        excess = len(racks) - facts.power[site][day]
        for i in sorted(range(len(result)), key=lambda i: not result[i].reservation.interruptible):
            while excess > 0 and any(facts.site_of[rack] == site for rack in result[i].on(day)):
                result[i] = _darkened(facts, result[i], day, site)
                excess -= 1
    return tuple(result)


def _darkened(facts: Facts, course: Course, day: int, site: str) -> Course:
    assert course.gpus == 72
    assert len(facts.sites) == 1 or facts.bound_site(course.reservation) == site
    assert all(facts.healthy[rack][day] for rack in course.on(day))
    i = next(i for i, slot in enumerate(course.slots) if slot[day - course.first] is not None)
    slot = list(course.slots[i])
    slot[day - course.first] = None
    return replace(course, slots=(*course.slots[:i], tuple(slot), *course.slots[i + 1 :]))


def _idle_racks(facts: Facts, chosen: tuple[Course, ...]) -> bool:
    """R11: whether a reservation is short over a range on which a rack for it is healthy, within power and idle."""
    carrying = [{rack for course in chosen for rack in course.on(day)} for day in range(facts.days)]
    for course in chosen:
        for days in _short_ranges(course):
            for rack in _allowed_racks(facts, course.reservation):
                site = facts.site_of[rack]
                if all(
                    facts.healthy[rack][day]
                    and rack not in carrying[day]
                    and sum(facts.site_of[r] == site for r in carrying[day]) < facts.power[site][day]
                    for day in days
                ):
                    return True
    return False


def _short_ranges(course: Course) -> Iterator[list[int]]:
    """The longest ranges of days on which it lacks the same number of GPUs."""
    for gpus, days in itertools.groupby(range(course.first, course.end), key=course.short):
        if gpus:
            yield list(days)
