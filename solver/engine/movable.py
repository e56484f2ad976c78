"""R10: reservations that are not frozen may get one new placement, if that makes room for something worth more.

Only what every rule allows whatever else is decided: a reservation that repair left alone, on whole racks, in its
scope. Where capacity is short, who stands where decides what else is allowed (R10 to R12): nobody is moved for value.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solver.cluster import Cluster
from solver.decisions import Decisions, Stand
from solver.engine.wishes import NONE, Wish
from solver.plan import Move
from solver.snapshot import Reservation, Segment, Snapshot
from solver.terms import GPUS_PER_RACK


@dataclass(frozen=True, slots=True)
class Beyond:
    """Days from the horizon on as bits, one for each stretch between two days on which something begins or ends."""

    cluster: Cluster
    cuts: tuple[dt.date, ...]

    def bits(self, start: dt.date, end: dt.date | None) -> int:
        """The stretches of ``[start, end)`` beyond the horizon, above the bits of the plan's own days."""
        first = bisect_left(self.cuts, start)
        last = len(self.cuts) - 1 if end is None else bisect_left(self.cuts, end)
        return ((1 << max(0, last - first)) - 1) << (self.cluster.days + first)


def beyond(snapshot: Snapshot, cluster: Cluster) -> Beyond:
    """The stretches that the reservations of the snapshot cut the days beyond its horizon into."""
    horizon = snapshot.horizon_end
    days = {day for reservation in snapshot.reservations for day in (reservation.start, reservation.end)}
    days |= {day for outage in snapshot.outages for day in (outage.start, outage.end) if day is not None}
    return Beyond(cluster, (horizon, *sorted(day for day in days if day > horizon)))


def blocked_beyond(snapshot: Snapshot, fixed: list[Stand], later: Beyond) -> dict[int, int]:
    """The stretches beyond the horizon on which racks (numbers) carry a fixed reservation or are in an outage (R1)."""
    blocked: dict[int, int] = {}
    number, horizon = later.cluster.rack_number, snapshot.horizon_end
    for stand in fixed:
        for segment in stand.segments:
            for rack in segment.racks if segment.end > horizon else ():
                blocked[number[rack]] = blocked.get(number[rack], 0) | later.bits(segment.start, segment.end)
    for outage in snapshot.outages:
        if outage.end is not None and outage.end > horizon:  # without an end it lasts to the horizon
            rack_number = number[outage.rack]
            blocked[rack_number] = blocked.get(rack_number, 0) | later.bits(outage.start, outage.end)
    return blocked


def split(
    snapshot: Snapshot, cluster: Cluster, decisions: Decisions, fixed: list[Stand], *, number: int
) -> tuple[list[Stand], list[Stand], list[Wish]]:
    """What stays as it is; what may be moved; and for each of the latter the wish to place it, from ``number`` on."""
    if _is_tight(snapshot, cluster, decisions):
        return fixed, [], []
    moved = {move.reservation for move in decisions.moves}
    free = {
        stand.reservation.id: stand
        for stand in fixed
        if stand.reservation.id not in moved and _may_move(snapshot, cluster, stand)
    }
    for name in _beyond_capacity(cluster, fixed, list(free.values())):
        del free[name]
    movable = list(free.values())
    later = beyond(snapshot, cluster)
    tenants = {tenant.id: i for i, tenant in enumerate(snapshot.tenants)}
    wishes = [
        _mover(snapshot, later, stand, number=number + i, tenant=tenants[stand.reservation.tenant])
        for i, stand in enumerate(movable)
    ]
    return [stand for stand in fixed if stand.reservation.id not in free], movable, wishes


def moved_gpus(wish: Wish, racks: dict[int, int]) -> int:
    """§ 5 step 3: the block's GPUs on racks that the snapshot's placement does not have."""
    own = set(wish.keep)
    return sum(gpus for rack, gpus in racks.items() if rack not in own)


