"""Thousands of tiny snapshots of every kind: no plan that exhaustive search finds is worth more than its bound."""

from __future__ import annotations

import pytest

from solver import cluster as clusters
from solver.decisions import of_plan
from solver.engine import bound
from tests.solver.reference import build, exhaustive, generate, written
from tests.solver.reference.ground import NoReference

SEEDS_PER_CASE = 50
ROUNDING = 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1250, SEEDS_PER_CASE))
@pytest.mark.parametrize("family", generate.FAMILIES)
def test_no_tiny_snapshot_has_a_plan_above_its_bound(family: str, first: int) -> None:
    judged = 0
    for seed in range(first, first + SEEDS_PER_CASE):
        loaded = build.load(generate.snapshot(family, seed))
        try:
            best = exhaustive.best(loaded.snapshot)
        except NoReference:
            continue
        made, cluster = of_plan(written.plan_of(loaded, best)), clusters.build(loaded.snapshot)
        values = dict(zip(best.tiers, best.values, strict=True))
        for tier, value in values.items():
            found = bound.relax(loaded.snapshot, cluster, made, tier=tier, reached=values, deadline_seconds=None)
            assert found.bound_usd >= value - ROUNDING, seed
            linear = bound.relax_linearly(found.problem, None)
            assert linear.bound_usd >= found.bound_usd - ROUNDING, seed
            if tier + 1 in values:
                next_one = bound.below(linear, loaded.snapshot, cluster, made, tier=tier + 1, reached=values)
                assert next_one.bound_usd >= values[tier + 1] - ROUNDING, seed
            judged += 1
    assert judged
