"""The bound is never below what any valid plan is worth, is as tight as its linear program, and survives bad duals."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from ortools.math_opt.python import mathopt

from solver import cluster as clusters
from solver import decisions
from solver.decisions import Decisions
from solver.engine import bound
from solver.engine.bound import Relaxation
from solver.engine.relaxation import build as relaxing
from solver.engine.relaxation import linear, narrowing, proof
from solver.engine.relaxation.integral import Effort
from solver.engine.relaxation.problem import Duals, Problem
from solver.snapshot import Loaded
from tests.solver.engine.dense import Dense
from tests.solver.reference import build, exhaustive, generate, written
from tests.solver.reference.build import Content, contract, hall, request, reservation, site, tenant
from tests.solver.reference.ground import NoReference

SEEDS = 6
ROUNDING = 1e-6
MOVABLE = reservation(start=3, end=10, move_notice_days=0)
FOUR_RACKS = [site(halls=[hall(pods={"p1": ["r1", "r2"], "p2": ["r3", "r4"]})])]


def problem_of(content: Content, tier: int = 0, reached: dict[int, float] | None = None) -> Problem:
    snapshot = build.load(content).snapshot
    return relaxing.build(snapshot, clusters.build(snapshot), Decisions(), tier=tier, reached=reached or {})


def relaxed(content: Content, tier: int = 0, reached: dict[int, float] | None = None) -> Relaxation:
    """The linear bound of a tier with the reservations as they stand."""
    return bound.relax_linearly(problem_of(content, tier, reached), None)


def tightened(content: Content, tier: int = 0, reached: dict[int, float] | None = None) -> Relaxation:
    snapshot = build.load(content).snapshot
    return bound.relax(
        snapshot, clusters.build(snapshot), Decisions(), tier=tier, reached=reached or {}, deadline_seconds=None
    )


# Never too low


def bounds_of(loaded: Loaded, best: exhaustive.Best) -> list[float]:
    """The bound of each tier with the tiers above at the value of the best plan, and its own shortfalls."""
    made = decisions.of_plan(written.plan_of(loaded, best))
    values = dict(zip(best.tiers, best.values, strict=True))
    cluster = clusters.build(loaded.snapshot)
    return [
        bound.relax(loaded.snapshot, cluster, made, tier=tier, reached=values, deadline_seconds=None).bound_usd
        for tier in best.tiers
    ]


@pytest.mark.parametrize("family", generate.FAMILIES)
def test_the_best_plan_of_a_tiny_snapshot_is_worth_no_more_than_the_bound(family: str) -> None:
    """Exhaustive search knows the best plan; most bounds meet it, so a bound that is always huge fails too."""
    judged = met = 0
    for seed in range(SEEDS):
        loaded = build.load(generate.snapshot(family, seed))
        try:
            best = exhaustive.best(loaded.snapshot)
        except NoReference:
            continue
        for value, limit in zip(best.values, bounds_of(loaded, best), strict=True):
            assert limit >= value - ROUNDING, seed
            judged += 1
            met += limit <= value + ROUNDING
    assert met >= judged / 2 > 0


@pytest.mark.parametrize("family", ["holds", "sites", "recalls", "mixed"])
def test_a_lower_tier_gains_no_more_than_its_bound_from_a_tier_above_that_reached_less(family: str) -> None:
    """The tiers above need not be at their best: the bound holds for any value that they are to keep."""
    judged = 0
    for seed in range(SEEDS):
        loaded = build.load(generate.snapshot(family, seed))
        try:
            best = exhaustive.best(loaded.snapshot)
        except NoReference:
            continue
        made = decisions.of_plan(written.plan_of(loaded, best))
        reached = {best.tiers[0]: best.values[0] / 2 if best.values[0] > 0 else best.values[0]}
        for tier in best.tiers[1:2]:
            cluster = clusters.build(loaded.snapshot)
            limit = bound.relax(loaded.snapshot, cluster, made, tier=tier, reached=reached, deadline_seconds=None)
            assert limit.bound_usd >= exhaustive.most_value(loaded.snapshot, tier, reached) - ROUNDING, seed
            judged += 1
    assert judged


# As tight as the linear program


@pytest.mark.parametrize("family", ["plain", "holds", "interruptible", "ground", "sites", "frozen"])
def test_the_linear_bound_is_that_of_dense_rows_day_by_day(family: str) -> None:
    judged = 0
    for seed in range(100, 110):
        snapshot = build.load(generate.snapshot(family, seed)).snapshot
        reached: dict[int, float] = {}
        for tier in sorted({wish.tier for wish in snapshot.requests}):
            dense = Dense(snapshot, tier)
            if not dense.is_met():
                break
            value = dense.value(reached)
            problem = relaxing.build(snapshot, dense.cluster, Decisions(), tier=tier, reached=reached)
            assert bound.relax_linearly(problem, None).bound_usd == pytest.approx(value, rel=ROUNDING, abs=1e-4), seed
            reached[tier] = value
            judged += 1
    assert judged >= 8


@pytest.mark.parametrize("family", ["plain", "holds", "interruptible", "mixed"])
def test_the_solver_for_large_tiers_gives_the_same_bound(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [problem_of(generate.snapshot(family, seed)) for seed in range(4)]
    small = [bound.relax_linearly(problem, None).bound_usd for problem in problems]
    monkeypatch.setattr(linear, "LARGE", 0)
    large = [bound.relax_linearly(problem, None).bound_usd for problem in problems]
    assert large == pytest.approx(small, rel=ROUNDING)


def test_some_of_the_starts_lead_to_the_bound_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven blocks of two racks with long windows, and room for five one after the other: starts matter."""
    asked = [request(f"q{i}", gpus=144, latest=17, days=2 + i, value_usd=100.0 + 10 * i) for i in range(7)]
    content = build.snapshot(days=20, requests=asked)
    everything = relaxed(content).bound_usd
    monkeypatch.setattr(narrowing, "MOST_IN_ONE_ROW", 20)
    sampled = relaxed(content)
    assert sampled.bound_usd == pytest.approx(everything, rel=1e-3)
    assert sampled.bound_usd >= everything - ROUNDING
    assert 0 < sum(share for ways in sampled.fractions.values() for _, share in ways) <= 7 + ROUNDING


