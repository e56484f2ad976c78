"""Whole blocks in relaxations that are too large for CP-SAT: as good as its bound, and never below a plan's value."""

from __future__ import annotations

import pytest

from solver import cluster as clusters
from solver import decisions
from solver.decisions import Decisions
from solver.engine import bound
from solver.engine.bound import Relaxation
from solver.engine.relaxation import build as relaxing
from solver.engine.relaxation import integral, mixed
from solver.engine.relaxation.contested import contested
from solver.engine.relaxation.integral import Effort
from solver.engine.relaxation.problem import Problem
from tests.solver.reference import build, exhaustive, generate, written
from tests.solver.reference.build import Content, hall, request, reservation, site
from tests.solver.reference.ground import NoReference

FAMILIES = ["plain", "holds", "interruptible", "mixed", "ground", "sites", "frozen"]
SECONDS = 60.0
CENT = 0.01
THREE_RACKS = [site(halls=[hall(pods={"p1": ["r1", "r2", "r3"]})])]


def problem_of(content: Content, tier: int = 0, reached: dict[int, float] | None = None) -> Problem:
    snapshot = build.load(content).snapshot
    return relaxing.build(snapshot, clusters.build(snapshot), Decisions(), tier=tier, reached=reached or {})


def cut(content: Content, seconds: float = SECONDS) -> Relaxation:
    return bound.cut(bound.relax_linearly(problem_of(content), None), seconds)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_plan_of_a_tiny_snapshot_is_worth_more(family: str) -> None:
    judged = 0
    for seed in range(12):
        loaded = build.load(generate.snapshot(family, seed))
        try:
            best = exhaustive.best(loaded.snapshot)
        except NoReference:
            continue
        made = decisions.of_plan(written.plan_of(loaded, best))
        values = dict(zip(best.tiers, best.values, strict=True))
        cluster = clusters.build(loaded.snapshot)
        for tier in best.tiers:
            problem = relaxing.build(loaded.snapshot, cluster, made, tier=tier, reached=values)
            relaxation = bound.cut(bound.relax_linearly(problem, None), SECONDS)
            assert relaxation.bound_usd >= values[tier] - CENT, (seed, tier)
            judged += 1
    assert judged >= 8


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_solved_to_the_end_is_the_bound_of_the_exact_program(family: str) -> None:
    judged = 0
    for seed in range(100, 160):
        part = contested(problem_of(generate.snapshot(family, seed))).problem
        exact = integral.solve(part, Effort(work=20.0), None) if part.choices else None
        if exact is None:
            continue
        found = mixed.bound_usd(part, SECONDS)
        assert found is not None
        assert found == pytest.approx(exact.bound_usd, rel=2 * mixed.MARGIN, abs=CENT), seed
        assert found >= exact.bound_usd - CENT, seed
        judged += 1
    assert judged >= 2


def test_fractions_of_blocks_are_cut_off() -> None:
    content = build.snapshot(sites=THREE_RACKS, requests=[request("q1", gpus=144), request("q2", gpus=144)])
    assert bound.relax_linearly(problem_of(content), None).bound_usd == pytest.approx(150.0)
    assert cut(content).bound_usd == pytest.approx(100.0, rel=2 * mixed.MARGIN)


@pytest.mark.parametrize(("least", "value"), [(72, 150.0), (144, 100.0)])
def test_a_block_may_shrink_to_its_least_size_and_no_further(least: int, value: float) -> None:
    asked = [request("q1", gpus=144, min_gpus=least), request("q2", gpus=144, min_gpus=least)]
    content = build.snapshot(sites=THREE_RACKS, requests=asked)
    assert cut(content).bound_usd == pytest.approx(value, rel=2 * mixed.MARGIN)


def test_a_recall_is_paid_in_full() -> None:
    """Half of it would set the rack free that the request lacks, and cost half as much."""
    standing = reservation(
        end=10, racks={"r1": 72, "r2": 72}, value_usd=600.0, interruptible=True, recall_notice_days=0
    )
    asked = [request("q1", gpus=144, days=10, value_usd=1000.0)]
    content = build.snapshot(sites=THREE_RACKS, reservations=[standing], requests=asked)
    assert bound.relax_linearly(problem_of(content), None).bound_usd == pytest.approx(700.0)
    assert cut(content).bound_usd == pytest.approx(400.0, rel=2 * mixed.MARGIN)


def test_without_time_the_linear_bound_stays() -> None:
    content = build.snapshot(sites=THREE_RACKS, requests=[request("q1", gpus=144), request("q2", gpus=144)])
    linearly = bound.relax_linearly(problem_of(content), None).bound_usd
    assert 100.0 <= cut(content, 0.0).bound_usd <= linearly


def test_where_nothing_is_in_a_row_there_is_nothing_to_cut() -> None:
    content = build.snapshot(sites=THREE_RACKS, requests=[request("q1", gpus=72)])
    assert cut(content).bound_usd == pytest.approx(100.0, rel=2 * mixed.MARGIN)
