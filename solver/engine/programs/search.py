"""Large neighbourhoods: some blocks leave, a program decides what stands in their room, again and again.

Heuristic. The program counts racks by pod; racks are bound afterwards, and what found none goes elsewhere. A round is
kept unless the first tier that changes is worth less.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from solver.engine import placement
from solver.engine.admission import Guide, as_relaxed
from solver.engine.board import Block, Board, Position
from solver.engine.programs import neighbourhoods, solving
from solver.engine.programs.draft import Draft, no_smaller, shorten
from solver.engine.programs.enact import enact, no_worse
from solver.engine.programs.limits import Places
from solver.engine.programs.model import Model, Taken
from solver.engine.programs.neighbourhoods import Neighbourhood, Sizes
from solver.engine.programs.solving import Effort
from solver.engine.programs.ways import Surveyor, Way, way_of
from solver.engine.selection import worths
from solver.engine.wishes import Wish

_WORK = 1.0
_PROMISING = 0.2
"""Of what the linear program could gain: ways that cost more are left out."""
_MOST_STARTS = 12
"""Starts of a wish that a program may choose from."""
_FIRST_OPEN = 0.5


class Programs:
    """Rounds on one board, with their own source of chance. ``sizes`` say how large neighbourhoods have become.

    ``deepest``: the last tier that counts, of those behind it nothing stands; None: all count. ``closed``: tiers that
    can't be worth more, so no program is about them.
    """

    def __init__(
        self,
        board: Board,
        chance: random.Random,
        sizes: Sizes,
        *,
        guide: Guide | None,
        deepest: int | None = None,
        closed: frozenset[int] = frozenset(),
    ) -> None:
        self.board, self.chance, self.sizes = board, chance, sizes
        self._seconds_left: Callable[[], float | None] = lambda: None
        every = [w for w in board.wishes if deepest is None or w.tier <= deepest]
        self._tiers = sorted({wish.tier for wish in every if not wish.must_stand})
        self._open = [tier for tier in self._tiers if tier not in closed] or self._tiers
        self._wishes = [wish for wish in every if not wish.must_stand and wish.first_start <= wish.last_start]
        guide = guide or Guide({}, np.zeros(board.cluster.days))
        worth = worths(self._wishes, guide) if self._wishes else {}
        liked = as_relaxed(guide)
        self._starts = {wish.number: tuple(liked(wish)) for wish in self._wishes}
        self._wishes.sort(key=lambda wish: (wish.tier, -worth[wish.number], wish.number))

    def run(self, stop: Callable[[int], bool], seconds_left: Callable[[], float | None]) -> tuple[Position, ...]:
        """Rounds until ``stop(rounds)``; the board has the best plan then. A program ends where none are left."""
        rounds = 0
        self._seconds_left = seconds_left
        while self._tiers and not stop(rounds):
            rounds += 1
            self._round(self._some_tier())
        return self.board.positions()

    def _some_tier(self) -> int:
        """The first tier that is open as often as all others: it comes before them."""
        return self._open[0] if self.chance.random() < _FIRST_OPEN else self.chance.choice(self._open)

    def _round(self, tier: int) -> None:
        """One neighbourhood and its program; the board is as it was, or no worse."""
        board = self.board
        place = neighbourhoods.draw(board, self.chance, self.sizes, tier, self._may_leave)
        before = self._values()
        board.begin()
        for block in place.freed:
            board.remove(block)
        draft = self._draft(place, tier)
        taken = None if draft is None else self._solved(draft, place, tier)
        if taken is None or not self._enact(taken, place, before):
            board.roll_back()
            return
        board.commit()

    def _may_leave(self, block: Block) -> bool:
        wish = block.wish
        is_kept_on_a_shared_rack = wish.reservation is not None and wish.shares_a_rack
        return wish.must_stand or (self._tiers[0] <= wish.tier <= self._tiers[-1] and not is_kept_on_a_shared_rack)

    def _draft(self, place: Neighbourhood, tier: int) -> Draft | None:
        """The ways of those that left and of those that are declined; None where one that must stand has none."""
        board = self.board
        surveyor = Surveyor(board, place.pods)
        ways: list[Way] = []
        now: list[Taken] = []
        must = frozenset(b.wish.number for b in place.freed if b.wish.must_stand or b.wish.tier < tier)
        for block in place.freed:
            mine = list(surveyor.ways(block.wish, self._some_starts(block.wish, block.start)))
            if block.wish.number in must:
                mine = no_smaller(mine, block.gpus)
            found = way_of(board, block, mine)
            if found is not None:
                now.append(Taken(*found))
            elif block.wish.number in must:
                return None
            ways += mine
        left = {block.wish.number for block in place.freed}
        for wish in self._outside(place, tier):
            if wish.number not in left and (place.wishes is None or wish.number in place.wishes):
                ways += surveyor.ways(wish, self._some_starts(wish, None))
        return Draft(ways, now, must)

    def _solved(self, draft: Draft, place: Neighbourhood, tier: int) -> list[Taken] | None:
        """What the program takes; None where it can't be better than what was there."""
        model = Model(Places(self.board), draft.ways, tier, draft.must)
        if not shorten(model, draft, tier, promising=_PROMISING):
            return None
        effort = Effort(_WORK, self._seconds_left(), self.chance.randrange(10**6), presolve=False)
        answer = solving.solve(model.rows, model.values_of(draft.now), effort)
        self.sizes.adapt(place.kind, solved=answer is not None and answer.is_optimal)
        return None if answer is None else model.taken(answer.values)

    def _enact(self, taken: list[Taken], place: Neighbourhood, before: list[float]) -> bool:
        """Place what is taken in the better of two orders, and what else fits; false: that is less than ``before``."""
        board = self.board
        board.begin()
        small_first = self._placed(taken, place, small_first=True)
        board.roll_back()
        board.begin()
        large_first = self._placed(taken, place, small_first=False)
        if large_first > small_first and no_worse(large_first, before):
            board.commit()
            return True
        board.roll_back()
        if not no_worse(small_first, before):
            return False
        self._placed(taken, place, small_first=True)
        return True

    def _placed(self, taken: list[Taken], place: Neighbourhood, *, small_first: bool) -> list[float]:
        """The values by tier once it is placed in this order; nothing where one that must stand does not."""
        board = self.board
        enact(board, taken, lambda wish: self._starts.get(wish.number, (wish.first_start,)), small_first=small_first)
        if any(wish.number not in board.blocks for wish in board.movers):
            return []
        for wish in self._outside(place, self._tiers[0]):
            placement.accept(board, wish, self._starts[wish.number])
        return self._values()

    def _values(self) -> list[float]:
        values = self.board.values()
        return [values[tier] for tier in self._tiers]

    def _some_starts(self, wish: Wish, own: int | None) -> Sequence[int]:
        """Starts that the relaxation likes and some others, the block's own among them."""
        starts = list(self._starts.get(wish.number, (wish.first_start,)))
        if len(starts) > _MOST_STARTS:
            half = _MOST_STARTS // 2
            starts = starts[:half] + self.chance.sample(starts[half:], half)
        if own is not None and own not in starts:
            starts.append(own)
        return starts

    def _outside(self, place: Neighbourhood, tier: int) -> Iterator[Wish]:
        """Who is not on the board, of this tier or one behind it, and might stand on a day of the neighbourhood."""
        for wish in self._wishes:
            if wish.number in self.board.blocks or wish.tier < tier:
                continue
            if wish.first_start < place.last and wish.last_start + wish.days > place.first:
                yield wish
