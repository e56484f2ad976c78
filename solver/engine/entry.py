"""Entry: one more request is forced onto a board that is full, and the others are put back around it.

Blocks in its way leave, it takes their place, and they and declined ones are put back as well as they can be, again
and again. What the others are then worth less is the price of letting it in. Heuristic; each price is that of a plan
that was on the board.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from solver.engine import placement
from solver.engine.board import Block, Position
from solver.engine.market import Market, first_pods, pod_prices
from solver.engine.wire import Stop
from solver.engine.wishes import Wish
from solver.terms import GPUS_PER_RACK

Values = tuple[float, ...]
"""USD by tier, in cents: sums of the same values in another order are equal then."""
Note = Callable[[list[float]], None]
_MOST_REMOVED, _MOST_CANDIDATES, _STARTS = 40, 24, 4
_WHOLE_PODS, _MOVES, _BY_POD = 0.5, 0.3, 0.6
_MARGIN_DAYS = 20


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Effort:
    """``tries``: ways to force a request in; ``rounds``: of repair around the best of them; no more once ``stop``."""

    tries: int
    rounds: int
    stop: Stop = _never


@dataclass(frozen=True, slots=True)
class Found:
    """A plan with the guest, and what it is ``worth`` without it, in its tier and those above."""

    worth: Values
    positions: tuple[Position, ...]


def in_cents(values: Iterable[float]) -> Values:
    return tuple(round(value, 2) for value in values)


class Entry:
    """The search for a plan with one guest, at one size. The guest's own value counts nothing here."""

    def __init__(self, market: Market, guest: Wish, chance: random.Random, note: Note) -> None:
        self.market, self.guest, self.chance, self.note = market, guest, chance, note
        self.board = market.board
        self.rank = market.index[guest.tier]

    def search(self, effort: Effort, plan: tuple[Position, ...], known: Found | None) -> Found | None:
        """Force the guest in, or go on where an earlier search ended, and repair around it; the best plan with it.

        ``note`` is told what each plan on the way is worth, with every request at its own value. The board has ``plan``
        before and after. None: the guest can't get in.
        """
        best = known
        for _ in range(effort.tries):
            if effort.stop():
                break
            self.board.begin()
            if self._force():
                worth = self._worth()
                if best is None or worth > best.worth:
                    best = Found(worth, self.board.positions())
            self.board.roll_back()
        if best is None or not effort.rounds:
            return best
        self._set_up(best.positions)
        best = self._repair(best, effort)
        self.board.set_up(plan)
        return best

    def _set_up(self, positions: tuple[Position, ...]) -> None:
        """Set the board up with the guest as it is here."""
        wishes, number = self.board.wishes, self.guest.number
        own, wishes[number] = wishes[number], self.guest
        self.board.set_up(positions)
        wishes[number] = own

    def _repair(self, best: Found, effort: Effort) -> Found:
        """Take some out and put them back, and keep what is no worse."""
        worth = best.worth
        for _ in range(effort.rounds):
            if effort.stop():
                break
            self.board.begin()
            if self._round() and (now := self._worth()) >= worth:
                self.board.commit()
                worth = now
            else:
                self.board.roll_back()
        return Found(worth, self.board.positions())

    def _worth(self) -> Values:
        """What the board is worth without the guest, in its tier and those above; ``note`` is told of the whole."""
        values = list(self.board.values().values())
        worth = in_cents(values[: self.rank + 1])
        values[self.rank] += self.board.requests[self.guest.number].value_of(self.guest.gpus)
        self.note(values)
        return worth

    def _force(self) -> bool:
        """Make room for the guest at some start, and fill up. False: it can't get in."""
        guest, board, chance = self.guest, self.board, self.chance
        start = chance.randint(guest.first_start, guest.last_start)
        end = start + guest.days
        near = self._near(start, end)
        removed: list[Block] = []
        for block in self._in_the_way(near, start, end):
            board.remove(block)
            removed.append(block)
            if len(removed) >= _MOST_REMOVED:
                break
        for block in self._next(near, removed, start):
            board.remove(block)
            removed.append(block)
        enters = self._fits(start) and placement.place(board, guest, start, guest.gpus) is not None
        return enters and self._refill(removed, start, end)

    def _fits(self, start: int) -> bool:
        return placement.largest(self.board, self.guest, start) >= self.guest.gpus

    def _in_the_way(self, near: list[Block], start: int, end: int) -> Iterable[Block]:
        """What leaves at first: the tenant's own blocks where a count of GPUs asks for it, then some pods' blocks."""
        guest, board, chance = self.guest, self.board, self.chance
        if board.ledger.room(guest, start, end) < guest.gpus:
            own = [block for block in near if block.wish.tenant == guest.tenant and not block.wish.must_stand]
            for block in sorted(own, key=self._cheapness(0.3)):
                yield block
                if board.ledger.room(guest, start, end) >= guest.gpus:
                    break
        pods = self._some_pods(near, start, end)
        there = [block for block in near if not pods.isdisjoint(board.pods_of(block))]
        everything = chance.random() < _WHOLE_PODS
        for block in sorted(there, key=self._cheapness(0.5)):
            if not everything and self._fits(start):
                return
            if block.wish.number in board.blocks:
                yield block

    def _next(self, near: list[Block], removed: list[Block], start: int) -> Iterable[Block]:
        """The others around, one after the other, the cheapest first, as long as the guest does not fit."""
        left = [block for block in near if block not in removed and block.wish.tier >= self.guest.tier]
        for block in sorted(left, key=self._cheapness(1.0))[: max(0, _MOST_REMOVED - len(removed))]:
            if self._fits(start):
                return
            yield block

    def _cheapness(self, noise: float) -> Callable[[Block], tuple[float, ...]]:
        """Lower tiers first, then the cheapest GPU-day, more or less."""
        chance = self.chance

        def key(block: Block) -> tuple[float, ...]:
            price = block.wish.usd_per_gpu_day * chance.uniform(1 - noise, 1 + noise)
            return -max(block.wish.tier, self.guest.tier), price, block.wish.number

        return key

    def _some_pods(self, near: list[Block], start: int, end: int) -> set[int]:
        """As many pods as the guest needs, in one unit of its scope, those with cheap blocks more likely."""
        guest, board, cluster = self.guest, self.board, self.board.cluster
        racks = max(1, guest.gpus // GPUS_PER_RACK)
        vacant = self.market.vacant[start:end].min(axis=0)
        if guest.site >= 0:
            vacant = np.where(cluster.site_of_pod == guest.site, vacant, 0)
        cost = pod_prices(board, near) * np.maximum(1, racks - board.pod_room[start:end].min(axis=0))
        noisy = (cost + 1.0) * np.array([self.chance.uniform(0.3, 1.7) for _ in range(len(vacant))])
        if guest.scope == "pod" or racks == 1:
            noisy[vacant < racks] = np.inf
            return {int(noisy.argmin())}
        order = np.argsort(noisy).tolist()
        if guest.scope in ("hall", "site"):
            of_pod = cluster.hall_of_pod if guest.scope == "hall" else cluster.site_of_pod
            enough = np.flatnonzero(np.bincount(of_pod, vacant) >= racks)
            unit = self.chance.choice(enough.tolist() or [int(of_pod[order[0]])])
            order = [pod for pod in order if of_pod[pod] == unit]
        return first_pods(order, vacant, racks + self.chance.choice((0, 0, racks // 2)))

    def _round(self) -> bool:
        """Take some blocks around the guest out and put them and others back; now and then the guest moves."""
        guest, board, chance = self.guest, self.board, self.chance
        own = board.blocks[guest.number]
        near = [block for block in self._near(own.start - _MARGIN_DAYS, own.end + _MARGIN_DAYS) if block is not own]
        removed = self._some(near)
        for block in removed:
            board.remove(block)
        if chance.random() < _MOVES:
            board.remove(own)
            start = chance.randint(guest.first_start, guest.last_start)
            if placement.accept(board, guest, [start, own.start]) is None:
                return False
        return self._refill(removed, own.start, own.end)

    def _some(self, near: list[Block]) -> list[Block]:
        chance, pods = self.chance, range(len(self.board.cluster.hall_of_pod))
        if chance.random() < _BY_POD:
            some = set(chance.sample(pods, min(len(pods), chance.choice((1, 1, 2)))))
            return [block for block in near if not some.isdisjoint(self.board.pods_of(block))][:_MOST_REMOVED]
        return chance.sample(near, min(len(near), chance.randint(1, 10)))

    def _refill(self, removed: list[Block], start: int, end: int) -> bool:
        """Put back what was taken out, and declined requests around.

        False: a reservation that has to stand somewhere finds no place.
        """
        old = {block.wish.number: block.start for block in removed}
        first, last = min([start, *old.values()]), max([end, *(block.end for block in removed)])
        for wish in self._order(removed, self._declined(old, first, last)):
            placed = placement.accept(self.board, wish, self._starts(wish, old.get(wish.number)))
            if placed is None and wish.must_stand:
                return False
        return True

    def _declined(self, old: dict[int, int], first: int, last: int) -> list[Wish]:
        """Some of the requests of these tiers that are not on the board and whose block may touch ``[first, last)``."""
        found = [
            wish
            for wish in self.market.wishes
            if wish.tier <= self.guest.tier
            and wish.first_start < last
            and wish.last_start + wish.days > first
            and wish.number not in self.board.blocks
            and wish.number not in old
            and wish.number != self.guest.number
        ]
        return found if len(found) <= _MOST_CANDIDATES else self.chance.sample(found, _MOST_CANDIDATES)

    def _order(self, removed: list[Block], declined: list[Wish]) -> list[Wish]:
        chance = self.chance
        noise, by_size = chance.choice((0.0, 0.1, 0.3)), chance.random() < 0.3

        def key(wish: Wish) -> tuple[float, ...]:
            worth = wish.value_usd if by_size else wish.usd_per_gpu_day
            return not wish.must_stand, wish.tier, -worth * chance.uniform(1 - noise, 1 + noise), wish.number

        return sorted([*(block.wish for block in removed), *declined], key=key)

    def _starts(self, wish: Wish, old: int | None) -> list[int]:
        """Some starts of the window; where the block stood before more often than not is the first of them."""
        window = range(wish.first_start, wish.last_start + 1)
        starts = self.chance.sample(window, min(len(window), _STARTS))
        if self.chance.random() < 0.5:
            starts.sort()
        return [old, *starts] if old is not None and self.chance.random() < 0.6 else starts

    def _near(self, first: int, last: int) -> list[Block]:
        return [block for _, block in sorted(self.board.blocks.items()) if block.start < last and first < block.end]
