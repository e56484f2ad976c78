"""How much CP-SAT may do for a repair: deterministic work on one thread, cut off only by a deadline or an interrupt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ortools.sat.python import cp_model

_POLL_SECONDS = 0.1
_LEAST_WORK = 0.01


@dataclass(slots=True)
class Effort:
    """``work`` units of CP-SAT's deterministic time are left; ``deadline`` answers whether time is up."""

    seed: int
    work: float
    deadline: Callable[[], bool]

    def solve(self, model: cp_model.CpModel) -> tuple[cp_model.CpSolver, bool | None]:
        """The solver with its solution, and whether that is proven; None: there is none."""
        solver = cp_model.CpSolver()
        solver.parameters.catch_sigint_signal = False  # else its own handler replaces ours for good
        solver.parameters.num_workers = 1
        solver.parameters.linearization_level = 2  # its LP is the bound; level 1 leaves most rows out
        solver.parameters.random_seed = self.seed % 2**31
        solver.parameters.max_deterministic_time = max(self.work, _LEAST_WORK)
        status = self._run(solver, model)
        self.work -= solver.response_proto.deterministic_time
        match status:
            case cp_model.OPTIMAL | cp_model.FEASIBLE:
                return solver, bool(status == cp_model.OPTIMAL)
            case cp_model.UNKNOWN | cp_model.INFEASIBLE:
                return solver, None  # infeasible: a cost was fixed at what a first repair reached by other means
            case _:
                raise RuntimeError(f"the repair is {solver.status_name(status)}: {model.validate()}")

    def _run(self, solver: cp_model.CpSolver, model: cp_model.CpModel) -> cp_model.CpSolverStatus:
        """Solve, and stop when time is up."""
        done = threading.Event()

        def poll() -> None:
            while not done.wait(_POLL_SECONDS):
                if self.deadline():
                    solver.stop_search()

        poller = threading.Thread(target=poll, daemon=True)
        poller.start()
        try:
            return solver.solve(model)
        finally:
            done.set()
            poller.join()
