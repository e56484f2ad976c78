"""One try to bring blocks home: who had to leave is placed elsewhere, pushes others away in turn, or returns."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Mapping

from solver.engine import crowd, placement
from solver.engine.board import Block, Board
from solver.engine.wishes import Wish
from solver.terms import GPUS_PER_RACK

_MOST_EVICTED, _MOST_EVICTED_EACH = 20, 10
"""A trial in which more blocks leave, beside so many for each one brought home, is given up."""
_PUSHES_EACH = 2
"""How often one block may push others away."""


class Trial:
    """What happens to the blocks of a board while some are brought home.

    To return is to stand exactly where the block stood before the trial, for the rest of it; whoever is there leaves.
    Blocks that return are in none of each other's way, so a trial comes to an end. ``racks``: where every block stands.
    """

    def __init__(self, board: Board, racks: Mapping[int, tuple[int, ...]], pushes: int) -> None:
        self._board, self._racks, self._pushes = board, racks, pushes
        self._most = _MOST_EVICTED
        self._before: dict[int, Block] = {}
        self._pushed: dict[int, int] = {}
        self._queue: list[tuple[int, int]] = []
        self._homeward: set[int] = set()
        self._returned: set[int] = set()

    def run(self, wishes: list[Wish]) -> bool:
        """Whether more GPUs are at home now; else nothing has changed."""
        board = self._board
        self._most = _MOST_EVICTED + _MOST_EVICTED_EACH * len(wishes)
        self._homeward = {wish.number for wish in wishes}
        gone = [board.blocks[wish.number] for wish in wishes]
        board.begin()
        for block in gone:
            board.remove(block)
        self._evict(gone)
        is_good = self._place_all() and self._is_nearer()
        if is_good:
            board.commit()
        else:
            board.roll_back()
        return is_good

    def _is_nearer(self) -> bool:
        after = [self._board.blocks[number] for number in self._before]
        return _cost(after) < _cost(self._before.values())

    def _evict(self, blocks: Iterable[Block]) -> None:
        """These have left, and need another place: the largest first."""
        for block in blocks:
            self._before.setdefault(block.wish.number, block)
            heapq.heappush(self._queue, (-block.gpus, block.wish.number))

    def _place_all(self) -> bool:
        while self._queue and len(self._before) <= self._most:
            _, number = heapq.heappop(self._queue)
            block = self._before[number]
            if not (self._send_home(block) or self._place(block) or self._push(block) or self._return(block)):
                return False
        return not self._queue

    def _send_home(self, before: Block) -> bool:
        """Onto the racks that it should keep, once in a trial."""
        wish, racks = before.wish, max(1, before.gpus // GPUS_PER_RACK)
        if wish.number not in self._homeward or racks > len(wish.keep):
            return False
        self._homeward.remove(wish.number)
        return self._put(before, wish.keep[:racks])

    def _place(self, before: Block) -> bool:
        """In full where there is room for it, as near to its home as it fits."""
        board, wish = self._board, before.wish
        if placement.largest(board, wish, before.start) < before.gpus:
            return False
        return (near_home(board, before) or placement.place_all(board, wish, before.start, before.gpus)) is not None

    def _push(self, before: Block) -> bool:
        """Where that costs least, and whoever stands there leaves."""
        number = before.wish.number
        pushed = self._pushed.get(number, 0)
        if before.wish.shares_a_rack or self._pushes <= 0 or pushed >= _PUSHES_EACH:
            return False
        self._pushes -= 1
        self._pushed[number] = pushed + 1
        racks = before.gpus // GPUS_PER_RACK
        chosen = crowd.cheapest(self._board, before.wish, before.start, racks, self._may_leave)
        return any(self._put(before, racks) for racks in chosen)

    def _return(self, before: Block) -> bool:
        number = before.wish.number
        self._returned.add(number)
        return self._put(before, self._racks[number])

    def _put(self, before: Block, racks: tuple[int, ...]) -> bool:
        """Place the block on exactly these racks; who stands there or makes a hall or site too full has to leave.

        False: somebody stays, and nothing has changed.
        """
        board, wish, start = self._board, before.wish, before.start
        if placement.place_at(board, wish, start, before.gpus, racks) is not None:
            return True
        gone = crowd.guests(board, wish, start, racks)
        if wish.shares_a_rack:  # with those that stay it shares
            gone = [block for block in gone if self._may_leave(block)]
        if not all(map(self._may_leave, gone)):
            return False
        board.begin()
        for block in gone:
            board.remove(block)
        while placement.place_at(board, wish, start, before.gpus, racks) is None:
            too_much = crowd.crowding(board, wish, start, racks, self._may_leave)
            if too_much is None:
                board.roll_back()
                return False
            board.remove(too_much)
            gone.append(too_much)
        board.commit()
        self._evict(gone)
        return True

    def _may_leave(self, block: Block) -> bool:
        """Not a reservation that is kept as it is or recalled, nor one that has returned."""
        is_free = block.wish.reservation is None or block.wish.must_stand
        return is_free and block.wish.number not in self._returned


def away_gpus(block: Block) -> int:
    """GPUs of the block that could stand on racks that it should keep, and do not."""
    wish = block.wish
    at_home = len(set(wish.keep).intersection(crowd.racks_of(block)))
    if wish.shares_a_rack:
        return 0 if at_home else block.gpus
    return min(block.gpus, GPUS_PER_RACK * len(wish.keep)) - GPUS_PER_RACK * at_home


def near_home(board: Board, before: Block) -> Block | None:
    """The block on its own racks as far as they are free, and on others in the same unit of its scope, near first."""
    wish, start, gpus = before.wish, before.start, before.gpus
    if not wish.keep:
        return None
    if wish.shares_a_rack:
        return placement.place_at(board, wish, start, gpus, wish.keep)
    own, mask = set(wish.keep), before.mask
    first, last = next(unit for unit in crowd.units_of_scope(board, wish) if unit[0] <= wish.keep[0] < unit[1])
    free = {
        pod: [racks.first + offset for offset in racks.free_racks(mask)]
        for pod, racks in enumerate(board.pods)
        if first <= racks.first < last
    }
    kept = {pod: own.intersection(racks) for pod, racks in free.items()}
    order = sorted(free, key=lambda pod: (-len(kept[pod]), -len(free[pod]), pod))
    mine = [rack for pod in order for rack in sorted(kept[pod])]
    others = (rack for pod in order for rack in free[pod] if rack not in own)
    racks = list(itertools.islice(itertools.chain(mine, others), gpus // GPUS_PER_RACK))
    if not mine or len(racks) * GPUS_PER_RACK < gpus:
        return None
    return placement.place_at(board, wish, start, gpus, racks)


def _cost(blocks: Iterable[Block]) -> tuple[int, int]:
    """§ 5 steps 3 and 4: GPUs of reservations and of extensions that are away from home."""
    moved = lost = 0
    for block in blocks:
        if block.wish.must_stand:
            moved += away_gpus(block)
        elif block.wish.keep:
            lost += away_gpus(block)
    return moved, lost
