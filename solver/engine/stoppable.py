"""CP-SAT that can be stopped: it runs outside of Python and asks nobody, so another thread asks."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ortools.sat.python import cp_model

_POLL_SECONDS = 0.05


def solve(solver: cp_model.CpSolver, model: cp_model.CpModel, stop: Callable[[], bool]) -> cp_model.CpSolverStatus:
    """Solve until ``stop``; the solver has the best solution so far then."""
    done = threading.Event()

    def poll() -> None:
        while not done.wait(_POLL_SECONDS):
            if stop():
                solver.stop_search()

    poller = threading.Thread(target=poll, daemon=True)
    poller.start()
    try:
        return solver.solve(model)
    finally:
        done.set()
        poller.join()
