"""Who is in a block's way: on the racks that it should have, or in a hall or site that has too little room for it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from solver.engine.board import Block, Board
from solver.engine.wishes import NONE, Wish
from solver.terms import GPUS_PER_RACK

_UNITS = 2
_COST_OF_GUEST, _COST_OF_CROWD = 8.0, 100.0
"""What it costs, in GPUs moved, that a block leaves a rack that it need not keep; that somebody leaves a full hall."""

MayLeave = Callable[[Block], bool]


def racks_of(block: Block) -> tuple[int, ...]:
    """The racks that it stands on."""
    if block.rack is not None:
        return (block.rack,)
    return tuple(itertools.chain.from_iterable(share.racks for share in block.shares.values()))


def standing(board: Board, first: int, last: int) -> Iterator[Block]:
    """The blocks that stand on a day of ``[first, last)``."""
    return (board.blocks[number] for number in board.near(first, last))


def guests(board: Board, wish: Wish, start: int, racks: tuple[int, ...]) -> list[Block]:
    """The blocks on these racks while the wish would stand there."""
    chosen = set(racks)
    pods = {int(board.cluster.pods.of_rack[rack]) for rack in racks}
    return [block for block in standing(board, start, start + wish.days) if _stands_on(block, chosen, pods)]


def crowding(board: Board, wish: Wish, start: int, racks: tuple[int, ...], may_leave: MayLeave) -> Block | None:
    """The smallest block that may leave a hall or site with too little room for so many of these racks."""
    cluster, numbers = board.cluster, np.array(racks)
    room = board.room(wish, start)
    if room is None:
        return None
    end = start + wish.days
    in_halls = board.hall_room[start:end].min(axis=0)
    for units, left, of_pod in (
        (cluster.halls, in_halls, cluster.hall_of_pod),
        (cluster.sites, room.sites, cluster.site_of_pod),
    ):
        for unit in np.flatnonzero(np.bincount(units.of_rack[numbers], minlength=len(left)) > left).tolist():
            pods = set(np.flatnonzero(of_pod == unit).tolist())
            inside = [block for block in standing(board, start, end) if not pods.isdisjoint(block.shares)]
            return min((block for block in inside if may_leave(block)), key=_weight, default=None)
    return None


def cheapest(board: Board, wish: Wish, start: int, racks: int, may_leave: MayLeave) -> list[tuple[int, ...]]:
    """The cheapest racks to free for the wish in each of the units of its scope where they cost least."""
    room = board.room(wish, start)
    if room is None:
        return []
    costs, halls = _costs(board, wish, start, may_leave), board.cluster.halls
    limits = list(zip(halls.first.tolist(), halls.last.tolist(), room.halls.tolist(), strict=True))
    found = []
    for number, (first, last) in enumerate(units_of_scope(board, wish)):
        here = costs[first:last].copy()
        for hall_first, hall_last, most in limits:
            inside = slice(max(hall_first, first) - first, max(0, min(hall_last, last) - first))
            free = np.flatnonzero(here[inside] == 0.0)
            here[inside.start + free[most:]] = _COST_OF_CROWD
        order = np.argsort(here, kind="stable")[:racks]
        total = float(here[order].sum())
        if len(order) == racks and np.isfinite(total):
            found.append((total, number, tuple((first + order).tolist())))
    return [chosen for _, _, chosen in heapq.nsmallest(_UNITS, found)]


def units_of_scope(board: Board, wish: Wish) -> list[tuple[int, int]]:
    """The racks, first and last, of each unit of the wish's scope."""
    if wish.scope == "any":
        return [(0, len(board.cluster.rack_ids))]
    units = board.cluster.units(wish.scope)
    return list(zip(units.first.tolist(), units.last.tolist(), strict=True))


def _costs(board: Board, wish: Wish, start: int, may_leave: MayLeave) -> NDArray[np.float64]:
    """By rack, what it costs to free it for the wish; infinite where somebody has to stay."""
    mask = Block(wish, start, wish.gpus).mask
    costs = np.array([np.inf if days & mask else 0.0 for pod in board.pods for days in pod.blocked])
    if wish.site != NONE:
        sites = board.cluster.sites
        costs[: sites.first[wish.site]] = costs[sites.last[wish.site] :] = np.inf
    for block in standing(board, start, start + wish.days):
        if block.rack is not None:  # a shared rack is blocked already
            continue
        stays, own = not may_leave(block), set(block.wish.keep)
        for rack in racks_of(block):
            costs[rack] += np.inf if stays else GPUS_PER_RACK if rack in own else _COST_OF_GUEST
    return costs


def _stands_on(block: Block, racks: set[int], pods: set[int]) -> bool:
    if block.rack is not None:
        return block.rack in racks
    return not pods.isdisjoint(block.shares) and not racks.isdisjoint(racks_of(block))


def _weight(block: Block) -> tuple[bool, int, int]:
    """Who should rather leave: guests, and small ones."""
    is_at_home = block.wish.must_stand and not set(racks_of(block)).difference(block.wish.keep)
    return is_at_home, block.gpus, block.wish.number
