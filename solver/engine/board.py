"""The board: reservations and accepted blocks as counts per pod, hall and site, with racks bound beneath them.

Counts decide where a block may go (R1 to R3 as room, R6 to R9 in the `Ledger`); `PodRacks` then binds racks. Every
change can be undone: `begin`, then `commit` or `roll_back`. Arrays are days x units: a block's window is one slice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solver.cluster import Cluster
from solver.decisions import Decisions, Stand, stands
from solver.engine import movable
from solver.engine.binding import Mask, PodRacks, Saved, Share, mask_of
from solver.engine.ledger import Ledger
from solver.engine.policy import TIGHT
from solver.engine.shared import SharedRacks
from solver.engine.wishes import Wish, split, wishes
from solver.snapshot import Snapshot
from solver.terms import GPUS_PER_RACK

Grid = NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Block:
    """An accepted request on the board. Whole racks: ``shares`` by pod; a smaller block: ``rack``."""

    wish: Wish
    start: int
    gpus: int
    shares: dict[int, Share] = field(default_factory=dict)
    rack: int | None = None

    @property
    def end(self) -> int:
        return self.start + self.wish.days

    @property
    def value_usd(self) -> float:
        return self.wish.value_of(self.gpus)

    @property
    def mask(self) -> Mask:
        """The days that it needs its racks on, as bits; beyond the horizon too."""
        return mask_of(self.start, self.end) | self.wish.beyond

    def racks(self) -> dict[int, int]:
        """GPUs by rack number."""
        if self.rack is not None:
            return {self.rack: self.gpus}
        return {rack: GPUS_PER_RACK for share in self.shares.values() for rack in share.racks}


@dataclass(frozen=True, slots=True)
class Position:
    """Where an accepted request stands: enough to put it on another board of the same snapshot."""

    number: int
    start: int
    gpus: int
    racks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """Whole racks that a block may take on every day of a window: by pod, by hall, by site, and over all."""

    pods: Grid
    halls: Grid
    sites: Grid
    racks: int


@dataclass(slots=True)
class _Frame:
    """What to undo: blocks placed (true) or removed, in order, and the pods as they were."""

    journal: list[tuple[bool, Block]] = field(default_factory=list)
    pods: dict[int, Saved] = field(default_factory=dict)


class Board:
    """What stands, and what may still be placed."""

    def __init__(self, snapshot: Snapshot, cluster: Cluster, decisions: Decisions) -> None:
        self.cluster = cluster
        every = list(stands(snapshot, decisions))
        fixed, keepers = split(snapshot, cluster, every)
        self.requests = wishes(snapshot, cluster, every)
        self.keepers = keepers
        fixed, free, movers = movable.split(
            snapshot, cluster, decisions, fixed, number=len(self.requests) + len(keepers)
        )
        self.movers = movers
        self.wishes = [*self.requests, *keepers, *movers]
        self._worth = _worth_before(snapshot, decisions, keepers)
        self.ledger = Ledger(snapshot, cluster, decisions, fixed, free)
        self.policy = TIGHT
        self.hall_sizes = sorted((cluster.halls.last - cluster.halls.first).tolist(), reverse=True)
        self.pod_sizes = sorted((cluster.pods.last - cluster.pods.first).tolist(), reverse=True)
        self.blocks: dict[int, Block] = {}
        self.shared = SharedRacks(cluster.days)
        self._frames: list[_Frame] = []
        self._start = np.zeros(len(self.wishes), dtype=np.int64)
        self._end = np.zeros(len(self.wishes), dtype=np.int64)
        self._reserved = _reserved_use(cluster, fixed)
        later = movable.beyond(snapshot, cluster)
        self._fill(self._reserved, movable.blocked_beyond(snapshot, fixed, later) if movers else {})
        for wish in (*movers, *keepers):
            self._keep(wish)
        self.home = tuple(position for position in self.positions() if self.wishes[position.number].must_stand)

    def _fill(self, use: Grid, beyond: dict[int, Mask]) -> None:
        cluster = self.cluster
        carrying = use > 0
        free = cluster.healthy & ~carrying
        self.pod_room = np.ascontiguousarray(cluster.pods.sums(free).T)
        self.hall_room = np.ascontiguousarray((cluster.sale - cluster.halls.sums(carrying)).T)
        self.site_room = np.ascontiguousarray((cluster.power - cluster.sites.sums(carrying)).T)
        blocked = [_bits(row) | beyond.get(rack, 0) for rack, row in enumerate(~free)]
        self.pods = [
            PodRacks(first, last, blocked[first:last], [0] * (last - first))
            for first, last in zip(cluster.pods.first.tolist(), cluster.pods.last.tolist(), strict=True)
        ]
        for rack in np.flatnonzero(((use > 0) & (use < GPUS_PER_RACK)).any(axis=1)).tolist():
            self.shared.open(rack, use[rack])

    def _keep(self, wish: Wish) -> None:
        """Put a reservation where it stands: that is allowed whatever the counts say (R2, R7)."""
        block = Block(wish, wish.first_start, wish.gpus)
        if wish.shares_a_rack:
            self.place_shared(block, wish.keep[0])
        else:
            self.place_on(block, list(wish.keep))

    def room(self, wish: Wish, start: int) -> Room | None:
        """The room for whole racks from ``start`` on; None where not even the smallest block fits the ledger."""
        end = start + wish.days
        gpus = self.ledger.room(wish, start, end)
        if gpus < wish.min_gpus:
            return None
        cluster = self.cluster
        sites = np.minimum(
            self.site_room[start:end].min(axis=0), self.ledger.site_room(wish, start, end) // GPUS_PER_RACK
        )
        if wish.site >= 0:
            bound = np.zeros_like(sites)
            bound[wish.site] = sites[wish.site]
            sites = bound
        halls = np.minimum(self.hall_room[start:end].min(axis=0), sites[cluster.site_of_hall])
        pods = np.minimum(self.pod_room[start:end].min(axis=0), halls[cluster.hall_of_pod])
        return Room(
            np.maximum(pods, 0), np.maximum(halls, 0), np.maximum(sites, 0), min(gpus, wish.gpus) // GPUS_PER_RACK
        )

    def place(self, block: Block, racks_by_pod: dict[int, int]) -> int | None:
        """Bind and enter a whole-rack block. None: done; else the pod whose racks can't be bound, nothing changed."""
        mask = block.mask
        bound: list[int] = []
        for pod, racks in racks_by_pod.items():
            self._touch(pod)
            share = Share(block.start, block.end, mask, [])
            if not self.pods[pod].bind(share, racks):
                for other in bound:
                    self.pods[other].release(block.shares.pop(other))
                return pod
            block.shares[pod] = share
            bound.append(pod)
        self._enter(block)
        return None

    def place_on(self, block: Block, racks: list[int]) -> bool:
        """Bind a whole-rack block to exactly these racks for good and enter it. False: they are not all free."""
        mask = block.mask
        pod_of_rack = self.cluster.pods.of_rack
        by_pod: dict[int, list[int]] = {}
        for rack in racks:
            by_pod.setdefault(int(pod_of_rack[rack]), []).append(rack)
        for pod, here in by_pod.items():
            self._touch(pod)
            share = Share(block.start, block.end, mask, [], pinned=True)
            if not self.pods[pod].bind_to(share, here):
                for other, done in block.shares.items():
                    self.pods[other].release(done)
                block.shares.clear()
                return False
            block.shares[pod] = share
        self._enter(block)
        return True

    def positions(self) -> tuple[Position, ...]:
        """Every block on the board, accepted or kept, by the number of its wish."""
        return tuple(
            Position(number, block.start, block.gpus, tuple(sorted(block.racks())))
            for number, block in sorted(self.blocks.items())
        )

    def set_up(self, positions: Iterable[Position]) -> None:
        """Clear the board of accepted blocks and put these on it; they must fit.

        What stands there already stays, which takes less time; the board is the same whatever it carried before.
        """
        wanted = {position.number: position for position in positions}
        for block in list(self.blocks.values()):
            if self._frames or not self._stands_at(block, wanted.get(block.wish.number)):
                self.remove(block)
        self.stand(position for position in wanted.values() if position.number not in self.blocks)
        if not self._frames:  # which could not undo it
            self._put_in_order(wanted.values())

    def pods_of(self, block: Block) -> Collection[int]:
        """The pods that the block stands in."""
        return block.shares if block.rack is None else (int(self.cluster.pods.of_rack[block.rack]),)

    def stand(self, positions: Iterable[Position]) -> None:
        """Put these blocks on the board, exactly there; they must fit."""
        for position in positions:
            block = Block(self.wishes[position.number], position.start, position.gpus)
            if block.wish.shares_a_rack:
                self.place_shared(block, position.racks[0])
            elif not self.place_on(block, list(position.racks)):
                raise ValueError(f"request {block.wish.id} does not fit where it is to stand")
            self._pin(block, position)

    @staticmethod
    def _pin(block: Block, position: Position) -> None:
        """For good is what stands on the racks that it is to keep."""
        for share in block.shares.values():
            share.pinned = position.racks == tuple(sorted(block.wish.keep))

    def _stands_at(self, block: Block, position: Position | None) -> bool:
        return (
            position is not None
            and (block.start, block.gpus) == (position.start, position.gpus)
            and block.wish is self.wishes[position.number]
            and position.racks == tuple(sorted(block.racks()))
        )

    def _put_in_order(self, positions: Iterable[Position]) -> None:
        """Blocks, and the shares of each pod, as if they had been placed in this order on an empty board."""
        self.blocks = {position.number: self.blocks[position.number] for position in positions}
        for racks in self.pods:
            racks.shares.clear()
        for position in positions:
            block = self.blocks[position.number]
            block.shares = dict(sorted(block.shares.items()))
            for pod, share in block.shares.items():
                share.racks.sort()
                self.pods[pod].shares.append(share)
            self._pin(block, position)

    def values(self) -> dict[int, float]:
        """Value in USD by tier, ascending (§ 5 step 2): what is accepted, less the share of what is recalled."""
        result = dict(self._worth)
        for _, block in sorted(self.blocks.items()):
            if not block.wish.must_stand:  # it is worth nothing, and its tier need not be one of the requests'
                result[block.wish.tier] += block.value_usd
        return result

    def place_shared(self, block: Block, rack: int) -> None:
        """Enter a block smaller than a rack on ``rack``, which must have room for it."""
        block.rack = rack
        self._enter(block)

    def remove(self, block: Block) -> None:
        """Take an accepted block off the board."""
        for pod, share in block.shares.items():
            self._touch(pod)
            self.pods[pod].release(share)
        self._count(block, -1)
        self._forget(block)
        if self._frames:
            self._frames[-1].journal.append((False, block))

    def near(self, first: int, last: int) -> list[int]:
        """The numbers of the blocks that stand on a day of ``[first, last)``, ascending."""
        near: list[int] = np.flatnonzero((self._start < last) & (self._end > first)).tolist()
        return near

    def begin(self) -> None:
        """From here on changes can be rolled back. May be called again inside: each has its own end."""
        self._frames.append(_Frame())

    def commit(self) -> None:
        """The changes since the last `begin` stay, as far as the one around it is concerned."""
        done = self._frames.pop()
        if self._frames:
            around = self._frames[-1]
            around.journal += done.journal
            for pod, saved in done.pods.items():
                around.pods.setdefault(pod, saved)

    def roll_back(self) -> None:
        """Undo everything since the last `begin`, racks included."""
        frame = self._frames[-1]  # stays for now: what it has saved must not be saved again half undone
        for placed, block in reversed(frame.journal):
            self._count(block, -1 if placed else 1)
            if placed:
                self._forget(block)
            else:
                self._remember(block)
        self._frames.pop()
        for pod, saved in frame.pods.items():
            self.pods[pod].restore(saved)

    def _enter(self, block: Block) -> None:
        self._count(block, 1)
        self._remember(block)
        if self._frames:
            self._frames[-1].journal.append((True, block))

    def _remember(self, block: Block) -> None:
        number = block.wish.number
        self.blocks[number] = block
        self._start[number], self._end[number] = block.start, block.end

    def _forget(self, block: Block) -> None:
        del self.blocks[block.wish.number]
        self._end[block.wish.number] = 0

    def _touch(self, pod: int) -> None:
        if self._frames and pod not in self._frames[-1].pods:
            self._frames[-1].pods[pod] = self.pods[pod].save()

    def _count(self, block: Block, sign: int) -> None:
        if block.rack is not None:
            self._count_shared(block, block.rack, sign)
            return
        days = slice(block.start, block.end)
        by_site: dict[int, int] = {}
        for pod, share in block.shares.items():
            racks = sign * len(share.racks)
            hall, site = int(self.cluster.hall_of_pod[pod]), int(self.cluster.site_of_pod[pod])
            self.pod_room[days, pod] -= racks
            self.hall_room[days, hall] -= racks
            self.site_room[days, site] -= racks
            by_site[site] = by_site.get(site, 0) + len(share.racks) * GPUS_PER_RACK
        self.ledger.change(block.wish, block.start, block.end, by_site, sign)

    def open_shared(self, rack: int) -> Grid:
        """GPUs in use by day on a rack that small blocks may share from now on; whole blocks on it are not counted."""
        return self.shared.open(rack, self._reserved[rack])

    def _count_shared(self, block: Block, rack: int, sign: int) -> None:
        """A shared rack is taken from the pod's whole racks on the days on which anything stands on it."""
        cluster, days = self.cluster, slice(block.start, block.end)
        use = self.open_shared(rack)
        if sign < 0:
            use[days] -= block.gpus
        opened = sign * (use[days] == 0)
        if sign > 0:
            use[days] += block.gpus
        pod = int(cluster.pods.of_rack[rack])
        self._touch(pod)
        self.pod_room[days, pod] -= opened
        self.hall_room[days, int(cluster.hall_of_pod[pod])] -= opened
        self.site_room[days, int(cluster.site_of_pod[pod])] -= opened
        changed = _bits(opened != 0) << block.start
        racks = self.pods[pod]
        racks.blocked[rack - racks.first] ^= changed
        by_site = {int(cluster.site_of_pod[pod]): block.gpus}
        self.ledger.change(block.wish, block.start, block.end, by_site, sign)


