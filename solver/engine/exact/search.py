"""One goal after the other, each made as small as it can be and kept so from there on, with CP-SAT."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

from solver.engine import stoppable
from solver.engine.exact.goals import Goal
from solver.engine.exact.model import Model, Sum

Values = list[int]
Refine = Callable[[Values], bool]
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Limits:
    """``work``: deterministic units for all goals together. ``seconds`` answers how many are left (None: no limit),
    ``stop`` whether to stop now.
    """

    work: float
    seconds: Callable[[], float | None]
    stop: Callable[[], bool]
    seed: int


@dataclass(slots=True)
class Found:
    """The last solution, what each goal came to, and a proven bound of each; ``is_proven``: these are the same."""

    values: Values | None = None
    reached: dict[str, int] = field(default_factory=dict)
    bounds: dict[str, int] = field(default_factory=dict)
    is_proven: bool = False
    work: float = 0.0


def search(model: Model, goals: Iterable[Goal], limits: Limits, refine: Refine) -> Found:
    """Take the goals in their order, as far as they can be proven.

    ``refine`` adds rows that a solution breaks, and answers whether it added any.
    """
    found = Found()
    for goal in (*goals, Goal("any", Sum(), 0)):
        while _lower(model, goal, limits, found):
            if goal.is_early or not refine(_solution(found)):
                break
            found.values = None
        else:
            return found
        model.at_most(goal.cost, found.reached[goal.name])
    found.is_proven = True
    return found


def _solution(found: Found) -> Values:
    if found.values is None:
        raise AssertionError("a goal is reached by a solution")
    return found.values


def _lower(model: Model, goal: Goal, limits: Limits, found: Found) -> bool:
    """Make the goal as small as it can be; false where that is not proven."""
    if found.values is not None and goal.cost.at(found.values) == goal.least:
        found.reached[goal.name] = found.bounds[goal.name] = goal.least
        return True
    _aim(model, goal, found)
    solver = _solver(limits, found)
    status = stoppable.solve(solver, model.cp, limits.stop)
    found.work += solver.deterministic_time
    match status:
        case cp_model.OPTIMAL | cp_model.FEASIBLE:
            found.values = list(solver.response_proto.solution)
            found.reached[goal.name] = goal.cost.at(found.values)
            found.bounds[goal.name] = _bound(goal, solver, found.reached[goal.name])
        case cp_model.UNKNOWN | cp_model.INFEASIBLE:
            pass
        case _:
            raise RuntimeError(f"the exact model is {solver.status_name(status)}: {model.cp.validate()}")
    return status == cp_model.OPTIMAL


def _bound(goal: Goal, solver: cp_model.CpSolver, reached: int) -> int:
    """What the goal cannot be below; without a solution the solver's own is no bound, and 0 before it has one."""
    if not goal.cost.terms:
        return reached
    bound = math.ceil(solver.best_objective_bound - _ROUNDING)
    return max(goal.least, bound) if bound <= reached else goal.least


def _aim(model: Model, goal: Goal, found: Found) -> None:
    model.cp.clear_objective()  # type: ignore[no-untyped-call]  # OR-Tools leaves it without annotations
    if goal.cost.terms:
        model.cp.minimize(goal.cost.expression)
    model.cp.clear_hints()  # type: ignore[no-untyped-call]  # the same
    for var, value in zip(model.variables, found.values or (), strict=False):
        model.cp.add_hint(var, value)


def _solver(limits: Limits, found: Found) -> cp_model.CpSolver:
    solver = stoppable.solver(seed=limits.seed, work=max(0.0, limits.work - found.work), seconds=limits.seconds())
    solver.parameters.linearization_level = 2
    return solver
