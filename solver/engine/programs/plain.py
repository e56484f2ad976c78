"""What programs over intervals are about. Whoever asks loads no OR-Tools."""

from __future__ import annotations

from solver.engine.board import Board
from solver.engine.wishes import NONE, Wish

_MOST_WISHES = 400
"""Beyond, CP-SAT does not get far in the seconds of a leg."""


def share(board: Board) -> float:
    """How much of what may be placed such a program is about: 0 to 1. Nothing where there are pods to choose from."""
    plain = sum(is_plain(wish) for wish in board.wishes)
    return plain / len(board.wishes) if len(board.pods) == 1 and 0 < plain <= _MOST_WISHES else 0.0


def is_plain(wish: Wish) -> bool:
    """A request for whole racks that books on no contract."""
    is_request = wish.reservation is None and not wish.must_stand
    return is_request and wish.contract == NONE and not wish.shares_a_rack and wish.first_start <= wish.last_start
