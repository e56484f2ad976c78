"""Loads the compiled code of annealing, and compiles it where that was not done yet: ``python -m`` this module.

Compiling takes some fifteen seconds, once for each machine and version; loading takes one.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_loading: threading.Thread | None = None
_ready = threading.Event()


def is_ready(*, wait: bool) -> bool:
    """Whether the code can run. It is loaded when first asked for; where it has to be compiled, beside whoever asks.

    ``wait``: until that is done. Never ready where it can't be compiled.
    """
    global _loading
    with _lock:
        if _loading is None:
            wait = wait or any(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbi"))
            _loading = threading.Thread(target=_load, name="annealing", daemon=True)
            _loading.start()
    if wait:
        _loading.join()
    return _ready.is_set()


def _load() -> None:
    try:
        warm()
    except (OSError, RuntimeError) as fault:  # nowhere to keep what is compiled, say
        _log.warning("annealing is left out, its code can't be compiled here: %s", fault)
    else:
        _ready.set()


def warm() -> None:
    """Place one wish in one cell, on two days, and run a round: whatever is called from outside is compiled by that."""
    import numpy as np

    from solver.engine.annealing.places import enter
    from solver.engine.annealing.rounds import anneal, sow
    from solver.engine.annealing.tables import Ground, Wishes, nothing

    one, zero, count = np.ones(1, dtype=np.int64), np.zeros(1, dtype=np.int64), np.array([0, 1])
    wishes = Wishes(
        first=zero,
        last=one,
        days=one,
        fewest=one,
        most=one,
        worth=np.ones(1),
        rank=zero,
        contract=zero - 1,
        choice_from=count,
        unit=zero,
        limits=zero,
        limit_from=count,
        limit=zero,
        relieved=np.zeros(1, dtype=np.bool_),
    )
    held = np.zeros((1, 2), dtype=np.int64)
    ground = Ground(count, zero, np.ones((1, 1), dtype=np.bool_), zero, one, held)
    room = np.full((1, 2), 1000, dtype=np.int64)
    state = nothing(room, room, ground, 1)
    state.start[0], state.racks[0], state.share[0, 0] = 0, 1, 1
    enter(wishes, ground, state, 0, 1)
    sow(0)
    anneal(wishes, ground, state, 1, 1.0)


if __name__ == "__main__":
    warm()
