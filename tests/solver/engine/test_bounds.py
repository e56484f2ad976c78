"""What a solve knows of its bounds: each holds for plans that keep what those above had reached, and for no others."""

from __future__ import annotations

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine.bounds import Bounds
from solver.engine.crew import crew
from solver.engine.parameters import SolveParameters
from solver.engine.watch import Watch, has_met
from tests.solver.reference import build
from tests.solver.reference.build import Content, request

TWO_RACKS = [build.site(halls=[build.hall("h1", pods={"p1": ["r1", "r2"]})])]


def test_a_bound_counts_where_the_tiers_above_are_worth_what_it_was_proven_for() -> None:
    watch = Watch(None)
    watch.bounded(2, 900.0, {})
    watch.bounded(2, 100.0, {0: 50.0, 1: 20.0})
    assert watch.bound(2, {0: 50.0, 1: 20.0, 2: 0.0}) == 100.0
    assert watch.bound(2, {0: 60.0, 1: 19.0, 2: 0.0}) == 900.0
    assert watch.bound(1, {0: 60.0, 1: 19.0, 2: 0.0}) is None


def test_sums_in_another_order_are_the_same_value() -> None:
    watch = Watch(None)
    watch.bounded(1, 100.0, {0: 0.1 + 0.2 + 0.3})
    assert watch.bound(1, {0: 0.3 + 0.2 + 0.1, 1: 0.0}) == 100.0


def test_the_bounds_told_are_those_of_the_values_at_hand() -> None:
    watch = Watch(None)
    watch.bounded(1, 900.0, {})
    watch.bounded(1, 100.0, {0: 50.0})
    watch.values = {0: 50.0, 1: 100.0}
    assert watch.bounds == {1: 100.0}
    assert watch.has_met(1, watch.values)
    watch.values = {0: 40.0, 1: 100.0}
    assert watch.bounds == {1: 900.0}
    assert not watch.has_met(1, watch.values)


def test_a_bound_below_nothing_is_met_by_itself() -> None:
    assert has_met(-10.0, -10.0)
    assert not has_met(-10.1, -10.0)


def crowded() -> Content:
    """The dear block of tier 0 keeps tier 1 out, and that lets in what tier 1 would have kept out of tier 2."""
    asked = [
        request("a", gpus=72, days=10, value_usd=7200.0),
        request("b", gpus=144, days=10, value_usd=8640.0),
        request("c", gpus=72, days=20, value_usd=5000.0, tier=1),
        request("d", gpus=144, days=10, earliest=10, value_usd=3000.0, tier=2),
    ]
    return build.snapshot(days=20, sites=TWO_RACKS, requests=asked)


def test_a_tier_is_not_bounded_by_what_a_plan_worse_in_the_first_tier_left_it() -> None:
    snapshot = build.load(crowded()).snapshot
    watch, parameters = Watch(None), SolveParameters(workers=1)
    with crew(parameters, watch, len(snapshot.requests)) as hands:
        bounds = Bounds(snapshot, clusters.build(snapshot), Decisions(), hands, watch, lambda: 0.0)
        bounds.relax_first({0: 7200.0, 1: 5000.0, 2: 0.0})
        assert watch.has_met(2, {0: 7200.0, 1: 5000.0, 2: 0.0})
        better = {0: 8640.0, 1: 0.0, 2: 0.0}
        assert not watch.has_met(2, better)
        bounds.tighten(better)
        assert not watch.has_met(2, better)
        assert watch.has_met(2, {**better, 2: 3000.0})


def test_a_tier_borrows_from_the_next_one_above_whatever_its_number() -> None:
    asked = [request(f"q{number}", gpus=144, days=10, tier=tier) for number, tier in enumerate((0, 0, 4, 4))]
    snapshot = build.load(build.snapshot(days=10, sites=TWO_RACKS, requests=asked)).snapshot
    watch, parameters = Watch(None), SolveParameters(workers=1)
    with crew(parameters, watch, len(snapshot.requests)) as hands:
        bounds = Bounds(snapshot, clusters.build(snapshot), Decisions(), hands, watch, lambda: 0.0)
        values = {0: 100.0, 4: 0.0}
        bounds._relax(0, values)
        bounds._borrow(4, values)
    assert 4 in bounds.relaxations
