"""Legs: what comes of one depends on what is sent with it, not on what the process did before."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from solver.decisions import Decisions
from solver.engine import chains
from solver.engine.chains import Finished, Leg, Problem, board_of, run_leg
from solver.engine.crew import Crew
from solver.engine.parameters import SolveParameters
from solver.engine.programs.neighbourhoods import Sizes
from solver.engine.watch import Watch
from solver.engine.wire import Content, Piece, Result, Stop, Work
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


class Losing(Crew):
    """A crew that has lost its workers for good by the end of a leg, as after three losses."""

    def run(
        self,
        work: Work[Content, Piece, Result],
        content: Content,
        pieces: Sequence[Piece],
        *,
        enough: Stop | None = None,
        patience: float = 0.0,
    ) -> list[Result]:
        self.hands = 1
        return [work(content, piece, lambda: False) for piece in pieces]


def test_a_solve_by_the_clock_goes_on_with_the_hands_that_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "_LEG_SECONDS", 0.05)
    problem, watch = problem_of(0), Watch(0.5)
    board = board_of(problem)
    before = list(board.values().values())
    losing = Losing(SolveParameters(workers=2, time_limit_seconds=0.5), watch, 100)

    chains.improve(problem, board, losing, watch, reserve=0.0)

    assert losing.hands == 1
    assert list(board.values().values()) >= before


def test_a_leg_of_programs_leaves_the_sizes_that_it_was_sent() -> None:
    """Where workers are lost, legs that were to be done side by side are done here in turn."""
    problem, sizes = problem_of(0), Sizes()
    leg = Leg(board_of(problem).home, "leg", 300, None, 0.0, 1.0, patience=10**6, sizes=sizes)
    assert run_leg(problem, leg, lambda: False).sizes != Sizes()
    assert sizes == Sizes()
