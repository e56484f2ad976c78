"""Improvement: ruin and recreate. Take some blocks out around a place and a time, put them and declined ones back.

Heuristic. A round is kept when the value rises in strict order of tiers, or when it falls by less than a threshold that
shrinks to nothing; the best plan seen is what counts. One round is one unit of deterministic work.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from solver.engine import placement
from solver.engine.board import Block, Board, Position
from solver.engine.wishes import Wish

Values = tuple[float, ...]
_RELATIVE_TOLERANCE = 1e-12
_IN_ORDER = 0.5
_IN_ONE_HALL = 0.5
_TIERS_MIXED = 0.15
_EMPTY_PODS = 0.6
_TWO_PODS = 0.25


@dataclass(frozen=True, slots=True)
class ImproveParameters:
    """``most_removed``: blocks taken out in one round; ``candidates``: declined requests tried; ``starts``: starts
    tried for each; ``threshold``: the largest loss accepted at first, as a share of one average block's value.
    """

    most_removed: int = 10
    candidates: int = 24
    starts: int = 4
    threshold: float = 0.5


@dataclass(slots=True)
class Chain:
    """One chain of rounds on one board, with its own source of chance.

    ``deepest``: the last tier that counts; of the tiers behind it nothing stands on the board, and nothing is placed.
    """

    board: Board
    chance: random.Random
    parameters: ImproveParameters = ImproveParameters()
    patience: int = 10**9
    """Rounds without a better plan after which the chain gives up."""
    gave_up: bool = False
    deepest: int | None = None
    _wishes: list[Wish] = field(init=False)

    def __post_init__(self) -> None:
        every = self.board.wishes
        self._wishes = [wish for wish in every if self.deepest is None or wish.tier <= self.deepest]

    def run(self, stop: Callable[[int], bool], progress: Callable[[int], float]) -> tuple[Position, ...]:
        """Follow the chain until ``stop(rounds)``; ``progress(rounds)`` in [0, 1] cools the threshold down."""
        board = self.board
        if not self._wishes:  # nothing is asked for in these tiers: what they have was recalled
            self.gave_up = True
            return board.positions()
        tiers = sorted({wish.tier for wish in self._wishes})
        index = {tier: i for i, tier in enumerate(tiers)}
        values = [board.values()[tier] for tier in tiers]
        best_values, best = list(values), board.positions()
        windows = _Windows(self._wishes)
        rounds = found = 0
        while not stop(rounds):
            if rounds - found >= self.patience:
                self.gave_up = True
                break
            rounds += 1
            delta = self._round(windows, index)
            if delta is None:
                continue
            if not self._keeps(delta, values, 1.0 - progress(rounds)):
                board.roll_back()
                continue
            board.commit()
            values = [value + change for value, change in zip(values, delta, strict=True)]
            if _better(values, best_values):
                best_values, best, found = list(values), board.positions(), rounds
        return best

    def _round(self, windows: _Windows, index: dict[int, int]) -> list[float] | None:
        """Ruin and recreate; the change of value by tier. None: nothing was touched."""
        board = self.board
        guest, first, last, hall = self._target()
        board.begin()
        removed = self._ruin(guest, first, last, hall)
        delta = [0.0] * len(index)
        for block in removed:
            delta[index[block.wish.tier]] -= block.value_usd
        for wish in self._order(guest, removed, windows.overlapping(first, last, board.blocks)):
            placed = placement.accept(board, wish, self._starts(wish))
            if placed is not None:
                delta[index[wish.tier]] += placed.value_usd
        return delta

    def _target(self) -> tuple[Wish | None, int, int, int | None]:
        """A request that is declined, or smaller than it asked, with a start; or the surroundings of a whole block."""
        board, chance = self.board, self.chance
        halls = len(board.cluster.halls.ids)
        wish = chance.choice(self._wishes)
        if wish.number in board.blocks:
            block = board.blocks[wish.number]
            hall = int(board.cluster.halls.of_rack[chance.choice(list(block.racks()))])
            return (wish if block.gpus < wish.gpus else None), block.start, block.end, hall
        if wish.last_start < wish.first_start:
            return None, 0, board.cluster.days, chance.randrange(halls)
        start = chance.randint(wish.first_start, wish.last_start)
        one_hall = wish.scope in ("pod", "hall") or chance.random() < _IN_ONE_HALL
        return wish, start, start + wish.days, chance.randrange(halls) if one_hall else None

    def _ruin(self, guest: Wish | None, first: int, last: int, hall: int | None) -> list[Block]:
        """Take out all blocks of a pod or two in the window, or a few of those in the hall; the guest's own as well."""
        board, chance = self.board, self.chance
        near = [block for block in board.blocks.values() if block.start < last and first < block.end]
        if chance.random() < _EMPTY_PODS:
            pods = self._some_pods(hall)
            removed = [block for block in near if not pods.isdisjoint(_pods_of(board, block))]
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
        """By tier, then dearest first with some noise; often the guest before all others of its tier.

        Now and then tiers are mixed: a lower one goes first, and the higher ones lose nothing by another place.
        """
        chance = self.chance
        if len(declined) > self.parameters.candidates:
            declined = chance.sample(declined, self.parameters.candidates)
        wishes = {wish.number: wish for wish in declined} | {block.wish.number: block.wish for block in removed}
        if guest is not None:
            wishes[guest.number] = guest
        noise = chance.choice((0.05, 0.2, 0.5))
        by_size = chance.random() < 0.3
        favoured = guest.number if guest is not None and chance.random() < 0.7 else None
        by_tier = chance.random() >= _TIERS_MIXED
        keyed = []
        for wish in wishes.values():
            worth = wish.value_usd if by_size else wish.usd_per_gpu_day
            rank = 0.0 if wish.number == favoured else 1.0
            tier = wish.tier if by_tier else 0
            keyed.append((tier, rank, -worth * chance.uniform(1 - noise, 1 + noise), wish.number, wish))
        keyed.sort(key=lambda item: item[:4])
        return [item[4] for item in keyed]

    def _starts(self, wish: Wish) -> Iterable[int]:
        """Some starts of the window, as often in order of time as in none: an equal start may suit others better."""
        window = range(wish.first_start, wish.last_start + 1)
        chosen = self.chance.sample(window, min(len(window), self.parameters.starts))
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
        self._wishes = [wish for wish in wishes if wish.first_start <= wish.last_start]
        self._first = np.array([wish.first_start for wish in self._wishes], dtype=np.int64)
        self._end = np.array([wish.last_start + wish.days for wish in self._wishes], dtype=np.int64)

    def overlapping(self, first: int, last: int, accepted: dict[int, Block]) -> list[Wish]:
        near = np.flatnonzero((self._first < last) & (self._end > first)).tolist()
        return [self._wishes[i] for i in near if self._wishes[i].number not in accepted]


def _pods_of(board: Board, block: Block) -> Iterable[int]:
    return block.shares if block.rack is None else (int(board.cluster.pods.of_rack[block.rack]),)


def _stands_in(board: Board, block: Block, hall: int) -> bool:
    return any(board.cluster.hall_of_pod[pod] == hall for pod in _pods_of(board, block))


def _better(values: list[float], than: list[float]) -> bool:
    for value, other in zip(values, than, strict=True):
        if abs(value - other) > _RELATIVE_TOLERANCE * max(1.0, abs(other)):
            return value > other
    return False