def move_of(snapshot: Snapshot, cluster: Cluster, wish: Wish, racks: dict[int, int]) -> Move | None:
    """The move that brings the reservation onto ``racks``; None where it stays."""
    if not moved_gpus(wish, racks):
        return None
    reservation = next(item for item in snapshot.reservations if item.id == wish.reservation)
    placed = {cluster.rack_ids[rack]: gpus for rack, gpus in sorted(racks.items())}
    segment = Segment(start=reservation.start, end=reservation.end, racks=placed)
    return Move(reservation=reservation.id, forced=False, placement=[segment])


def _is_tight(snapshot: Snapshot, cluster: Cluster, decisions: Decisions) -> bool:
    """Whether something is short, or a replacement stands where it may only while nothing better is free."""
    if decisions.shortfalls or decisions.hold_shortfalls:
        return True
    reservations = {reservation.id: reservation for reservation in snapshot.reservations}
    return any(
        not _in_scope(cluster, reservations[move.reservation], segment)
        or (len(move.placement) > 1 and not reservations[move.reservation].frozen(snapshot.today))
        for move in decisions.moves
        for segment in move.placement
    )


def _may_move(snapshot: Snapshot, cluster: Cluster, stand: Stand) -> bool:
    reservation = stand.reservation
    if reservation.interruptible or reservation.gpus < GPUS_PER_RACK or reservation.frozen(snapshot.today):
        return False
    whole = len(stand.segments) == 1 and sum(stand.segments[0].racks.values()) == reservation.gpus
    if not whole or stand.end != reservation.end or stand.segments[0].start != reservation.start:
        return False
    in_time = snapshot.today <= reservation.start < snapshot.horizon_end and stand.segments[0].end == reservation.end
    site = snapshot.site_of(reservation)
    at_home = site is None or _sites(cluster, stand.segments[0]) == {site}
    return in_time and at_home and _in_scope(cluster, reservation, stand.segments[0])


def _mover(snapshot: Snapshot, later: Beyond, stand: Stand, *, number: int, tenant: int) -> Wish:
    reservation, cluster = stand.reservation, later.cluster
    site = snapshot.site_of(reservation)
    first = cluster.index(stand.segments[0].start)
    return Wish(
        number=number,
        id=reservation.id,
        tenant=tenant,
        contract=NONE,
        site=NONE if site is None else cluster.sites.ids.index(site),
        scope=reservation.scope,
        gpus=reservation.gpus,
        min_gpus=reservation.gpus,
        days=cluster.index(stand.end) - first,
        first_start=first,
        last_start=first,
        recall_notice_days=None,
        tier=min((request.tier for request in snapshot.requests), default=0),
        value_usd=0.0,
        keep=tuple(cluster.rack_number[rack] for rack in stand.segments[0].racks),
        reservation=reservation.id,
        must_stand=True,
        beyond=later.bits(snapshot.horizon_end, stand.end),
    )


def _footprint(cluster: Cluster, stand: Stand) -> Iterator[tuple[int, slice, int]]:
    """Site, days and GPUs of every piece of the reservation."""
    for segment in stand.segments:
        days = slice(cluster.index(segment.start), cluster.index(segment.end))
        for rack, gpus in segment.racks.items():
            yield int(cluster.sites.of_rack[cluster.rack_number[rack]]), days, gpus


def _sites(cluster: Cluster, segment: Segment) -> set[str]:
    return {cluster.sites.ids[cluster.sites.of_rack[cluster.rack_number[rack]]] for rack in segment.racks}


def _in_scope(cluster: Cluster, reservation: Reservation, segment: Segment) -> bool:
    of_rack = cluster.units(reservation.scope).of_rack
    return len({int(of_rack[cluster.rack_number[rack]]) for rack in segment.racks}) <= 1


def _beyond_capacity(cluster: Cluster, fixed: list[Stand], movable: list[Stand]) -> set[str]:
    """Who stands in a site on a day on which reservations exceed its capacity: R7 counts with them there."""
    use = np.zeros(cluster.capacity.shape, dtype=np.int64)
    footprints = [(stand.reservation.id, list(_footprint(cluster, stand))) for stand in fixed]
    for _, footprint in footprints:
        for site, days, gpus in footprint:
            use[site, days] += gpus
    over = use > cluster.capacity
    free = {stand.reservation.id for stand in movable}
    return {
        name
        for name, footprint in footprints
        if name in free and any(over[site, days].any() for site, days, _ in footprint)
    }
