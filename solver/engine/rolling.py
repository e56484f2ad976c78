"""Blocks placed in order of time, one window after the other: each window is tried in several ways, and the best stays.

Which hall a block takes decides, weeks later, whether a large one finds a hall; and what changes early changes
everything after it. So a whole sweep is a matter of luck, and a window is small enough to choose one's luck.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from solver.engine.board import Board
from solver.engine.policy import POLICIES, TIGHT, Policy
from solver.engine.selection import Target, count

_KEPT_BLOCKS, _BLOCKS_AHEAD = 60, 100
"""A window: blocks that are placed for good, and blocks after them that are only tried."""
_COMES_FIRST, _SAME_POLICY = 0.6, 0.5

Score = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """An order of a window's blocks, a policy, how good that was, and who found no room in its turn."""

    score: Score
    order: list[int]
    policy: Policy
    squeezed: list[int]


class Roller:
    """Places targets on a board. ``put`` places one in its turn, and says whether there was room for it as it is;
    ``score`` says how good the board is with these numbers placed, more is better.
    """

    def __init__(
        self,
        board: Board,
        chance: random.Random,
        put: Callable[[int, Target], bool],
        score: Callable[[Sequence[int]], Score],
    ) -> None:
        self._board, self._chance = board, chance
        self._put, self._score = put, score
        self._policy = TIGHT
        self._halted: Callable[[], bool] = lambda: False

    def place(
        self,
        order: Sequence[int],
        targets: Mapping[int, Target],
        halted: Callable[[], bool],
        tries: Callable[[], int],
    ) -> list[int]:
        """Place these in about this order, until all are or ``halted``; the numbers of those that lacked room.

        ``tries``: in how many ways a window is tried; with one it is placed at once. The room that targets have in the
        ledger is kept for them until their turn, so that nobody takes it who goes elsewhere than was selected.
        """
        self._halted = halted
        for number in order:
            self._keep_room(number, targets[number], 1)
        left = list(order)
        placed: list[int] = []
        squeezed: list[int] = []
        self._policy = TIGHT
        while left and not halted():
            now = left[:_KEPT_BLOCKS]
            if tries() > 1:
                window = left[: _KEPT_BLOCKS + _BLOCKS_AHEAD]
                best = self._best_way(window, placed, targets, tries)
                self._policy = best.policy
                now = best.order[:_KEPT_BLOCKS] if len(left) > len(window) else best.order
            squeezed += self._follow(now, targets, self._policy)
            placed += now
            done = set(now)
            left = [number for number in left if number not in done]
        for number in left:
            self._keep_room(number, targets[number], -1)
        self._board.policy = TIGHT
        return squeezed

    def _best_way(
        self, window: list[int], placed: list[int], targets: Mapping[int, Target], tries: Callable[[], int]
    ) -> _Way:
        """The best of some ways to place the window, by chance but for the first; the board is as it was."""
        best: _Way | None = None
        lacked: list[int] = []
        for tried in itertools.count(1):
            way = self._try(window, placed, targets, lacked, is_first=best is None)
            if best is None or way.score > best.score:
                best = way
            if not way.squeezed or tried >= tries():
                break
            lacked += [number for number in way.squeezed if number not in lacked]
        if best is None:
            raise AssertionError("a window is tried once at least")
        return best

    def _try(
        self,
        window: list[int],
        placed: list[int],
        targets: Mapping[int, Target],
        lacked: list[int],
        *,
        is_first: bool,
    ) -> _Way:
        """Some of those that ``lacked`` room in a try before come first now."""
        chance, board = self._chance, self._board
        policy = self._policy if is_first or chance.random() < _SAME_POLICY else chance.choice(POLICIES)
        front = [number for number in lacked if chance.random() < _COMES_FIRST]
        order = front + [number for number in window if number not in front]
        board.begin()
        squeezed = self._follow(order, targets, policy)
        score = self._score([*placed, *order])
        board.roll_back()
        for number in order:
            self._keep_room(number, targets[number], 1)
        return _Way(score, order, policy, squeezed)

    def _follow(self, order: Sequence[int], targets: Mapping[int, Target], policy: Policy) -> list[int]:
        self._board.policy = policy
        squeezed = []
        for number in order:
            self._keep_room(number, targets[number], -1)
            if self._halted() or not self._put(number, targets[number]):
                squeezed.append(number)
        return squeezed

    def _keep_room(self, number: int, target: Target, sign: int) -> None:
        count(self._board.ledger, self._board.wishes[number], target, sign)
