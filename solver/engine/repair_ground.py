"""Who stands on which rack, piece by piece, and what a rack can still take (R1, R3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from solver.cluster import UNLIMITED, Cluster
from solver.engine.repair_timeline import Mask, Timeline, first_recall, lowest, pieces_of, ranges
from solver.snapshot import Reservation, Snapshot
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY

Racks = dict[int, Mask]
Part = tuple[int, Mask, int]
"""A rack on which a block that shares it has only some of its GPUs, the pieces, and how many GPUs."""


@dataclass(slots=True, eq=False)
class Lot:
    """A reservation with a day left: it needs ``racks`` racks with ``gpus`` GPUs each (one with fewer than 72 where it
    shares) on the pieces ``span``. ``own`` are the racks that the snapshot gives it, ``parts`` those on which it has
    less than it needs; on the ranges ``missing`` it lacks a rack, one entry for each.
    """

    number: int
    reservation: Reservation
    span: Mask
    racks: int
    gpus: int
    own: Racks
    parts: tuple[Part, ...]
    site: int | None
    movable: bool
    earliest_end: int
    missing: tuple[Mask, ...]

    @property
    def firm(self) -> bool:
        return not self.reservation.interruptible


@dataclass(slots=True)
class Ground:
    """The racks under the reservations.

    ``dead``, ``whole`` and ``shared`` are masks by rack: in outage, under a block of whole racks, under smaller ones;
    ``clear``: none of these. ``load`` has the GPUs of the smaller ones by piece. ``limits`` and ``carrying`` count
    racks by site and piece, for sites that have a power limit; on ``room`` a site has power for one more rack, on
    ``over`` more racks carry a block than have power.
    """

    timeline: Timeline
    dead: list[Mask]
    site_of: list[int]
    racks_of: list[range]
    limits: dict[int, list[int]]
    whole: list[Mask]
    shared: list[Mask]
    clear: list[Mask]
    load: dict[int, list[int]] = field(default_factory=dict)
    carrying: dict[int, list[int]] = field(default_factory=dict)
    room: list[Mask] = field(default_factory=list)
    over: list[Mask] = field(default_factory=list)

    def copy(self) -> Ground:
        """The same ground, free to change."""
        return Ground(
            timeline=self.timeline,
            dead=self.dead,
            site_of=self.site_of,
            racks_of=self.racks_of,
            limits=self.limits,
            whole=self.whole[:],
            shared=self.shared[:],
            clear=self.clear[:],
            load={rack: load[:] for rack, load in self.load.items()},
            carrying={site: counts[:] for site, counts in self.carrying.items()},
            room=self.room[:],
            over=self.over[:],
        )

    def since_dead(self, rack: int, mask: Mask) -> Mask:
        """The pieces of ``mask`` from the first outage of ``rack`` on, even if that is over before them."""
        dead = self.dead[rack]
        return mask & self.timeline.from_piece(lowest(dead)) if dead else 0

    def from_outage(self, rack: int, mask: Mask) -> Mask:
        """The pieces of ``mask`` from the first one on which ``rack`` is in an outage."""
        hit = mask & self.dead[rack]
        return mask & self.timeline.from_piece(lowest(hit)) if hit else 0

    def free(self, rack: int, gpus: int) -> Mask:
        """The pieces on which ``rack`` is healthy and can take ``gpus`` GPUs more, within power."""
        return self.alive(rack, gpus) & self.unloaded(rack, gpus)

    def openings(self, sites: Iterable[int], gpus: int, mask: Mask) -> list[tuple[int, Mask]]:
        """The racks of ``sites`` that can take ``gpus`` GPUs more on pieces of ``mask``, with these pieces."""
        found: list[tuple[int, Mask]] = []
        for site in sites:
            if gpus < GPUS_PER_RACK:
                found += [(rack, free) for rack in self.racks_of[site] if (free := self.free(rack, gpus) & mask)]
            elif powered := mask & self.room[site]:
                found += [(rack, free) for rack in self.racks_of[site] if (free := self.clear[rack] & powered)]
        return found

    def has_idle_rack(self, sites: Iterable[int], mask: Mask) -> bool:
        """R11: whether a rack of ``sites`` is healthy, within power and carries nothing on all of ``mask``."""
        powered = (site for site in sites if not mask & ~self.room[site])
        return any(not mask & ~self.clear[rack] for site in powered for rack in self.racks_of[site])

    def spare_gpus(self, rack: int, mask: Mask) -> int:
        """The GPUs of ``rack`` that are free on all of ``mask``; 0 where it is not healthy or not within power."""
        if mask & (self.whole[rack] | ~self.alive(rack, GPUS_PER_TRAY)):
            return 0
        load = self.load.get(rack)
        return GPUS_PER_RACK - max((load[piece] for piece in pieces_of(mask)), default=0) if load else GPUS_PER_RACK

    def unloaded(self, rack: int, gpus: int) -> Mask:
        """The pieces on which other blocks leave ``gpus`` GPUs of ``rack``."""
        taken = self.whole[rack]
        if gpus == GPUS_PER_RACK:
            return ~(taken | self.shared[rack])
        for piece in pieces_of(self.shared[rack]):
            if self.load[rack][piece] + gpus > GPUS_PER_RACK:
                taken |= 1 << piece
        return ~taken

    def alive(self, rack: int, gpus: int) -> Mask:
        """The pieces on which ``rack`` is healthy and within power for ``gpus`` GPUs more; who shares needs no more."""
        site = self.site_of[rack]
        powered = self.room[site]
        if gpus < GPUS_PER_RACK:
            powered |= self.shared[rack] & ~self.over[site]
        return powered & ~self.dead[rack]

    def put(self, rack: int, gpus: int, mask: Mask) -> None:
        """Let ``gpus`` GPUs of ``rack`` carry a block on ``mask``."""
        before = self.whole[rack] | self.shared[rack]
        if gpus == GPUS_PER_RACK:
            self.whole[rack] |= mask
        else:
            load = self.load.setdefault(rack, [0] * self.timeline.pieces)
            for piece in pieces_of(mask):
                load[piece] += gpus
            self.shared[rack] |= mask
        self.clear[rack] &= ~mask
        self._count(rack, mask & ~before, 1)

    def lift(self, rack: int, gpus: int, mask: Mask) -> None:
        """Undo `put`."""
        before = self.whole[rack] | self.shared[rack]
        if gpus == GPUS_PER_RACK:
            self.whole[rack] &= ~mask
        else:
            load = self.load[rack]
            for piece in pieces_of(mask):
                load[piece] -= gpus
                if not load[piece]:
                    self.shared[rack] &= ~(1 << piece)
        left = before & ~(self.whole[rack] | self.shared[rack])
        self.clear[rack] |= left & ~self.dead[rack]
        self._count(rack, left, -1)

    def _count(self, rack: int, mask: Mask, change: int) -> None:
        site = self.site_of[rack]
        if site not in self.limits or not mask:
            return
        limit, carrying, room, over = self.limits[site], self.carrying[site], self.room[site], self.over[site]
        for piece in pieces_of(mask):
            carrying[piece] += change
            bit = 1 << piece
            room = room | bit if carrying[piece] < limit[piece] else room & ~bit
            over = over | bit if carrying[piece] > limit[piece] else over & ~bit
        self.room[site], self.over[site] = room, over


def bare(snapshot: Snapshot, cluster: Cluster, timeline: Timeline) -> Ground:
    """The ground with no block on it."""
    racks = len(cluster.rack_ids)
    limits = _limits(snapshot, cluster, timeline)
    everything = timeline.everything
    room = [everything] * len(snapshot.sites)
    for site, limit in limits.items():
        room[site] = sum(1 << piece for piece, racks_with_power in enumerate(limit) if racks_with_power > 0)
    dead = _dead(snapshot, cluster, timeline)
    first, last = cluster.sites.first.tolist(), cluster.sites.last.tolist()
    return Ground(
        timeline=timeline,
        dead=dead,
        clear=[everything & ~mask for mask in dead],
        site_of=cluster.sites.of_rack.tolist(),
        racks_of=[range(a, b) for a, b in zip(first, last, strict=True)],
        limits=limits,
        whole=[0] * racks,
        shared=[0] * racks,
        carrying={site: [0] * timeline.pieces for site in limits},
        room=room,
        over=[0] * len(snapshot.sites),
    )


def lots(snapshot: Snapshot, cluster: Cluster, timeline: Timeline) -> list[Lot]:
    """Every reservation that has a day left, in the order of the snapshot."""
    site_numbers = {site.id: number for number, site in enumerate(snapshot.sites)}
    result: list[Lot] = []
    for reservation in snapshot.reservations:
        span = timeline.mask(reservation.start, reservation.end)
        if reservation.end <= snapshot.today or not span:
            continue
        whole = reservation.gpus >= GPUS_PER_RACK
        racks = reservation.gpus // GPUS_PER_RACK if whole else 1
        gpus = GPUS_PER_RACK if whole else reservation.gpus
        own, parts = _own(reservation, gpus, cluster, timeline)
        site = snapshot.site_of(reservation)
        lot = Lot(
            number=len(result),
            reservation=reservation,
            span=span,
            racks=racks,
            gpus=gpus,
            own=own,
            parts=parts,
            site=None if site is None else site_numbers[site],
            movable=not reservation.frozen(snapshot.today),
            earliest_end=_earliest_end(reservation, timeline),
            missing=tuple(run for layer in _layers(own, span, racks) for run in ranges(layer)),
        )
        result.append(lot)
    return result


def _layers(racks: Racks, span: Mask, needed: int) -> tuple[Mask, ...]:
    """What is missing of ``needed`` racks: layer ``i`` is the pieces of ``span`` that lack more than ``i``."""
    at_least = [span] + [0] * needed  # at_least[i]: pieces with i racks or more
    for mask in racks.values():
        for i in range(needed, 0, -1):
            at_least[i] |= at_least[i - 1] & mask
    return tuple(layer for i in range(needed) if (layer := span & ~at_least[needed - i]))


def _own(reservation: Reservation, needed: int, cluster: Cluster, timeline: Timeline) -> tuple[Racks, tuple[Part, ...]]:
    """The racks on which the snapshot gives the reservation all the GPUs that it needs of one, and the others."""
    own: Racks = {}
    parts: list[Part] = []
    for segment in reservation.placement:
        mask = timeline.mask(segment.start, segment.end)
        for rack, gpus in segment.racks.items() if mask else ():
            number = cluster.rack_number[rack]
            if gpus == needed:
                own[number] = own.get(number, 0) | mask
            else:
                parts.append((number, mask, gpus))
    return own, tuple(parts)


def _earliest_end(reservation: Reservation, timeline: Timeline) -> int:
    """R11: the first piece from which a recall may take the block away; beyond all pieces where it is firm."""
    if reservation.recall_notice_days is None:
        return timeline.pieces
    return timeline.piece(max(reservation.start, first_recall(timeline.today, reservation.recall_notice_days)))


def _dead(snapshot: Snapshot, cluster: Cluster, timeline: Timeline) -> list[Mask]:
    dead = [0] * len(cluster.rack_ids)
    for outage in snapshot.outages:
        dead[cluster.rack_number[outage.rack]] |= timeline.mask(outage.start, outage.end)
    return dead


def _limits(snapshot: Snapshot, cluster: Cluster, timeline: Timeline) -> dict[int, list[int]]:
    """R3 by piece, up to the horizon, for the sites that have a limit at all."""
    limits = {}
    for number, site in enumerate(snapshot.sites):
        if site.power_limits:
            inside = [int(cluster.power[number, timeline.bounds[p]]) for p in range(timeline.horizon)]
            limits[number] = inside + [UNLIMITED] * (timeline.pieces - timeline.horizon)
    return limits
