"""Settling: the same value with fewer moves, more racks kept and less spread (§ 5 steps 3 to 5).

Heuristic: what was moved goes home as far as that is found; then each accepted block is placed anew where that suits it
better, and blocks below a rack gather on shared racks. No value is given up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from solver.engine import homing, placement
from solver.engine.board import Block, Board
from solver.engine.trial import away_gpus
from solver.engine.wishes import Wish
from solver.terms import GPUS_PER_RACK

_MOST_STARTS = 4
_PASSES = 3

Dislike = tuple[int, int, int, int, int]
_CONTENT: Dislike = (0, 0, 0, 0, 0)


def settle(board: Board, stop: Callable[[], bool]) -> None:
    """Settle what is on the board, until ``stop``: no tier's value changes."""
    _suit_all(board, stop)  # first, as it is quick: bringing home may take all the time there is
    homing.bring_home(board, stop)
    for _ in range(_PASSES):
        if not _suit_all(board, stop):
            return


def _suit_all(board: Board, stop: Callable[[], bool]) -> bool:
    """Whether any block found a place that suits it better."""
    has_changed = False
    for number in sorted(board.blocks):
        if stop():
            return False
        if board.wishes[number].reservation is None:
            has_changed |= _suit(board, board.blocks[number])
    return has_changed


def _suit(board: Board, block: Block) -> bool:
    """Place the block anew where that keeps more of the racks it extends, spreads it less or lets it start earlier."""
    before = _dislike(board, block)
    if before == _CONTENT:
        return False
    board.begin()
    board.remove(block)
    for placed in _tries(board, block, before):
        if placed.gpus == block.gpus and _dislike(board, placed) < before:
            board.commit()
            return True
        board.remove(placed)
    board.roll_back()
    return False


def _tries(board: Board, block: Block, dislike: Dislike) -> Iterator[Block]:
    """The block placed in one way after the other; each is to be removed before the next."""
    wish, gpus = block.wish, block.gpus
    for rack in _by_days_opened(board, block):
        placed = placement.place_at(board, wish, block.start, gpus, (rack,))
        if placed is not None:
            yield placed
    for start in _starts(block, dislike):
        if placement.largest(board, wish, start) >= gpus:
            for place in (_gathered, placement.place):
                placed = place(board, wish, start, gpus)
                if placed is not None:
                    yield placed


def _starts(block: Block, dislike: Dislike) -> Iterable[int]:
    """Its own, some earlier ones; and if it lacks racks that it extends or is spread, some later ones."""
    wish = block.wish
    earlier = range(wish.first_start, min(block.start, wish.first_start + _MOST_STARTS))
    later = range(block.start + 1, min(wish.last_start, block.start + _MOST_STARTS) + 1)
    return block.start, *earlier, *(later if any(dislike[:3]) else ())


def _gathered(board: Board, wish: Wish, start: int, gpus: int) -> Block | None:
    """The block in the hall where it needs the fewest pods; None: no hall has room for all of it."""
    room, racks = board.room(wish, start), gpus // GPUS_PER_RACK
    if room is None or room.racks < racks or racks <= 1 or wish.scope == "pod":
        return None
    found = []
    for hall in np.flatnonzero(room.halls >= racks).tolist():
        pods = np.flatnonzero(board.cluster.hall_of_pod == hall)
        pods = pods[np.argsort(-room.pods[pods], kind="stable")]
        before = np.cumsum(room.pods[pods]) - room.pods[pods]
        shares = np.clip(racks - before, 0, room.pods[pods])
        if shares.sum() == racks:
            found.append((np.count_nonzero(shares), hall, dict(zip(pods.tolist(), shares.tolist(), strict=True))))
    if not found:
        return None
    wanted = min(found, key=lambda item: item[:2])[2]
    block = Block(wish, start, gpus)
    stuck = board.place(block, {pod: share for pod, share in wanted.items() if share})
    return block if stuck is None else None


def _by_days_opened(board: Board, block: Block) -> list[int]:
    """Shared racks, those first that the block would have for itself on fewest days; only fewer than on its own."""
    own = block.rack
    if own is None:
        return []
    days = slice(block.start, block.end)
    opened = {rack: int((board.shared.of(rack)[days] == 0).sum()) for rack in board.shared.racks}
    fewer = (rack for rack in opened if opened[rack] < opened[own])
    return sorted(fewer, key=lambda rack: (opened[rack], rack))


def _dislike(board: Board, block: Block) -> Dislike:
    """What is wrong with where the block stands, worst first.

    GPUs not on the racks of the reservation that it extends; halls and pods beyond those that its size needs; days on
    which it has a shared rack for itself; days since its earliest start.
    """
    cluster, wish = board.cluster, block.wish
    lost = away_gpus(block) if wish.keep else 0
    delay = block.start - wish.first_start
    if block.rack is not None:
        alone = board.shared.of(block.rack)[block.start : block.end] == block.gpus
        return lost, 0, 0, int(np.count_nonzero(alone)), delay
    halls = len({int(cluster.hall_of_pod[pod]) for pod in block.shares})
    racks = block.gpus // GPUS_PER_RACK
    pods = len(block.shares) - _fewest(board.pod_sizes, racks)
    return lost, halls - _fewest(board.hall_sizes, racks), pods, 0, delay


def _fewest(sizes: list[int], racks: int) -> int:
    """Units that an empty cluster would need, the largest first."""
    for number, size in enumerate(sizes, 1):
        racks -= size
        if racks <= 0:
            return number
    return len(sizes)
