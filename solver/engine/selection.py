"""Selection: which requests, at which start and how large, by counts over the cluster alone (R6 to R9).

A relaxation in whole blocks: racks, pods and halls are left to the sweep that places the selection. Ruin and
recreate, as in `improve`, but a round takes a thousandth of a second: it rounds what the linear relaxation splits.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from solver.engine.admission import Guide, as_relaxed
from solver.engine.board import Board
from solver.engine.ledger import Ledger
from solver.engine.wishes import NONE, Wish

_DOUBTED = 0.98
"""What is left of a request's value each time that its selected block finds no place."""
_MOST_STARTS, _MOST_CANDIDATES, _MOST_REMOVED = 4, 24, 10
_HOPELESS = 0.4
"""A declined request is not tried where its room is worth more than its value divided by this."""
_LEAST_WORTH = 0.02
"""What a GPU-day is worth at least, as a share of the mean: room that is left over is not for nothing."""
_THRESHOLD = 0.5
"""The largest loss accepted at first, as a share of one average block's value."""


@dataclass(frozen=True, slots=True)
class Target:
    """A block that is to be placed: its start, and its GPUs."""

    start: int
    gpus: int


class Selection:
    """What is selected of one tier; with what stands it keeps R6 to R9 over the cluster and in bound sites.

    The room of the board's blocks at the beginning is not the selection's.
    """

    def __init__(
        self, board: Board, tier: int, guide: Guide, chance: random.Random, must: Mapping[int, Target]
    ) -> None:
        """``must``: where the board's blocks are meant to stand, maybe at another start than now."""
        self.chosen: dict[int, Target] = {}
        self.must = dict(must)
        self._all = board.wishes
        self._chance = chance
        self.ledger = board.ledger.copy()
        self._wishes = [
            wish
            for wish in board.wishes
            if wish.tier == tier
            and not wish.must_stand
            and wish.number not in board.blocks
            and wish.first_start <= wish.last_start
        ]
        liked = as_relaxed(guide)
        self._starts = {wish.number: tuple(liked(wish)) for wish in self._wishes}
        self._worth = worths(self._wishes, guide)
        self._doubts: dict[int, int] = {}
        self._first = np.array([wish.first_start for wish in self._wishes], dtype=np.int64)
        self._end = np.array([wish.last_start + wish.days for wish in self._wishes], dtype=np.int64)
        self._numbers = np.array([wish.number for wish in self._wishes], dtype=np.int64)
        self._is_hopeful = np.array([self._worth[wish.number] > _HOPELESS for wish in self._wishes], dtype=np.bool_)
        self._from = np.zeros(len(board.wishes), dtype=np.int64)
        self._until = np.zeros(len(board.wishes), dtype=np.int64)
        self._since = 0
        for number, target in must.items():
            block = board.blocks[number]
            if target.start != block.start:
                self._count(block.wish, Target(block.start, block.gpus), -1)
                self._count(block.wish, target, 1)
        self._round(guide)

    @property
    def wishes(self) -> Sequence[Wish]:
        """Those that may be selected."""
        return self._wishes

    def doubt(self, wishes: Iterable[Wish]) -> None:
        """These selected blocks found no place: they count a little less from now on."""
        for wish in wishes:
            self._doubts[wish.number] = self._doubts.get(wish.number, 0) + 1

    def take(self, targets: dict[int, Target]) -> None:
        """Select exactly these; they must keep the rules."""
        for number, target in list(self.chosen.items()):
            if targets.get(number) != target:
                self.remove(self._all[number])
        for number, target in targets.items():
            if number not in self.chosen:
                self.put(self._all[number], target)

    def worth(self, wish: Wish) -> float:
        """Its value for what its room is worth; 0 for one that is not to be selected here."""
        return self._worth.get(wish.number, 0.0)

    def may_decline(self, wish: Wish) -> bool:
        """Whether it may be selected or not; what else is here has to stand."""
        return wish.number in self._worth

    def put(self, wish: Wish, target: Target) -> None:
        """Select it; or say where it is meant to stand, where it must."""
        if self.may_decline(wish):
            self.chosen[wish.number] = target
            self._from[wish.number], self._until[wish.number] = target.start, target.start + wish.days
        else:
            self.must[wish.number] = target
        self._count(wish, target, 1)

    def remove(self, wish: Wish) -> Target:
        """Take it out; what must stand is to be put somewhere again."""
        if self.may_decline(wish):
            target = self.chosen.pop(wish.number)
            self._until[wish.number] = 0
        else:
            target = self.must.pop(wish.number)
        self._count(wish, target, -1)
        return target

    def improve(self, rounds: int, heat: float, stop: Callable[[], bool], *, since: int = 0) -> None:
        """Ruin and recreate for so many rounds; ``heat`` in [0, 1]: how much may be lost on the way. The best stays.

        What starts before day ``since`` stays as it is, and nothing is added there.
        """
        self._since = since
        value = best_value = sum(self._value(self._all[n], t.gpus) for n, t in self.chosen.items())
        best = dict(self.chosen)
        for _ in range(rounds if self._wishes else 0):
            if stop():
                break
            removed, placed = self._ruin_and_recreate()
            gain = sum(self._value(wish, self.chosen[wish.number].gpus) for wish in placed)
            gain -= sum(self._value(wish, target.gpus) for wish, target in removed)
            allowed = heat * self._chance.random() * _THRESHOLD * value / max(1, len(self.chosen))
            if gain < -allowed:
                self._undo(removed, placed)
                continue
            value += gain
            if value > best_value:
                best_value, best = value, dict(self.chosen)
        self.take(best)

    def _round(self, guide: Guide) -> None:
        """What the relaxation accepts whole, then the rest, the largest share first, most value for its room first."""
        share = {wish.number: sum(part for _, part in guide.fractions.get(wish.id, ())) for wish in self._wishes}
        for wish in sorted(self._wishes, key=lambda w: (-round(share[w.number], 2), -self._worth[w.number], w.number)):
            self._accept(wish, self._starts[wish.number])

    def _ruin_and_recreate(self) -> tuple[list[tuple[Wish, Target]], list[Wish]]:
        guest, first, last = self._window()
        if first < self._since:
            return [], []
        removed = [(wish, self.remove(wish)) for wish in self._some_near(guest, first, last)]
        placed = []
        for wish in self._order(guest, [wish for wish, _ in removed], first, last):
            starts = [start for start in self._starts[wish.number] if start >= self._since]
            if len(starts) > _MOST_STARTS:
                starts = self._chance.sample(starts, _MOST_STARTS)
            if self._accept(wish, starts):
                placed.append(wish)
        return removed, placed

    def _window(self) -> tuple[Wish | None, int, int]:
        """A request that is declined or smaller than it asked, as the guest; and the days around it."""
        wish = self._chance.choice(self._wishes)
        target = self.chosen.get(wish.number)
        if target is None:
            start = self._chance.choice(self._starts[wish.number][: 2 * _MOST_STARTS])
            return wish, start, start + wish.days
        return (wish if target.gpus < wish.gpus else None), target.start, target.start + wish.days

    def _some_near(self, guest: Wish | None, first: int, last: int) -> list[Wish]:
        """Some selected blocks of the window, every other time those that are worth least for their room."""
        chance = self._chance
        near = np.flatnonzero((self._from < last) & (self._until > first) & (self._from >= self._since)).tolist()
        count = min(len(near), chance.randint(1, _MOST_REMOVED))
        if chance.random() < 0.5:
            numbers = chance.sample(near, count)
        else:
            some = chance.sample(near, min(len(near), 4 * count))
            numbers = sorted(some, key=lambda number: (self._worth[number], number))[:count]
        if guest is not None and guest.number in self.chosen and guest.number not in numbers:
            numbers.append(guest.number)
        return [self._all[number] for number in numbers]

    def _order(self, guest: Wish | None, removed: list[Wish], first: int, last: int) -> list[Wish]:
        chance = self._chance
        wishes = {wish.number: wish for wish in (*removed, *((guest,) if guest else ()))}
        is_declined = self._until[self._numbers] == 0
        near = np.flatnonzero((self._first < last) & (self._end > first) & is_declined & self._is_hopeful)
        declined = [number for number in self._numbers[near].tolist() if number not in wishes]
        for number in chance.sample(declined, min(len(declined), _MOST_CANDIDATES)):
            wishes[number] = self._all[number]
        noise = chance.choice((0.05, 0.2, 0.5))
        favoured = guest.number if guest is not None and chance.random() < 0.6 else NONE

        def key(wish: Wish) -> tuple[bool, float, int]:
            worth = self._worth[wish.number] * _DOUBTED ** self._doubts.get(wish.number, 0)
            return wish.number != favoured, -worth * chance.uniform(1 - noise, 1 + noise), wish.number

        return sorted(wishes.values(), key=key)

    def _accept(self, wish: Wish, starts: Sequence[int]) -> bool:
        """At the first start at which all of it fits, else as large as it fits at one of them."""
        best: Target | None = None
        for start in starts:
            gpus = self._most(wish, start)
            if gpus == wish.gpus:
                self.put(wish, Target(start, gpus))
                return True
            if gpus and (best is None or gpus > best.gpus):
                best = Target(start, gpus)
        if best is not None:
            self.put(wish, best)
        return best is not None

    def _most(self, wish: Wish, start: int) -> int:
        """The most GPUs in its multiple; 0 where not even its smallest block fits."""
        gpus = min(wish.gpus, room(self.ledger, wish, start))
        return gpus - gpus % wish.multiple if gpus >= wish.min_gpus else 0

    def _count(self, wish: Wish, target: Target, sign: int) -> None:
        count(self.ledger, wish, target, sign)

    def _undo(self, removed: list[tuple[Wish, Target]], placed: list[Wish]) -> None:
        for wish in placed:
            self.remove(wish)
        for wish, target in removed:
            self.put(wish, target)

    def _value(self, wish: Wish, gpus: int) -> float:
        return wish.value_of(gpus) * _DOUBTED ** self._doubts.get(wish.number, 0)


