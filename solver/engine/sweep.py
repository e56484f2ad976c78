"""Sweeps: all blocks are placed anew in order of time, so that none stands in the way of another that starts earlier.

In order of start the racks in use are those of blocks that run already, and what is free stays free: counts are nearly
enough to find racks. Where they are not, because no hall has the room for a large block, others leave it their room.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

import numpy as np

from solver.engine import placement
from solver.engine.admission import Guide, as_relaxed
from solver.engine.board import Board, Position
from solver.engine.ejection import Terms, eject
from solver.engine.policy import POLICIES, TIGHT, Policy
from solver.engine.selection import Selection, Target
from solver.engine.vacating import vacate
from solver.engine.wishes import Wish

_FULL_SWEEPS = 12
_ROUNDS_PER_SWEEP = 200
_MORE_ROUNDS_PER_SWEEP = 1000
_FIRST_ROUNDS, _FIRST_ROUNDS_PER_REQUEST, _FIRST_SHARE = 5000, 3, 0.25
"""Rounds after the first sweep, at most, for each request, and as a share of the time: where counts alone decided what
fits, selecting is what matters. Elsewhere it drifts away from what can be placed.
"""
_SWEEPS_IN_VAIN = 2
"""Sweeps that leave out what must stand, before it is kept where it stood at the beginning."""
_SAME_POLICY = 0.7
_DAYS_BEFORE = 30
_DAYS_EARLIER, _MUST_EARLIER, _AGAIN_EARLIER = (5.0, 40.0), 3.0, 0.5
_HEAT = 0.3


class Sweeper:
    """Selections of one tier, placed together with all that must stand: what is on the board at the beginning."""

    def __init__(self, board: Board, tier: int, guide: Guide, chance: random.Random) -> None:
        self.best: tuple[Position, ...] = ()
        self.values: list[float] = []
        """Of the best plan, by tier down to this one; empty while there is none."""
        self.swept = 0
        """Sweeps made so far."""
        self._board, self._tier, self._chance = board, tier, chance
        liked = as_relaxed(guide)
        self._stood = {position.number: position for position in board.positions()}
        self._failed = 0
        self._anchored: set[int] = set()
        """What must stand, lacked room again and again, and now stays where it stood at first: there it fits."""
        self._must = {
            number: Target(liked(block.wish)[0] if block.wish.id in guide.fractions else block.start, block.gpus)
            for number, block in board.blocks.items()
        }
        self._spared = frozenset(self._must)
        self._selection = Selection(board, tier, guide, chance, self._must)
        self._policy = TIGHT
        self._halted: Callable[[], bool] = lambda: False
        floor = float(guide.day_prices.mean()) or 1.0
        self._dearness = np.cumsum(guide.day_prices + floor)
        self._earlier: dict[int, float] = {}
        self._kept: tuple[dict[int, float], list[Wish]] = {}, []
        """Of the best plan: who came how many days earlier, and who had to be made room for."""
        liked = as_relaxed(guide)
        every = [wish for wish in board.wishes if wish.tier <= tier and wish.first_start <= wish.last_start]
        self._starts = {wish.number: tuple(liked(wish)) for wish in every}
        self._rounds = _ROUNDS_PER_SWEEP
        self._first_rounds = min(_FIRST_ROUNDS, _FIRST_ROUNDS_PER_REQUEST * len(every))
        self._rest = [wish for wish in every if not wish.must_stand]
        self._rest.sort(key=lambda wish: (wish.tier, -self._selection.worth(wish), wish.number))

    def run(
        self, stop: Callable[[int], bool], progress: Callable[[int], float], halted: Callable[[], bool] = lambda: False
    ) -> None:
        """Sweep until ``stop(sweeps)``, or at once when ``halted``; ``progress(sweeps)`` in [0, 1] calms the selection.

        A few times everything, then again and again what starts from some day on, with a selection that changes.
        """
        sweeps, at_best = 0, False
        self._halted = halted
        while not stop(sweeps):
            if self.swept == 1 and self.best and not self._kept[1]:
                self._rounds = _MORE_ROUNDS_PER_SWEEP
                self._selection.improve(self._first_rounds, _HEAT, lambda: halted() or progress(0) > _FIRST_SHARE)
            if not self.best or self.swept < _FULL_SWEEPS:
                self._sweep()
            else:
                if not at_best:
                    self._return_to_best()
                    at_best = True
                self._sweep_from(self._some_day(), 1.0 - progress(sweeps))
            sweeps += 1
            self.swept += 1

    def _sweep(self) -> None:
        """Place what must stand and what is selected on an empty board; what lacked room last time comes earlier."""
        board, chance = self._board, self._chance
        earlier, squeezed = self._kept
        self._earlier = dict(earlier)
        for wish in squeezed:
            if chance.random() < _AGAIN_EARLIER:
                days = chance.uniform(*_DAYS_EARLIER) * (_MUST_EARLIER if wish.number in self._must else 1.0)
                self._earlier[wish.number] = earlier.get(wish.number, 0.0) + days
        board.set_up([self._stood[number] for number in sorted(self._anchored)])
        policy = self._any_policy()
        squeezed = self._place({**self._selection.chosen, **self._must}, policy)
        self._selection.doubt(w for w in squeezed if w.number not in self._must and w.number not in board.blocks)
        values = self._values()
        lost = [number for number, target in self._must.items() if not self._stands(number, target)]
        if lost:
            self._failed += 1
            in_vain = not self.values and self._failed >= _SWEEPS_IN_VAIN
            self._anchored.update(number for number in lost if in_vain or number in earlier)
            if not self.values:
                self._kept = self._earlier, squeezed
            return
        if values >= self.values:
            self.values, self.best, self._policy = values, board.positions(), policy
            self._kept = self._earlier, squeezed

    def _return_to_best(self) -> None:
        self._board.set_up(self.best)
        self._selection.take(self._standing())

    def _sweep_from(self, day: int, heat: float) -> None:
        """Select anew what starts from this day on, and place it anew. Kept where it is no worse."""
        board, selection = self._board, self._selection
        before = dict(selection.chosen)
        selection.improve(self._rounds, _HEAT * heat, self._halted, since=day)
        board.begin()
        for number in board.near(day, board.cluster.days):
            block = board.blocks[number]
            if block.start >= day and number not in self._anchored and not self._runs_already(block.wish):
                board.remove(block)
        policy = self._any_policy()
        wanted = {**selection.chosen, **self._must}
        self._place({number: wanted[number] for number in wanted if number not in board.blocks}, policy)
        values = self._values()
        if not self._all_stand() or values < self.values:
            board.roll_back()
            selection.take(before)
            return
        board.commit()
        selection.take(self._standing())
        if values > self.values:
            self.values, self.best, self._policy = values, board.positions(), policy

    def _some_day(self) -> int:
        """A day, the likelier the dearer the room is then, or some days before."""
        chance = self._chance
        day = int(np.searchsorted(self._dearness, chance.random() * self._dearness[-1]))
        return max(0, day - chance.randrange(_DAYS_BEFORE))

    def _any_policy(self) -> Policy:
        if not self.values:
            return TIGHT
        return self._policy if self._chance.random() < _SAME_POLICY else self._chance.choice(POLICIES)

    def _values(self) -> list[float]:
        return [value for tier, value in self._board.values().items() if tier <= self._tier]

    def _all_stand(self) -> bool:
        """Whether all that must stand does, in full."""
        return all(self._stands(number, target) for number, target in self._must.items())

    def _stands(self, number: int, target: Target) -> bool:
        block = self._board.blocks.get(number)
        return block is not None and block.gpus >= target.gpus

    def _standing(self) -> dict[int, Target]:
        """What of the tier stands on the board."""
        blocks = self._board.blocks.items()
        return {
            number: Target(block.start, block.gpus)
            for number, block in blocks
            if number not in self._must and block.wish.tier == self._tier
        }

    def _place(self, targets: Mapping[int, Target], policy: Policy) -> list[Wish]:
        """Place the targets in their turns, then whatever else fits. What of the targets found no room by itself."""
        board = self._board
        board.policy = policy
        squeezed = []
        open_targets = [number for number in targets if number not in board.blocks]
        for number in sorted(open_targets, key=lambda number: self._turn_of(number, targets[number])):
            if self._halted():
                break
            wish, target = board.wishes[number], targets[number]
            starts = (target.start, *(start for start in self._starts[number] if start != target.start))
            block = placement.accept(board, wish, starts, most=target.gpus)
            if block is None or block.gpus < target.gpus:
                squeezed.append(wish)
                self._make_room(wish, target)
        for wish in self._rest:
            if wish.number not in board.blocks and not self._halted():
                placement.accept(board, wish, self._starts[wish.number])
        board.policy = TIGHT
        return squeezed

    def _make_room(self, wish: Wish, target: Target) -> None:
        """Place the block where others leave, unless that is impossible or too dear; these go elsewhere if they can."""
        board = self._board
        board.begin()
        if wish.number in board.blocks:
            board.remove(board.blocks[wish.number])
        limit = math.inf if wish.number in self._must else wish.value_of(target.gpus)
        terms = Terms(self._selection.worth, self._spared, limit)
        gone = eject(board, wish, target, terms)
        if gone is None and vacate(board, wish, target, terms, self._starts):
            gone = []
        if gone is None:
            board.roll_back()
            return
        board.commit()
        for block in gone:
            placement.accept(board, block.wish, self._starts[block.wish.number])

    def _turn_of(self, number: int, target: Target) -> tuple[float, int, int]:
        """By start, large ones first; what runs already has its racks, what lacked room before comes earlier."""
        if self._runs_already(self._board.wishes[number]):
            return -math.inf, 0, number
        return target.start - self._earlier.get(number, 0.0), -target.gpus, number

    @staticmethod
    def _runs_already(wish: Wish) -> bool:
        """Whether this is a reservation that stays where it is or is recalled."""
        return wish.reservation is not None and not wish.must_stand
