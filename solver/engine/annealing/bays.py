"""Bays: racks of one pod that are shut on the same days. What counts allow in a bay can always be bound there.

Blocks are intervals and racks are colours: in order of start each finds as many free racks as its bay has left, and
none of them is shut later on, as the whole bay would be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.engine.binding import mask_of
from solver.engine.board import Board, Position
from solver.engine.wishes import Wish
from solver.terms import GPUS_PER_RACK


@dataclass(frozen=True, slots=True)
class Bay:
    """Racks (cluster numbers) of one pod, and how many of them are open on each day: all or none."""

    number: int
    racks: tuple[int, ...]
    open_racks: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Booked:
    """A wish from ``start`` on, with so many racks in each bay."""

    wish: Wish
    start: int
    racks: Mapping[int, int]


def bays(board: Board) -> list[Bay]:
    """Pod by pod, as the board stands; racks that are shut on every day are in none."""
    days = board.cluster.days
    result: list[Bay] = []
    for pod in board.pods:
        alike = defaultdict(list)
        for offset, (blocked, taken) in enumerate(zip(pod.blocked, pod.taken, strict=True)):
            alike[(blocked | taken) & mask_of(0, days)].append(pod.first + offset)
        for shut, racks in sorted(alike.items()):
            if shut == mask_of(0, days):
                continue
            is_open = np.array([not shut >> day & 1 for day in range(days)])
            result.append(Bay(len(result), tuple(racks), is_open * len(racks)))
    return result


def bind(every: Iterable[Bay], booked: Iterable[Booked]) -> list[Position]:
    """Racks for each block. Raises `ValueError` where on some day a bay has fewer than it should give."""
    racks = {bay.number: bay.racks for bay in every}
    free_from = {number: [0] * len(here) for number, here in racks.items()}
    positions = []
    for block in sorted(booked, key=lambda block: (block.start, block.wish.number)):
        mine: list[int] = []
        for bay, count in block.racks.items():
            until = free_from[bay]
            free = sorted((i for i, day in enumerate(until) if day <= block.start), key=lambda i: (-until[i], i))
            if len(free) < count:
                raise ValueError(f"bay {bay} has {len(free)} racks free on day {block.start}, not {count}")
            for i in free[:count]:
                until[i] = block.start + block.wish.days
                mine.append(racks[bay][i])
        positions.append(Position(block.wish.number, block.start, GPUS_PER_RACK * len(mine), tuple(sorted(mine))))
    return positions
