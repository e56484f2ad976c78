"""Repairs by the hundred: storms keep every rule, tiny snapshots are repaired as well as exhaustive search can."""

from __future__ import annotations

import pytest

from solver import cluster as clusters
from solver.engine.repair import lay_out
from solver.engine.repair_score import score
from solver.engine.repair_search import search
from tests.solver.engine.repairs import Repaired
from tests.solver.engine.storms import storm
from tests.solver.reference import build, exhaustive, generate

STORMS = 18
TINY = 60
EXACT = ("frozen", "movable", "broken", "recalls", "overcommitted")


def test_every_repaired_storm_keeps_every_rule() -> None:
    hit = 0
    for seed in range(STORMS):
        result = Repaired(build.load(storm(seed)).snapshot)
        hit += bool(result.moves) + bool(result.recalls) + bool(result.short) + bool(result.hold_short)
        assert result.broken() == [], seed
    assert hit > STORMS


def test_every_storm_repaired_in_one_attempt_keeps_every_rule() -> None:
    for seed in range(100, 300):
        assert Repaired(build.load(storm(seed, most_racks=24)).snapshot, late=True).broken() == [], seed


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 3000, 500))
def test_every_one_of_many_storms_keeps_every_rule(first: int) -> None:
    for seed in range(first, first + 500):
        assert Repaired(build.load(storm(seed, most_racks=24, reservations=9)).snapshot).broken() == [], seed


@pytest.mark.parametrize("family", EXACT)
def test_a_tiny_snapshot_is_repaired_as_well_as_by_exhaustive_search(family: str) -> None:
    """Firm and interruptible reservations short, outside their scope, holds short; then the value that recalls cost."""
    judged = 0
    for seed in range(TINY):
        best, reached = both(family, seed)
        if best is None:
            continue
        judged += 1
        assert reached[:4] == pytest.approx(best.shortfall), seed
        assert reached[4 : 4 + len(best.tiers)] == pytest.approx([-value for value in best.values], abs=0.01), seed
    assert judged > TINY * 0.7


def test_without_power_nobody_is_worse_off_than_by_exhaustive_search() -> None:
    """The reference takes racks without trying which; so the repair may leave fewer GPU-days outside their scope."""
    for seed in range(TINY):
        best, reached = both("dark", seed)
        assert best is None or reached[:4] <= best.shortfall, seed


def both(family: str, seed: int) -> tuple[exhaustive.Best | None, tuple[float, ...]]:
    """The best that exhaustive search finds for the reservations alone, and the score of the repair."""
    snapshot = build.load(generate.snapshot(family, seed) | {"requests": []}).snapshot
    problem = lay_out(snapshot, clusters.build(snapshot))
    reached = score(problem, search(problem, seed=0, deadline=lambda: False))
    try:
        return exhaustive.best(snapshot), reached
    except exhaustive.NoReference:
        return None, reached
