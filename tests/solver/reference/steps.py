"""The best plan of a tiny snapshot in all five steps of § 5, by trying everything; R13 included.

As slow and plain as `exhaustive`, which knows the first two steps. Racks that an extended reservation has on its last
day are told apart from others; of grounds that requests cannot tell apart the one that moves least is tried.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from solver.snapshot import Request, Reservation, Snapshot
from tests.solver.reference.courses import Course, joint_courses
from tests.solver.reference.exhaustive import tiers_of
from tests.solver.reference.facts import Facts
from tests.solver.reference.ground import Choice, Ground, NoReference

Cost = tuple[float, ...]


@dataclass(frozen=True)
class Steps:
    """What no plan can beat. ``shortfall``: GPU-days of firm and interruptible reservations, outside scopes, of holds;
    ``values`` in USD by tier; ``recalled`` GPU-days and ``moved`` GPUs; ``extended``: GPUs of extensions on racks that
    they extend; ``halls`` and ``pods`` beyond the fewest; ``delay`` in days.
    """

    shortfall: tuple[int, int, int, int]
    values: dict[int, float]
    recalled: int
    moved: int
    extended: int
    halls: int
    pods: int
    delay: int


def best(snapshot: Snapshot) -> Steps:
    """The best that a valid plan can do."""
    facts = Facts(snapshot)
    ways = [ground for c in joint_courses(facts) if (ground := SteppedGround(facts, c)).is_valid]
    if not ways:
        raise NoReference("no way to leave the reservations keeps every rule")
    least = min(ground.shortfall for ground in ways)
    search = _Search(facts)
    for ground in _distinct([ground for ground in ways if ground.shortfall == least]):
        search.descend(ground, (), 0)
    assert search.found is not None
    return search.steps(least)


def recalled(courses: tuple[Course, ...]) -> int:
    return sum(course.reservation.gpus * course.recalled_days for course in courses)


def moved(courses: tuple[Course, ...]) -> int:
    """GPUs on racks that the snapshot's placement of that reservation does not have."""
    total = 0
    for course in courses:
        known = {rack for segment in course.reservation.placement for rack in segment.racks}
        total += course.gpus * len({rack for slot in course.slots for rack in slot if rack is not None} - known)
    return total


def spread(facts: Facts, choice: Choice, unit_of: dict[str, str]) -> int:
    """Units that the block uses beyond the fewest in an empty cluster, its site and one unit of its scope."""
    used = len({unit_of[rack] for rack, _ in choice.racks})
    site = facts.bound_site(choice.request)
    scopes: dict[str, Counter[str]] = defaultdict(Counter)
    for rack in facts.racks:
        if site in (None, facts.site_of[rack]):
            scopes[facts.unit(choice.request.scope, rack)][unit_of[rack]] += 1
    return used - min(fewest for sizes in scopes.values() if (fewest := _fewest(sizes, len(choice.racks))) is not None)


def last_racks(facts: Facts, courses: tuple[Course, ...], name: str) -> set[str]:
    """The racks that the reservation has on its last day; none where it is recalled before."""
    for course in courses:
        if course.reservation.id == name:
            return set() if course.recalled_days else set(course.on(course.end - 1))
    reservation = next(r for r in facts.snapshot.reservations if r.id == name)
    return set(_ended(reservation))


class SteppedGround(Ground):
    """A ground on which racks that are worth keeping are like no others."""

    @cached_property
    def kept(self) -> dict[str, set[str]]:
        extended = sorted({request.extends for request in self.facts.snapshot.requests if request.extends})
        return {name: last_racks(self.facts, self.courses, name) for name in extended}

    def worth_keeping(self, rack: str) -> tuple[str, ...]:
        return tuple(name for name, racks in self.kept.items() if rack in racks)

    def _alike(self, chosen: tuple[Choice, ...]) -> list[list[str]]:
        groups: dict[object, list[str]] = defaultdict(list)
        for like in super()._alike(chosen):
            for rack in like:
                groups[like[0], self.worth_keeping(rack)].append(rack)
        return list(groups.values())


