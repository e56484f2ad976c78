"""The market: what stands on a board, pod by pod, and who else asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solver.engine import placement
from solver.engine.board import Block, Board
from solver.engine.wishes import Wish
from solver.terms import GPUS_PER_RACK


@dataclass(slots=True)
class Market:
    """The board, and what all entries on it share. ``index``: a tier's place among the tiers."""

    board: Board
    index: dict[int, int] = field(init=False)
    wishes: list[Wish] = field(init=False)
    vacant: placement.Grid = field(init=False)

    def __post_init__(self) -> None:
        self.index = {tier: i for i, tier in enumerate(self.board.values())}
        self.wishes = [wish for wish in self.board.requests if wish.first_start <= wish.last_start]
        self.vacant = _vacant_racks(self.board)


def _vacant_racks(board: Board) -> placement.Grid:
    """Whole racks in each pod on each day that nothing but blocks of the board is on."""
    vacant = board.pod_room.copy()
    for block in board.blocks.values():
        for pod, share in block.shares.items():
            vacant[block.start : block.end, pod] += len(share.racks)
    return vacant


def pod_prices(board: Board, near: list[Block]) -> NDArray[np.float64]:
    """USD of a rack's worth of the blocks in each pod."""
    usd, racks = np.zeros(len(board.cluster.hall_of_pod)), np.zeros(len(board.cluster.hall_of_pod))
    for block in near:
        each = block.value_usd * GPUS_PER_RACK / block.gpus
        for pod in board.pods_of(block):
            count = len(block.shares[pod].racks) if block.rack is None else block.gpus / GPUS_PER_RACK
            usd[pod] += each * count
            racks[pod] += count
    return usd / np.maximum(1.0, racks)


def first_pods(order: list[int], vacant: placement.Grid, racks: int) -> set[int]:
    """The first pods in this order that have enough racks."""
    chosen: set[int] = set()
    for pod in order:
        if racks <= 0:
            break
        if vacant[pod] > 0:
            chosen.add(pod)
            racks -= int(vacant[pod])
    return chosen
