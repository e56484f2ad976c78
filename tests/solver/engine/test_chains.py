"""Legs: what comes of one depends on what is sent with it, not on what the process did before."""

from __future__ import annotations

import pytest

from solver.decisions import Decisions
from solver.engine.chains import Finished, Leg, Problem, board_of, run_leg
from tests.solver.engine.markets import market
from tests.solver.reference import build


def problem_of(seed: int) -> Problem:
    """A problem that no board was built of yet."""
    return Problem(build.load(market(seed, requests=60)).snapshot, Decisions())


def run(problem: Problem, seed: str) -> Finished:
    leg = Leg(board_of(problem).home, seed, 25, None, 0.0, 1.0, patience=10**6)
    return run_leg(problem, leg, lambda: False)


@pytest.mark.parametrize("seed", range(8))
def test_a_leg_on_a_board_with_a_history_ends_as_on_a_new_one(seed: int) -> None:
    used = problem_of(seed)
    for history in ("a", "b", "c"):
        run(used, history)

    assert run(used, "leg") == run(problem_of(seed), "leg")


def test_a_leg_that_is_stopped_at_once_leaves_what_it_was_given() -> None:
    problem = problem_of(0)
    before = run(problem, "before")

    stopped = run_leg(problem, Leg(before.positions, "leg", 25, None, 0.0, 1.0, patience=10**6), lambda: True)

    assert stopped.positions == before.positions
    assert stopped.values == before.values
