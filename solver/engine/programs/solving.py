"""Solvers for a whole-number program: CP-SAT for the best values, GLOP for its linear relaxation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt.python import mathopt
from ortools.sat.python import cp_model

from solver.engine import stoppable
from solver.engine.programs.rows import Row, Rows
from solver.engine.relaxation.program import Program

_LARGE = 10_000
"""Factors from which on a row is scaled: money would drown racks."""


@dataclass(frozen=True, slots=True)
class Effort:
    """``work``: units of CP-SAT's deterministic time; ``seconds``: at most, None: no clock is read. ``presolve`` may
    take all of it where a program is large and there is little time. ``stop``: whether what there is will do.
    """

    work: float
    seconds: float | None = None
    seed: int = 0
    presolve: bool = True
    stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Answer:
    """The values of all variables, and whether no others are better."""

    values: list[int]
    is_optimal: bool


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The linear program's optimum, and what a unit of each variable beyond it would cost at its prices."""

    value: float
    reduced_costs: NDArray[np.float64]


def solve(rows: Rows, hint: Mapping[int, int], effort: Effort) -> Answer | None:
    """The best that is found, ``hint`` first; None where there is nothing, or no time."""
    program = cp_model.CpModel()
    for upper in rows.upper:
        program.new_int_var(0, upper, "")
    for row in rows.every:
        linear = program.proto.constraints.add().linear
        linear.vars.extend(row.variables)
        linear.coeffs.extend(row.factors)
        linear.domain.extend([row.right if row.exact else cp_model.INT_MIN, row.right])
    variables = [program.get_int_var_from_proto_index(number) for number in rows.objective]
    program.maximize(cp_model.LinearExpr.weighted_sum(variables, list(rows.objective.values())))
    if hint:
        program.proto.solution_hint.vars.extend(hint.keys())
        program.proto.solution_hint.values.extend(hint.values())
    solver = _solver(effort)
    status = stoppable.solve(solver, program, effort.stop)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return Answer(list(solver.response_proto.solution), status == cp_model.OPTIMAL)


def relax(rows: Rows) -> Relaxed | None:
    """The linear program over the same rows; None where no solver ends."""
    scale = max(rows.objective.values(), default=1)
    worth = np.zeros(len(rows.upper))
    worth[list(rows.objective)] = np.array(list(rows.objective.values())) / scale
    program = Program()
    program.variables(0.0, np.array(rows.upper, dtype=np.float64), worth)
    add_rows(program, rows.every)
    result = mathopt.solve(program.model(), mathopt.SolverType.GLOP)
    if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
        return None
    costs = np.zeros(len(rows.upper))
    for variable, cost in result.reduced_costs().items():
        costs[variable.id] = cost
    return Relaxed(result.objective_value() * scale, costs * scale)


def add_rows(program: Program, every: Sequence[Row]) -> None:
    """Add the rows to a linear program."""
    scales = np.array([max(map(abs, row.factors), default=1) for row in every], dtype=np.float64)
    scales = np.where(scales > _LARGE, scales, 1.0)
    right = np.array([row.right for row in every], dtype=np.float64) / scales
    numbers = program.rows(np.where([row.exact for row in every], right, -np.inf), right)
    lengths = [len(row.variables) for row in every]
    factors = np.array(list(chain.from_iterable(row.factors for row in every)), dtype=np.float64)
    program.entries(
        np.repeat(numbers, lengths),
        np.array(list(chain.from_iterable(row.variables for row in every)), dtype=np.int64),
        factors / np.repeat(scales, lengths),
    )


def _solver(effort: Effort) -> cp_model.CpSolver:
    """One worker, and little presolve or none: these programs are small and many."""
    solver = stoppable.solver(seed=effort.seed, work=effort.work, seconds=effort.seconds)
    parameters = solver.parameters
    parameters.linearization_level = 2
    parameters.cp_model_probing_level = 0
    parameters.symmetry_level = 0
    parameters.max_num_cuts = 0
    parameters.cp_model_presolve = effort.presolve
    parameters.max_presolve_iterations = 1
    parameters.presolve_probing_deterministic_time_limit = 0.0
    return solver
