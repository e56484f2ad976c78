"""Homing: blocks go back to the racks that they should keep, and what is in their way finds other places.

§ 5 steps 3 and 4: a moved reservation should stand where it stood, an extension on the racks that it extends.
Heuristic: neighbours are brought home together, in trials; one that does not bring more GPUs home is undone. No block
is left out, shrinks or starts on another day.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from solver.engine.board import Board
from solver.engine.crowd import racks_of
from solver.engine.trial import Trial, away_gpus, near_home
from solver.engine.wishes import Wish

_TOGETHER = 8, 4, 2, 1
"""How many neighbours a trial brings home: in larger groups one makes room for the other."""
_MOST_TRIALS = 400
_PASSES = tuple(itertools.product((0, 1), _TOGETHER))
"""Who finds no place returns; in later trials it takes another's place first, once for each block brought home."""


def bring_home(board: Board, stop: Callable[[], bool]) -> None:
    """Bring as many GPUs home as are found, reservations before extensions, until ``stop``."""
    for wishes in (board.movers, _extensions(board)):
        _bring(board, wishes, stop)
        for wish in _away(board, wishes):
            if stop():
                return
            _bring_nearer(board, wish)


def _extensions(board: Board) -> list[Wish]:
    return [wish for wish in board.requests if wish.keep and wish.number in board.blocks]


def _away(board: Board, wishes: Iterable[Wish]) -> list[Wish]:
    """Those away from home, neighbours by their home next to each other."""
    away = [wish for wish in wishes if away_gpus(board.blocks[wish.number])]
    return sorted(away, key=lambda wish: (min(wish.keep), wish.number))


def _bring(board: Board, wishes: list[Wish], stop: Callable[[], bool]) -> None:
    trials = 0
    racks = {number: racks_of(block) for number, block in board.blocks.items()}
    for pushes, together in _PASSES:
        away = _away(board, wishes)
        for first in range(0, len(away), together):
            group = [wish for wish in away[first : first + together] if away_gpus(board.blocks[wish.number])]
            trials += 1
            if stop() or trials > _MOST_TRIALS:
                return
            if group and Trial(board, racks, pushes * len(group)).run(group):
                racks = {number: racks_of(block) for number, block in board.blocks.items()}


def _bring_nearer(board: Board, wish: Wish) -> None:
    """The block on as many of its own racks as are free, if these are more than it has."""
    before = board.blocks[wish.number]
    board.begin()
    board.remove(before)
    placed = near_home(board, before)
    if placed is not None and away_gpus(placed) < away_gpus(before):
        board.commit()
    else:
        board.roll_back()
