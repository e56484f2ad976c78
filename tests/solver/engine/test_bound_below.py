"""The bound of a tier that has no linear program of its own: the multipliers of the tier above, at another scale."""

from __future__ import annotations

import pytest

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine import bound
from solver.engine.bound import Relaxation
from solver.engine.relaxation.integral import Effort
from tests.solver.engine.test_bound import ROUNDING, knapsack, relaxed
from tests.solver.reference import build, generate
from tests.solver.reference.build import Content, request


def borrowed(content: Content, tier: int, reached: dict[int, float], *, above: Relaxation | None = None) -> Relaxation:
    snapshot = build.load(content).snapshot
    higher = above or relaxed(content, tier - 1, {t: v for t, v in reached.items() if t < tier - 1})
    return bound.below(higher, snapshot, clusters.build(snapshot), Decisions(), tier=tier, reached=reached)


def contested(**lower: object) -> Content:
    """Two racks that two blocks of tier 0 want for the same days, worth 90 and 80, and one of tier 1."""
    upper = [request("q0", gpus=144, value_usd=90.0), request("q1", gpus=144, value_usd=80.0)]
    return build.snapshot(requests=[*upper, request("low", gpus=144, tier=1, **lower)])


@pytest.mark.parametrize(("reached", "value"), [(90.0, 0.0), (0.0, 100.0)])
def test_what_the_tier_above_needs_of_the_room_is_not_there_for_the_tier_below(reached: float, value: float) -> None:
    assert borrowed(contested(), 1, {0: reached}).bound_usd == pytest.approx(value, abs=ROUNDING)


def test_on_days_that_the_tier_above_leaves_alone_all_can_be_accepted() -> None:
    assert borrowed(contested(earliest=7), 1, {0: 90.0}).bound_usd == pytest.approx(100.0)


@pytest.mark.parametrize(("reached", "value"), [(90.0, 0.0), (0.0, 100.0)])
def test_interruptible_blocks_need_the_room_that_firm_ones_take(reached: float, value: float) -> None:
    """R8: the tier above has no interruptible blocks, so its multipliers are those of R7 alone."""
    content = contested(interruptible=True, recall_notice_days=3)
    assert borrowed(content, 1, {0: reached}).bound_usd == pytest.approx(value, abs=ROUNDING)


def test_it_tells_no_prices() -> None:
    cluster = clusters.build(build.load(contested()).snapshot)
    assert bound.prices(borrowed(contested(), 1, {0: 90.0}), cluster) == []


@pytest.mark.parametrize("family", ["plain", "holds", "interruptible", "sites", "recalls", "dark", "mixed"])
def test_borrowed_multipliers_prove_no_less_than_the_best_ones_and_no_more_than_all_requests(family: str) -> None:
    better = 0
    for seed in range(12):
        content = generate.snapshot(family, seed)
        above = relaxed(content)
        reached = {0: above.bound_usd - 0.1 * abs(above.bound_usd)}
        found = borrowed(content, 1, reached, above=above).bound_usd
        everything = sum(wish["value_usd"] for wish in content["requests"] if wish["tier"] == 1)
        best = bound.tighten(relaxed(content, 1, reached), Effort(choices=0), None).bound_usd
        assert best - ROUNDING * abs(best) <= found <= everything * (1 + ROUNDING) + ROUNDING, seed
        better += found < everything * (1 - ROUNDING)
    assert better


def test_where_the_tier_above_pays_nothing_all_requests_count() -> None:
    content = knapsack() | {"requests": [request("q1", gpus=144, tier=1), request("q2", gpus=144, tier=1)]}
    assert borrowed(content, 1, {0: 0.0}).bound_usd == pytest.approx(200.0)
