"""Attempts at a tier: on top of what stands, the best of all ways, the same for every number of hands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solver import cluster
from solver.decisions import Decisions
from solver.engine import admission, attempts
from solver.engine.admission import Guide
from solver.engine.attempts import Best, Task
from solver.engine.board import Board
from solver.engine.chains import Problem
from tests.solver.engine.markets import DAYS, market
from tests.solver.reference import build

TASK = Task(1, (), (Guide({}, np.ones(DAYS)),), 0, 1, None, 6, None, "0")


def problem_of(seed: int) -> Problem:
    loaded = build.load(market(seed))
    return Problem(loaded.snapshot, Decisions())


def board_of(problem: Problem) -> Board:
    return Board(problem.snapshot, cluster.build(problem.snapshot), problem.decisions)


def carried_out(problem: Problem, task: Task) -> Best:
    return attempts.carry_out(problem, task, lambda: False)


@pytest.mark.parametrize("seed", range(5))
def test_the_best_attempt_is_worth_no_less_than_dearest_first_and_keeps_what_stands(seed: int) -> None:
    problem = problem_of(seed)
    board = board_of(problem)
    board.set_up(())
    admission.fill(board, 0, admission.by_price, admission.earliest)
    standing = board.positions()
    admission.fill(board, 1, admission.by_price, admission.earliest)
    dearest_first = board.values()[1]

    best = carried_out(problem, replace(TASK, positions=standing))

    board.set_up(best.positions)
    assert board.values()[1] == pytest.approx(best.value_usd)
    assert best.value_usd >= dearest_first
    assert [(at.number, at.start) for at in standing] == [
        (at.number, at.start) for at in best.positions if board.wishes[at.number].tier == 0
    ]


def test_two_hands_find_together_what_one_finds_in_the_ways_without_chance() -> None:
    problem = problem_of(3)
    whole = carried_out(problem, replace(TASK, more=0))

    halves = [carried_out(problem, replace(TASK, more=0, first=hand, step=2)) for hand in (0, 1)]

    assert max(halves, key=lambda best: best.rank) == whole


def test_chance_in_the_order_follows_the_seed() -> None:
    problem = problem_of(4)

    assert carried_out(problem, TASK) == carried_out(problem, TASK)


def test_an_attempt_is_made_even_when_time_is_up_and_none_after_it_reached_the_bound() -> None:
    problem = problem_of(5)

    hurried = carried_out(problem, replace(TASK, seconds=0.0))
    content = carried_out(problem, replace(TASK, enough_usd=1.0))

    assert hurried.value_usd > 0
    assert content.number == 0
