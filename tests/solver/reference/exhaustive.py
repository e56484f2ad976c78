"""The best plan of a tiny snapshot by trying everything: slow, plain, and written from the rules alone.

A branch is cut only where even the best imaginable rest could not beat what was found, and of racks between which no
rule can tell (same pod, same health, same load on every day) only one is tried.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from solver.snapshot import Request, Snapshot
from tests.solver.reference.courses import Course
from tests.solver.reference.facts import Facts
from tests.solver.reference.ground import Choice, Ground, NoReference, Shortfall, distinct, grounds

Values = tuple[float, ...]
SLACK = 1e-6


@dataclass(frozen=True)
class Best:
    """What no plan can beat. ``shortfall``: GPU-days of firm and interruptible reservations, outside scopes, of holds;
    ``values`` in USD by tier, in the order of ``tiers``. The plan that reaches it: ``courses``, ``choices``, ``holds``
    (the hold shortfall by contract and day).
    """

    shortfall: Shortfall
    tiers: tuple[int, ...]
    values: Values
    courses: tuple[Course, ...]
    choices: tuple[Choice, ...]
    holds: dict[str, list[int]]


def best(snapshot: Snapshot) -> Best:
    """The least shortfall, then the most value tier by tier."""
    return _Search(Facts(snapshot)).run()


def most_value(snapshot: Snapshot, tier: int, reached: dict[int, float]) -> float:
    """The most that a plan of least shortfall is worth in ``tier`` if the tiers above keep what is ``reached``."""
    search = _Search(Facts(snapshot), only=tier, reached=reached)
    return search.run().values[search.tiers.index(tier)]


def tiers_of(snapshot: Snapshot) -> tuple[int, ...]:
    return tuple(sorted({block.tier for block in (*snapshot.requests, *snapshot.reservations)}))


@dataclass
class _Search:
    facts: Facts
    only: int | None = None
    reached: dict[int, float] = field(default_factory=dict)
    found: Best | None = None

    @cached_property
    def tiers(self) -> tuple[int, ...]:
        return tiers_of(self.facts.snapshot)

    @cached_property
    def requests(self) -> list[Request]:
        return sorted(self.facts.snapshot.requests, key=lambda request: (request.tier, -request.value_usd))

    def run(self) -> Best:
        ways = list(grounds(self.facts))
        if not ways:
            raise NoReference("no way to leave the reservations keeps every rule")
        least = min(ground.shortfall for ground in ways)
        for ground in distinct(ground for ground in ways if ground.shortfall == least):
            self._descend(ground, (), 0)
        if self.found is None:
            raise NoReference("no plan keeps what the tiers above are said to have reached")
        return self.found

    def _descend(self, ground: Ground, chosen: tuple[Choice, ...], depth: int) -> None:
        """Try every way to decide ``requests[depth:]`` beside those chosen."""
        reachable = self._values(ground, chosen, self.requests[depth:])
        if not self._is_worthwhile(reachable):
            return
        if depth == len(self.requests):
            self.found = Best(ground.shortfall, self.tiers, reachable, ground.courses, chosen, ground.holds)
            return
        for choice in ground.choices(self.requests[depth], chosen):
            self._descend(ground, (*chosen, choice), depth + 1)
        self._descend(ground, chosen, depth + 1)

    def _values(self, ground: Ground, chosen: tuple[Choice, ...], undecided: list[Request]) -> Values:
        """By tier, with everything undecided at its full value: the most that a branch can reach."""
        total = dict.fromkeys(self.tiers, 0.0)
        for course in ground.courses:
            total[course.reservation.tier] -= course.recalled_value
        for choice in chosen:
            total[choice.request.tier] += choice.value
        for request in undecided:
            total[request.tier] += request.value_usd
        return tuple(round(value, 6) for value in total.values())

    def _is_worthwhile(self, reachable: Values) -> bool:
        keeps_above = all(
            value >= self.reached.get(tier, value) - SLACK for tier, value in zip(self.tiers, reachable, strict=True)
        )
        return keeps_above and (self.found is None or self._key(reachable) > self._key(self.found.values))

    def _key(self, values: Values) -> Values:
        return values if self.only is None else (values[self.tiers.index(self.only)],)
