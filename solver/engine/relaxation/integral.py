"""Tightens a small relaxation with CP-SAT: blocks are accepted or not, at one start, in their multiple.

The program is the relaxation of `solver.engine.relaxation.problem` with whole numbers, so its best proven bound is a
bound of the tier as well. Money is rounded so that the bound can only rise.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from solver.engine import stoppable
from solver.engine.relaxation.problem import Choice, Floats, Meter, Problem

MONEY_STEPS = 10**12  # of the largest sum of values: rounding stays far below the gap that counts as none


@dataclass(frozen=True, slots=True)
class Effort:
    """CP-SAT is asked where a relaxation has at most ``choices`` choices and ``columns`` columns. It stops after
    ``work`` units of its deterministic time (some 4 seconds each).

    ``bound_only``: a search that follows the bound of its linear program and seldom finds a solution before the best;
    it proves more, but only where there is time.
    """

    choices: int = 400
    columns: int = 4000
    work: float = 0.6
    bound_only: bool = False
    seed: int = 0

    def suits(self, problem: Problem) -> bool:
        """Whether the relaxation is small enough."""
        return 0 < len(problem.choices) <= self.choices and len(problem.columns.choice) <= self.columns


@dataclass(frozen=True, slots=True)
class Integral:
    """A proven bound in USD, and the fraction of each column in the best solution found (null: none was)."""

    bound_usd: float
    fractions: Floats | None


@dataclass(frozen=True, slots=True)
class _Take:
    """A column taken ``count`` times, each time ``gpus`` GPUs and ``value`` steps of money; ``taken``: at all."""

    column: int
    choice: Choice
    taken: cp_model.IntVar
    count: cp_model.IntVar
    gpus: int
    value: int


@dataclass(frozen=True, slots=True)
class _Model:
    """The program with its columns; a USD has ``step`` steps of money."""

    program: cp_model.CpModel
    takes: list[_Take]
    step: float


def solve(problem: Problem, effort: Effort, deadline_seconds: float | None) -> Integral | None:
    """CP-SAT's proven bound; null where it has none (no time, or the tiers above cannot be kept)."""
    model = _model(problem)
    return _asked(problem, model, _solver(effort, deadline_seconds))


def _model(problem: Problem) -> _Model:
    program = cp_model.CpModel()
    step = MONEY_STEPS / max(float(np.abs(problem.columns.value).sum()), 1e-6)
    takes = _takes(problem, program, step)
    _limits(problem, program, takes)
    _keep_tiers_above(problem, program, takes, step)
    program.maximize(_worth(takes, problem.tier))
    return _Model(program, takes, step)


def _solver(effort: Effort, seconds: float | None) -> cp_model.CpSolver:
    solver = stoppable.solver(seed=effort.seed, work=effort.work, seconds=seconds)
    solver.parameters.linearization_level = 2  # its LP is the bound; level 1 leaves most rows out
    solver.parameters.optimize_with_lb_tree_search = effort.bound_only
    return solver


def _asked(problem: Problem, model: _Model, solver: cp_model.CpSolver) -> Integral | None:
    """Only bounds that CP-SAT reported while it worked count: stopped before the first, its answer says 0."""
    reported = [math.inf]
    solver.best_bound_callback = reported.append
    match solver.solve(model.program):
        case cp_model.OPTIMAL:
            return Integral(solver.best_objective_bound / model.step, _fractions(solver, model.takes))
        case cp_model.FEASIBLE:
            return Integral(min(reported) / model.step, _fractions(solver, model.takes))
        case cp_model.UNKNOWN:
            return Integral(min(reported) / model.step, None)
        case cp_model.INFEASIBLE:
            return None
        case status:
            raise RuntimeError(f"the integer relaxation of tier {problem.tier} is {solver.status_name(status)}")


def _takes(problem: Problem, model: cp_model.CpModel, step: float) -> list[_Take]:
    """R4: one start at most, and a size in its multiple."""
    takes = [_take(problem, model, step, column) for column in range(len(problem.columns.choice))]
    by_choice = defaultdict(list)
    for take, choice in zip(takes, problem.columns.choice, strict=True):
        by_choice[choice].append(take.taken)
    for taken in by_choice.values():
        model.add_at_most_one(taken)
    return takes