def meant(board: Board, guide: Guide) -> dict[int, Target]:
    """Where the board's blocks are meant to stand: at the start that the relaxation likes best, if R6 to R9 leave room
    for it there beside all others, the largest first; else where they do.
    """
    ledger, liked = board.ledger.copy(), as_relaxed(guide)
    result = {}
    for number, block in sorted(board.blocks.items(), key=lambda item: (-item[1].gpus, item[0])):
        result[number] = Target(block.start, block.gpus)
        start = liked(block.wish)[0] if block.wish.id in guide.fractions else block.start
        if start != block.start:
            count(ledger, block.wish, result[number], -1)
            if room(ledger, block.wish, start) >= block.gpus:
                result[number] = Target(start, block.gpus)
            count(ledger, block.wish, result[number], 1)
    return result


def room(ledger: Ledger, wish: Wish, start: int) -> int:
    """The most GPUs that R6 to R9 leave over the cluster and in a site that the wish is bound to."""
    end = start + wish.days
    gpus = ledger.room(wish, start, end)
    if gpus >= wish.min_gpus and wish.site != NONE:
        gpus = min(gpus, int(ledger.site_room(wish, start, end)[wish.site]))
    return gpus


def count(ledger: Ledger, wish: Wish, target: Target, sign: int) -> None:
    """Enter (``sign`` 1) or take out (-1) a block of which only a site that it is bound to is known."""
    by_site = {} if wish.site == NONE else {wish.site: target.gpus}
    ledger.change(wish, target.start, target.start + wish.days, by_site, sign, gpus=target.gpus)


def worths(wishes: list[Wish], guide: Guide) -> dict[int, float]:
    """Value for what the room is worth at its cheapest start, by the relaxation's day prices; without any, GPU-days."""
    floor = _LEAST_WORTH * float(guide.day_prices.mean()) or 1.0
    until = np.concatenate([[0.0], np.cumsum(guide.day_prices + floor)])
    result = {}
    for wish in wishes:
        starts = np.arange(wish.first_start, wish.last_start + 1)
        cheapest = float((until[starts + wish.days] - until[starts]).min())
        result[wish.number] = wish.value_usd / (wish.gpus * cheapest)
    return result
