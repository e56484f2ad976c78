"""The starts at which a request could be accepted beside nothing but what reservations keep for certain, and the most
GPUs it could get there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.cluster import Cluster, Counts, Units
from solver.engine.relaxation.footing import Stand
from solver.racks import window_min
from solver.snapshot import Contract, Request, Scope
from solver.terms import GPUS_PER_RACK, block_multiple

Indices = NDArray[np.int64]
SCOPES: tuple[Scope, ...] = ("pod", "hall", "site", "any")


@dataclass(frozen=True, slots=True)
class Room:
    """R1 to R3, R5: what one unit could carry over an interval, by the unit that could carry most.

    ``shut`` are the racks that a block cannot have on some day, ``days_shut`` on how many before each day. On a day
    a unit has no more than ``open`` racks that may still be opened, units x days by scope.
    """

    cluster: Cluster
    shut: Indices
    days_shut: Counts
    open: dict[Scope, Counts]

    def most(self, scope: Scope, site: str | None, start: int, end: int) -> int:
        """GPUs of the largest block that one unit of ``scope`` (in ``site``) could carry on all of ``[start, end)``."""
        units = self.cluster.units(scope)
        out = self.shut[self.days_shut[:, end] > self.days_shut[:, start]]
        lost = np.bincount(units.of_rack[out], minlength=len(units.ids))
        racks = np.minimum(units.last - units.first - lost, self.open[scope][:, start:end].min(axis=1))
        return GPUS_PER_RACK * int(racks[self._in_site(units, site)].max(initial=0))

    def _in_site(self, units: Units, site: str | None) -> NDArray[np.bool_]:
        if site is None or units is self.cluster.everything:
            return np.ones(len(units.ids), dtype=np.bool_)
        number = self.cluster.sites.ids.index(site)
        first, last = self.cluster.sites.first[number], self.cluster.sites.last[number]
        inside: NDArray[np.bool_] = (units.first >= first) & (units.last <= last)
        return inside


@dataclass(frozen=True, slots=True)
class Rooms:
    """For blocks of whole racks, which need racks to themselves, and for ``small`` ones, which may share them."""

    whole: Room
    small: Room

    def of(self, request: Request) -> Room:
        return self.whole if request.gpus >= GPUS_PER_RACK else self.small


def rooms(cluster: Cluster, stand: Stand) -> Rooms:
    """What outages and the racks that reservations keep leave of each unit."""
    racks, days = cluster.healthy.shape
    unlimited = {scope: np.full((len(cluster.units(scope).ids), days), racks) for scope in SCOPES}
    return Rooms(
        whole=_room(cluster, ~cluster.healthy | (stand.taken > 0), _open(cluster, stand)),
        small=_room(cluster, ~cluster.healthy | (stand.taken >= GPUS_PER_RACK), unlimited),
    )


def window(request: Request, contract: Contract | None, cluster: Cluster) -> range:
    """R4, R6: the days from today on at which the request may start and still end by the horizon and its contract."""
    first = max((request.earliest_start - cluster.today).days, 0)
    last = min((request.latest_start - cluster.today).days, cluster.days - request.days)
    if contract is not None:
        first = max(first, (contract.start - cluster.today).days)
        last = min(last, (contract.terms.effective_end - cluster.today).days - request.days)
    return range(first, max(first, last + 1))


def largest(request: Request, starts: range, *, site: str | None, ceilings: list[Counts], room: Room) -> Indices:
    """GPUs the request could get at each of ``starts``, 0 where less than ``min_gpus``: `Room`, and what R6 and R9
    leave on each day (``ceilings``, GPUs by day).
    """
    if not starts:
        return np.zeros(0, dtype=np.int64)
    gpus = np.full(len(starts), request.gpus, dtype=np.int64)
    for ceiling in ceilings:
        gpus = np.minimum(gpus, window_min(ceiling, starts.start, starts.stop, request.days))
    gpus = np.minimum(gpus, _room_by_start(request, starts, site, room))
    gpus -= gpus % block_multiple(request.gpus)
    gpus[gpus < request.min_gpus] = 0
    return gpus


def _room(cluster: Cluster, shut: NDArray[np.bool_], open_racks: dict[Scope, Counts]) -> Room:
    racks = np.flatnonzero(shut.any(axis=1))
    days_shut = np.zeros((len(racks), cluster.days + 1), dtype=np.int64)
    np.cumsum(shut[racks], axis=1, out=days_shut[:, 1:])
    return Room(cluster, racks, days_shut, open_racks)


def _open(cluster: Cluster, stand: Stand) -> dict[Scope, Counts]:
    """R2, R3: racks for sale and powered, less those that carry a reservation for certain."""
    carrying = stand.taken > 0
    halls = np.maximum(0, cluster.sale - cluster.halls.sums(carrying))
    by_site = np.zeros_like(cluster.power)
    np.add.at(by_site, cluster.site_of_hall, halls)
    sites = np.minimum(by_site, np.maximum(0, cluster.power - cluster.sites.sums(carrying)))
    halls = np.minimum(halls, sites[cluster.site_of_hall])
    return {"pod": halls[cluster.hall_of_pod], "hall": halls, "site": sites, "any": sites.sum(axis=0, keepdims=True)}


def _room_by_start(request: Request, starts: range, site: str | None, room: Room) -> Indices:
    over_the_window = room.most(request.scope, site, starts.start, starts.stop - 1 + request.days)
    if over_the_window >= request.gpus:
        return np.full(len(starts), request.gpus, dtype=np.int64)
    each = [room.most(request.scope, site, start, start + request.days) for start in starts]
    return np.array(each, dtype=np.int64)
