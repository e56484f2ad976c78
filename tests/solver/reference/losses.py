"""The least that lost capacity costs, by trying everything that may become of all reservations together.

Written from the rules alone, day by day; shares nothing with the engine. Branches are cut only where what has been
decided costs as much already as the best that was found.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from solver.decisions import Decisions, Stand, stands
from solver.snapshot import Reservation, Snapshot
from tests.solver.reference import losses_held
from tests.solver.reference.ways import Day, Loss, Way, Ways

Cost = tuple[float, ...]
"""GPU-days short of firm, of interruptible reservations, outside scope, of holds; then value recalled, tier by tier;
then GPU-days recalled; then GPUs moved.
"""
STEP_ONE = 4
MOST_WAYS = 60_000
MOST_BRANCHES = 400_000


class TooManyError(Exception):
    """There is too much to try."""


@dataclass(frozen=True)
class Least:
    """The least cost, and what becomes of the reservations at it."""

    cost: Cost
    ways: tuple[Way, ...]


def least(snapshot: Snapshot, most_branches: int = MOST_BRANCHES) -> Least:
    """The least that the reservations lose, with every request declined. Raises `TooManyError`."""
    return _Search(Loss(snapshot), most_branches).run()


def cost_of(facts: Loss, way: Way) -> Cost:
    """What this way of one reservation costs by itself."""
    reservation = way.reservation
    short = sum(way.short(day) for day in range(way.first, way.end))
    outside = 0
    for racks in way.days:
        units = {facts.unit(reservation.scope, rack) for rack in racks}
        outside += sum(racks.values()) if len(units) > 1 else 0
    value = reservation.value_usd * way.recalled_days / (reservation.end - reservation.start).days
    by_tier = [value if tier == reservation.tier else 0.0 for tier in facts.tiers]
    own = {rack for segment in reservation.placement for rack in segment.racks}
    moved: dict[str, int] = {}
    for racks in way.days:
        moved |= {rack: max(gpus, moved.get(rack, 0)) for rack, gpus in racks.items() if rack not in own}
    firm = not reservation.interruptible
    gpu_days = reservation.gpus * way.recalled_days
    return (short * firm, short * (not firm), outside, 0, *by_tier, gpu_days, sum(moved.values()))


def cost_of_decisions(snapshot: Snapshot, decisions: Decisions) -> Cost:
    """What these decisions cost, read from where they leave each reservation."""
    facts = Loss(snapshot)
    total: Cost = (0.0,) * (STEP_ONE + len(facts.tiers) + 2)
    for stand in stands(snapshot, decisions):
        total = _sum(total, cost_of(facts, _way_of(facts, stand)))
    gone = {recall.reservation: recall.end for recall in decisions.recalls}
    for reservation in snapshot.reservations:
        if gone.get(reservation.id) == max(reservation.start, snapshot.today):  # nothing is left of it
            total = _sum(total, cost_of(facts, _way_of(facts, Stand(reservation, gone[reservation.id], ()))))
    held = sum(short.gpus * (short.end - short.start).days for short in decisions.hold_shortfalls)
    return (*total[: STEP_ONE - 1], held, *total[STEP_ONE:])


def _way_of(facts: Loss, stand: Stand) -> Way:
    reservation, first, end = stand.reservation, max(0, facts.number(stand.reservation.start)), facts.number(stand.end)
    days: list[Day] = [{} for _ in range(first, end)]
    for segment in stand.segments:
        for day in range(facts.number(segment.start), facts.number(segment.end)):
            days[day - first] = dict(segment.racks)
    return Way(reservation, first, facts.number(reservation.end) - end, tuple(days))


@dataclass(frozen=True)
class _Option:
    """A way with its cost by itself and its GPUs by rack and day, packed: eight bits each, counted in trays."""

    cost: Cost
    way: Way
    load: int


class _Search:
    def __init__(self, facts: Loss, most_branches: int) -> None:
        self.facts = facts
        snapshot = facts.snapshot
        self.reservations = [r for r in snapshot.reservations if facts.number(r.end) > 0]
        self.most_branches = most_branches
        self.place = {rack: i * facts.days for i, rack in enumerate(facts.racks)}
        self.full = sum((127 - 18) << 8 * i for i in range(len(self.place) * facts.days))
        self.high = sum(128 << 8 * i for i in range(len(self.place) * facts.days))
        self.branches = 0
        self.best: Least | None = None
        self.options = sorted((self._options(r) for r in self.reservations), key=len)

    def run(self) -> Least:
        rest: list[Cost] = [self._nothing()]
        for options in reversed(self.options):
            rest.append(_sum(rest[-1], options[0].cost))
        self._descend((), 0, self._nothing(), rest[::-1])
        assert self.best is not None, "no way to leave the reservations keeps every rule"
        order = {r.id: i for i, r in enumerate(self.reservations)}
        ways = sorted(self.best.ways, key=lambda way: order[way.reservation.id])
        return Least(self.best.cost, tuple(ways))

    def _nothing(self) -> Cost:
        return (0.0,) * (STEP_ONE + len(self.facts.tiers) + 2)

    def _options(self, reservation: Reservation) -> list[_Option]:
        found: dict[tuple[int, tuple[frozenset[tuple[str, int]], ...], bool], list[Way]] = {}
        for count, way in enumerate(Ways(self.facts, reservation).all()):
            if count > MOST_WAYS:
                raise TooManyError
            days = tuple(frozenset(day.items()) for day in way.days)
            alike = found.setdefault((way.recalled_days, days, way.fallback), [])
            if not any(set(other.full) <= set(way.full) for other in alike):
                alike.append(way)
        options = [_Option(cost_of(self.facts, way), way, self._load(way)) for alike in found.values() for way in alike]
        return sorted(options, key=lambda option: option.cost)

    def _load(self, way: Way) -> int:
        load = 0
        for day, racks in enumerate(way.days, way.first):
            for rack, gpus in racks.items():
                load += gpus // 4 << 8 * (self.place[rack] + day)
        return load

    def _descend(self, chosen: tuple[Way, ...], load: int, cost: Cost, rest: list[Cost]) -> None:
        depth = len(chosen)
        if depth == len(self.options):
            self._judge(chosen, cost)
            return
        for option in self.options[depth]:
            so_far = _sum(cost, option.cost)
            if self.best is not None and _sum(so_far, rest[depth + 1]) >= self.best.cost:
                return
            self.branches += 1
            if self.branches > self.most_branches:
                raise TooManyError
            total = load + option.load
            if not (total + self.full) & self.high:  # R1
                self._descend((*chosen, option.way), total, so_far, rest)

    def _judge(self, ways: tuple[Way, ...], cost: Cost) -> None:
        holds = _Joint(self.facts, ways).hold_shortfall()
        if holds is None:
            return
        cost = (*cost[: STEP_ONE - 1], holds, *cost[STEP_ONE:])
        if self.best is None or cost < self.best.cost:
            self.best = Least(cost, ways)


class _Joint:
    """All reservations together: which rules they keep beside one another."""

    def __init__(self, facts: Loss, ways: tuple[Way, ...]) -> None:
        self.facts, self.ways = facts, ways
        self.load = [_load(facts, ways, day) for day in range(facts.days)]
        self.carrying = [{site: _racks_in(facts, load, site) for site in facts.sites} for load in self.load]

    def hold_shortfall(self) -> int | None:
        """GPU-days of hold shortfall; None where a rule is broken."""
        if not (self._has_power() and self._gives_up_no_more_than_power_takes()):
            return None
        if not all(self._is_fallback_right(way) for way in self.ways if way.fallback):
            return None
        if any(self._is_idle_beside(way) or self._is_given_up(way) for way in self.ways):
            return None
        return losses_held.hold_shortfall(self.facts, self.ways)

    def _power(self, site: str, day: int) -> int:
        return self.facts.power[site][day] if day < self.facts.horizon else len(self.facts.racks)

    def _has_power(self) -> bool:
        """R3."""
        days = range(self.facts.days)
        return all(self.carrying[day][site] <= self._power(site, day) for day in days for site in self.facts.sites)

    def _gives_up_no_more_than_power_takes(self) -> bool:
        given_up: dict[tuple[str, int], set[str]] = {}
        for rack, day in (spot for way in self.ways for spot in way.given_up):
            given_up.setdefault((self.facts.site_of[rack], day), set()).add(rack)
        if any(len(racks) > self.facts.excess[site][day] for (site, day), racks in given_up.items()):
            return False
        spots = {spot for way in self.ways for spot in way.full}
        return all(self.carrying[day][site] >= self._power(site, day) for site, day in spots)

    def _is_fallback_right(self, way: Way) -> bool:
        """R10: no placement for its whole interval exists beside the others, unless it just stays where it is."""
        (segment,) = way.reservation.placement
        if all(racks == segment.racks for racks in way.days) and sum(segment.racks.values()) == way.reservation.gpus:
            return True
        others = [other for other in self.ways if other is not way]
        loads = {day: _load(self.facts, others, day) for day in range(way.first, way.end)}
        return not any(self._could_stand(way, loads, racks) for racks in self._placements(way, loads))

    def _placements(self, way: Way, loads: dict[int, dict[str, int]]) -> Iterator[tuple[str, ...]]:
        facts, reservation = self.facts, way.reservation
        most = 72 - min(72, reservation.gpus)
        site = facts.bound_site(reservation)
        free = [
            rack
            for rack in facts.racks
            if site in (None, facts.site_of[rack])
            and all(facts.healthy[rack][day] and loads[day].get(rack, 0) <= most for day in loads)
        ]
        for racks in itertools.combinations(free, max(1, reservation.gpus // 72)):
            if len({facts.unit(reservation.scope, rack) for rack in racks}) == 1:
                yield racks

    def _could_stand(self, way: Way, loads: dict[int, dict[str, int]], racks: tuple[str, ...]) -> bool:
        together = {day: load | dict.fromkeys(racks, 72) for day, load in loads.items()}
        return all(
            _racks_in(self.facts, together[day], site) <= self._power(site, day)
            for day in range(way.first, way.end)
            for site in {self.facts.site_of[rack] for rack in racks}
        )

    def _is_given_up(self, way: Way) -> bool:
        """R10: whether a replacement is missing on a day on which it could stand in, though nothing took it in turn."""
        (segment,) = way.reservation.placement
        least = 0 if way.reservation.gpus >= 72 else way.reservation.gpus - 1
        return any(
            way.short(day) > least
            and any(self._could_stand_in(way, rack, day) for rack in way.begun(day, segment.racks))
            for day in range(way.first, way.end)
        )

    def _could_stand_in(self, way: Way, rack: str, day: int) -> bool:
        site = self.facts.site_of[rack]
        last = max(d for d in range(way.first, day) if rack in way.on(d))
        is_healthy = all(self.facts.healthy[rack][last : day + 1])
        room = 72 - self.load[day].get(rack, 0) >= min(72, way.reservation.gpus)
        return is_healthy and room and self.carrying[day][site] < self._power(site, day)

    def _is_idle_beside(self, way: Way) -> bool:
        """R11: whether, however its shortfall is listed, a rack is idle over one of the ranges."""
        short = [way.short(day) for day in range(way.first, way.end)]
        if not any(short):
            return False
        step = 72 if way.reservation.gpus >= 72 else max(short)
        return all(
            any(self._has_idle_rack(way, first + way.first, last + way.first) for first, last in ranges)
            for ranges in _listings([-(-gpus // step) for gpus in short], short)
        )

    def _has_idle_rack(self, way: Way, first: int, last: int) -> bool:
        site = self.facts.bound_site(way.reservation)
        days = range(first, last)
        for rack in self.facts.racks:
            own = self.facts.site_of[rack]
            if site in (None, own) and all(
                self.facts.healthy[rack][day]
                and not self.load[day].get(rack)
                and self.carrying[day][own] < self._power(own, day)
                for day in days
            ):
                return True
        return False


def _listings(layers: list[int], short: list[int]) -> Iterator[list[tuple[int, int]]]:
    """Ways to list a shortfall as ranges: run by run, and rack by rack, who began first ending first or last."""
    edges = [0, *(i for i in range(1, len(short)) if short[i] != short[i - 1]), len(short)]
    yield [(a, b) for a, b in itertools.pairwise(edges) if short[a]]
    for oldest in (True, False):
        began: list[int] = []
        ranges = []
        for day, now in enumerate([*layers, 0]):
            while len(began) > now:
                ranges.append((began.pop(0 if oldest else -1), day))
            began += [day] * (now - len(began))
        yield ranges


def _sum(one: Cost, other: Cost) -> Cost:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _load(facts: Loss, ways: Sequence[Way], day: int) -> dict[str, int]:
    load: dict[str, int] = {}
    for way in ways:
        for rack, gpus in way.on(day).items():
            load[rack] = load.get(rack, 0) + gpus
    return load


def _racks_in(facts: Loss, load: dict[str, int], site: str) -> int:
    return sum(facts.site_of[rack] == site for rack in load)
