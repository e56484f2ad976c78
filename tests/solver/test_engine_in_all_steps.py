"""The whole engine beside trying everything, in all five steps of § 5, on generated tiny snapshots of every family.

Repair may find a plan that is less short than the reference thinks possible: a rack that stands in is given up for a
while, so that no other is idle over the whole range (R11). `verify` lets it pass; it is compared with nothing here.
"""

from __future__ import annotations

import pytest

from solver.engine.parameters import SolveParameters
from solver.engine.solve import solve
from solver.verify.check import broken_rules
from tests.solver.reference import build, exhaustive, generate, generate_steps, steps
from tests.solver.reference.reached import steps_of

SEEDS, MANY_SEEDS = range(6), range(6, 150)
LIMITED = SolveParameters(time_limit_seconds=None, work_limit=20)


def hunted() -> list[object]:
    families = [(generate, name) for name in generate.FAMILIES] + [(generate_steps, n) for n in generate_steps.FAMILIES]
    many = [
        pytest.param(maker, name, MANY_SEEDS, id=f"{name} many", marks=pytest.mark.slow) for maker, name in families
    ]
    return [*(pytest.param(maker, name, SEEDS, id=name) for maker, name in families), *many]


@pytest.mark.parametrize(("maker", "family", "seeds"), hunted())
def test_every_plan_is_the_best_in_all_five_steps_and_says_so(maker: object, family: str, seeds: range) -> None:
    compared = 0
    for seed in seeds:
        loaded = build.load(maker.snapshot(family, seed))  # type: ignore[attr-defined]
        try:
            best = steps.best(loaded.snapshot)
        except exhaustive.NoReference:
            continue

        plan = solve(loaded, LIMITED)

        assert broken_rules(loaded.snapshot, plan) == [], seed
        assert plan.status == "optimal", seed
        reached = steps_of(loaded.snapshot, plan)
        assert reached == best or reached.shortfall < best.shortfall, seed
        compared += 1
    assert compared > 0.6 * len(seeds)