@dataclass
class _Search:
    facts: Facts
    found: Cost | None = None
    tiers: tuple[int, ...] = field(init=False)
    requests: list[Request] = field(init=False)

    def __post_init__(self) -> None:
        self.tiers = tiers_of(self.facts.snapshot)
        self.requests = sorted(self.facts.snapshot.requests, key=lambda request: (request.tier, -request.value_usd))

    def descend(self, ground: SteppedGround, chosen: tuple[Choice, ...], depth: int) -> None:
        """Try every way to decide ``requests[depth:]`` beside those chosen."""
        cost = self._cost(ground, chosen, self.requests[depth:])
        if self.found is not None and cost >= self.found:
            return
        if depth == len(self.requests):
            if self._is_complete(ground, chosen):
                self.found = cost
            return
        for choice in ground.choices(self.requests[depth], chosen):
            self.descend(ground, (*chosen, choice), depth + 1)
        self.descend(ground, chosen, depth + 1)

    def steps(self, shortfall: tuple[int, int, int, int]) -> Steps:
        assert self.found is not None
        values, rest = self.found[: len(self.tiers)], self.found[len(self.tiers) :]
        gpu_days, gpus, extended, halls, pods, delay = (int(number) for number in rest)
        by_tier = {tier: -value for tier, value in zip(self.tiers, values, strict=True)}
        return Steps(shortfall, by_tier, gpu_days, gpus, -extended, halls, pods, delay)

    def _cost(self, ground: SteppedGround, chosen: tuple[Choice, ...], undecided: list[Request]) -> Cost:
        """Steps 2 to 5, the least that a branch can come to: all that is undecided in full, and where it is best."""
        worth = dict.fromkeys(self.tiers, 0.0)
        for course in ground.courses:
            worth[course.reservation.tier] -= course.recalled_value
        for choice in chosen:
            worth[choice.request.tier] += choice.value
        for request in undecided:
            worth[request.tier] += request.value_usd
        extended = sum(self._extended(ground, choice) for choice in chosen)
        extended += sum(request.gpus for request in undecided if request.extends)
        return (
            *(-round(value, 6) for value in worth.values()),
            recalled(ground.courses),
            moved(ground.courses),
            -extended,
            sum(spread(self.facts, choice, self.facts.hall_of) for choice in chosen),
            sum(spread(self.facts, choice, self.facts.pod_of) for choice in chosen),
            sum(choice.start - self.facts.number(choice.request.earliest_start) for choice in chosen),
        )

    def _extended(self, ground: SteppedGround, choice: Choice) -> int:
        kept = ground.kept.get(choice.request.extends or "", set())
        return sum(gpus for rack, gpus in choice.racks if rack in kept)

    def _is_complete(self, ground: SteppedGround, chosen: tuple[Choice, ...]) -> bool:
        """R13."""
        accepted = {choice.request.id for choice in chosen}
        declined = [request for request in self.requests if request.id not in accepted]
        return not any(True for request in declined for _ in ground.choices(request, chosen))


def _distinct(grounds: list[SteppedGround]) -> Iterator[SteppedGround]:
    """Of grounds that differ in nothing that requests could feel, the one that recalls and moves least."""
    least: dict[object, SteppedGround] = {}
    for ground in sorted(grounds, key=lambda g: (recalled(g.courses), moved(g.courses))):
        facts = ground.facts
        racks = sorted(
            (
                facts.pod_of[rack],
                ground.worth_keeping(rack),
                tuple(facts.healthy[rack]),
                tuple(ground.load[day][rack] for day in range(facts.days)),
            )
            for rack in facts.racks
        )
        rows = [(day, notice) for day in range(facts.days) for notice in (None, *facts.notices)]
        sites = [tuple(sorted(ground._reserved(day, notice).items())) for day, notice in rows]
        ends = tuple(course.end for course in ground.courses)
        holds = tuple(tuple(days) for days in ground.holds.values())
        least.setdefault((tuple(racks), tuple(sites), ends, holds), ground)
    yield from least.values()


def _fewest(sizes: Counter[str], racks: int) -> int | None:
    """How many of these units hold so many racks; None: all of them don't."""
    for count in range(1, len(sizes) + 1):
        if sum(size for _, size in sizes.most_common(count)) >= racks:
            return count
    return None


def _ended(reservation: Reservation) -> Iterator[str]:
    for segment in reservation.placement:
        if segment.end == reservation.end:
            yield from segment.racks