@pytest.mark.parametrize("family", ["plain", "holds", "interruptible", "recalls", "mixed"])
def test_a_narrowed_program_has_nearly_the_bound_of_the_whole_one(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [problem_of(generate.snapshot(family, seed), tier, {}) for seed in range(4) for tier in (0, 1)]
    whole = [bound.relax_linearly(problem, None).bound_usd for problem in problems]
    monkeypatch.setattr(narrowing, "MOST_IN_ONE_ROW", 0)
    monkeypatch.setattr(narrowing, "MOST_COLUMNS", 0)
    narrowed = [bound.relax_linearly(problem, None).bound_usd for problem in problems]
    assert narrowed == pytest.approx(whole, rel=1e-3, abs=0.01)
    assert all(some >= every - ROUNDING for some, every in zip(narrowed, whole, strict=True))


def test_where_time_is_up_a_large_program_has_its_rough_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten blocks of two racks for two racks, on the same days: the dearest one, as far as rough prices can tell."""
    asked = [request(f"q{i}", gpus=144, value_usd=100.0 + 10 * i) for i in range(10)]
    problem = problem_of(build.snapshot(requests=asked))
    monkeypatch.setattr(narrowing, "MOST_IN_ONE_ROW", 0)
    monkeypatch.setattr(linear, "solve", lambda *_: None)
    result = bound.relax_linearly(problem, 0.0)
    assert 190.0 - ROUNDING <= result.bound_usd <= 195.0
    assert max(result.fractions, key=lambda name: sum(share for _, share in result.fractions[name])) == "q9"


# Any multipliers give a bound


def duals_of(problem: Problem, seed: int) -> Duals:
    """Multipliers without sense: of all sizes, some of the wrong sign, some no numbers at all."""
    dice = np.random.default_rng(seed)
    shape = proof.no_duals(problem)
    limits, holds = dice.lognormal(-3, 3, shape.limits.shape), dice.lognormal(-3, 3, shape.holds.shape)
    limits[dice.random(limits.shape) < 0.2] *= -1
    limits[dice.random(limits.shape) < 0.05] = np.nan
    limits[dice.random(limits.shape) < 0.05] = np.inf
    return Duals(limits, holds, {tier: float(dice.normal(0, 3)) for tier in problem.reached})


@pytest.mark.parametrize("family", ["holds", "interruptible", "sites", "recalls", "mixed"])
def test_bad_multipliers_loosen_the_bound_and_never_break_it(family: str) -> None:
    for seed in range(8):
        content = generate.snapshot(family, seed)
        for tier, reached in ((0, {}), (1, {0: -1e6})):
            problem = problem_of(content, tier, reached)
            least = bound.relax_linearly(problem, None).bound_usd
            for number in range(5):
                assert proof.proven(problem, duals_of(problem, number)) >= least - ROUNDING


def test_halved_multipliers_give_a_looser_bound_that_still_holds() -> None:
    content = build.snapshot(requests=[request("q1", gpus=144), request("q2", gpus=144, value_usd=60.0)])
    problem = problem_of(content)
    duals = bound.relax_linearly(problem, None).duals
    halved = proof.proven(problem, replace(duals, limits=duals.limits / 2))
    assert halved > 100.0 + ROUNDING
    assert proof.proven(problem, duals) == pytest.approx(100.0)


def test_without_an_optimum_the_bound_is_all_that_could_be_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests want the same two racks, a third has no day in the plan: no solver, no better bound than 160."""
    monkeypatch.setattr(linear, "solve", lambda *_: None)
    late = request("q3", gpus=72, earliest=9, days=5)
    asked = [request("q1", gpus=144), request("q2", gpus=144, value_usd=60.0), late]
    result = relaxed(build.snapshot(requests=asked))
    assert result.bound_usd == pytest.approx(160.0)
    assert result.fractions == {}
    assert not result.day_prices.any()


def test_where_one_solver_gives_up_the_next_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def only_glop(model: mathopt.Model, solver: mathopt.SolverType, **fields: object) -> mathopt.SolveResult:
        asked.append(solver)
        if solver != mathopt.SolverType.GLOP:
            raise AttributeError("canonical_code")
        return solve(model, solver, **fields)

    solve = mathopt.solve
    monkeypatch.setattr(linear, "LARGE", 0)
    monkeypatch.setattr(mathopt, "solve", only_glop)
    content = build.snapshot(requests=[request("q1", gpus=144), request("q2", gpus=144)])
    assert relaxed(content).bound_usd == pytest.approx(100.0)
    assert asked == [mathopt.SolverType.HIGHS, mathopt.SolverType.GLOP]


# What counts, by hand


def test_a_smaller_block_counts_for_its_share() -> None:
    """R4, R6: 216 of 288 GPUs are committed, so three quarters of the value can be reached."""
    part = request(gpus=288, min_gpus=144, contract="k1", days=3)
    content = build.snapshot(sites=FOUR_RACKS, contracts=[contract(steps=[(0, 100, 216)])], requests=[part])
    assert relaxed(content).bound_usd == pytest.approx(75.0)


def test_a_block_that_would_be_smaller_than_allowed_counts_for_nothing() -> None:
    part = request(gpus=288, min_gpus=288, contract="k1", days=3)
    content = build.snapshot(sites=FOUR_RACKS, contracts=[contract(steps=[(0, 100, 216)])], requests=[part])
    assert relaxed(content).bound_usd == 0.0


def test_a_quota_bounds_a_tenant_on_each_day_and_not_in_all() -> None:
    """R9: one rack at a time, so two blocks one after the other and not a third."""
    asked = [request(f"q{i}", gpus=72, earliest=0, latest=2) for i in range(3)]
    content = build.snapshot(tenants=[tenant(max_gpus=72)], requests=asked)
    assert relaxed(content).bound_usd == pytest.approx(200.0)


@pytest.mark.parametrize(("lead", "value"), [(0, 0.0), (20, 100.0)])
def test_held_capacity_is_no_room_for_others_until_the_booking_lead(lead: int, value: float) -> None:
    """R7: both racks are committed; inside the lead nothing is held."""
    holder = contract(steps=[(0, 100, 144)], booking_lead_days=lead)
    assert tightened(build.snapshot(contracts=[holder], requests=[request()])).bound_usd == pytest.approx(value)


@pytest.mark.parametrize(("notice", "value"), [(5, 100.0), (6, 0.0)])
def test_an_interruptible_block_stands_on_a_hold_only_with_a_notice_within_its_lead(notice: int, value: float) -> None:
    """R8: the hold of a contract with a lead of 5 days is there for a block with a notice of 5 days, not of 6."""
    holder = contract(steps=[(0, 100, 144)], booking_lead_days=5)
    wish = request(earliest=6, interruptible=True, recall_notice_days=notice)
    assert tightened(build.snapshot(contracts=[holder], requests=[wish])).bound_usd == pytest.approx(value)


def test_a_recall_costs_its_share_of_the_value_in_its_own_tier() -> None:
    """Tier 0 needs both racks from day 5 on; the interruptible reservation, here for 10 days, then loses half."""
    promised = reservation(end=10, tier=1, interruptible=True, recall_notice_days=3, value_usd=40.0)
    wish = request(gpus=144, earliest=5, days=5)
    content = build.snapshot(reservations=[promised], requests=[wish])
    assert relaxed(content).bound_usd == pytest.approx(100.0)
    assert relaxed(content, tier=1, reached={0: 100.0}).bound_usd == pytest.approx(-20.0, abs=1e-4)
    assert relaxed(content, tier=1, reached={0: 0.0}).bound_usd == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(("notice", "value"), [(5, 100.0), (6, 0.0)])
def test_within_its_notice_a_reservation_cannot_be_recalled(notice: int, value: float) -> None:
    promised = reservation(end=10, tier=1, interruptible=True, recall_notice_days=notice, value_usd=40.0)
    wish = request(gpus=144, earliest=5, days=5)
    content = build.snapshot(reservations=[promised], requests=[wish])
    assert relaxed(content).bound_usd == pytest.approx(value)


@pytest.mark.parametrize(("move_notice_days", "value"), [(1000, 0.0), (0, 100.0)])
def test_a_reservation_that_may_go_to_another_site_is_no_obstacle(move_notice_days: int, value: float) -> None:
    """R7 by site, R10: site s1 has one rack; what stands there and is frozen leaves nothing for a block bound to s1."""
    sites = [site("s1", halls=[hall(pods={"p1": ["r1"]})]), site("s2", halls=[hall("h2", pods={"p2": ["r2"]})])]
    promised = reservation(start=3, end=5, move_notice_days=move_notice_days)
    wish = request(earliest=3, days=2, site="s1")
    assert relaxed(build.snapshot(sites=sites, reservations=[promised], requests=[wish])).bound_usd == pytest.approx(
        value
    )


@pytest.mark.parametrize(("gpus", "value"), [(72, 0.0), (36, 100.0)])
def test_where_power_may_take_racks_only_room_beside_small_reservations_is_for_sale(gpus: int, value: float) -> None:
    """R3, R10: site s2 has power for one rack, which has a reservation; a movable one might come to push it out."""
    dark = build.power_limit(3, 5, 140.0)
    sites = [
        site("s1", halls=[hall(pods={"p1": ["r1"]})]),
        site("s2", halls=[hall("h2", pods={"p2": ["r2", "r3"]})], power_limits=[dark]),
    ]
    promised = [reservation("v1", end=10, racks={"r2": gpus}), reservation("v2", start=3, end=5, move_notice_days=0)]
    wish = request(gpus=gpus, earliest=3, days=2, site="s2")
    assert tightened(build.snapshot(sites=sites, reservations=promised, requests=[wish])).bound_usd == pytest.approx(
        value
    )


def test_what_holds_leave_no_room_for_has_to_be_recalled() -> None:
    """R8: both racks are held from day 5 on, on which no block with a notice of 3 days may stand: half is lost."""
    holder = contract(steps=[(5, 10, 144)], booking_lead_days=2)
    promised = reservation(end=10, tier=1, interruptible=True, recall_notice_days=3, value_usd=40.0)
    content = build.snapshot(contracts=[holder], reservations=[promised], requests=[request(tier=1)])
    assert tightened(content, tier=1).bound_usd == pytest.approx(100.0 - 20.0)


# Whole blocks


def knapsack() -> Content:
    """Three racks, and two blocks of two racks on the same days: one and a half fit as fractions, one as a whole."""
    sites = [site(halls=[hall(pods={"p1": ["r1", "r2", "r3"]})])]
    return build.snapshot(sites=sites, requests=[request("q1", gpus=144), request("q2", gpus=144)])


def test_whole_blocks_tighten_a_small_relaxation() -> None:
    assert relaxed(knapsack()).bound_usd == pytest.approx(150.0)
    result = tightened(knapsack())
    assert result.bound_usd == pytest.approx(100.0)
    assert list(result.whole.values()) == [(0, 144)]


def test_a_relaxation_too_large_for_the_effort_stays_linear() -> None:
    linearly = relaxed(knapsack())
    for effort in (Effort(choices=1), Effort(columns=1)):
        assert bound.tighten(linearly, effort, None).bound_usd == linearly.bound_usd


def test_a_tier_that_cannot_have_its_least_block_is_worth_nothing() -> None:
    """Half of the block would be free, and the rounding of the linear bound is not for sale either."""
    content = build.snapshot(reservations=[MOVABLE], requests=[request(gpus=144, earliest=3)])
    assert relaxed(content).bound_usd == pytest.approx(50.0)
    assert bound.tighten(relaxed(content), Effort(choices=0), None).bound_usd == 0.0


def test_a_tier_that_can_have_its_least_block_keeps_its_bound() -> None:
    content = build.snapshot(reservations=[MOVABLE], requests=[request(gpus=144, min_gpus=72, earliest=3)])
    assert bound.tighten(relaxed(content), Effort(choices=0), None).bound_usd == pytest.approx(50.0)


def test_the_money_of_whole_blocks_is_exact_enough_to_prove_an_optimum() -> None:
    """Values with cents over many requests: what is left between value and bound is far below a gap of 1e-6."""
    asked = [request(f"q{i}", gpus=72, earliest=i % 9, days=1, value_usd=1e6 + i / 7) for i in range(20)]
    content = build.snapshot(requests=asked)
    best_two = [sorted(a["value_usd"] for a in asked if a["earliest_start"] == build.day(d))[-2:] for d in range(9)]
    value = math.fsum(v for day in best_two for v in day)
    assert 0.0 <= tightened(content).bound_usd - value <= 1e-8 * value


def test_a_search_stopped_before_its_first_bound_changes_nothing() -> None:
    """CP-SAT answers 0 as its bound then, which is none."""
    linearly = relaxed(knapsack())
    assert bound.tighten(linearly, Effort(work=1e-9), None).bound_usd == linearly.bound_usd


def uneven_contract(tier: int) -> Content:
    """Eight racks and three for a contract of which two blocks want two each; a rack for somebody else is in no row."""
    sites = [site(halls=[hall(pods={"p1": [f"r{i}" for i in range(8)]})])]
    drawn = [request(f"q{i}", gpus=144, contract="k1", days=3, tier=tier) for i in range(2)]
    alone = request("alone", gpus=72, days=3, value_usd=10.0)
    holder = contract(steps=[(0, 100, 216)])
    return build.snapshot(sites=sites, contracts=[holder], requests=[*drawn, alone])


def test_what_is_in_no_row_is_accepted_beside_the_best_whole_blocks() -> None:
    assert relaxed(uneven_contract(0)).bound_usd == pytest.approx(160.0)
    result = tightened(uneven_contract(0))
    assert result.bound_usd == pytest.approx(110.0)
    assert result.whole["alone"] == (0, 72)
    assert sum(gpus for _, gpus in result.whole.values()) == 72 + 144


@pytest.mark.parametrize("reached", [0.0, 10.0])
def test_a_tier_above_that_is_in_no_row_keeps_its_value_for_nothing(reached: float) -> None:
    result = tightened(uneven_contract(1), tier=1, reached={0: reached})
    assert result.bound_usd == pytest.approx(100.0)
