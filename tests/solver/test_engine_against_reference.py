"""The engine's search beside the exhaustive reference, on hundreds of generated tiny snapshots of every family.

Snapshots as small as these are solved exactly otherwise (`test_engine_in_all_steps`); here they stand for large ones.
Whatever the engine answers is valid, never better than the best there is, and never wrong about how far it may be from
it: bounds hold and "optimal" means it. How often it reaches the best is a matter of quality: a least share per family.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from unittest.mock import patch

import pytest

from solver.engine.exact import stage
from solver.engine.parameters import SolveParameters
from solver.engine.solve import solve
from solver.plan import HoldShortfall, Plan, Shortfall
from solver.snapshot import Loaded
from solver.verify.check import broken_rules
from tests.solver.reference import build, exhaustive, generate

SEEDS, MANY_SEEDS = range(20), range(20, 150)
WORK = 20
CENT = 0.01

# Shares of snapshots on which the engine reaches the reference: the least shortfall, then the best value of every tier.
LEAST_SHORTFALL = dict.fromkeys(generate.FAMILIES, 1.0) | {"broken": 0.85, "mixed": 0.95}
BEST_VALUE = {
    "plain": 0.8,
    "holds": 0.9,
    "interruptible": 0.9,
    "trays": 0.9,
    "ground": 0.9,
    "sites": 0.95,
    "frozen": 0.95,
    "movable": 0.9,
    "broken": 0.95,
    "dark": 0.9,
    "recalls": 0.3,
    "overcommitted": 0.9,
    "shared": 0.85,
    "mixed": 0.8,
}


@dataclass(frozen=True)
class Outcome:
    """One snapshot, what the engine planned for it and what is best."""

    name: str
    loaded: Loaded
    plan: Plan
    best: exhaustive.Best

    @property
    def values(self) -> tuple[float, ...]:
        """USD by tier, in the order of the reference's tiers; a tier that the plan does not list is worth nothing."""
        by_tier = {tier.tier: tier.value_usd for tier in self.plan.tiers}
        return tuple(by_tier.get(tier, 0.0) for tier in self.best.tiers)

    @property
    def shortfalls(self) -> tuple[int, int, int]:
        """GPU-days: of firm reservations, of interruptible ones, of holds."""
        firm = {r.id for r in self.loaded.snapshot.reservations if not r.interruptible}
        return (
            sum(gpu_days(short) for short in self.plan.shortfalls if short.reservation in firm),
            sum(gpu_days(short) for short in self.plan.shortfalls if short.reservation not in firm),
            sum(gpu_days(short) for short in self.plan.hold_shortfalls),
        )

    @property
    def least_shortfalls(self) -> tuple[int, int, int]:
        firm, interruptible, _, holds = self.best.shortfall
        return firm, interruptible, holds

    @property
    def has_least_shortfall(self) -> bool:
        return self.shortfalls == self.least_shortfalls

    @property
    def has_best_value(self) -> bool:
        return all(abs(value - best) < CENT for value, best in zip(self.values, self.best.values, strict=True))

    @property
    def beats_best(self) -> bool:
        """Whether the first tier in which the two differ is worth more than it can be."""
        differences = [value - best for value, best in zip(self.values, self.best.values, strict=True)]
        return next((difference > 0 for difference in differences if abs(difference) >= CENT), False)


def gpu_days(short: Shortfall | HoldShortfall) -> int:
    return short.gpus * (short.end - short.start).days


@cache
def outcomes(family: str, seeds: range) -> list[Outcome]:
    """The engine's plans for a family; snapshots that the reference does not cover are left out."""
    result = []
    for seed in seeds:
        loaded = build.load(generate.snapshot(family, seed))
        try:
            best = exhaustive.best(loaded.snapshot)
        except exhaustive.NoReference:
            continue
        with patch.object(stage, "prove", return_value=None):  # the search alone
            plan = solve(loaded, SolveParameters(time_limit_seconds=None, work_limit=WORK))
        result.append(Outcome(f"{family} {seed}", loaded, plan, best))
    return result


def hunted(seeds: range) -> list[object]:
    marks = [] if seeds is SEEDS else [pytest.mark.slow]
    return [
        pytest.param(family, seeds, id=f"{family} {seeds.start}-{seeds.stop}", marks=marks) for family in BEST_VALUE
    ]


on_every_family = pytest.mark.parametrize(("family", "seeds"), [*hunted(SEEDS), *hunted(MANY_SEEDS)])


@on_every_family
def test_every_plan_keeps_all_rules(family: str, seeds: range) -> None:
    for outcome in outcomes(family, seeds):
        assert broken_rules(outcome.loaded.snapshot, outcome.plan) == [], outcome.name


@on_every_family
def test_no_plan_is_better_than_the_best(family: str, seeds: range) -> None:
    """Else a rule is broken that `verify` does not see, or the reference is wrong."""
    for outcome in outcomes(family, seeds):
        assert outcome.shortfalls >= outcome.least_shortfalls, outcome.name
        if outcome.has_least_shortfall:
            assert not outcome.beats_best, (outcome.name, outcome.values, outcome.best.values)


@on_every_family
def test_every_bound_holds(family: str, seeds: range) -> None:
    """No plan of least shortfall that keeps the value of the tiers above is worth more in a tier than its bound."""
    for outcome in outcomes(family, seeds):
        if not outcome.has_least_shortfall:
            continue
        reached: dict[int, float] = {}
        for tier in outcome.plan.tiers:
            if tier.tier in outcome.best.tiers:
                most = exhaustive.most_value(outcome.loaded.snapshot, tier.tier, reached)
                assert tier.bound_usd >= most - CENT, (outcome.name, tier)
                reached[tier.tier] = tier.value_usd


@on_every_family
def test_optimal_means_that_nothing_is_better(family: str, seeds: range) -> None:
    for outcome in outcomes(family, seeds):
        if outcome.plan.status == "optimal" and outcome.has_least_shortfall:
            assert outcome.has_best_value, (outcome.name, outcome.values, outcome.best.values)


@on_every_family
def test_the_least_shortfall_is_reached(family: str, seeds: range) -> None:
    all_outcomes = outcomes(family, seeds)
    missed = {o.name: (o.shortfalls, o.least_shortfalls) for o in all_outcomes if not o.has_least_shortfall}

    assert len(missed) <= (1 - LEAST_SHORTFALL[family]) * len(all_outcomes), missed


@on_every_family
def test_the_best_value_is_reached_often_enough(family: str, seeds: range) -> None:
    comparable = [outcome for outcome in outcomes(family, seeds) if outcome.has_least_shortfall]
    missed = {o.name: (o.values, o.best.values) for o in comparable if not o.has_best_value}

    assert len(missed) <= (1 - BEST_VALUE[family]) * len(comparable), missed
