"""Returning: a block stands where it stood before, and whoever is in its way leaves.

Heuristic, for what must stand and finds no room in any other way. All of these stood at once, so that those that
return are in none of each other's way, and it comes to an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from solver.engine import crowd, placement
from solver.engine.board import Block, Board, Position
from solver.engine.wishes import Wish

_Leaving = tuple[Block, tuple[int, ...]]
"""A block that leaves, and the racks that it had."""


@dataclass(slots=True)
class Return:
    """Blocks of a board that return. ``stood`` says, by number, where those did that have to stand.

    Those of least ``worth`` leave first; ``starts`` say where each may go instead. It is given up when ``halted``.
    """

    board: Board
    stood: Mapping[int, Position]
    worth: Callable[[Wish], float]
    starts: Mapping[int, Sequence[int]]
    halted: Callable[[], bool]
    _returned: set[int] = field(default_factory=set)

    def run(self, numbers: Iterable[int]) -> bool:
        """Let these return, and find others another place: who must stand and has none returns as well.

        False: somebody who must stand does not, because of what is not the board's to move, or for want of time.
        """
        waiting = list(numbers)
        while waiting:
            number = waiting.pop()
            self._returned.add(number)
            left = self._give_way(number)
            if left is None:
                return False
            waiting += self._put_back(left)
        return True

    def _give_way(self, number: int) -> list[_Leaving] | None:
        """Place it, while others leave: at its start on any racks, or if need be on those that it had; who left.

        None: it does not fit even alone with those that returned, or there is no time to see.
        """
        board, position = self.board, self.stood[number]
        wish, start, gpus, racks = board.wishes[number], position.start, position.gpus, position.racks
        if number in board.blocks:
            board.remove(board.blocks[number])

        def anywhere() -> bool:
            return placement.place_all(board, wish, start, gpus) is not None

        def there() -> bool:
            return placement.place_at(board, wish, start, gpus, racks) is not None

        near = list(crowd.standing(board, start, start + wish.days))
        near.sort(key=lambda block: (block.wish.number in self.stood, self.worth(block.wish), block.wish.number))
        left = self._leave([block for block in near if self._has_moved(block)], anywhere)
        if left is not None or wish.shares_a_rack:
            return left
        guests = {block.wish.number for block in crowd.guests(board, wish, start, racks)}
        near.sort(key=lambda block: block.wish.number not in guests)
        return self._leave([block for block in near if block.wish.number not in self._returned], there)

    def _has_moved(self, block: Block) -> bool:
        """Whether it did not count on these days before: all those together left enough room by counts."""
        number = block.wish.number
        return number not in self.stood or (number not in self._returned and block.start != self.stood[number].start)

    def _leave(self, order: Sequence[Block], put: Callable[[], bool]) -> list[_Leaving] | None:
        """Blocks leave in this order until ``put`` has room; who left. None: there is none, and nobody does."""
        board = self.board
        left: list[_Leaving] = []
        board.begin()
        while not put():
            if len(left) == len(order) or self.halted():
                board.roll_back()
                return None
            block = order[len(left)]
            left.append((block, crowd.racks_of(block)))
            board.remove(block)
        board.commit()
        return left

    def _put_back(self, left: list[_Leaving]) -> list[int]:
        """The last first, where they stood or else elsewhere; those who must stand and do not, in full."""
        board, homeless = self.board, []
        for block, racks in reversed(left):
            wish, start, gpus = block.wish, block.start, block.gpus
            again = placement.place_at(board, wish, start, gpus, racks)
            if again is None:
                again = placement.accept(board, wish, (start, *self.starts[wish.number]), most=gpus)
            if wish.number in self.stood and (again is None or again.gpus < gpus):
                homeless.append(wish.number)
        return homeless