def _worth_before(snapshot: Snapshot, decisions: Decisions, keepers: list[Wish]) -> dict[int, float]:
    """Each tier's value while nothing is on the board: the lost share, by days, of the recalled reservations."""
    worth = dict.fromkeys((request.tier for request in snapshot.requests), 0.0)
    for keeper in keepers:
        worth[keeper.tier] = worth.get(keeper.tier, 0.0) - keeper.value_usd
    reservations = {reservation.id: reservation for reservation in snapshot.reservations}
    for recall in decisions.recalls:
        recalled = reservations[recall.reservation]
        share = (recalled.end - recall.end) / (recalled.end - recalled.start)
        worth[recalled.tier] = worth.get(recalled.tier, 0.0) - recalled.value_usd * share
    return dict(sorted(worth.items()))


def _reserved_use(cluster: Cluster, standing: list[Stand]) -> Grid:
    use = np.zeros((len(cluster.rack_ids), cluster.days), dtype=np.int64)
    for stand in standing:
        for segment in stand.segments:
            days = slice(cluster.index(segment.start), cluster.index(segment.end))
            for rack, gpus in segment.racks.items():
                use[cluster.rack_number[rack], days] += gpus
    return use


def _bits(days: NDArray[np.bool_]) -> Mask:
    """A row of days as one integer, day ``t`` as bit ``t``."""
    return int.from_bytes(np.packbits(days, bitorder="little").tobytes(), "little")
