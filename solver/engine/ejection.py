"""Ejection: a block is placed where others leave their room, in the unit of its scope where that costs least.

Heuristic: in each unit those that are worth least for their room leave first, until the block fits there.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.engine import placement
from solver.engine.board import Block, Board
from solver.engine.selection import Target
from solver.engine.wishes import NONE, Wish
from solver.terms import GPUS_PER_RACK

_TRIED_UNITS = 3


@dataclass(frozen=True, slots=True)
class Terms:
    """``worth`` of a block for its room decides who leaves first; the ``spared`` (numbers) stay. The blocks that leave
    are worth less than ``limit_usd`` together.
    """

    worth: Callable[[Wish], float]
    spared: Container[int]
    limit_usd: float


def eject(board: Board, wish: Wish, target: Target, terms: Terms) -> list[Block] | None:
    """Place the block at its target; the blocks that left for it. None: too dear or impossible, and nothing changed."""
    if wish.shares_a_rack:
        return None
    for numbers in _cheapest_first(board, wish, target, terms):
        gone = [board.blocks[number] for number in numbers]
        board.begin()
        for block in gone:
            board.remove(block)
        placed = placement.accept(board, wish, (target.start,), most=target.gpus)
        if placed is not None and placed.gpus >= target.gpus:
            board.commit()
            return gone
        board.roll_back()
    return None


def _cheapest_first(board: Board, wish: Wish, target: Target, terms: Terms) -> list[list[int]]:
    """For the units where it costs least: the numbers of the blocks that would have to leave."""
    first, last = target.start, target.start + wish.days
    unit_of_pod = _unit_of_pod(board, wish)
    room = _room(board, unit_of_pod, first, last)
    racks = target.gpus // GPUS_PER_RACK
    found = []
    for unit, tenants in _by_unit(board, unit_of_pod, target, wish, terms).items():
        leaving = _leaving(tenants, racks - room[unit])
        if leaving is None:
            continue
        cost = sum(tenant.block.value_usd for tenant in leaving)
        if cost < terms.limit_usd:
            found.append((cost, unit, [tenant.block.wish.number for tenant in leaving]))
    return [numbers for _, _, numbers in sorted(found)[:_TRIED_UNITS]]


@dataclass(frozen=True, slots=True)
class _Tenant:
    """A block with its racks in a unit, and its days there counted from the first of the window."""

    block: Block
    racks: int
    days: slice


def _by_unit(
    board: Board, unit_of_pod: NDArray[np.int64], target: Target, wish: Wish, terms: Terms
) -> dict[int, list[_Tenant]]:
    """The blocks that may leave each unit, those worth least for their room first."""
    first, last = target.start, target.start + wish.days
    near = [board.blocks[number] for number in board.near(first, last) if number not in terms.spared]
    ranked = sorted((terms.worth(block.wish), block.wish.number, block) for block in near)
    units: dict[int, list[_Tenant]] = {}
    pods = unit_of_pod.tolist()
    for _, _, block in ranked:
        racks: dict[int, int] = {}
        for pod, share in block.shares.items():
            racks[pods[pod]] = racks.get(pods[pod], 0) + len(share.racks)
        days = slice(max(block.start - first, 0), block.end - first)
        for unit, here in racks.items():
            if unit != NONE:
                units.setdefault(unit, []).append(_Tenant(block, here, days))
    return units


def _unit_of_pod(board: Board, wish: Wish) -> NDArray[np.int64]:
    """The unit of the wish's scope that each pod lies in; `NONE` outside its site."""
    cluster = board.cluster
    pods = np.arange(len(cluster.hall_of_pod))
    units = {"pod": pods, "hall": cluster.hall_of_pod, "site": cluster.site_of_pod, "any": np.zeros_like(pods)}[
        wish.scope
    ]
    return units if wish.site == NONE else np.where(cluster.site_of_pod == wish.site, units, NONE)


def _room(board: Board, unit_of_pod: NDArray[np.int64], first: int, last: int) -> NDArray[np.int64]:
    """Free racks by unit and day, by counts."""
    inside = unit_of_pod != NONE
    room = np.zeros((int(unit_of_pod.max(initial=NONE)) + 1, last - first), dtype=np.int64)
    np.add.at(room, unit_of_pod[inside], np.maximum(board.pod_room[first:last, inside], 0).T)
    return room


def _leaving(tenants: list[_Tenant], lacking: NDArray[np.int64]) -> list[_Tenant] | None:
    """Those worth least first, only where they free racks on a day that lacks some; then none that is not needed."""
    leaving = []
    for tenant in tenants:
        if lacking.max() <= 0:
            break
        if lacking[tenant.days].max() > 0:
            lacking[tenant.days] -= tenant.racks
            leaving.append(tenant)
    if lacking.max() > 0:
        return None
    needed = []
    for tenant in reversed(leaving):
        if lacking[tenant.days].max() + tenant.racks <= 0:
            lacking[tenant.days] += tenant.racks
        else:
            needed.append(tenant)
    return needed
