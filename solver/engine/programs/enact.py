"""Puts on the board what a program takes: racks are bound in order of start, see ``docs/model.md``.

Counts may promise what racks do not keep: blocked days lie in the way, or small blocks fill no whole racks. Then a
block goes elsewhere, gets smaller or is left out. Nothing is placed that the board has no room for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from solver.engine import placement
from solver.engine.board import Block, Board, Room
from solver.engine.programs.model import Taken
from solver.engine.wishes import Wish
from solver.terms import GPUS_PER_RACK

Starts = Callable[[Wish], Iterable[int]]
_TOLERANCE = 1e-9


def enact(board: Board, taken: Sequence[Taken], starts: Starts, *, small_first: bool) -> None:
    """Place what is taken, as it is taken where that can be done; ``starts`` are tried for what finds no room."""
    missed: list[Taken] = []
    for item in sorted(taken, key=lambda item: _turn(item, small_first)):
        if not _place(board, item):
            missed.append(item)
    for item in missed:
        wish = item.way.wish
        block = placement.accept(board, wish, (item.way.start,), most=item.gpus)
        if block is None:
            placement.accept(board, wish, starts(wish))


def no_worse(values: Sequence[float], before: Sequence[float]) -> bool:
    """Whether the first tier that changes gains, or none does; never where there are no values."""
    for value, other in zip(values, before, strict=False):
        if abs(value - other) > _TOLERANCE * max(1.0, abs(other)):
            return value > other
    return bool(values)


def _turn(item: Taken, small_first: bool) -> tuple[int, int, int, int]:
    """Given racks first, then in order of start, the long ones first."""
    way = item.way
    group = 0 if way.fixed else 1 + (way.wish.shares_a_rack != small_first)
    return group, way.start, -way.end, way.wish.number


def _place(board: Board, item: Taken) -> bool:
    way = item.way
    wish = way.wish
    if way.fixed:
        return placement.accept(board, wish, (way.start,)) is not None
    if wish.shares_a_rack:
        return _place_small(board, item)
    racks = {pod: steps for pod, steps in item.steps.items() if steps}
    room = board.room(wish, way.start)
    if room is None or room.racks * GPUS_PER_RACK < item.gpus or not _have_room(board, room, racks):
        return False
    return board.place(Block(wish, way.start, item.gpus), racks) is None


def _have_room(board: Board, room: Room, racks: dict[int, int]) -> bool:
    cluster = board.cluster
    by_pod = np.zeros_like(room.pods)
    for pod, here in racks.items():
        by_pod[pod] = here
    by_hall = np.bincount(cluster.hall_of_pod, by_pod, len(room.halls))
    by_site = np.bincount(cluster.site_of_pod, by_pod, len(room.sites))
    return bool((by_pod <= room.pods).all() and (by_hall <= room.halls).all() and (by_site <= room.sites).all())


def _place_small(board: Board, item: Taken) -> bool:
    """On a rack of its pod that is shared already; else it opens one, and whole blocks make way inside the pod."""
    way, gpus = item.way, item.gpus
    wish, pod = way.wish, way.pods[0]
    site_gpus = board.ledger.site_room(wish, way.start, way.end)
    if board.ledger.room(wish, way.start, way.end) < gpus or site_gpus[board.cluster.site_of_pod[pod]] < gpus:
        return False
    rack = placement.shared_rack(board, wish, way.start, gpus, site_gpus, pod=pod)
    if rack is None:
        rack = _opened_rack(board, item, pod)
    if rack is None:
        return False
    board.place_shared(Block(wish, way.start, gpus), rack)
    return True


def _opened_rack(board: Board, item: Taken, pod: int) -> int | None:
    """A rack that is free once the pod's blocks are bound anew: a whole one is placed and leaves again."""
    way, cluster = item.way, board.cluster
    days = slice(way.start, way.end)
    room = min(
        int(board.pod_room[days, pod].min()),
        int(board.hall_room[days, cluster.hall_of_pod[pod]].min()),
        int(board.site_room[days, cluster.site_of_pod[pod]].min()),
    )
    if room < 1:
        return None
    block = Block(way.wish, way.start, GPUS_PER_RACK)
    if board.place(block, {pod: 1}) is not None:
        return None
    rack = block.shares[pod].racks[0]
    board.remove(block)
    return rack
