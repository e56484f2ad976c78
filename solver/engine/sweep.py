"""Sweeps: all blocks are placed anew in order of time, so that none stands in the way of another that starts earlier.

In order of start the racks in use are those of blocks that run already, and what is free stays free: counts are nearly
enough to find racks. Where they are not, because no hall has the room for a large block, others leave it their room,
and other ways to place what starts shortly before are tried (`solver.engine.rolling`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Container, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from solver.engine import placement
from solver.engine.admission import Guide, as_relaxed
from solver.engine.board import Block, Board, Position
from solver.engine.ejection import Terms, displace
from solver.engine.returning import Return
from solver.engine.rolling import Roller
from solver.engine.selection import Selection, Target, meant
from solver.engine.vacating import vacate
from solver.engine.wishes import Wish

if TYPE_CHECKING:  # needs OR-Tools, which takes a second to load
    from solver.engine.programs.exchanges import Exchanges

_FULL_SWEEPS = 5
_TRIES = ((10.0, 6), (6.0, 3))
"""In how many ways a window is tried, and how many sweeps in haste that takes about; two where there is less time."""
_PLENTY = 40.0
"""So many sweeps in haste are time enough for a good one before a long selection."""
_LEAST_SHARE = 1e-9
_ROUNDS_PER_SWEEP, _ROUNDS_PER_FULL_SWEEP = 200, 1000
_FIRST_ROUNDS_PER_REQUEST, _FIRST_SHARE = 30, 0.5
"""Rounds of the long selection for each request, and when it ends at the latest, in the time that there is."""
_ROUNDS_PER_LEG_AND_REQUEST = 0.8
"""So many rounds of it, then it goes on from the best selection, with less heat. Shorter legs hardly get beyond the
selection that they begin with.
"""
_ROUNDS_PER_EXCHANGE, _PORTIONS = 150, 4
"""Where it has all of its rounds and there is time, programs follow, one for so many rounds; in some portions with a
sweep after each, so that there is something should somebody interrupt.
"""
_SHARE_FROM_HOME = 0.3
"""Of the time, for sweeps that leave reservations at home; ruin and recreate of what is placed gains more then."""
_DAYS_BEFORE = 30
_HEAT = 0.3
_MOST_RESCUED, _MOST_STARTS = 40, 8
_DEAR_USD = 1e6
"""What a GPU of a block that must stand counts where another one takes its room."""


class Sweeper:
    """Selections of one tier, placed together with all that must stand: what is on the board at the beginning."""

    def __init__(
        self,
        board: Board,
        tier: int,
        guide: Guide,
        chance: random.Random,
        *,
        rounds: int,
        is_large: bool = False,
    ) -> None:
        """``rounds`` of the long selection, at most; ``is_large``: it cools down and programs follow, or who has stood
        before stays at home.
        """
        self.best: tuple[Position, ...] = ()
        self.values: list[float] = []
        """Of the best plan, by tier down to this one; empty while there is none."""
        self.swept = 0
        """Sweeps made so far."""
        self._board, self._tier, self._chance = board, tier, chance
        self._guide, self._is_large = guide, is_large
        liked = as_relaxed(guide)
        self._stood = {position.number: position for position in board.positions()}
        self._base: dict[int, Position] = {}
        """What stands already when a sweep begins: nothing, or reservations where they stood at first."""
        self._has_compared = not is_large
        self._selection = Selection(board, tier, guide, chance, meant(board, guide))
        self._roller = Roller(board, chance, self._put, self._score)
        self._halted: Callable[[], bool] = lambda: False
        self._is_late: Callable[[], bool] = lambda: False
        self._most_tries = 1
        floor = float(guide.day_prices.mean()) or 1.0
        self._dearness = np.cumsum(guide.day_prices + floor)
        every = [wish for wish in board.wishes if wish.tier <= tier and wish.first_start <= wish.last_start]
        self._starts = {wish.number: tuple(liked(wish)) for wish in every}
        self._has_selected = False
        self._exchanges: Exchanges | None = None
        self._portions = _PORTIONS if is_large else 0
        """Of exchanges, still to come."""
        self._share_of_first = 0.0
        """Of the time, which the first sweep took."""
        self._first_rounds = min(rounds, _FIRST_ROUNDS_PER_REQUEST * len(every))
        self._rest = [wish for wish in every if not wish.must_stand]
        self._rest.sort(key=lambda wish: (wish.tier, -self._selection.worth(wish), wish.number))

    @property
    def _must(self) -> Mapping[int, Target]:
        """Where what must stand is meant to."""
        return self._selection.must

    def run(
        self,
        stop: Callable[[int], bool],
        progress: Callable[[int], float],
        halted: Callable[[], bool] = lambda: False,
        *,
        full_until: float = 0.0,
    ) -> None:
        """Sweep until ``stop(sweeps)``, or at once when ``halted``; ``progress(sweeps)`` in [0, 1] calms the selection,
        and a sweep that is under way when it reaches 1 makes haste.

        A few times everything, and then as long as progress is less than ``full_until``: chance decides much. Then
        again and again what starts from some day on, with a selection that changes.
        """
        sweeps, at_best = 0, False
        self._halted, self._is_late = halted, lambda: halted() or progress(sweeps) >= 1
        while not (stop(sweeps) or self._is_done_from_home(progress(sweeps))):
            if not self.best or self.swept < _FULL_SWEEPS or progress(sweeps) < full_until:
                self._sweep(lambda: progress(sweeps))  # noqa: B023 - it is over before the number changes
            else:
                if not at_best:
                    self._return_to_best()
                    at_best = True
                self._sweep_from(self._some_day(), 1.0 - progress(sweeps))
            sweeps += 1
            self.swept += 1

    def _sweep(self, progress: Callable[[], float]) -> None:
        """Place what must stand and what is selected on a board that is empty but for who stays at home."""
        board, began = self._board, progress()
        if self.swept:
            if not self._has_compared and (not self.values or self._sweeps_left(progress) >= _PLENTY):
                self._compare_from_home()
                self._has_compared = True
            self._select(progress)
            self._most_tries = next((tries for needed, tries in _TRIES if self._sweeps_left(progress) >= needed), 2)
        board.set_up(self._base.values())
        lacked = self._place({**self._selection.chosen, **self._must})
        self._selection.doubt(w for w in lacked if w.number not in self._must and w.number not in board.blocks)
        if not self._lost():
            self._keep(self._values())
        if not self.swept:
            self._share_of_first = progress() - began

    def _compare_from_home(self) -> None:
        """Where reservations take more room than what is selected, sweep in haste with all of them at home: sweeps go
        on from there if that was worth no less.
        """
        wishes = self._board.wishes
        home = {number: stood for number, stood in self._stood.items() if wishes[number].reservation is not None}
        if self._gpu_days(home) <= self._gpu_days(self._selection.chosen):
            return
        self._board.set_up(home.values())
        self._place({**self._selection.chosen, **self._must})
        if not self._lost() and self._values() >= self.values:
            self._base = home
            self._keep(self._values())

    def _gpu_days(self, targets: Mapping[int, Target | Position]) -> int:
        return sum(target.gpus * self._board.wishes[number].days for number, target in targets.items())

    def _is_done_from_home(self, progress: float) -> bool:
        return bool(self._base and self.best) and progress >= _SHARE_FROM_HOME

    def _select(self, progress: Callable[[], float]) -> None:
        """The selection for the next sweep, searched for a long time once, and then for a while each time.

        The first sweep, in haste, and maybe the second have it as the relaxation does: the second where the first left
        nothing, or where there is time, so that there is something should somebody interrupt.
        """
        if self._has_selected or self._base:
            if self._portions and not self._base and progress() < self._long_until():
                self._exchange(progress)
                self._portions -= 1
            self._selection.improve(_ROUNDS_PER_FULL_SWEEP, _HEAT, self._halted)
        elif self.swept > 1 or (self.values and self._sweeps_left(progress) < _PLENTY):
            self._has_selected = True
            self._select_for_long(progress)

    def _long_until(self) -> float:
        """When the long selection and exchanges end at the latest, as progress goes."""
        return min(_FIRST_SHARE, 1 - _TRIES[-1][0] * self._share_of_first)

    def _select_for_long(self, progress: Callable[[], float]) -> None:
        """Ruin and recreate, which cools in a large snapshot, each leg from the best so far.

        Where pods and halls are what is short, a selection that is better by counts is placed no better.
        """
        began, until = progress(), self._long_until()
        if until <= began:
            return

        def stop() -> bool:
            return self._halted() or progress() > until

        left = self._first_rounds
        leg = math.ceil(_ROUNDS_PER_LEG_AND_REQUEST * len(self._starts)) if self._is_large else left
        while left > 0 and not stop():
            done = max(1 - left / self._first_rounds, (progress() - began) / (until - began))
            self._selection.improve(min(leg, left), _HEAT * (1 - done), stop)
            left -= leg

    def _exchange(self, progress: Callable[[], float]) -> None:
        """One portion of exchanges by programs."""
        from solver.engine.programs.exchanges import Exchanges

        began = progress()
        until = began + (self._long_until() - began) / self._portions
        most = math.ceil(self._first_rounds / _ROUNDS_PER_EXCHANGE / _PORTIONS)
        if self._exchanges is None:
            chance = self._chance
            self._exchanges = Exchanges(self._selection, self._board.wishes, self._tier, self._guide, chance)
        self._exchanges.run(lambda rounds: rounds >= most or progress() > until, self._halted)

    def _sweeps_left(self, progress: Callable[[], float]) -> float:
        """For how many sweeps in haste there is time."""
        return (1 - progress()) / max(self._share_of_first, _LEAST_SHARE)

    def _tries(self) -> int:
        return 1 if self._is_late() else self._most_tries

    def _keep(self, values: list[float]) -> None:
        """Remember the plan on the board where no other was better."""
        if values >= self.values:
            self.values, self.best = values, self._board.positions()

    def _return_to_best(self) -> None:
        self._board.set_up(self.best)
        self._selection.take(self._standing())

    def _sweep_from(self, day: int, heat: float) -> None:
        """Select anew what starts from this day on, and place it anew. Kept where it is no worse."""
        board, selection = self._board, self._selection
        before = dict(selection.chosen)
        selection.improve(_ROUNDS_PER_SWEEP, _HEAT * heat, self._halted, since=day)
        board.begin()
        for number in board.near(day, board.cluster.days):
            block = board.blocks[number]
            if block.start >= day and not (self._runs_already(block.wish) or self._is_at_home(block)):
                board.remove(block)
        wanted = {**selection.chosen, **self._must}
        self._place({number: wanted[number] for number in wanted if number not in board.blocks})
        values = self._values()
        if self._lost() or values < self.values:
            board.roll_back()
            selection.take(before)
            return
        board.commit()
        selection.take(self._standing())
        self._keep(values)

    def _is_at_home(self, block: Block) -> bool:
        """Whether it is a reservation that has not been moved since the sweep began."""
        position = self._base.get(block.wish.number)
        return position is not None and position.racks == tuple(sorted(block.racks()))

    def _some_day(self) -> int:
        """A day, the likelier the dearer the room is then, or some days before."""
        chance = self._chance
        day = int(np.searchsorted(self._dearness, chance.random() * self._dearness[-1]))
        return max(0, day - chance.randrange(_DAYS_BEFORE))

    def _values(self) -> list[float]:
        return [value for tier, value in self._board.values().items() if tier <= self._tier]

    def _score(self, placed: Sequence[int]) -> tuple[float, ...]:
        """Who of those placed must stand and does not; then the values."""
        lost = sum(number in self._must and not self._stands(number) for number in placed)
        return -lost, *self._values()

    def _lost(self) -> list[int]:
        """What must stand and does not, or not in full."""
        return [number for number in self._must if not self._stands(number)]

    def _stands(self, number: int) -> bool:
        block = self._board.blocks.get(number)
        return block is not None and block.gpus >= self._must[number].gpus

    def _standing(self) -> dict[int, Target]:
        """What of the tier stands on the board."""
        blocks = self._board.blocks.items()
        return {
            number: Target(block.start, block.gpus)
            for number, block in blocks
            if number not in self._must and block.wish.tier == self._tier
        }

    def _place(self, targets: Mapping[int, Target]) -> list[Wish]:
        """Place the targets in their turns, then whatever else fits. What of the targets found no room by itself."""
        board = self._board
        waiting = [number for number in targets if number not in board.blocks]
        waiting.sort(key=lambda number: self._turn_of(number, targets[number]))
        lacked = self._roller.place(waiting, targets, self._halted, self._tries)
        self._rescue()
        for wish in self._rest:
            if wish.number not in board.blocks and not self._halted():
                placement.accept(board, wish, self._starts[wish.number])
        return [board.wishes[number] for number in lacked]

    def _put(self, number: int, target: Target) -> bool:
        """Place the block; false where it had no room in full as it is, and maybe others left it theirs."""
        wish = self._board.wishes[number]
        block = placement.accept(self._board, wish, self._starts_from(number, target), most=target.gpus)
        if block is not None and block.gpus >= target.gpus:
            return True
        self._make_room(wish, target)
        return False

    def _starts_from(self, number: int, target: Target) -> list[int]:
        return [target.start, *(start for start in self._starts[number] if start != target.start)]

    def _make_room(self, wish: Wish, target: Target) -> None:
        """Place the block where others leave, unless that is impossible or too dear; these go elsewhere if they can."""
        board = self._board
        board.begin()
        if wish.number in board.blocks:
            board.remove(board.blocks[wish.number])
        limit = math.inf if wish.number in self._must else wish.value_of(target.gpus)
        terms = Terms(self._selection.worth, self._must, limit)
        if displace(board, wish, [target], terms, self._starts) or vacate(board, wish, target, terms, self._starts):
            board.commit()
        else:
            board.roll_back()

    def _rescue(self) -> None:
        """What must stand and found no room takes it, at the start where that costs least.

        If need be others that must stand leave their room in turn, but none that was rescued. What finds none even so
        returns to where it stood at first.
        """
        rescued = set[int]()
        while (lost := self._lost()) and not self._halted():
            number = max(lost, key=lambda number: (self._must[number].gpus, -number))
            if len(rescued) >= _MOST_RESCUED or not self._rescue_one(number, rescued):
                Return(self._board, self._stood, self._selection.worth, self._starts, self._halted).run(lost)
                return
            rescued.add(number)

    def _rescue_one(self, number: int, rescued: Container[int]) -> bool:
        """Place it where others leave, but not the ``rescued``. False: there is no such place, and nothing changed."""
        board, wish, target = self._board, self._board.wishes[number], self._must[number]
        board.begin()
        if number in board.blocks:
            board.remove(board.blocks[number])
        targets = [Target(start, target.gpus) for start in self._starts_from(number, target)[:_MOST_STARTS]]
        gentle = Terms(self._selection.worth, self._must, math.inf)
        hard = Terms(self._worth_to_stay, rescued, math.inf, self._cost)
        if any(displace(board, wish, targets, terms, self._starts) for terms in (gentle, hard)):
            board.commit()
            return True
        board.roll_back()
        return False

    def _worth_to_stay(self, wish: Wish) -> float:
        return math.inf if wish.number in self._must else self._selection.worth(wish)

    def _cost(self, block: Block) -> float:
        return block.value_usd + (_DEAR_USD * block.gpus if block.wish.number in self._must else 0.0)

    def _turn_of(self, number: int, target: Target) -> tuple[float, int, int]:
        """By start, large ones first; what runs already has its racks."""
        if self._runs_already(self._board.wishes[number]):
            return -math.inf, 0, number
        return target.start, -target.gpus, number

    @staticmethod
    def _runs_already(wish: Wish) -> bool:
        """Whether this is a reservation that stays where it is or is recalled."""
        return wish.reservation is not None and not wish.must_stand
