"""Tightens a relaxation that is too large for `solver.engine.relaxation.integral`: HiGHS cuts off fractions of blocks.

The program is that of `solver.engine.relaxation.linear`, with blocks taken or not. HiGHS works in floating point, so
its bound counts with a margin.
"""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
from ortools.math_opt.python import mathopt

from solver.engine.relaxation import linear
from solver.engine.relaxation.problem import Problem
from solver.engine.relaxation.program import Floats, Indices, Program

MARGIN = 1e-5
"""Of the bound: more than HiGHS' tolerances of 1e-7, of the largest block's value and of a rack, are worth together."""


def bound_usd(problem: Problem, seconds: float) -> float | None:
    """No plan of the problem is worth more; null where HiGHS knows nothing after so many ``seconds``."""
    program, layout = linear.formulate(problem)
    _take_whole(problem, program, layout.columns)
    limit = mathopt.SolveParameters(time_limit=dt.timedelta(seconds=max(seconds, 0.01)))
    result = linear.asked(program.model(), mathopt.SolverType.HIGHS, limit)
    if result is None:
        return None
    found = result.termination.objective_bounds.dual_bound * linear.unit_of_money(problem)
    return found + MARGIN * abs(found) if math.isfinite(found) else None


def _take_whole(problem: Problem, program: Program, columns: Indices) -> None:
    """R4: a choice is taken in one column, at its least size at least, or not at all."""
    fewest, most = _shares(problem)
    of_column = problem.columns.choice
    in_full = (fewest == 1.0) & (most == 1.0)
    program.whole(columns[in_full[of_column]])
    others = np.flatnonzero(~in_full[of_column])
    taken = program.variables(0.0, 1.0, np.zeros(len(others)))
    program.whole(taken)
    for share, sign in ((most, 1.0), (fewest, -1.0)):
        rows = program.rows(-np.inf, np.zeros(len(others)))
        program.entries(rows, columns[others], sign)
        program.entries(rows, taken, -sign * share[of_column[others]])
    choices, rows_of = np.unique(of_column[others], return_inverse=True)
    once = program.rows(-np.inf, np.ones(len(choices)))
    program.entries(once[rows_of], taken, 1.0)


def _shares(problem: Problem) -> tuple[Floats, Floats]:
    """The least and the largest part of each choice's block in full."""
    units = np.array([choice.unit / choice.gpus for choice in problem.choices], dtype=np.float64)
    fewest = np.array([choice.fewest for choice in problem.choices], dtype=np.float64)
    most = np.array([choice.most for choice in problem.choices], dtype=np.float64)
    return fewest * units, most * units
