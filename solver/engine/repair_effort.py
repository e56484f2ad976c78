"""How much CP-SAT may do for a repair: deterministic work on one thread, cut off only by a deadline or an interrupt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ortools.sat.python import cp_model

from solver.engine import stoppable

_LEAST_WORK = 0.01


@dataclass(slots=True)
class Effort:
    """``work`` units of CP-SAT's deterministic time are left; ``deadline`` answers whether time is up."""

    seed: int
    work: float
    deadline: Callable[[], bool]

    def solve(self, model: cp_model.CpModel) -> tuple[cp_model.CpSolver, bool | None]:
        """The solver with its solution, and whether that is proven; None: there is none."""
        solver = stoppable.solver(seed=self.seed, work=max(self.work, _LEAST_WORK))
        solver.parameters.linearization_level = 2  # its LP is the bound; level 1 leaves most rows out
        status = stoppable.solve(solver, model, self.deadline)
        self.work -= solver.response_proto.deterministic_time
        match status:
            case cp_model.OPTIMAL | cp_model.FEASIBLE:
                return solver, bool(status == cp_model.OPTIMAL)
            case cp_model.UNKNOWN | cp_model.INFEASIBLE:
                return solver, None  # infeasible: a cost was fixed at what a first repair reached by other means
            case _:
                raise RuntimeError(f"the repair is {solver.status_name(status)}: {model.validate()}")
