"""Where reservations stand whatever a valid plan does with them: at least and at most how many GPUs, by site and day.

A bound has to hold for every valid plan, not only for the one at hand. R10 says what such a plan may move: a frozen
reservation keeps the racks that are not taken, one that is not frozen may go to another site unless it is bound to one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.cluster import Cluster, Counts
from solver.snapshot import Reservation, Snapshot
from solver.terms import GPUS_PER_RACK


@dataclass(frozen=True, slots=True)
class Footing:
    """One reservation on the days ``[first, last)`` of the plan: it has between ``least`` and ``most`` GPUs in a site
    on a day (sites x days) unless it is short or recalled.
    """

    reservation: Reservation
    first: int
    last: int
    least: Counts
    most: Counts


@dataclass(frozen=True, slots=True)
class _Placed:
    """Racks of the snapshot's placement by site and day: all of them, and those that no outage takes."""

    all: Counts
    safe: Counts


def footings(snapshot: Snapshot, cluster: Cluster) -> list[Footing]:
    """The footing of every reservation with a day in the plan, in the order of the snapshot."""
    active = [r for r in snapshot.reservations if cluster.index(r.start) < cluster.index(r.end)]
    first_outage = np.where(cluster.healthy.all(axis=1), cluster.days, (~cluster.healthy).argmax(axis=1))
    placed = [_placed(reservation, cluster, first_outage) for reservation in active]
    steady = np.ones((len(snapshot.sites), cluster.days), dtype=np.bool_)
    without_power_cuts = list(_with_power(snapshot, cluster, active, placed, steady))
    steady = _racks_at_most(without_power_cuts, cluster) <= cluster.power
    return list(_with_power(snapshot, cluster, active, placed, steady))


def _with_power(
    snapshot: Snapshot,
    cluster: Cluster,
    active: list[Reservation],
    placed: list[_Placed],
    steady: NDArray[np.bool_],
) -> Iterator[Footing]:
    for reservation, where in zip(active, placed, strict=True):
        first, last = cluster.index(reservation.start), cluster.index(reservation.end)
        stays = where.safe * steady if reservation.frozen(snapshot.today) else np.zeros_like(where.safe)
        gpus = np.zeros(cluster.days, dtype=np.int64)
        gpus[first:last] = reservation.gpus
        site = snapshot.site_of(reservation)
        if site is None:
            yield Footing(reservation, first, last, stays, gpus - (stays.sum(axis=0) - stays))
            continue
        own = cluster.sites.ids.index(site)
        least, most = stays.copy(), where.all.copy()
        least[own] = gpus - (where.all.sum(axis=0) - where.all[own])
        most[own] = gpus
        yield Footing(reservation, first, last, least, most)


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


def _racks_at_most(all_footings: list[Footing], cluster: Cluster) -> Counts:
    """R10: power takes racks only where reservations, where they stand, need more of them than the site can power.

    A block of less than a rack needs one rack, wherever it stands.
    """
    total = np.zeros_like(cluster.power)
    for footing in all_footings:
        total += -(-footing.most // GPUS_PER_RACK)
    return total
