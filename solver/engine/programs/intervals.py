"""Everything at once where there is one pod: a program in which blocks may start on any day of their window.

Heuristic. With one pod it is counts of racks by day that decide, so a block is an interval with a demand and needs no
way for each start: CP-SAT moves hundreds of starts at once, where neighbourhoods of a dozen starts each fit nothing
into the last holes. Racks are bound afterwards.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from solver.cluster import unchanged
from solver.engine import stoppable
from solver.engine.board import Block, Board, Position
from solver.engine.programs.enact import enact, no_worse
from solver.engine.programs.limits import Places
from solver.engine.programs.model import BEHIND, CENTS, Taken
from solver.engine.programs.plain import is_plain
from solver.engine.programs.ways import Way
from solver.engine.wire import Stop
from solver.engine.wishes import Wish
from solver.terms import GPUS_PER_RACK

_WORK = 1.0
_ENDLESS = 1e9
_POD = 0


@dataclass(frozen=True, slots=True)
class _Block:
    """A wish in the program: where it starts, whether it is taken, and its racks, 0 where it is not."""

    wish: Wish
    start: cp_model.IntVar
    taken: cp_model.IntVar
    racks: cp_model.IntVar
    interval: cp_model.IntervalVar


class Intervals:
    """Rounds on one board, with their own source of chance. ``deepest``: the last tier that counts; None: all count."""

    def __init__(
        self, board: Board, chance: random.Random, *, deepest: int | None = None, closed: frozenset[int] = frozenset()
    ) -> None:
        self.board, self.chance = board, chance
        self._wishes = [w for w in board.wishes if is_plain(w) and (deepest is None or w.tier <= deepest)]
        self._tiers = sorted({wish.tier for wish in self._wishes})
        self._open = [tier for tier in self._tiers if tier not in closed] or self._tiers

    def run(
        self, stop: Callable[[int], bool], seconds_left: Callable[[], float | None], enough: Stop
    ) -> tuple[Position, ...]:
        """Rounds until ``stop(rounds)``; the board has the best plan then. By the clock a round takes all that is left,
        or until ``enough``.
        """
        rounds = 0
        while self._tiers and not stop(rounds):
            rounds += 1
            self._round(self.chance.choice(self._open), seconds_left(), enough)
        return self.board.positions()

    def _round(self, tier: int, seconds: float | None, enough: Stop) -> None:
        """Place all of these wishes anew; the board is as it was, or no worse."""
        board, before = self.board, self._values()
        blocks = {w.number: board.blocks[w.number] for w in self._wishes if w.number in board.blocks}
        board.begin()
        for block in blocks.values():
            board.remove(block)
        program = _Program(Places(board), self._wishes, tier, blocks)
        taken = program.solved(self.chance.randrange(10**6), seconds, enough)
        enact(board, taken, lambda wish: range(wish.first_start, wish.last_start + 1), small_first=False)
        if taken and no_worse(self._values(), before):
            board.commit()
        else:
            board.roll_back()

    def _values(self) -> list[float]:
        return list(self.board.values().values())


class _Program:
    """Most value of ``tier``, then of those behind it; the ``blocks`` of tiers above stand at their size at least."""

    def __init__(self, limits: Places, wishes: Sequence[Wish], tier: int, blocks: Mapping[int, Block]) -> None:
        self._model = cp_model.CpModel()
        self._tier, self._now = tier, blocks
        self._blocks = [self._block(wish) for wish in wishes if wish.tier >= tier or wish.number in blocks]
        for numbers, right in _rows(limits, [block.wish for block in self._blocks]):
            self._limit([self._blocks[number] for number in numbers], right)
        self._model.maximize(sum(self._worth(block) for block in self._blocks))

    def solved(self, seed: int, seconds: float | None, enough: Stop) -> list[Taken]:
        """What it takes; nothing where nothing is found."""
        solver = stoppable.solver(seed=seed, work=_WORK if seconds is None else _ENDLESS, seconds=seconds)
        status = stoppable.solve(solver, self._model, enough)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return []
        taken = [block for block in self._blocks if solver.value(block.taken)]
        return [_taken(block.wish, solver.value(block.start), solver.value(block.racks)) for block in taken]

    def _block(self, wish: Wish) -> _Block:
        model, now = self._model, self._now.get(wish.number)
        must = now is not None and wish.tier < self._tier
        fewest = (now.gpus if must and now is not None else wish.min_gpus) // GPUS_PER_RACK
        most = wish.gpus // GPUS_PER_RACK
        start = model.new_int_var(wish.first_start, wish.last_start, "")
        taken = model.new_int_var(int(must), 1, "")
        racks = model.new_int_var(fewest if must else 0, most, "")
        model.add(racks <= most * taken)
        model.add(racks >= fewest * taken)
        interval = model.new_optional_fixed_size_interval_var(start, wish.days, taken, "")
        model.add_hint(taken, int(now is not None))
        if now is not None:
            model.add_hint(start, now.start)
        model.add_hint(racks, 0 if now is None else now.gpus // GPUS_PER_RACK)
        return _Block(wish, start, taken, racks, interval)

    def _limit(self, blocks: Sequence[_Block], right: NDArray[np.int64]) -> None:
        """No more racks on a day than there are; on days with fewer than on others the difference is taken."""
        model, most = self._model, int(right.max())
        intervals = [block.interval for block in blocks]
        demands: list[cp_model.LinearExprT] = []
        demands += [block.racks if _may_shrink(block.wish) else _racks(block.wish) for block in blocks]
        for first, last in unchanged(len(right), right):
            if right[first] < most:
                intervals.append(model.new_fixed_size_interval_var(first, last - first, ""))
                demands.append(most - int(right[first]))
        model.add_cumulative(intervals, demands, most)

    def _worth(self, block: _Block) -> cp_model.LinearExprT:
        if block.wish.tier < self._tier:
            return 0
        weight = CENTS if block.wish.tier == self._tier else BEHIND
        return round(weight * block.wish.value_of(GPUS_PER_RACK)) * block.racks


def _racks(wish: Wish) -> int:
    return wish.gpus // GPUS_PER_RACK


def _may_shrink(wish: Wish) -> bool:
    return wish.min_gpus < wish.gpus


def _taken(wish: Wish, start: int, racks: int) -> Taken:
    fewest, most = wish.min_gpus // GPUS_PER_RACK, _racks(wish)
    return Taken(Way(wish, start, start + wish.days, fewest, most, (_POD,), (most,)), {_POD: racks})


def _rows(limits: Places, wishes: Sequence[Wish]) -> Iterator[tuple[tuple[int, ...], NDArray[np.int64]]]:
    """Which of the wishes load a limit together, and the racks that it leaves by day; limits on the same are one."""
    loading = defaultdict(list)
    for number, wish in enumerate(wishes):
        for key in limits.keys(_taken(wish, wish.first_start, 0).way, _POD):
            loading[key].append(number)
    rights: dict[tuple[int, ...], NDArray[np.int64]] = {}
    for key, numbers in sorted(loading.items()):
        right = np.maximum(limits.whole_racks(key), 0)
        rights[tuple(numbers)] = np.minimum(right, rights.get(tuple(numbers), right))
    for together, right in rights.items():
        if sum(_racks(wishes[number]) for number in together) > right.min():
            yield together, right
