"""Solves a relaxation with too many columns on some of them, and adds those that would have paid.

Long windows make columns: a start a day. The proof looks at all of them, so a sample never makes a bound wrong. It
makes the multipliers worse, and each round mends that.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solver.engine.relaxation import linear
from solver.engine.relaxation.linear import Outcome
from solver.engine.relaxation.problem import Columns, Floats, Problem
from solver.engine.relaxation.proof import best_of_each, column_worth, proven

MOST_COLUMNS = 60_000
ROUNDS = 4
PAYS = 1e-9  # of the largest value

Flags = NDArray[np.bool_]


def solve(problem: Problem, deadline_seconds: float | None) -> Outcome | None:
    """The optimum, or of a larger problem the outcome with the best bound; null where there is none in time."""
    if len(problem.columns.choice) <= MOST_COLUMNS:
        return linear.solve(problem, deadline_seconds)
    ends = None if deadline_seconds is None else time.monotonic() + deadline_seconds
    found: list[Outcome] = []
    active = _sample(problem)
    for _ in range(ROUNDS):
        outcome = linear.solve(_narrowed(problem, active), None if ends is None else ends - time.monotonic())
        if outcome is None:
            break
        found.append(replace(outcome, fractions=_spread(outcome.fractions, active)))
        missed = _missed(problem, active, column_worth(problem, outcome.duals))
        if not missed.any():
            break
        active |= missed
    return min(found, key=lambda outcome: proven(problem, outcome.duals), default=None)


def _sample(problem: Problem) -> Flags:
    """Of each choice the first column, the last, and every few between."""
    choice = problem.columns.choice
    place = np.arange(len(choice)) - np.searchsorted(choice, choice)
    step = -(-len(choice) // MOST_COLUMNS)
    is_last = np.append(choice[1:] != choice[:-1], True)
    sample: Flags = (place % step == 0) | is_last
    return sample


def _narrowed(problem: Problem, active: Flags) -> Problem:
    columns = problem.columns
    kept = Columns(
        choice=columns.choice[active],
        start=columns.start[active],
        first=columns.first[active],
        last=columns.last[active],
        value=columns.value[active],
    )
    return replace(problem, columns=kept)


def _spread(fractions: Floats, active: Flags) -> Floats:
    spread = np.zeros(len(active))
    spread[active] = fractions
    return spread


def _missed(problem: Problem, active: Flags, worth: Floats) -> Flags:
    """The best column of each choice where it pays more than all that were there."""
    choice = problem.columns.choice
    known = best_of_each(problem, np.where(active, worth, -np.inf))
    best = best_of_each(problem, worth)
    least = PAYS * float(np.abs(problem.columns.value).max(initial=0.0))
    missed: Flags = (worth >= best[choice]) & (worth > known[choice] + least)
    return missed
