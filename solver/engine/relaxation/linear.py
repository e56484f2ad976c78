"""Solves a relaxation through MathOpt (GLOP, HiGHS where it is large), in racks and units of the largest value.

Loads are written as differences, ``load[t] = load[t-1] + starts - ends``: one short row per span instead of one
dense row, which keeps the program sparse. Nothing here is trusted for the bound: see `solver.engine.relaxation.proof`.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass

import numpy as np
from ortools.math_opt.python import mathopt

from solver.engine.relaxation.problem import Duals, Floats, Indices, Meter, Problem
from solver.engine.relaxation.program import Program
from solver.terms import GPUS_PER_RACK

LARGE = 5000  # columns


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fraction of each column, the GPUs that each limit leaves over, and the duals.

    ``is_rough``: no linear program was solved for them.
    """

    fractions: Floats
    left_over: Floats
    duals: Duals
    is_rough: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the variables and rows of the relaxation lie in the program: numbers, -1 where there is none."""

    columns: Indices
    limits: Indices
    holds: Indices
    reached: dict[int, int]


def solve(problem: Problem, deadline_seconds: float | None) -> Outcome | None:
    """The optimum; null where no solver ends with one (time, numerical trouble)."""
    program, layout = formulate(problem)
    ends = None if deadline_seconds is None else time.monotonic() + deadline_seconds
    model = program.model()
    for solver in _solvers(problem):
        result = _optimum(model, solver, None if ends is None else ends - time.monotonic())
        if result is not None:
            primal, dual = program.by_variable(result.variable_values()), program.by_row(result.dual_values())
            return _outcome(problem, layout, primal, dual, program)
    return None


def _solvers(problem: Problem) -> list[mathopt.SolverType]:
    """GLOP is exact and quick on small programs; HiGHS' interior point takes a third of its time on large ones."""
    if len(problem.columns.choice) < LARGE:
        return [mathopt.SolverType.GLOP]
    return [mathopt.SolverType.HIGHS, mathopt.SolverType.GLOP]


def _optimum(model: mathopt.Model, solver: mathopt.SolverType, seconds: float | None) -> mathopt.SolveResult | None:
    """The solver's answer if it is an optimum with duals."""
    parameters = mathopt.SolveParameters(
        time_limit=None if seconds is None else dt.timedelta(seconds=max(seconds, 0.01))
    )
    if solver == mathopt.SolverType.HIGHS:
        parameters.lp_algorithm = mathopt.LPAlgorithm.BARRIER
    result = asked(model, solver, parameters)
    if result is None or result.termination.reason != mathopt.TerminationReason.OPTIMAL:
        return None
    return result if result.has_dual_feasible_solution() else None


def asked(
    model: mathopt.Model, solver: mathopt.SolverType, parameters: mathopt.SolveParameters
) -> mathopt.SolveResult | None:
    """What the solver answers; null where it gives up."""
    try:
        return mathopt.solve(model, solver, params=parameters)
    except (mathopt.InternalMathOptError, AttributeError, ValueError):
        return None  # HiGHS gave up; MathOpt 9.15 fails with AttributeError while it says so


def unit_of_money(problem: Problem) -> float:
    """The program's unit of money in USD: values of about 1 keep solvers precise."""
    return float(np.abs(problem.columns.value).max(initial=0.0)) or 1.0


def formulate(problem: Problem) -> tuple[Program, Layout]:
    """The program in racks and units of money, and where the problem's parts lie in it."""
    program = Program()
    money = unit_of_money(problem)
    tiers = np.array([choice.tier for choice in problem.choices], dtype=np.int64)[problem.columns.choice]
    value = problem.columns.value / money
    columns = program.variables(0.0, np.inf, np.where(tiers == problem.tier, value, 0.0))
    _choose(problem, program, columns)
    meters = {meter: number for number, meter in enumerate(_metered(problem))}
    loads = _loads(problem, program, columns, meters)
    holds, hold_rows = _holds(problem, program, loads, meters)
    limits = _limits(problem, program, loads, meters, holds)
    _lack(problem, program, limits)
    reached = {}
    for tier, least in problem.reached.items():
        inside = np.flatnonzero(tiers == tier)
        row = program.rows(np.array([least / money]), np.inf)
        program.entries(np.repeat(row, len(inside)), columns[inside], value[inside])
        reached[tier] = int(row[0])
    return program, Layout(columns, limits, hold_rows, reached)


