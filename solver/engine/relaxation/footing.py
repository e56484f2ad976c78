"""Where reservations stand whatever a valid plan does with them: at least and at most how many GPUs, by site and day.

A bound has to hold for every valid plan, not only for the one at hand. R10 says what such a plan may move: a frozen
reservation keeps the racks that are not taken, one that is not frozen may go to another site unless it is bound to one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.cluster import Cluster, Counts
from solver.snapshot import Reservation, Snapshot
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY


@dataclass(frozen=True, slots=True)
class Footing:
    """One reservation on the days ``[first, last)`` of the plan: it has between ``least`` and ``most`` GPUs in a site
    on a day (sites x days) unless it is short, recalled, or moved because power took its racks.
    """

    reservation: Reservation
    first: int
    last: int
    least: Counts
    most: Counts


@dataclass(frozen=True, slots=True)
class Stand:
    """All reservations with a day in the plan, in the order of the snapshot.

    ``crowded`` (sites x days): power may take racks there, see `stand`. What then is left to accepted blocks is
    ``beside`` reservations of less than a rack, in GPUs. ``taken`` (racks x days): GPUs of a rack that reservations
    keep for certain, see `_taken`.
    """

    footings: list[Footing]
    crowded: NDArray[np.bool_]
    beside: Counts
    taken: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class _Placed:
    """Racks of the snapshot's placement by site and day: all of them, and those that no outage takes."""

    all: Counts
    safe: Counts


def stand(snapshot: Snapshot, cluster: Cluster) -> Stand:
    """Where reservations stand whatever a valid plan does.

    R10: power takes racks only on days on which reservations need more than it supplies, and no more than the excess.
    So either nobody has to leave, or reservations keep every rack that has power and new blocks find room only beside
    the small ones.
    """
    active = [r for r in snapshot.reservations if cluster.index(r.start) < cluster.index(r.end)]
    first_outage = np.where(cluster.healthy.all(axis=1), cluster.days, (~cluster.healthy).argmax(axis=1))
    placed = [_placed(reservation, cluster, first_outage) for reservation in active]
    nowhere = np.zeros_like(cluster.power, dtype=np.bool_)
    unmoved = [_footing(snapshot, cluster, *pair, nowhere) for pair in zip(active, placed, strict=True)]
    racks = np.zeros_like(cluster.power)
    beside = np.zeros_like(cluster.power)
    for footing in unmoved:
        racks += -(-footing.most // GPUS_PER_RACK)
        if footing.reservation.gpus < GPUS_PER_RACK:
            beside += (GPUS_PER_RACK - GPUS_PER_TRAY) * (footing.most > 0)
    crowded = racks > cluster.power
    moved = [_footing(snapshot, cluster, *pair, crowded) for pair in zip(active, placed, strict=True)]
    return Stand(moved, crowded, beside, _taken(snapshot, cluster, first_outage, crowded))


def certain_until(reservation: Reservation, cluster: Cluster) -> int:
    """R11: the first day on which a recall could end it; the end of a firm reservation, cut to the horizon."""
    last = cluster.index(reservation.end)
    if reservation.recall_notice_days is None:
        return last
    return min(last, max(cluster.index(reservation.start), reservation.recall_notice_days))


def _taken(
    snapshot: Snapshot, cluster: Cluster, first_outage: NDArray[np.int64], crowded: NDArray[np.bool_]
) -> NDArray[np.int16]:
    """R10: a frozen reservation keeps its racks, but from an outage of theirs on, where power may take them, and once
    it may be recalled.
    """
    taken = np.zeros((len(cluster.rack_ids), cluster.days), dtype=np.int16)
    for reservation in snapshot.reservations:
        if not reservation.frozen(snapshot.today):
            continue
        until = certain_until(reservation, cluster)
        for segment in reservation.placement:
            start, end = cluster.index(segment.start), min(cluster.index(segment.end), until)
            for rack_id, gpus in segment.racks.items():
                rack = cluster.rack_number[rack_id]
                taken[rack, start : min(end, first_outage[rack])] += gpus
    for site, days in enumerate(crowded):
        taken[cluster.sites.first[site] : cluster.sites.last[site], days] = 0
    return taken


def _footing(
    snapshot: Snapshot, cluster: Cluster, reservation: Reservation, placed: _Placed, crowded: NDArray[np.bool_]
) -> Footing:
    """Where power may take racks they count as staying (see `stand`), and as gone to another site as well."""
    first, last = cluster.index(reservation.start), cluster.index(reservation.end)
    stays = placed.safe if reservation.frozen(snapshot.today) else np.zeros_like(placed.safe)
    gpus = np.zeros(cluster.days, dtype=np.int64)
    gpus[first:last] = reservation.gpus
    site = snapshot.site_of(reservation)
    if site is None:
        surely = stays * ~crowded
        return Footing(reservation, first, last, stays, gpus - (surely.sum(axis=0) - surely))
    own = cluster.sites.ids.index(site)
    least, most = stays.copy(), placed.all.copy()
    least[own] = gpus - (placed.all.sum(axis=0) - placed.all[own])
    most[own] = gpus
    return Footing(reservation, first, last, least, most)


def _placed(reservation: Reservation, cluster: Cluster, first_outage: NDArray[np.int64]) -> _Placed:
    """A rack counts as taken from its first day out of use on, also where it comes back: never too few are taken."""
    everywhere = np.zeros((len(cluster.sites.ids), cluster.days), dtype=np.int64)
    safe = np.zeros_like(everywhere)
    for segment in reservation.placement:
        start, end = cluster.index(segment.start), cluster.index(segment.end)
        for rack_id, gpus in segment.racks.items():
            rack = cluster.rack_number[rack_id]
            site = cluster.sites.of_rack[rack]
            everywhere[site, start:end] += gpus
            safe[site, start : min(end, first_outage[rack])] += gpus
    return _Placed(everywhere, safe)
