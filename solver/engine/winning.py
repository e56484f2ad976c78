"""What a request that was outbid would have had to be worth: the value of the blocks that would have to give way.

An estimate. The blocks are those with the least value per GPU-day that free enough racks, and enough GPUs where a
count stands in the way; whether others could take the room that is left over is not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solver.cluster import Counts
from solver.fit import Ask, allowed_sites, most, no_limit
from solver.snapshot import Request
from solver.standing import Block, Standing
from solver.terms import GPUS_PER_RACK

Prices = NDArray[np.float32]
MOST_STARTS = 6  # tried, spread over those that would do; an estimate need not try all


@dataclass(frozen=True, slots=True)
class _Bid:
    """An accepted block with its tier and what it is worth."""

    block: Block
    tier: int
    value_usd: float

    @property
    def price(self) -> float:
        """USD per GPU-day."""
        return self.value_usd / (self.block.gpus * (self.block.last - self.block.first))


@dataclass(frozen=True, slots=True)
class _Floor:
    """One tier's view of the racks, days x racks: the dearest bid on a rack, and GPUs that the tier can't displace."""

    price: Prices
    fixed: NDArray[np.int16]


class Auction:
    """The accepted blocks of a plan as bids. ``alone``: the same cluster with reservations only."""

    def __init__(self, planned: Standing, alone: Standing) -> None:
        self.planned, self.alone = planned, alone
        self.cluster = planned.cluster
        self._no_limit = no_limit(planned)
        self._out = ~np.ascontiguousarray(planned.cluster.healthy.T)
        requests = {request.id: request for request in planned.snapshot.requests}
        blocks = [block for block in planned.blocks.values() if block.kind == "accepted"]
        self.bids = [_bid(block, requests[block.id]) for block in blocks]
        self._on_rack: dict[int, list[int]] = {}
        for number, bid in enumerate(self.bids):
            for rack in bid.block.placed[0].racks.tolist():
                self._on_rack.setdefault(rack, []).append(number)
        self._floors: dict[int, _Floor] = {}

    def price_to_win(self, request: Request, ask: Ask, starts: Sequence[int]) -> float | None:
        """The least value in USD with which the request would win at one of ``starts``; none where it can't, because
        a higher tier has the room. ``ask.gpus`` is the least that the request would take.
        """
        tried = starts[:: -(-len(starts) // MOST_STARTS)]
        found = [cost for start in tried if (cost := self._cost(request.tier, ask, start)) is not None]
        return round(min(found) * request.gpus / ask.gpus, 2) if found else None

    def _cost(self, tier: int, ask: Ask, start: int) -> float | None:
        by_racks = self._in_the_way(tier, ask, start)
        by_counts = self._over_the_limits(tier, ask, start)
        if by_racks is None or by_counts is None:
            return None
        losers = (self.bids[number] for number in sorted(by_racks | by_counts))
        return sum((bid.value_usd for bid in losers if bid.tier == tier), 0.0)

    def _in_the_way(self, tier: int, ask: Ask, start: int) -> set[int] | None:
        """The cheapest bids on racks that the block could take, all in one unit of its scope."""
        price, units = self._prices(tier, ask, start), self.cluster.units(ask.scope)
        racks = max(1, ask.gpus // GPUS_PER_RACK)
        order = np.lexsort((price, units.of_rack))
        begin = units.first + self._closed_racks(ask, start, price)
        large = np.flatnonzero(begin + racks <= units.last)
        dearest = price[order[begin[large] + racks - 1]]
        if not np.isfinite(dearest).any():
            return None
        first = int(begin[large[dearest.argmin()]])
        return self._bids_on(order[first : first + racks], start, start + ask.days)

    def _prices(self, tier: int, ask: Ask, start: int) -> Prices:
        """USD per GPU-day of the dearest bid that must leave each rack; -1: none must; infinite: it can't be had."""
        days, floor = slice(start, start + ask.days), self._floor(tier)
        each = min(ask.gpus, GPUS_PER_RACK)
        price: Prices = floor.price[days].max(axis=0)
        free = GPUS_PER_RACK - self.planned.racks.used[days].max(axis=0) >= each
        price[free] = -1.0
        price[self._out[days].any(axis=0) | (floor.fixed[days].max(axis=0) > GPUS_PER_RACK - each)] = np.inf
        price[~allowed_sites(self.planned, ask)[self.cluster.sites.of_rack]] = np.inf
        if each < GPUS_PER_RACK:  # an empty rack in a hall that is full for sale
            trays = self.planned.racks.trays(days.start, days.stop, slice(0, len(price))).min(axis=0)
            price[free & (trays < each)] = np.inf
        return price

    def _closed_racks(self, ask: Ask, start: int, price: Prices) -> Counts:
        """Free racks in each unit of the scope that R2 and R3 keep from new blocks."""
        if ask.gpus < GPUS_PER_RACK:
            return np.zeros(len(self.cluster.units(ask.scope).ids), dtype=np.int64)
        free = self.cluster.units(ask.scope).sums(price < 0)
        everything = replace(ask, gpus=max(1, len(price)) * GPUS_PER_RACK)
        open_racks = most(self.planned, everything, self._no_limit, start, start + 1)[0] // GPUS_PER_RACK
        closed: Counts = np.maximum(0, free - open_racks)
        return closed

    def _bids_on(self, racks: Counts, first: int, last: int) -> set[int]:
        """The bids on these racks on a day of ``[first, last)``."""
        there = {number for rack in racks.tolist() for number in self._on_rack.get(rack, ())}
        return {n for n in there if self.bids[n].block.first < last and first < self.bids[n].block.last}

    def _over_the_limits(self, tier: int, ask: Ask, start: int) -> set[int] | None:
        """The cheapest bids that count against the contract, the quota or the holds until the block fits in them."""
        days = slice(start, start + ask.days)
        own = [bid.block.contract == ask.contract for bid in self.bids]
        limits = [(self.planned.quota_room(ask.tenant), [bid.block.tenant == ask.tenant for bid in self.bids])]
        if ask.contract is not None:
            limits.append((self.planned.contract_room(ask.contract), own))
        # The drawdowns of other contracts would leave their hold behind: nothing is won by them.
        on_demand = [bid.block.contract is None for bid in self.bids]
        count = self.planned.hold_room(ask.contract, ask.notice).cluster
        limits.append((count, [mine or free for mine, free in zip(own, on_demand, strict=True)]))
        losers: set[int] = set()
        for room, counted in limits:
            cheapest = self._cheapest(tier, np.maximum(0, ask.gpus - room[days]), start, counted)
            if cheapest is None:
                return None
            losers |= cheapest
        return losers

    def _cheapest(self, tier: int, missing: Counts, start: int, counted: Sequence[bool]) -> set[int] | None:
        """The cheapest of the counted bids that cover what is missing on each day from ``start`` on."""
        left, chosen = missing.copy(), []
        for number in self._by_price(tier):
            if not left.any():
                break
            block = self.bids[number].block
            days = slice(max(0, block.first - start), max(0, block.last - start))
            if counted[number] and left[days].any():
                left[days] = np.maximum(0, left[days] - block.gpus)
                chosen.append(number)
        return None if left.any() else set(chosen)

    def _by_price(self, tier: int) -> list[int]:
        """The bids that this tier may displace: lower tiers first, then the cheapest."""
        may_go = (number for number, bid in enumerate(self.bids) if bid.tier >= tier)
        return sorted(may_go, key=lambda n: (self.bids[n].tier == tier, self.bids[n].price, n))

    def _floor(self, tier: int) -> _Floor:
        if tier not in self._floors:
            price = np.zeros(self.planned.racks.used.shape, dtype=np.float32)
            fixed = self.alone.racks.used.copy()
            for bid in self.bids:
                placed = bid.block.placed[0]
                days = slice(placed.first, placed.last)
                if bid.tier < tier:
                    fixed[days, placed.racks] += placed.gpus.astype(np.int16)
                elif bid.tier == tier:
                    price[days, placed.racks] = np.maximum(price[days, placed.racks], bid.price)
            self._floors[tier] = _Floor(price, fixed)
        return self._floors[tier]


def _bid(block: Block, request: Request) -> _Bid:
    return _Bid(block, request.tier, request.value_usd * block.gpus / request.gpus)