def _choose(problem: Problem, program: Program, columns: Indices) -> None:
    """R4: a request is accepted once at most."""
    most = np.array([choice.share for choice in problem.choices], dtype=np.float64)
    rows = program.rows(-np.inf, most)
    program.entries(rows[problem.columns.choice], columns, 1.0)


def _metered(problem: Problem) -> list[Meter]:
    """The meters that a limit reads, or a hold, and that a choice loads; in a fixed order."""
    loaded: frozenset[Meter] = frozenset().union(*(choice.meters for choice in problem.choices))
    read: frozenset[Meter] = frozenset().union(*(limit.meters for limit in problem.limits))
    held = {hold.booked for hold in problem.holds}
    return sorted(loaded & (read | held), key=Meter.order)


def _loads(problem: Problem, program: Program, columns: Indices, meters: dict[Meter, int]) -> Indices:
    """A free variable per meter and span, in racks, tied to the one before by what starts and ends there."""
    spans = len(problem.spans) - 1
    loads = program.variables(-np.inf, np.inf, np.zeros(len(meters) * spans)).reshape(len(meters), spans)
    rows = program.rows(0.0, np.zeros(len(meters) * spans)).reshape(len(meters), spans)
    program.entries(rows, loads, 1.0)
    program.entries(rows[:, 1:], loads[:, :-1], -1.0)
    for number, meter in enumerate(meters):
        racks = np.array([c.gpus / GPUS_PER_RACK if meter in c.meters else 0.0 for c in problem.choices])
        load = racks[problem.columns.choice] if len(racks) else racks
        inside = np.flatnonzero(load)
        program.entries(rows[number, problem.columns.first[inside]], columns[inside], -load[inside])
        ending = inside[problem.columns.last[inside] < spans]
        program.entries(rows[number, problem.columns.last[ending]], columns[ending], load[ending])
    return loads


def _holds(problem: Problem, program: Program, loads: Indices, meters: dict[Meter, int]) -> tuple[Indices, Indices]:
    """R7: held racks are at least what is due less what is booked, and never negative."""
    spans = len(problem.spans) - 1
    holds = np.full((len(problem.holds), spans), -1, dtype=np.int64)
    rows = np.full_like(holds, -1)
    for number, hold in enumerate(problem.holds):
        meter = meters.get(hold.booked)
        due = hold.due / GPUS_PER_RACK
        if meter is None:
            holds[number] = program.variables(due, np.inf, np.zeros(spans))
            continue
        holds[number] = program.variables(0.0, np.inf, np.zeros(spans))
        when = np.flatnonzero(due)
        rows[number, when] = program.rows(due[when], np.inf)
        program.entries(rows[number, when], holds[number, when], 1.0)
        program.entries(rows[number, when], loads[meter, when], 1.0)
    return holds, rows


def _limits(problem: Problem, program: Program, loads: Indices, meters: dict[Meter, int], holds: Indices) -> Indices:
    rows = np.full((len(problem.limits), len(problem.spans) - 1), -1, dtype=np.int64)
    for number, limit in enumerate(problem.limits):
        rows[number] = program.rows(-np.inf, limit.right / GPUS_PER_RACK)
        for meter in limit.meters & meters.keys():
            program.entries(rows[number], loads[meters[meter]], 1.0)
        for hold in limit.holds:
            program.entries(rows[number], holds[hold], 1.0)
    return rows


def _lack(problem: Problem, program: Program, limits: Indices) -> None:
    """R11: GPUs that are short count in no limit; their days are limited in all."""
    for missing in problem.missing:
        racks = program.variables(0.0, missing.most / GPUS_PER_RACK, np.zeros(len(missing.most)))
        budget = program.rows(-np.inf, np.array([missing.budget / GPUS_PER_RACK]))
        program.entries(np.repeat(budget, len(racks)), racks, problem.lengths.astype(np.float64))
        for number, limit in enumerate(problem.limits):
            if limit.meters & missing.meters:
                program.entries(limits[number], racks, -1.0)


def _outcome(problem: Problem, layout: Layout, primal: Floats, dual: Floats, program: Program) -> Outcome:
    per_gpu = unit_of_money(problem) / GPUS_PER_RACK
    pick = np.append(dual, 0.0)
    left_over = (program.upper - program.activity(primal))[layout.limits] * GPUS_PER_RACK
    return Outcome(
        fractions=np.clip(primal[layout.columns], 0.0, 1.0),
        left_over=left_over,
        duals=Duals(
            limits=pick[layout.limits] * per_gpu,
            holds=-pick[layout.holds] * per_gpu,
            reached={tier: -float(pick[row]) for tier, row in layout.reached.items()},
        ),
    )
