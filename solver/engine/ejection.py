"""Ejection: a block is placed where others leave their room, in the unit of its scope where that costs least.

Heuristic: in each unit those that are worth least for their room leave first, or the smallest, until the block fits
there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from solver.engine import placement
from solver.engine.board import Block, Board
from solver.engine.selection import Target
from solver.engine.wishes import NONE, Wish
from solver.terms import GPUS_PER_RACK

_TRIED_UNITS, _TRIED_EXCHANGES = 3, 4
_DEARER = 3.0
"""What leaves may cost so many times as much as it may in the end: most of it finds another place."""


@dataclass(frozen=True, slots=True)
class Terms:
    """``worth`` of a block for its room decides who leaves first; the ``spared`` (numbers) stay. The blocks that leave
    ``cost`` less than ``limit_usd`` together.
    """

    worth: Callable[[Wish], float]
    spared: Container[int]
    limit_usd: float
    cost: Callable[[Block], float] = attrgetter("value_usd")

    def least_worth(self, block: Block) -> float:
        """Ranks blocks that may leave: those worth least for their room first."""
        return self.worth(block.wish)


def eject(board: Board, wish: Wish, target: Target, terms: Terms) -> list[Block] | None:
    """Place the block at its target; the blocks that left for it. None: too dear or impossible, and nothing changed."""
    if wish.shares_a_rack:
        return None
    for _, _, numbers in _cheapest_first(board, wish, target, terms, terms.least_worth, terms.limit_usd)[:_TRIED_UNITS]:
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


def displace(
    board: Board, wish: Wish, targets: Sequence[Target], terms: Terms, starts: Mapping[int, Sequence[int]]
) -> bool:
    """Place the block at one of its targets where others leave, if what finds no other place of its ``starts`` costs
    less than ``terms.limit_usd``. False: there is no such way, and nothing changed.
    """
    best: tuple[float, Target | None, list[int]] = (terms.limit_usd, None, [])
    for target, numbers in _exchanges(board, wish, targets, terms):
        board.begin()
        cost = exchange(board, wish, target, [board.blocks[number] for number in numbers], terms, starts)
        board.roll_back()
        if cost < best[0]:
            best = cost, target, numbers
        if cost <= 0:
            break
    _, chosen, numbers = best
    if chosen is None:
        return False
    exchange(board, wish, chosen, [board.blocks[number] for number in numbers], terms, starts)
    return True


def exchange(
    board: Board,
    wish: Wish,
    target: Target,
    gone: Sequence[Block],
    terms: Terms,
    starts: Mapping[int, Sequence[int]],
) -> float:
    """Place the block in the room of those ``gone``, and these elsewhere; what is lost of them, as ``terms`` cost it.

    Infinite where the block does not fit even so.
    """
    for block in gone:
        board.remove(block)
    placed = placement.accept(board, wish, (target.start,), most=target.gpus)
    if placed is None or placed.gpus < target.gpus:
        return math.inf
    lost = 0.0
    for block in sorted(gone, key=lambda block: (-block.gpus, block.start, block.wish.number)):
        again = placement.accept(board, block.wish, (block.start, *starts[block.wish.number]), most=block.gpus)
        lost += terms.cost(block) - (terms.cost(again) if again else 0.0)
    return lost


def _exchanges(board: Board, wish: Wish, targets: Sequence[Target], terms: Terms) -> list[tuple[Target, list[int]]]:
    """Who might leave for the block at which target: nobody; then by worth and by size, what costs least first."""
    if wish.shares_a_rack:
        return []
    result: list[tuple[Target, list[int]]] = [(target, []) for target in targets]
    for rank in (terms.least_worth, _smallest):
        found = [
            (cost, place, target, numbers)
            for place, target in enumerate(targets)
            for cost, _, numbers in _cheapest_first(board, wish, target, terms, rank, _DEARER * terms.limit_usd)
        ]
        result += [(target, numbers) for *_, target, numbers in sorted(found, key=_cost_and_place)[:_TRIED_EXCHANGES]]
    return result


def _cost_and_place(found: tuple[float, int, Target, list[int]]) -> tuple[float, int]:
    return found[0], found[1]


def _smallest(block: Block) -> float:
    return block.gpus


def _cheapest_first(
    board: Board, wish: Wish, target: Target, terms: Terms, rank: Callable[[Block], float], limit_usd: float
) -> list[tuple[float, int, list[int]]]:
    """The units by what it costs there, in USD below the limit: with the numbers of the blocks that would leave."""
    first, last = target.start, target.start + wish.days
    unit_of_pod = _unit_of_pod(board, wish)
    room = _room(board, unit_of_pod, first, last)
    racks = target.gpus // GPUS_PER_RACK
    near = [board.blocks[number] for number in board.near(first, last) if number not in terms.spared]
    near.sort(key=lambda block: (rank(block), block.wish.number))
    found = []
    for unit, tenants in _by_unit(near, unit_of_pod, first).items():
        leaving = _leaving(tenants, racks - room[unit])
        if leaving is None:
            continue
        cost = sum(terms.cost(tenant.block) for tenant in leaving)
        if cost < limit_usd:
            found.append((cost, unit, [tenant.block.wish.number for tenant in leaving]))
    return sorted(found)


@dataclass(frozen=True, slots=True)
class _Tenant:
    """A block with its racks in a unit, and its days there counted from the first of the window."""

    block: Block
    racks: int
    days: slice


def _by_unit(blocks: Sequence[Block], unit_of_pod: NDArray[np.int64], first: int) -> dict[int, list[_Tenant]]:
    """The blocks by unit, in the order in which they may leave."""
    units: dict[int, list[_Tenant]] = {}
    pods = unit_of_pod.tolist()
    for block in blocks:
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
