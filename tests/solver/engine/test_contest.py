"""Contests: who is worth more than what is in the way gets in, and who is not is told how much that is."""

from __future__ import annotations

import random

import pytest

from solver import cluster
from solver.decisions import Decisions
from solver.engine import admission, placement
from solver.engine.board import Board
from solver.engine.chains import Problem, board_of
from solver.engine.contest import Bout, Contest, Outcome, fight, joined, price, prices
from solver.engine.entry import Effort
from tests.solver.engine.markets import market
from tests.solver.reference import build
from tests.solver.reference.build import Content

EFFORT = Effort(tries=6, rounds=12)
TWO_RACKS = [build.site(halls=[build.hall(pods={"p1": ["r1", "r2"]})])]


def problem_of(*requests: Content, sites: list[Content] | None = None) -> Problem:
    snapshot = build.load(build.snapshot(sites=sites or TWO_RACKS, requests=list(requests))).snapshot
    return Problem(snapshot, Decisions())


def contest(problem: Problem, *accepted: str) -> Contest:
    """The contest on a board that has the named requests, each at its earliest start."""
    board = board_of(problem)
    board.set_up(board.home)
    for wish in board.requests:
        if wish.id in accepted:
            assert placement.accept(board, wish, admission.earliest(wish)) is not None
    return Contest(board, board.positions())


def enter(contest: Contest, name: str) -> bool:
    return contest.enter(number_of(contest, name), EFFORT, random.Random(0))


def number_of(contest: Contest, name: str) -> int:
    return next(wish.number for wish in contest.board.requests if wish.id == name)


def price_of(contest: Contest, name: str) -> float | None:
    wish = contest.board.requests[number_of(contest, name)]
    tiers = list(contest.board.values())
    return price(wish, contest.seen[wish.number], contest.reached, tiers.index(wish.tier))


def accepted(contest: Contest) -> set[str]:
    contest.board.set_up(contest.plan)
    return {contest.board.wishes[number].id for number in contest.board.blocks}


def test_a_request_worth_more_than_what_is_in_its_way_gets_in() -> None:
    held = contest(
        problem_of(build.request("q1", gpus=144, value_usd=500.0), build.request("q2", value_usd=600.0)), "q1"
    )

    assert enter(held, "q2")

    assert accepted(held) == {"q2"}
    assert held.reached == (600.0,)
    assert price_of(held, "q1") == 600.0


def test_a_request_worth_less_stays_out_at_the_price_of_what_is_in_its_way() -> None:
    held = contest(
        problem_of(build.request("q1", gpus=144, value_usd=500.0), build.request("q2", value_usd=400.0)), "q1"
    )

    assert not enter(held, "q2")

    assert accepted(held) == {"q1"}
    assert price_of(held, "q2") == 500.0


def test_only_as_much_as_is_needed_gives_way() -> None:
    dear, cheap = build.request("q1", value_usd=500.0), build.request("q2", value_usd=300.0)

    held = contest(problem_of(dear, cheap, build.request("q3", value_usd=100.0)), "q1", "q2")
    enter(held, "q3")

    assert price_of(held, "q3") == 300.0


def test_what_can_stand_elsewhere_costs_nothing_and_lets_the_request_in() -> None:
    held = contest(
        problem_of(build.request("q1", gpus=144, value_usd=500.0, latest=8), build.request("q2", gpus=144)), "q1"
    )

    assert enter(held, "q2")

    assert accepted(held) == {"q1", "q2"}


def test_a_request_that_would_take_less_needs_as_much_more_for_the_whole() -> None:
    """Half of it would do: half its price has to be what the one in the way is worth, or its price both of them."""
    dear, cheap = build.request("q1", value_usd=500.0), build.request("q2", value_usd=300.0)
    wished = build.request("q3", gpus=144, min_gpus=72, value_usd=100.0)

    held = contest(problem_of(dear, cheap, wished), "q1", "q2")
    enter(held, "q3")

    assert price_of(held, "q3") == 600.0


@pytest.mark.parametrize(("tier", "expected"), [(0, None), (1, 500.0)])
def test_no_price_buys_what_a_higher_tier_has(tier: int, expected: float | None) -> None:
    rival = build.request("q1", gpus=144, value_usd=500.0, tier=tier)

    held = contest(problem_of(rival, build.request("q2", value_usd=10.0, tier=1)), "q1")
    enter(held, "q2")

    assert price_of(held, "q2") == expected


def test_a_lower_tier_gives_way_to_any_value() -> None:
    rival = build.request("q1", gpus=144, value_usd=500.0, tier=2)

    held = contest(problem_of(rival, build.request("q2", value_usd=10.0, tier=1)), "q1")

    assert enter(held, "q2")
    assert accepted(held) == {"q2"}


def by_price(problem: Problem) -> Board:
    """The board with what a greedy planner accepts."""
    board = Board(problem.snapshot, cluster.build(problem.snapshot), problem.decisions)
    for tier in board.values():
        admission.fill(board, tier, admission.by_price, admission.earliest)
    return board


def bout_of(problem: Problem, board: Board) -> Outcome:
    outside = tuple(wish.number for wish in board.requests if wish.number not in board.blocks)
    return fight(problem, Bout(board.positions(), outside, "0", rounds=400, seconds=None), lambda: False)


@pytest.mark.parametrize("seed", range(3))
def test_a_contest_never_leaves_a_worse_plan_and_the_same_seed_leaves_the_same(seed: int) -> None:
    snapshot = build.load(market(seed)).snapshot
    problem = Problem(snapshot, Decisions())
    board = by_price(problem)

    first, second = bout_of(problem, board), bout_of(problem, board)

    assert first == second
    assert list(first.values) >= [round(value, 2) for value in board.values().values()]
    found = prices(board, first)
    worth = {request.id: request.value_usd for request in snapshot.requests}
    assert len(found) >= 2
    assert all(usd is None or usd > worth[name] for name, usd in found.items())


def test_several_bouts_are_joined_at_the_best_plan_with_all_that_was_seen() -> None:
    first = Outcome((), (10.0,), {1: {72: (4.0,)}, 2: {72: (9.0,)}})
    second = Outcome((), (12.0,), {1: {72: (6.0,), 144: (3.0,)}})

    assert joined([first, second]) == Outcome((), (12.0,), {1: {72: (6.0,), 144: (3.0,)}, 2: {72: (9.0,)}})


def test_a_contest_that_is_stopped_leaves_the_plan_it_began_with() -> None:
    problem = Problem(build.load(market(0)).snapshot, Decisions())
    board = by_price(problem)
    outside = tuple(wish.number for wish in board.requests if wish.number not in board.blocks)

    outcome = fight(problem, Bout(board.positions(), outside, "0", rounds=None, seconds=None), lambda: True)

    assert outcome == Outcome(board.positions(), tuple(round(usd, 2) for usd in board.values().values()), {})
