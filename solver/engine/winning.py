"""What a request that was outbid would have had to be worth: the value of the blocks that would have to give way.

An estimate. The blocks are those with the least value per GPU-day that free enough racks, and enough GPUs where a
count stands in the way; whether others could take the room that is left over is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solver.cluster import Counts
from solver.fit import Ask, allowed_sites, most, no_limit
from solver.racks import Flags
from solver.snapshot import Request
from solver.standing import FIRM, Block, Standing
from solver.terms import GPUS_PER_RACK

Prices = NDArray[np.float32]
MOST_STARTS = 3  # tried, spread over those that would do; an estimate need not try all


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
        self._racks_in_hall = np.zeros((len(blocks), len(self.cluster.halls.ids)), dtype=np.int64)
        for number, block in enumerate(blocks):
            np.add.at(self._racks_in_hall[number], self.cluster.halls.of_rack[block.placed[0].racks], 1)
        self._first = np.array([block.first for block in blocks], dtype=np.int64)
        self._last = np.array([block.last for block in blocks], dtype=np.int64)
        self._gpus = np.array([block.gpus for block in blocks], dtype=np.int64)
        self._tier = np.array([bid.tier for bid in self.bids], dtype=np.int64)
        self._price = np.array([bid.price for bid in self.bids], dtype=np.float64)
        self._tenant = np.array([block.tenant for block in blocks], dtype=np.str_)
        self._notice = np.array([block.notice for block in blocks], dtype=np.int64)
        lead = {contract.id: contract.booking_lead_days for contract in planned.snapshot.contracts}
        self._lead = np.array([lead.get(block.contract or "", FIRM) for block in blocks], dtype=np.int64)
        self._contract = np.array([block.contract or "" for block in blocks], dtype=np.str_)  # empty: on demand
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
        racks = self._cheapest_racks(tier, ask, start)
        if racks is None:
            return None
        losers = self._bids_on(racks, start, start + ask.days)
        for room, gives, needed in self._limits(ask, racks):
            missing = needed - room[start : start + ask.days]
            covered = self._cover(tier, missing, start, gives, losers)
            if covered is None:
                return None
            losers = covered
        bids = (self.bids[number] for number in sorted(losers))
        return sum((bid.value_usd for bid in bids if bid.tier == tier), 0.0)

    def _cheapest_racks(self, tier: int, ask: Ask, start: int) -> Counts | None:
        """Racks that the block could take, all in one unit of its scope, with the cheapest bids on them."""
        price, units = self._prices(tier, ask, start), self.cluster.units(ask.scope)
        racks = max(1, ask.gpus // GPUS_PER_RACK)
        order = np.lexsort((price, units.of_rack))
        begin = units.first + self._closed_racks(ask, start, price)
        large = np.flatnonzero(begin + racks <= units.last)
        dearest = price[order[begin[large] + racks - 1]]
        if not np.isfinite(dearest).any():
            return None
        first = int(begin[large[dearest.argmin()]])
        return order[first : first + racks]

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

    def _limits(self, ask: Ask, racks: Counts) -> Iterator[tuple[Counts, Counts, int]]:
        """What else has to leave room for the block: the room by day, what each bid would give back, what is needed."""
        halls = np.bincount(self.cluster.halls.of_rack[racks], minlength=self._racks_in_hall.shape[1])
        for hall in np.flatnonzero(halls).tolist():
            yield self.planned.racks.hall_room[:, hall], self._racks_in_hall[:, hall], int(halls[hall])
        in_site = self.planned.racks.by_site(self._racks_in_hall)
        for site, needed in enumerate(self.planned.racks.by_site(halls).tolist()):
            if needed:
                yield self.planned.racks.power_room[:, site], in_site[:, site], needed
        own = self._contract == (ask.contract or "")
        yield self.planned.quota_room(ask.tenant), self._gpus * (self._tenant == ask.tenant), ask.gpus
        if ask.contract is not None:
            yield self.planned.contract_room(ask.contract), self._gpus * own, ask.gpus
        yield from self._hold_limits(ask, racks)

    def _hold_limits(self, ask: Ask, racks: Counts) -> Iterator[tuple[Counts, Counts, int]]:
        """The same for R7 and R8. A drawdown gives nothing back where its hold would come back in its place."""
        each = min(ask.gpus, GPUS_PER_RACK)
        needed = np.bincount(self.cluster.sites.of_rack[racks], minlength=len(self.cluster.sites.ids)) * each
        in_site = self.planned.racks.by_site(self._racks_in_hall) * np.minimum(self._gpus, GPUS_PER_RACK)[:, None]
        for row, room in self.planned.hold_rows(ask.contract, ask.notice):
            gives = (self._notice >= row) & ((self._lead >= row) | (self._contract == (ask.contract or "")))
            yield room.cluster, self._gpus * gives, ask.gpus
            for site in np.flatnonzero(needed).tolist():
                yield room.site[:, site], in_site[:, site] * (self._notice >= row), int(needed[site])

    def _cover(self, tier: int, missing: Counts, start: int, gives: Counts, losers: set[int]) -> set[int] | None:
        """``losers`` and the cheapest bids besides that give back what is missing on each day from ``start`` on."""
        if missing.max() <= 0:
            return losers
        left, chosen = missing.copy(), set(losers)
        for number in losers:
            left[self._within(number, start)] -= gives[number]
        short = start + np.flatnonzero(left > 0)
        if not len(short):
            return losers
        for number in self._by_price(tier, gives > 0, int(short[0]), int(short[-1]) + 1):
            days = self._within(number, start)
            if number not in chosen and left[days].max() > 0:
                chosen.add(number)
                left[days] -= gives[number]
                if left.max() <= 0:
                    return chosen
        return None

    def _within(self, number: int, start: int) -> slice:
        """The days of a bid, counted from ``start``; those before are left out."""
        block = self.bids[number].block
        return slice(max(0, block.first - start), max(0, block.last - start))

    def _by_price(self, tier: int, counted: Flags, first: int, last: int) -> list[int]:
        """The counted bids on a day of ``[first, last)`` that the tier may displace: lower tiers, then the cheapest."""
        may_go = np.flatnonzero(counted & (self._tier >= tier) & (self._first < last) & (self._last > first))
        order: list[int] = may_go[np.lexsort((may_go, self._price[may_go], self._tier[may_go] == tier))].tolist()
        return order

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
