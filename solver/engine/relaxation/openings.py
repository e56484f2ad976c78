"""The starts at which a request could be accepted on an otherwise empty cluster, and the most GPUs it could get."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.cluster import Cluster, Counts, Units
from solver.racks import window_min
from solver.snapshot import Contract, Request, Scope
from solver.terms import GPUS_PER_RACK, block_multiple

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Room:
    """R1, R5: racks that are in no outage over an interval, by the unit that has most of them."""

    cluster: Cluster
    broken: Indices
    days_out: Counts

    def most(self, scope: Scope, site: str | None, start: int, end: int) -> int:
        """GPUs of the largest block that one unit of ``scope`` (in ``site``) could carry on all of ``[start, end)``."""
        units = self.cluster.units(scope)
        out = self.broken[self.days_out[:, end] > self.days_out[:, start]]
        lost = np.bincount(units.of_rack[out], minlength=len(units.ids))
        racks = units.last - units.first - lost
        return GPUS_PER_RACK * int(racks[self._in_site(units, site)].max(initial=0))

    def _in_site(self, units: Units, site: str | None) -> NDArray[np.bool_]:
        if site is None or units is self.cluster.everything:
            return np.ones(len(units.ids), dtype=np.bool_)
        number = self.cluster.sites.ids.index(site)
        first, last = self.cluster.sites.first[number], self.cluster.sites.last[number]
        inside: NDArray[np.bool_] = (units.first >= first) & (units.last <= last)
        return inside


def room(cluster: Cluster) -> Room:
    """What outages leave of each unit."""
    broken = np.flatnonzero(~cluster.healthy.all(axis=1))
    days_out = np.zeros((len(broken), cluster.days + 1), dtype=np.int64)
    np.cumsum(~cluster.healthy[broken], axis=1, out=days_out[:, 1:])
    return Room(cluster, broken, days_out)


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


def _room_by_start(request: Request, starts: range, site: str | None, room: Room) -> Indices:
    over_the_window = room.most(request.scope, site, starts.start, starts.stop - 1 + request.days)
    if over_the_window >= request.gpus:
        return np.full(len(starts), request.gpus, dtype=np.int64)
    each = [room.most(request.scope, site, start, start + request.days) for start in starts]
    return np.array(each, dtype=np.int64)
