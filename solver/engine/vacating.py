"""Vacating: blocks of a rack or less leave one rack to another such block, and go elsewhere if they can.

`ejection` counts whole racks by unit; here it matters what stands on each single rack. Heuristic: in each rack those
that are worth least for their room leave first, only where they are in the way.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from solver.engine.binding import Mask
from solver.engine.board import Block, Board
from solver.engine.ejection import Terms, exchange
from solver.engine.selection import Target
from solver.engine.wishes import NONE, Wish
from solver.terms import GPUS_PER_RACK

_TRIED_RACKS = 4
_NO_RACK: tuple[float, int, list[int]] = (math.inf, 0, [])
_DEARER = 2.0
"""What leaves a rack may be worth so many times as much as what comes: most of it finds another place."""


def vacate(board: Board, wish: Wish, target: Target, terms: Terms, starts: Mapping[int, Sequence[int]]) -> bool:
    """Place the block at its target where others leave a rack, if what finds no other place of their ``starts`` is
    worth less than ``terms.limit_usd``. False: there is no such rack, and nothing changed.
    """
    if target.gpus > GPUS_PER_RACK:
        return False
    for cost, _, numbers in _cheapest_first(board, wish, target, terms):
        if cost > _DEARER * terms.limit_usd:
            break
        board.begin()
        gone = [board.blocks[number] for number in numbers]
        if exchange(board, wish, target, gone, terms, starts) < terms.limit_usd:
            board.commit()
            return True
        board.roll_back()
    return False


def _cheapest_first(board: Board, wish: Wish, target: Target, terms: Terms) -> list[tuple[float, int, list[int]]]:
    """The racks that are vacated at the least cost: the value of what would leave, the rack, the numbers of the blocks.

    Racks are looked at in the order of what at least would leave, until no other one can be among them.
    """
    found: list[tuple[float, int, list[int]]] = []
    tenants = _tenants(board, target.start, target.start + wish.days, terms)
    for least, rack in sorted((_least(there, target.gpus), rack) for rack, there in tenants.items()):
        if least > _DEARER * terms.limit_usd or least > [*found, _NO_RACK][:_TRIED_RACKS][-1][0]:
            break
        if wish.site not in (NONE, int(board.cluster.sites.of_rack[rack])):
            continue
        lacking = _use(board, rack, target.start, target.start + wish.days) + target.gpus - GPUS_PER_RACK
        leaving = _leaving(tenants[rack], lacking, target.start)
        if leaving:
            insort(found, (sum(block.value_usd for block in leaving), rack, [b.wish.number for b in leaving]))
    return found[:_TRIED_RACKS]


def _least(tenants: list[Block], gpus: int) -> float:
    """USD that would leave at least: all tenants where the whole rack is wanted, else one of them."""
    values = [block.value_usd for block in tenants]
    return sum(values) if gpus == GPUS_PER_RACK else min(values)


def _tenants(board: Board, first: int, last: int, terms: Terms) -> dict[int, list[Block]]:
    """By rack the blocks that have no other one and may leave, those worth least for their room first."""
    near = [board.blocks[number] for number in board.near(first, last) if number not in terms.spared]
    small = [block for block in near if block.gpus <= GPUS_PER_RACK]
    tenants: dict[int, list[Block]] = {}
    for block in sorted(small, key=lambda block: (terms.worth(block.wish), block.wish.number)):
        tenants.setdefault(next(iter(block.racks())), []).append(block)
    return tenants


def _use(board: Board, rack: int, start: int, end: int) -> NDArray[np.int64]:
    """GPUs in use on each day; more than anybody could give up where the rack is out or a reservation has all of it."""
    racks = board.pods[int(board.cluster.pods.of_rack[rack])]
    taken, blocked = racks.taken[rack - racks.first], racks.blocked[rack - racks.first]
    shared = board.shared.on(rack, start, end)
    closed = _days(blocked, start, end) & (shared == 0)
    use: NDArray[np.int64] = shared + GPUS_PER_RACK * (_days(taken, start, end) + 2 * closed)
    return use


def _days(mask: Mask, start: int, end: int) -> NDArray[np.bool_]:
    """The days ``[start, end)`` of a mask."""
    data = ((mask >> start) & ((1 << (end - start)) - 1)).to_bytes((end - start + 7) // 8, "little")
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=end - start, bitorder="little")
    days: NDArray[np.bool_] = bits.astype(np.bool_)
    return days


def _leaving(tenants: list[Block], lacking: NDArray[np.int64], start: int) -> list[Block]:
    """Those first in order, only where they free GPUs on a day that lacks some; then none that is not needed.

    Empty: nobody is in the way, or not all that lacks can be freed.
    """
    leaving = []
    for block in tenants:
        days = slice(max(block.start - start, 0), block.end - start)
        if lacking[days].max() > 0:
            lacking[days] -= block.gpus
            leaving.append(block)
    if lacking.max() > 0:
        return []
    needed = []
    for block in reversed(leaving):
        days = slice(max(block.start - start, 0), block.end - start)
        if lacking[days].max() + block.gpus <= 0:
            lacking[days] += block.gpus
        else:
            needed.append(block)
    return needed
