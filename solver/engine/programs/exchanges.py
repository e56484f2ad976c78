"""Exchanges of selected blocks: some wishes leave a selection, and a program by counts decides who takes their room.

As in `solver.engine.programs.search`, but without racks, pods and halls: a sweep places the selection afterwards. It
finds what ruin and recreate, which changes one block after the other, no longer does.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np

from solver.engine.admission import Guide, as_relaxed
from solver.engine.programs import solving
from solver.engine.programs.draft import Draft, no_smaller, shorten
from solver.engine.programs.limits import Counts
from solver.engine.programs.model import Model, Taken
from solver.engine.programs.solving import Effort
from solver.engine.programs.ways import Way
from solver.engine.selection import Selection, Target, room
from solver.engine.wishes import NONE, Wish

_WORK = 0.5
_MOST_STARTS = 12
"""Starts of a wish that a program may choose from."""
_NEAR, _NEAR_FOR_MUST = 0.02, 0.1
"""How much more, as a share of its value, the room at a start may be worth than what a wish pays, or than at its
cheapest start; the latter for one that must stand."""
_FIRST_SIZE, _LEAST_SIZE = 100.0, 20.0
"""Wishes of a program."""
_GROWTH, _SHRINKAGE = 1.04, 0.93
_BLUR_DAYS = 10.0


class Kind(StrEnum):
    """Wishes that start about some day, or any by chance."""

    DAYS = "days"
    CHANCE = "chance"


class Exchanges:
    """Rounds of programs on one selection of ``tier``, with their own source of chance. What must stand may start on
    another day, but for reservations.
    """

    def __init__(
        self, selection: Selection, every: Sequence[Wish], tier: int, guide: Guide, chance: random.Random
    ) -> None:
        """``every``: the board's wishes, by number."""
        self._selection, self._tier, self._chance = selection, tier, chance
        self._days = len(guide.day_prices)
        must = [every[number] for number in selection.must if every[number].reservation is None]
        near = _Near(guide)
        starts = {wish.number: near.starts(wish, _NEAR) for wish in selection.wishes}
        self._starts = starts | {wish.number: near.at_any_rate(wish, _NEAR_FOR_MUST) for wish in must}
        self._wishes = [*selection.wishes, *must]
        self._sizes = dict.fromkeys(Kind, _FIRST_SIZE)
        self._halted: Callable[[], bool] = lambda: False

    def run(self, stop: Callable[[int], bool], halted: Callable[[], bool] = lambda: False) -> None:
        """Rounds until ``stop(rounds)``, or at once when ``halted``; the selection is worth no less after each."""
        rounds = 0
        self._halted = halted
        while not (stop(rounds) or halted()):
            rounds += 1
            self._round(self._chance.choice(list(Kind)))

    def _round(self, kind: Kind) -> None:
        selection = self._selection
        some = self._some(kind)
        left = {wish.number: (wish, selection.remove(wish)) for wish in some if self._target(wish) is not None}
        draft = self._draft(some, {number: target for number, (_, target) in left.items()})
        taken = None if draft is None else self._solved(draft, kind)
        if taken is None:
            for wish, target in left.values():
                selection.put(wish, target)
            return
        for item in taken:
            selection.put(item.way.wish, Target(item.way.start, item.gpus))

    def _target(self, wish: Wish) -> Target | None:
        return self._selection.chosen.get(wish.number) or self._selection.must.get(wish.number)

    def _some(self, kind: Kind) -> list[Wish]:
        """Some of those that are selected, or have a start that is near to paying."""
        chance = self._chance
        near = [wish for wish in self._wishes if self._starts[wish.number] or self._target(wish) is not None]
        count = min(len(near), int(self._sizes[kind]))
        if kind is Kind.CHANCE:
            return chance.sample(near, count)
        day = chance.randrange(self._days)
        near.sort(key=lambda wish: abs(self._start_of(wish) - day) + _BLUR_DAYS * chance.random())
        return near[:count]

    def _start_of(self, wish: Wish) -> int:
        target = self._target(wish)
        return self._starts[wish.number][0] if target is None else target.start

    def _draft(self, some: Sequence[Wish], left: dict[int, Target]) -> Draft | None:
        """The ways of these wishes in the room that is left now, among them where those that ``left`` have been; None
        where one of these no longer fits there by itself.
        """
        ways: list[Way] = []
        now: list[Taken] = []
        for wish in some:
            target, starts = left.get(wish.number), self._starts[wish.number]
            if target is not None and target.start not in starts:
                starts = (*starts, target.start)
            mine = [way for start in starts if (way := self._way(wish, start)) is not None]
            if target is not None and not self._selection.may_decline(wish):
                mine = no_smaller(mine, target.gpus)
            ways += mine
            if target is not None:
                own = next((way for way in mine if way.start == target.start), None)
                if own is None:
                    return None
                now.append(Taken(own, {NONE: target.gpus // wish.multiple}))
        must = frozenset(wish.number for wish in some if not self._selection.may_decline(wish))
        return Draft(ways, now, must)

    def _way(self, wish: Wish, start: int) -> Way | None:
        gpus = min(wish.gpus, room(self._selection.ledger, wish, start))
        if gpus < wish.min_gpus:
            return None
        fewest, most = wish.min_gpus // wish.multiple, gpus // wish.multiple
        return Way(wish, start, start + wish.days, fewest, most, (NONE,), (most,))

    def _solved(self, draft: Draft, kind: Kind) -> list[Taken] | None:
        """What the program takes; None where nothing is to be gained, or it found nothing."""
        model = Model(Counts(self._selection.ledger), draft.ways, self._tier, draft.must)
        is_solved, taken = True, None
        if shorten(model, draft, self._tier, promising=1.0):
            effort = Effort(_WORK, seed=self._chance.randrange(10**6), stop=self._halted)
            answer = solving.solve(model.rows, model.values_of(draft.now), effort)
            is_solved = answer is not None and answer.is_optimal
            taken = None if answer is None else model.taken(answer.values)
        self._sizes[kind] = max(_LEAST_SIZE, self._sizes[kind] * (_GROWTH if is_solved else _SHRINKAGE))
        return taken


class _Near:
    """Starts at which the room is worth little more than it need be, by the relaxation's day prices."""

    def __init__(self, guide: Guide) -> None:
        self._fractions, self._liked = guide.fractions, as_relaxed(guide)
        self._until = np.concatenate([[0.0], np.cumsum(guide.day_prices)])

    def starts(self, wish: Wish, share: float) -> tuple[int, ...]:
        """Those where it is worth no more than the cheapest, or than the wish, with this ``share`` of its value."""
        return self._below(wish, min(self._cheapest(wish), wish.value_usd) + share * wish.value_usd)

    def at_any_rate(self, wish: Wish, share: float) -> tuple[int, ...]:
        """The same for one that has to stand: no matter what it is worth."""
        return self._below(wish, self._cheapest(wish) + share * wish.value_usd)

    def _below(self, wish: Wish, most_usd: float) -> tuple[int, ...]:
        """What the relaxation itself likes is always among them."""
        liked = {start for start, _ in self._fractions.get(wish.id, ())}
        near = [start for start in self._liked(wish) if start in liked or self._cost(wish, start) <= most_usd]
        return tuple(near[:_MOST_STARTS])

    def _cheapest(self, wish: Wish) -> float:
        return min((self._cost(wish, start) for start in self._liked(wish)), default=0.0)

    def _cost(self, wish: Wish, start: int) -> float:
        return wish.gpus * float(self._until[start + wish.days] - self._until[start])