def _take(problem: Problem, model: cp_model.CpModel, step: float, column: int) -> _Take:
    """Values are rounded upwards, a loss towards 0."""
    choice = problem.choices[problem.columns.choice[column]]
    value = float(problem.columns.value[column]) * step
    taken = model.new_bool_var("")
    if choice.fewest == choice.most:
        in_full = choice.most * choice.unit
        return _Take(column, choice, taken, taken, in_full, math.ceil(value * (in_full / choice.gpus)))
    count = model.new_int_var(0, choice.most, "")
    _at_most(model, [(taken, choice.fewest), (count, -1)], 0)
    _at_most(model, [(count, 1), (taken, -choice.most)], 0)
    return _Take(column, choice, taken, count, choice.unit, math.ceil(value * (choice.unit / choice.gpus)))


def _limits(problem: Problem, model: cp_model.CpModel, takes: list[_Take]) -> None:
    loads = _loads(problem, takes)
    missing = _missing(problem, model)
    counted = sorted({number for limit in problem.limits for number in limit.holds})
    for span in range(len(problem.lengths)):
        holds = {number: _held(problem, model, loads, number, span) for number in counted}
        for limit in problem.limits:
            inside = [take for meter in sorted(limit.meters, key=Meter.order) for take in loads[meter, span]]
            terms = [(take.count, take.gpus) for take in inside]
            terms += [(holds[number], 1) for number in limit.holds]
            terms += [(gpus[span], -1) for meters, gpus in missing if meters & limit.meters]
            if inside:
                _at_most(model, terms, _whole(limit.right[span]))


def _at_most(model: cp_model.CpModel, terms: list[tuple[cp_model.IntVar, int]], right: int) -> None:
    expression = cp_model.LinearExpr.weighted_sum([term for term, _ in terms], [factor for _, factor in terms])
    model.add_linear_constraint(expression, cp_model.INT_MIN, right)


def _whole(gpus: float) -> int:
    return math.floor(gpus + 1e-6)


def _loads(problem: Problem, takes: list[_Take]) -> dict[tuple[Meter, int], list[_Take]]:
    loads: dict[tuple[Meter, int], list[_Take]] = defaultdict(list)
    booked = {problem.holds[number].booked for limit in problem.limits for number in limit.holds}
    read = {meter for limit in problem.limits for meter in limit.meters} | booked
    for take in takes:
        first, last = problem.columns.first[take.column], problem.columns.last[take.column]
        for meter in sorted(take.choice.meters & read, key=Meter.order):
            for span in range(first, last):
                loads[meter, span].append(take)
    return loads


def _held(
    problem: Problem, model: cp_model.CpModel, loads: dict[tuple[Meter, int], list[_Take]], number: int, span: int
) -> cp_model.IntVar:
    """R7: what is due less what is booked, and never negative."""
    hold = problem.holds[number]
    due, booked = _whole(hold.due[span]), loads[hold.booked, span]
    if not due or not booked:
        return model.new_int_var(due, due, "")
    held = model.new_int_var(0, due, "")
    _at_most(model, [(held, -1), *((take.count, -take.gpus) for take in booked)], -due)
    return held


def _missing(problem: Problem, model: cp_model.CpModel) -> list[tuple[frozenset[Meter], list[cp_model.IntVar]]]:
    """R11: GPUs that may be short on each span, within the budget of GPU-days."""
    result = []
    for missing in problem.missing:
        gpus = [model.new_int_var(0, _whole(most), "") for most in missing.most]
        _at_most(model, list(zip(gpus, problem.lengths.tolist(), strict=True)), _whole(missing.budget))
        result.append((missing.meters, gpus))
    return result


def _keep_tiers_above(problem: Problem, model: cp_model.CpModel, takes: list[_Take], step: float) -> None:
    for tier, least in problem.reached.items():
        model.add_linear_constraint(_worth(takes, tier), math.floor(least * step), cp_model.INT_MAX)


def _worth(takes: list[_Take], tier: int) -> cp_model.LinearExprT:
    own = [take for take in takes if take.choice.tier == tier]
    return cp_model.LinearExpr.weighted_sum([take.count for take in own], [take.value for take in own])


def _fractions(solver: cp_model.CpSolver, takes: list[_Take]) -> Floats:
    fractions = [solver.value(take.count) * take.gpus / take.choice.gpus for take in takes]
    return np.array(fractions, dtype=np.float64)
