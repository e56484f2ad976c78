"""Programs: rounds lose nothing and find what one block after the other does not; bounds with pods hold."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine import admission
from solver.engine.board import Board
from solver.engine.chains import Finished, Leg, Problem, board_of, run_leg
from solver.engine.complete import accepted_of, moves_of, recalls_of
from solver.engine.programs import neighbourhoods, tiers
from solver.engine.programs.neighbourhoods import Kind, Neighbourhood, Sizes
from solver.engine.programs.search import Programs
from solver.engine.repair import repair
from solver.verify.check import broken_rules
from tests.solver.engine.markets import market
from tests.solver.engine.repairs import plan_of
from tests.solver.reference import build, exhaustive, generate
from tests.solver.reference.build import Content
from tests.solver.reference.ground import NoReference

ONE_POD = [build.site(halls=[build.hall("h1", pods={"p1": ["r1", "r2"]})])]
TWO_PODS = [build.site(halls=[build.hall("h1", pods={"p1": ["r1", "r2"], "p2": ["r3", "r4"]})])]
ROUNDING = 1e-6


def board_of_content(content: Content) -> Board:
    snapshot = build.load(content).snapshot
    return Board(snapshot, clusters.build(snapshot), Decisions())


def run(board: Board, programs: int, *, deepest: int | None = None) -> None:
    search = Programs(board, random.Random(0), Sizes(), guide=None, deepest=deepest)
    search.run(lambda rounds: rounds >= programs, lambda: None)


def prove(content: Content, tier: int, reached: dict[int, float]) -> float | None:
    snapshot = build.load(content).snapshot
    cluster = clusters.build(snapshot)
    decisions = repair(snapshot, cluster, seed=0, deadline=lambda: False)
    proof = tiers.prove(snapshot, cluster, decisions, tier=tier, reached=reached, seconds=None)
    return None if proof is None else proof.bound_usd


def test_two_that_are_worth_more_together_take_the_place_of_one_that_is_worth_more_alone() -> None:
    large = build.request("large", gpus=144, days=4, value_usd=500.0)
    small = [build.request(f"q{i}", days=4, value_usd=300.0) for i in (1, 2)]
    board = board_of_content(build.snapshot(sites=ONE_POD, days=4, requests=[large, *small]))
    board.set_up([])
    admission.fill(board, 0, lambda wish: (-wish.value_usd,), admission.earliest)
    assert board.values() == {0: 500.0}

    run(board, 3)

    assert board.values() == {0: 600.0}


def test_a_movable_reservation_goes_where_it_leaves_a_pod_to_a_block_that_needs_it_whole() -> None:
    mover = build.reservation("v1", start=2, end=6, racks={"r1": 72}, move_notice_days=1)
    other = build.reservation("v2", start=0, end=6, racks={"r3": 72})
    whole = build.request("whole", gpus=144, earliest=2, days=4, scope="pod")
    board = board_of_content(build.snapshot(sites=TWO_PODS, days=6, reservations=[mover, other], requests=[whole]))
    assert board.values() == {0: 0.0}

    run(board, 6)

    assert board.values() == {0: 100.0}
    assert board.blocks[board.movers[0].number].racks() == {3: 72}


def test_a_tier_above_gives_nothing_up_for_more_below() -> None:
    above = build.request("above", gpus=144, days=4, value_usd=1.0, tier=0)
    below = [build.request(f"q{i}", days=4, value_usd=900.0, tier=1) for i in (1, 2)]
    board = board_of_content(build.snapshot(sites=ONE_POD, days=4, requests=[above, *below]))
    admission.fill(board, 0, admission.by_price, admission.earliest)

    run(board, 6)

    assert board.values() == {0: 1.0, 1: 0.0}


def test_a_round_about_some_wishes_leaves_the_others_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    stands = [build.request(f"s{i}", days=4, value_usd=100.0) for i in (0, 1)]
    better = [build.request(f"b{i}", days=4, value_usd=300.0 + i) for i in (0, 1)]
    board = board_of_content(build.snapshot(sites=ONE_POD, days=4, requests=[*stands, *better]))
    board.set_up([])
    admission.fill(board, 0, lambda wish: (wish.value_usd,), admission.earliest)
    assert board.blocks.keys() == {0, 1}

    def about_the_first_of_each(*_: object) -> Neighbourhood:
        freed = [board.blocks[0]] if 0 in board.blocks else []
        return Neighbourhood(Kind.WISHES, freed, None, 0, 4, frozenset({0, 2}))

    monkeypatch.setattr(neighbourhoods, "draw", about_the_first_of_each)
    run(board, 3)

    assert board.blocks.keys() == {1, 2}


def test_a_neighbourhood_of_wishes_frees_none_but_its_own_and_knows_neither_pods_nor_days() -> None:
    board = board_of(problem_of(3))
    board.set_up(board.home)
    for tier in board.values():
        admission.fill(board, tier, admission.by_price, admission.earliest)
    chance = random.Random(0)
    drawn = [neighbourhoods.draw(board, chance, Sizes(wishes=0.5), 0, lambda _: True) for _ in range(40)]
    places = [place for place in drawn if place.wishes is not None]

    assert {len(place.wishes or ()) for place in places} == {round(len(board.wishes) / 2)}
    assert all(place.kind is Kind.WISHES and place.pods is None for place in places)
    assert all((place.first, place.last) == (0, board.cluster.days) for place in places)
    assert all({block.wish.number for block in place.freed} <= (place.wishes or set()) for place in places)
    assert any(place.freed for place in places)


@pytest.mark.parametrize("seed", range(6))
def test_rounds_on_a_market_lose_nothing_and_break_no_rule(seed: int) -> None:
    loaded = build.load(market(seed, requests=30))
    cluster = clusters.build(loaded.snapshot)
    decisions = repair(loaded.snapshot, cluster, seed=0, deadline=lambda: False)
    board = Board(loaded.snapshot, cluster, decisions)
    for tier in board.values():
        admission.fill(board, tier, admission.by_price, admission.earliest)
    before = list(board.values().values())

    run(board, 8)

    assert list(board.values().values()) >= before
    assert all(wish.number in board.blocks for wish in board.movers)
    moves, recalls = moves_of(loaded.snapshot, board), recalls_of(board)
    made = replace(decisions, moves=(*decisions.moves, *moves), recalls=(*decisions.recalls, *recalls))
    plan = plan_of(loaded.snapshot, made).model_copy(update={"accepted": accepted_of(board)})
    broken = {fault.rule for fault in broken_rules(loaded.snapshot, plan)}
    assert not broken & {f"R{number}" for number in range(1, 13)}  # R13: what else fits is added at the end of a solve


def test_a_leg_of_programs_on_a_board_with_a_history_ends_as_on_a_new_one() -> None:
    used = problem_of(3)
    for history in ("a", "b"):
        leg_on(used, history)

    assert leg_on(used, "leg") == leg_on(problem_of(3), "leg")


def problem_of(seed: int) -> Problem:
    return Problem(build.load(market(seed, requests=30)).snapshot, Decisions())


def leg_on(problem: Problem, seed: str) -> Finished:
    leg = Leg(board_of(problem).home, seed, 300, None, 0.0, 1.0, patience=10**6, sizes=Sizes())
    return run_leg(problem, leg, lambda: False)


def test_neighbourhoods_grow_while_their_programs_are_solved_and_shrink_when_they_are_not() -> None:
    sizes = Sizes(pods=4.0, days=0.5, wishes=0.5)

    sizes.adapt(Kind.PODS, solved=True)
    sizes.adapt(Kind.DAYS, solved=False)
    sizes.adapt(Kind.WISHES, solved=True)

    assert sizes.pods > 4.0
    assert sizes.days < 0.5
    assert sizes.wishes > 0.5


def test_no_neighbourhood_is_smaller_than_two_pods_or_larger_than_all_days_and_wishes() -> None:
    sizes = Sizes(pods=2.0, days=1.0, wishes=1.0)

    sizes.adapt(Kind.PODS, solved=False)
    sizes.adapt(Kind.DAYS, solved=True)
    sizes.adapt(Kind.WISHES, solved=True)

    assert sizes == Sizes(pods=2.0, days=1.0, wishes=1.0)


def test_a_bound_with_pods_knows_that_no_pod_has_the_room() -> None:
    """Four racks are free over the cluster, three in no pod."""
    asked = build.request("q1", gpus=216, days=4, scope="pod")

    assert prove(build.snapshot(sites=TWO_PODS, days=4, requests=[asked]), 0, {}) == pytest.approx(0.0, abs=0.05)


def test_a_bound_with_pods_lets_a_reservation_move_that_may() -> None:
    mover = build.reservation("v1", start=2, end=6, racks={"r1": 72}, move_notice_days=1)
    frozen = build.reservation("v1", start=2, end=6, racks={"r1": 72}, move_notice_days=9)
    other = build.reservation("v2", start=0, end=6, racks={"r3": 72})
    whole = build.request("whole", gpus=144, earliest=2, days=4, scope="pod")

    def bound_with(reservation: Content) -> float | None:
        return prove(build.snapshot(sites=TWO_PODS, days=6, reservations=[reservation, other], requests=[whole]), 0, {})

    assert bound_with(mover) == pytest.approx(100.0, abs=0.05)
    assert bound_with(frozen) == pytest.approx(0.0, abs=0.05)


def test_a_bound_with_pods_lets_a_drawdown_use_up_a_hold_of_no_whole_trays() -> None:
    contract = build.contract("k1", steps=[(0, 4, 142)], overage=True)
    asked = build.request("q1", gpus=144, days=4, contract="k1")

    assert prove(build.snapshot(sites=ONE_POD, days=4, contracts=[contract], requests=[asked]), 0, {}) == pytest.approx(
        100.0, abs=0.05
    )


def test_where_something_is_short_there_is_no_bound_with_pods() -> None:
    lost = build.reservation("v1", start=0, end=4, racks={"r1": 72, "r2": 72})
    dead = [build.outage("r1", 0, 4)]

    assert prove(build.snapshot(sites=ONE_POD, days=4, reservations=[lost], outages=dead, requests=[]), 0, {}) is None


@pytest.mark.parametrize("family", generate.FAMILIES)
def test_no_tiny_snapshot_has_a_plan_above_its_bound_with_pods(family: str) -> None:
    judged = hunt(family, range(12))
    assert judged


@pytest.mark.slow
@pytest.mark.parametrize("family", generate.FAMILIES)
def test_no_tiny_snapshot_in_a_long_row_has_a_plan_above_its_bound_with_pods(family: str) -> None:
    assert hunt(family, range(2000, 2150))


def hunt(family: str, seeds: range) -> int:
    """How many bounds were compared with the best plan that exhaustive search finds."""
    judged = 0
    for seed in seeds:
        snapshot = build.load(generate.snapshot(family, seed)).snapshot
        try:
            best = exhaustive.best(snapshot)
        except NoReference:
            continue
        cluster = clusters.build(snapshot)
        decisions = repair(snapshot, cluster, seed=0, deadline=lambda: False)
        values = dict(zip(best.tiers, best.values, strict=True))
        for tier, value in values.items():
            proof = tiers.prove(snapshot, cluster, decisions, tier=tier, reached=values, seconds=None)
            assert proof is None or proof.bound_usd >= value - ROUNDING, seed
            judged += proof is not None
    return judged
