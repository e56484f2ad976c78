"""Improvement: ruin and recreate. Take some blocks out around a place and a time, put them and declined ones back.

Heuristic. A round is kept when the value rises in strict order of tiers, or when it falls by less than a threshold that
shrinks to nothing; the best plan seen is what counts. One round is one unit of deterministic work.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from solver.engine import placement
from solver.engine.admission import Guide, as_relaxed
from solver.engine.board import Block, Board, Position
from solver.engine.ejection import Terms, eject
from solver.engine.selection import Target, worths
from solver.engine.wishes import Wish

_RELATIVE_TOLERANCE = 1e-12
_IN_ORDER = 0.5
_IN_ONE_HALL = 0.5
_TIERS_MIXED = 0.15
_EJECTING = 0.5
_EMPTY_PODS = 0.6
_TWO_PODS = 0.25
_LIKED_STARTS = 8


@dataclass(frozen=True, slots=True)
class ImproveParameters:
    """``most_removed``: blocks taken out in one round; ``candidates``: declined requests tried; ``starts``: starts
    tried for each; ``threshold``: the largest loss accepted at first, as a share of one average block's value;
    ``dearest``: what may leave for a guest, in terms of its own value.
    """

    most_removed: int = 10
    candidates: int = 24
    starts: int = 4
    threshold: float = 0.5
    dearest: float = 3.0


class Chain:
    """One chain of rounds on one board, with its own source of chance.

    ``patience``: rounds without a better plan after which it gives up. ``deepest``: the last tier that counts; of the
    tiers behind it nothing stands on the board, and nothing is placed.
    """

    def __init__(
        self,
        board: Board,
        chance: random.Random,
        *,
        guide: Guide | None = None,
        patience: int = 10**9,
        deepest: int | None = None,
        parameters: ImproveParameters | None = None,
    ) -> None:
        self.board, self.chance = board, chance
        self.parameters = parameters or ImproveParameters()
        self.patience = patience
        self.gave_up = False
        self._wishes = [wish for wish in board.wishes if deepest is None or wish.tier <= deepest]
        self._numbers = [wish.number for wish in self._wishes]
        self._tiers = sorted({wish.tier for wish in self._wishes if not wish.must_stand})
        self._index = {tier: i for i, tier in enumerate(self._tiers)}
        open_wishes = [wish for wish in self._wishes if wish.first_start <= wish.last_start]
        guide = guide or Guide({}, np.zeros(board.cluster.days))
        self._worth = dict.fromkeys((wish.number for wish in self._wishes), 0.0) | worths(open_wishes, guide)
        liked = as_relaxed(guide)
        self._starts: dict[int, Sequence[int]] = {wish.number: tuple(liked(wish)) for wish in open_wishes}
        self._windows = _Windows(open_wishes)
        self._halls = len(board.cluster.halls.ids)

    def run(self, stop: Callable[[int], bool], progress: Callable[[int], float]) -> tuple[Position, ...]:
        """Follow the chain until ``stop(rounds)``; ``progress(rounds)`` in [0, 1] cools the threshold down."""
        board = self.board
        if not self._tiers:  # nothing is asked for in these tiers: what they have was recalled
            self.gave_up = True
            return board.positions()
        values = [board.values()[tier] for tier in self._tiers]
        best_values = list(values)
        rounds = found = 0
        board.begin()  # what comes after the best plan
        while not stop(rounds):
            if rounds - found >= self.patience:
                self.gave_up = True
                break
            rounds += 1
            board.begin()
            delta = self._round()
            if delta is None or not self._keeps(delta, values, 1.0 - progress(rounds)):
                board.roll_back()
                continue
            board.commit()
            values = [value + change for value, change in zip(values, delta, strict=True)]
            if _better(values, best_values):
                best_values, found = list(values), rounds
                board.commit()
                board.begin()
        board.roll_back()
        return board.positions()

    def _round(self) -> list[float] | None:
        """Ruin and recreate; the change of value by tier. None: a reservation that has to stand found no place."""
        guest, first, last = self._target()
        if guest is not None and not guest.shares_a_rack and self.chance.random() < _EJECTING:
            removed = self._eject_for(guest, first)
        else:
            removed = self._ruin(guest, first, last)
        delta = [0.0] * len(self._tiers)
        for block in removed:
            if not block.wish.must_stand:
                delta[self._index[block.wish.tier]] -= block.value_usd
        board = self.board
        placed = [board.blocks[guest.number]] if guest is not None and guest.number in board.blocks else []
        for wish in self._order(guest, removed, self._windows.overlapping(first, last, board.blocks)):
            accepted = placement.accept(board, wish, self._some_starts(wish))
            if accepted is not None:
                placed.append(accepted)
            elif wish.must_stand:
                return None
        for block in placed:
            if not block.wish.must_stand:
                delta[self._index[block.wish.tier]] += block.value_usd
        return delta

    def _target(self) -> tuple[Wish | None, int, int]:
        """A request that is declined or smaller than it asked, with the days of one start; or a block and its days."""
        board, chance = self.board, self.chance
        wish = self._wishes[int(chance.random() * len(self._wishes))]
        if wish.number in board.blocks:
            block = board.blocks[wish.number]
            return (wish if block.gpus < wish.gpus else None), block.start, block.end
        if wish.last_start < wish.first_start:
            return None, 0, board.cluster.days
        start = chance.choice(self._starts[wish.number][:_LIKED_STARTS])
        return wish, start, start + wish.days

    def _eject_for(self, guest: Wish, start: int) -> list[Block]:
        """Take out what has to leave for the guest, which then stands at ``start``; nothing where that is too dear."""
        board, chance = self.board, self.chance
        noise = chance.choice((0.05, 0.2, 0.5))
        above = {n for n, block in board.blocks.items() if block.wish.tier < guest.tier or block.wish.must_stand}

        def worth(wish: Wish) -> float:
            return self._worth[wish.number] * chance.uniform(1 - noise, 1 + noise)

        smaller = board.blocks.get(guest.number)
        if smaller is not None:
            board.remove(smaller)
        terms = Terms(worth, above, self.parameters.dearest * guest.value_usd)
        gone = eject(board, guest, Target(start, guest.gpus), terms) or []
        return gone if smaller is None else [*gone, smaller]

    def _ruin(self, guest: Wish | None, first: int, last: int) -> list[Block]:
        """Take out all blocks of a pod or two in the window, or a few of those in a hall or all; the guest as well."""
        board, chance = self.board, self.chance
        near = [board.blocks[number] for number in board.near(first, last)]
        one_hall = (guest is not None and guest.scope in ("pod", "hall")) or chance.random() < _IN_ONE_HALL
        hall = chance.randrange(self._halls) if one_hall else None
        if chance.random() < _EMPTY_PODS:
            pods = self._some_pods(hall)
            removed = [block for block in near if not pods.isdisjoint(board.pods_of(block))]
        else:
            if hall is not None:
                near = [block for block in near if _stands_in(board, block, hall)]
            removed = chance.sample(near, min(len(near), chance.randint(1, self.parameters.most_removed)))
        if guest is not None and guest.number in board.blocks and board.blocks[guest.number] not in removed:
            removed.append(board.blocks[guest.number])
        for block in removed:
            board.remove(block)
        return removed

    def _some_pods(self, hall: int | None) -> set[int]:
        """One pod of the hall or of all, now and then two."""
        hall_of_pod = self.board.cluster.hall_of_pod
        pods = range(len(hall_of_pod)) if hall is None else np.flatnonzero(hall_of_pod == hall).tolist()
        return set(self.chance.sample(pods, min(len(pods), 2 if self.chance.random() < _TWO_PODS else 1)))

    def _order(self, guest: Wish | None, removed: list[Block], declined: list[Wish]) -> Iterable[Wish]:
        """By tier, then most worth first with some noise; often the guest before all others of its tier.

        Now and then tiers are mixed: a lower one goes first, and the higher ones lose nothing by another place.
        """
        chance, blocks = self.chance, self.board.blocks
        if len(declined) > self.parameters.candidates:
            declined = chance.sample(declined, self.parameters.candidates)
        wishes = {wish.number: wish for wish in declined} | {block.wish.number: block.wish for block in removed}
        if guest is not None:
            wishes[guest.number] = guest
        noise = chance.choice((0.05, 0.2, 0.5))
        by_size, by_time = chance.random() < 0.2, chance.random() < 0.3
        favoured = guest.number if guest is not None and chance.random() < 0.7 else None
        by_tier = chance.random() >= _TIERS_MIXED
        before = {block.wish.number: block.start for block in removed}
        keyed = []
        for wish in wishes.values():
            if wish.number in blocks:
                continue
            worth = wish.value_usd if by_size else self._worth[wish.number]
            if wish.must_stand:
                worth = chance.uniform(0.5, 1.5)
            rank = 0.0 if wish.number == favoured else 1.0
            key = -worth * chance.uniform(1 - noise, 1 + noise)
            if by_time and wish.number in before:
                rank, key = 0.5, float(before[wish.number])
            keyed.append((wish.tier if by_tier else 0, rank, key, wish.number, wish))
        keyed.sort(key=lambda item: item[:4])
        return [item[4] for item in keyed]

    def _some_starts(self, wish: Wish) -> Iterable[int]:
        """Some starts of the window, as often in order of time as in none: an equal start may suit others better."""
        window = self._starts[wish.number]
        if len(window) <= self.parameters.starts:
            return window
        chosen = self.chance.sample(window, self.parameters.starts)
        return sorted(chosen) if self.chance.random() < _IN_ORDER else chosen

    def _keeps(self, delta: list[float], values: list[float], heat: float) -> bool:
        blocks = max(1, len(self.board.blocks))
        for change, value in zip(delta, values, strict=True):
            if abs(change) <= _RELATIVE_TOLERANCE * max(1.0, value):
                continue
            if change > 0:
                return True
            allowed = self.parameters.threshold * heat * value / blocks
            return -change < allowed * self.chance.random()
        return True


class _Windows:
    """The days that each request's block may touch, to find the declined ones around a window fast."""

    def __init__(self, wishes: list[Wish]) -> None:
        self._wishes = wishes
        self._first = np.array([wish.first_start for wish in wishes], dtype=np.int64)
        self._end = np.array([wish.last_start + wish.days for wish in wishes], dtype=np.int64)

    def overlapping(self, first: int, last: int, accepted: dict[int, Block]) -> list[Wish]:
        near = np.flatnonzero((self._first < last) & (self._end > first)).tolist()
        return [self._wishes[i] for i in near if self._wishes[i].number not in accepted]


def _stands_in(board: Board, block: Block, hall: int) -> bool:
    return any(board.cluster.hall_of_pod[pod] == hall for pod in board.pods_of(block))


def _better(values: list[float], than: list[float]) -> bool:
    for value, other in zip(values, than, strict=True):
        if abs(value - other) > _RELATIVE_TOLERANCE * max(1.0, abs(other)):
            return value > other
    return False
