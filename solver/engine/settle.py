"""Settling: the same value with fewer moves, more racks kept and less spread (§ 5 steps 3 to 5).

Heuristic: reservations that were moved go back where that costs nothing, all at once if possible, else one by one; then
each accepted block is placed anew where that suits it better. No value is given up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from solver.engine import placement
from solver.engine.board import Block, Board
from solver.engine.wishes import Wish
from solver.terms import GPUS_PER_RACK

_MOST_STARTS = 4


def settle(board: Board, stop: Callable[[], bool]) -> None:
    """Settle what is on the board, until ``stop``: no tier's value changes."""
    away = [wish for wish in board.movers if not _is_home(board, wish)]
    if away and not stop() and not _all_home(board):
        for wish in sorted(away, key=lambda wish: (-wish.gpus, wish.number)):
            if stop():
                return
            _go_home(board, wish)
    for number in sorted(board.blocks):
        if stop():
            return
        if board.wishes[number].reservation is None:
            _suit(board, board.blocks[number])


def _is_home(board: Board, wish: Wish) -> bool:
    return set(board.blocks[wish.number].racks()) == set(wish.keep)


def _all_home(board: Board) -> bool:
    """Every reservation where it stood, and all else placed anew. False, and nothing changed: there is no room."""
    board.begin()
    others = [block for block in board.blocks.values() if block.wish.reservation is None]
    for block in [*others, *(board.blocks[wish.number] for wish in board.movers)]:
        board.remove(block)
    board.stand(board.home)
    return _end(board, _place_all(board, others))


def _go_home(board: Board, wish: Wish) -> bool:
    """One reservation back, and the blocks on its racks elsewhere. False, and nothing changed: there is no room."""
    board.begin()
    board.remove(board.blocks[wish.number])
    own = set(wish.keep)
    near = [board.blocks[number] for number in board.near(wish.first_start, wish.first_start + wish.days)]
    guests = [block for block in near if not own.isdisjoint(block.racks())]
    if any(block.wish.reservation is not None for block in guests):
        return _end(board, False)
    for block in guests:
        board.remove(block)
    placed = placement.place(board, wish, wish.first_start, wish.gpus)
    return _end(board, placed is not None and _is_home(board, wish) and _place_all(board, guests))


def _place_all(board: Board, blocks: list[Block]) -> bool:
    """Each as large as it was, at its start or another of its window; by start, so that none is in another's way."""
    for block in sorted(blocks, key=lambda block: (block.start, -block.gpus, block.wish.number)):
        placed = placement.accept(board, block.wish, _starts(block), most=block.gpus)
        if placed is None or placed.gpus < block.gpus:
            return False
    return True


def _starts(block: Block) -> Iterable[int]:
    yield block.start
    yield from (s for s in range(block.wish.first_start, block.wish.last_start + 1) if s != block.start)


def _suit(board: Board, block: Block) -> None:
    """Place the block anew, if that keeps more of the racks it extends, spreads it less or lets it start earlier."""
    wish, before = block.wish, _dislike(board, block)
    if before == (0, 0, 0, 0):
        return
    board.begin()
    board.remove(block)
    earlier = range(wish.first_start, min(block.start, wish.first_start + _MOST_STARTS))
    placed = placement.accept(board, wish, (*earlier, block.start), most=block.gpus)
    _end(board, placed is not None and placed.gpus == block.gpus and _dislike(board, placed) < before)


def _dislike(board: Board, block: Block) -> tuple[int, int, int, int]:
    """Racks of the extended reservation that it does not have, halls and pods beyond one or its size's need, delay."""
    cluster, wish = board.cluster, block.wish
    racks = list(block.racks())
    lost = len(wish.keep) - len(set(racks) & set(wish.keep))
    halls = len({int(cluster.halls.of_rack[rack]) for rack in racks})
    pods = len({int(cluster.pods.of_rack[rack]) for rack in racks})
    whole = max(1, block.gpus // GPUS_PER_RACK)
    return (
        lost,
        halls - _fewest(board.hall_sizes, whole),
        pods - _fewest(board.pod_sizes, whole),
        block.start - wish.first_start,
    )


def _fewest(sizes: list[int], racks: int) -> int:
    """Units that an empty cluster would need, the largest first."""
    for number, size in enumerate(sizes, 1):
        racks -= size
        if racks <= 0:
            return number
    return len(sizes)


def _end(board: Board, is_good: bool) -> bool:
    if is_good:
        board.commit()
    else:
        board.roll_back()
    return is_good
