"""Completion: recalls no earlier than needed (§ 5 step 2), and no declined request left that would still fit (R13).

One pass is enough: every block that is added only takes room away from the others.
"""

from __future__ import annotations

import bisect
import datetime as dt
from dataclasses import replace

import numpy as np

from solver import offers
from solver.cluster import Cluster
from solver.engine import movable, placement
from solver.engine.board import Block, Board
from solver.engine.wishes import Wish
from solver.plan import Accepted, Move, Recall
from solver.snapshot import Request, Snapshot
from solver.standing import Standing


def accepted_of(board: Board) -> list[Accepted]:
    """The accepted blocks as the plan file says them, in the order of the snapshot's requests."""
    accepted = [block for _, block in sorted(board.blocks.items()) if block.wish.reservation is None]
    return [_accepted(block, board.cluster) for block in accepted]


def keep_longer(board: Board) -> None:
    """Keep each reservation that is to be recalled for as long as the accepted blocks leave it its place."""
    for wish in board.keepers:
        if wish.number in board.blocks or placement.accept(board, wish, [wish.first_start]) is not None:
            continue
        shorter = bisect.bisect_left(range(1, wish.days), True, key=lambda days: not _fits_for(board, wish, days))
        if shorter:
            placement.accept(board, _kept_for(wish, shorter), [wish.first_start])


def moves_of(snapshot: Snapshot, board: Board) -> list[Move]:
    """The reservations that the board has elsewhere than they stood."""
    moves = (movable.move_of(snapshot, board.cluster, w, board.blocks[w.number].racks()) for w in board.movers)
    return [move for move in moves if move is not None]


def recalls_of(board: Board) -> list[Recall]:
    """The reservations that the board does not keep to their end, each with the first day without it."""
    recalls = []
    for wish in board.keepers:
        block = board.blocks.get(wish.number)
        days = block.wish.days if block else 0
        if days < wish.days:
            recalls.append(Recall(reservation=wish.id, end=board.cluster.date(wish.first_start + days)))
    return recalls


def _fits_for(board: Board, wish: Wish, days: int) -> bool:
    board.begin()
    fits = placement.accept(board, _kept_for(wish, days), [wish.first_start]) is not None
    board.roll_back()
    return fits


def _kept_for(wish: Wish, days: int) -> Wish:
    """The wish to keep the reservation for ``days`` days only, worth its share.

    The value of a reservation that goes on beyond the horizon is lost from there on, too.
    """
    return replace(wish, days=days, value_usd=wish.value_usd * days / wish.days_in_all)


def complete(snapshot: Snapshot, standing: Standing, wishes: list[Wish]) -> list[Accepted]:
    """Accept on top of ``standing`` what still fits, dearest GPU-day first, tier by tier; ``standing`` then has it.

    ``wishes`` are the declined requests.
    """
    added = []
    for wish in sorted(wishes, key=lambda wish: (wish.tier, -wish.usd_per_gpu_day, wish.number)):
        accepted = _fit(snapshot.requests[wish.number], standing)
        if accepted is not None:
            standing.add_accepted(accepted)
            added.append(accepted)
    return added


def _fit(request: Request, standing: Standing) -> Accepted | None:
    ask = offers.ask_of(request)
    first, last = offers.window(standing, request)
    sizes = offers.largest(standing, ask, first, last)
    if sizes.max(initial=0) < request.min_gpus:
        return None
    start, gpus = first + int(np.argmax(sizes)), int(sizes.max())
    racks = offers.place(standing, ask, start, gpus)
    if racks is None:
        raise AssertionError(f"request {request.id} fits at day {start} but no racks can be found for it")
    day = standing.cluster.date(start)
    value = request.value_usd * gpus / request.gpus
    end = day + dt.timedelta(request.days)
    return Accepted(request=request.id, gpus=gpus, start=day, end=end, value_usd=value, racks=racks)


def _accepted(block: Block, cluster: Cluster) -> Accepted:
    racks = {cluster.rack_ids[rack]: gpus for rack, gpus in sorted(block.racks().items())}
    start, end = cluster.date(block.start), cluster.date(block.end)
    return Accepted(
        request=block.wish.id, gpus=block.gpus, start=start, end=end, value_usd=block.value_usd, racks=racks
    )
