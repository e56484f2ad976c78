"""A small cluster's wishes as tables of numbers, which compiled code reads and changes.

`Wishes` and `Ground` stay as they are, `State` says what stands. A *cell* is a bay: racks of one pod that are shut on
the same days. A *unit* is a set of cells in one of which, by its scope, a block has to stand. A *limit* is a row of
GPUs by day that blocks load with all they have. Arrays named ``..._from`` point into the one without: what belongs to
``i`` lies in ``[from[i], from[i + 1])``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NOW, BEST, ABOVE, LEAST_ABOVE = 0, 1, 2, 3
"""Positions in `State.worth`: of what stands, of the best so far, of tiers above, and what those must be worth."""
TOUCHED, ROUND = 0, 1
"""Positions in `State.counters`."""


class Wishes(NamedTuple):
    """Requests for whole racks, by number here."""

    first: Ints
    """Starts are ``first`` to ``last``, both included."""
    last: Ints
    days: Ints
    fewest: Ints
    """Racks."""
    most: Ints
    worth: Floats
    """Of a rack; an average block of the tier that counts is worth 1."""
    rank: Ints
    """Below 0: its tier comes before the one that counts; above 0: behind it."""
    contract: Ints
    """Row of `Ground.held`; below 0: none."""
    choice_from: Ints
    """By wish: its choices, the units of its scope."""
    unit: Ints
    """By choice."""
    limits: Ints
    """By choice: the row of ``limit_from``."""
    limit_from: Ints
    limit: Ints
    relieved: Bools
    """Beside ``limit``: whether the limit counts what is held for the wish's contract."""


class Ground(NamedTuple):
    """What does not change: units, cells, and what is held for contracts before any wish stands."""

    cell_from: Ints
    """By unit."""
    cell: Ints
    inside: Bools
    """Units x cells."""
    pod: Ints
    """By cell."""
    open_days: Ints
    held: Ints
    """GPUs, contracts x days."""


class State(NamedTuple):
    """What stands, what it leaves, and the best so far. Days are counted from today."""

    free: Ints
    """Racks, cells x days."""
    left: Ints
    """Racks, units x days."""
    slack: Ints
    """GPUs, limits x days."""
    booked: Ints
    """GPUs, contracts x days."""
    start: Ints
    """By wish; below 0: it does not stand."""
    choice: Ints
    racks: Ints
    share: Ints
    """Racks, wishes x cells."""
    old_start: Ints
    """As it was before a round, for those that it touched."""
    old_choice: Ints
    old_racks: Ints
    old_share: Ints
    best_start: Ints
    best_racks: Ints
    best_share: Ints
    worth: Floats
    touched: Ints
    """Whom the round has touched, `counters` say how many."""
    seen: Ints
    """By wish: the last round that touched it."""
    counters: Ints
    """How many are touched, and the number of the round."""


def nothing(free: Ints, slack: Ints, ground: Ground, wishes: int) -> State:
    """The state in which no wish stands. ``free``, ``slack``: as in `State`."""
    cells, contracts = len(free), len(ground.held)
    left = np.array([free[here].sum(axis=0) for here in ground.inside], dtype=np.int64)
    nowhere = np.full(wishes, -1, dtype=np.int64)
    none, shares = np.zeros(wishes, dtype=np.int64), np.zeros((wishes, cells), dtype=np.int64)
    return State(
        free=free.copy(),
        left=left.reshape(len(ground.inside), free.shape[1]),
        slack=slack.copy(),
        booked=np.zeros((contracts, free.shape[1]), dtype=np.int64),
        start=nowhere.copy(),
        choice=none.copy(),
        racks=none.copy(),
        share=shares.copy(),
        old_start=nowhere.copy(),
        old_choice=none.copy(),
        old_racks=none.copy(),
        old_share=shares.copy(),
        best_start=nowhere.copy(),
        best_racks=none.copy(),
        best_share=shares.copy(),
        worth=np.zeros(4),
        touched=none.copy(),
        seen=none.copy(),
        counters=np.zeros(2, dtype=np.int64),
    )
