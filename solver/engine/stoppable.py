"""CP-SAT as all of the engine asks for it, and how it can be stopped: it runs outside of Python and asks nobody, so
another thread asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ortools.sat.python import cp_model

_POLL_SECONDS = 0.05
_SEEDS = 2**31
_LEAST_SECONDS = 0.01


def solver(*, seed: int, work: float, seconds: float | None = None) -> cp_model.CpSolver:
    """One worker, from this seed (any whole number), for ``work`` units of deterministic time at the most.

    ``seconds``: by the clock at the most; None: no clock is read.
    """
    made = cp_model.CpSolver()
    made.parameters.catch_sigint_signal = False  # else its own handler replaces ours for good, and Ctrl-C kills
    made.parameters.num_workers = 1
    made.parameters.random_seed = seed % _SEEDS
    made.parameters.max_deterministic_time = work
    if seconds is not None:
        made.parameters.max_time_in_seconds = max(seconds, _LEAST_SECONDS)
    return made


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
