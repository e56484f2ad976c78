"""The cluster of a snapshot as arrays: racks in file order, days counted from today, capacity per unit and day (R1-R3).

Racks are numbered in the order of the file, so each pod, hall and site is one range of rack numbers. Day ``t`` is
``today + t``; arrays cover the days ``[0, days)`` that the plan decides.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solver.snapshot import Scope, Snapshot
from solver.terms import GPUS_PER_RACK

UNLIMITED = 10**9
Bounds = NDArray[np.int64]
Counts = NDArray[np.int64]


def unchanged(days: int, *profiles: NDArray[np.generic]) -> Iterator[tuple[int, int]]:
    """The longest ``[first, last)`` on which none of the profiles changes, in order; each has a value for each day."""
    changes = np.zeros(max(days - 1, 0), dtype=np.bool_)
    for profile in profiles:
        changes |= profile[1:] != profile[:-1]
    return pairwise([0, *(np.flatnonzero(changes) + 1).tolist(), days])


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one level: ids in file order, and ``[first, last)`` of each one's rack numbers."""

    ids: tuple[str, ...]
    first: Bounds
    last: Bounds
    of_rack: Bounds

    def sums(self, by_rack: NDArray[np.generic]) -> Counts:
        """Sums of ``by_rack`` (racks x ...) over each unit's racks, shape units x ...; 0 for a unit without racks."""
        result = np.zeros((len(self.ids), *by_rack.shape[1:]), dtype=np.int64)
        filled = self.last > self.first
        if filled.any():  # neighbours in the file: a unit's racks end where those of the next one begin
            result[filled] = np.add.reduceat(by_rack, self.first[filled], axis=0, dtype=np.int64)
        return result

    def largest(self, by_rack: Counts) -> Counts:
        """The greatest value of ``by_rack`` (... x racks) in each unit, shape ... x units; 0 without racks."""
        result = np.zeros((*by_rack.shape[:-1], len(self.ids)), dtype=np.int64)
        filled = self.last > self.first
        if filled.any():
            result[..., filled] = np.maximum.reduceat(by_rack, self.first[filled], axis=-1)
        return result


@dataclass(frozen=True, slots=True)
class Cluster:
    """Racks, units and what they can carry. ``healthy`` is racks x days; ``sale`` halls x days and ``power`` sites x
    days count racks (R2, R3; `UNLIMITED` without a power limit); ``capacity`` is ``cap_s(t)`` in GPUs, sites x days.
    """

    today: dt.date
    days: int
    rack_ids: tuple[str, ...]
    rack_number: dict[str, int]
    pods: Units
    halls: Units
    sites: Units
    everything: Units
    hall_of_pod: Bounds
    site_of_pod: Bounds
    site_of_hall: Bounds
    healthy: NDArray[np.bool_]
    sale: Counts
    power: Counts
    capacity: Counts

    def index(self, day: dt.date) -> int:
        """The number of ``day``, cut to ``[0, days]``."""
        return min(max((day - self.today).days, 0), self.days)

    def date(self, index: int) -> dt.date:
        return self.today + dt.timedelta(index)

    def units(self, scope: Scope) -> Units:
        """The units in one of which a block of this scope has to lie; for ``any`` the one cluster."""
        return {"pod": self.pods, "hall": self.halls, "site": self.sites, "any": self.everything}[scope]


def build(snapshot: Snapshot) -> Cluster:
    """The cluster of ``snapshot`` over the days that the plan decides."""
    days = (snapshot.horizon_end - snapshot.today).days
    sites = snapshot.sites
    halls = [(s, hall) for s, site in enumerate(sites) for hall in site.halls]
    pods = [(h, pod) for h, (_, hall) in enumerate(halls) for pod in hall.pods]
    rack_ids = tuple(rack for _, pod in pods for rack in pod.racks)
    number = {rack: i for i, rack in enumerate(rack_ids)}
    pod_units = _units([pod.id for _, pod in pods], [len(pod.racks) for _, pod in pods])
    hall_units = _units([h.id for _, h in halls], [sum(len(p.racks) for p in h.pods) for _, h in halls])
    site_racks = [sum(len(p.racks) for h in site.halls for p in h.pods) for site in sites]
    site_units = _units([site.id for site in sites], site_racks)
    hall_of_pod = np.array([h for h, _ in pods], dtype=np.int64)
    site_of_hall = np.array([s for s, _ in halls], dtype=np.int64)
    healthy, present = _availability(snapshot, number, days)
    spare = np.array([hall.spare_racks for _, hall in halls], dtype=np.int64).reshape(-1, 1)
    sale = np.maximum(0, np.minimum(hall_units.sums(healthy), hall_units.sums(present) - spare))
    power = _power(snapshot, days)
    return Cluster(
        today=snapshot.today,
        days=days,
        rack_ids=rack_ids,
        rack_number=number,
        pods=pod_units,
        halls=hall_units,
        sites=site_units,
        everything=_units(["cluster"], [len(rack_ids)]),
        hall_of_pod=hall_of_pod,
        site_of_pod=site_of_hall[hall_of_pod] if len(pods) else hall_of_pod,
        site_of_hall=site_of_hall,
        healthy=healthy,
        sale=sale,
        power=power,
        capacity=GPUS_PER_RACK * np.minimum(_by_site(sale, site_of_hall, len(sites)), power),
    )


def _units(ids: list[str], sizes: list[int]) -> Units:
    last = np.cumsum(np.array(sizes, dtype=np.int64)) if sizes else np.zeros(0, dtype=np.int64)
    first = last - np.array(sizes, dtype=np.int64) if sizes else last
    return Units(tuple(ids), first, last, np.repeat(np.arange(len(ids)), sizes) if sizes else last)


def _availability(snapshot: Snapshot, number: dict[str, int], days: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """``healthy`` and ``present``, racks x days: in no outage at all, and in none that is ``absent``."""
    healthy = np.ones((len(number), days), dtype=np.bool_)
    present = np.ones((len(number), days), dtype=np.bool_)
    for outage in snapshot.outages:
        rack = number[outage.rack]
        start = max((outage.start - snapshot.today).days, 0)
        end = days if outage.end is None else max((outage.end - snapshot.today).days, 0)
        healthy[rack, start:end] = False
        if outage.kind == "absent":
            present[rack, start:end] = False
    return healthy, present


def _power(snapshot: Snapshot, days: int) -> Counts:
    """R3: the racks that a site can power on a day; where limits overlap, the lowest holds."""
    power = np.full((len(snapshot.sites), days), UNLIMITED, dtype=np.int64)
    for s, site in enumerate(snapshot.sites):
        for limit in site.power_limits:
            start = max((limit.start - snapshot.today).days, 0)
            end = max((limit.end - snapshot.today).days, 0)
            racks = math.floor(min(limit.kw / snapshot.rack_kw + 1e-9, UNLIMITED))
            power[s, start:end] = np.minimum(power[s, start:end], racks)
    return power


def _by_site(by_hall: Counts, site_of_hall: Bounds, sites: int) -> Counts:
    result = np.zeros((sites, by_hall.shape[1]), dtype=np.int64)
    np.add.at(result, site_of_hall, by_hall)
    return result
