"""What others do, on the same board: first come, first served, and the dearest GPU-day first. Both place greedily."""

from __future__ import annotations

from solver import cluster as clusters
from solver.engine import placement
from solver.engine.admission import Order, by_price, earliest
from solver.engine.board import Board
from solver.engine.repair import repair
from solver.engine.wishes import Wish
from solver.snapshot import Loaded


def by_arrival(wish: Wish) -> tuple[float, ...]:
    """In the order in which requests were submitted: the order of the snapshot."""
    return (float(wish.number),)


def values(loaded: Loaded, order: Order) -> list[float]:
    """Value by tier, ascending. First come ignores tiers, as its peers do; by price goes tier by tier."""
    cluster = clusters.build(loaded.snapshot)
    board = Board(loaded.snapshot, cluster, repair(loaded.snapshot, cluster, seed=0, deadline=lambda: False))
    tiered = order is by_price
    waiting = [wish for wish in board.wishes if wish.number not in board.blocks]
    waiting.sort(key=lambda wish: ((wish.tier if tiered else 0), *order(wish), wish.number))
    for wish in waiting:
        placement.accept(board, wish, earliest(wish))
    return list(board.values().values())
