"""Completion (R13): no declined request is left that would still fit on top of the plan, with nothing moved.

One pass is enough: every block that is added only takes room away from the others.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from solver import offers
from solver.cluster import Cluster
from solver.engine.board import Block, Board
from solver.engine.wishes import Wish
from solver.plan import Accepted
from solver.snapshot import Request, Snapshot
from solver.standing import Standing


def accepted_of(board: Board) -> list[Accepted]:
    """The board's blocks as the plan file says them, in the order of the snapshot's requests."""
    return [_accepted(block, board.cluster) for _, block in sorted(board.blocks.items())]


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
