"""The ground a plan stands on, read from the snapshot alone: racks and their units, outages, power, capacity (R1-R3).

Racks are numbered in the order of the file, so that the racks of a pod, hall or site follow one another. Arrays by day
have one row per stretch (`solver.verify.stretches`).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.snapshot import Scope, Snapshot
from solver.terms import GPUS_PER_RACK
from solver.verify.stretches import Flags, Stretches

Ints = NDArray[np.int64]
UNLIMITED = 10**9


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one level in file order. Unit u holds the racks ``[edges[u], edges[u + 1])``."""

    ids: tuple[str, ...]
    edges: Ints
    of_rack: Ints

    def counts(self, by_rack: NDArray[np.generic]) -> Ints:
        """Sums over each unit's racks; racks are the last axis of ``by_rack``."""
        total = np.zeros((*by_rack.shape[:-1], by_rack.shape[-1] + 1), dtype=np.int64)
        np.cumsum(by_rack, axis=-1, out=total[..., 1:])
        result: Ints = total[..., self.edges[1:]] - total[..., self.edges[:-1]]
        return result


@dataclass(frozen=True, slots=True)
class Ground:
    """Racks, units and what they can carry.

    ``out`` and ``healthy`` are stretches x racks. They are opposites but for one thing: the page says that an outage
    without an end lasts to the horizon, so beyond it such a rack is neither surely out nor surely healthy. ``sale``
    (stretches x halls) and ``power`` (stretches x sites) count racks, ``capacity`` (stretches x sites) GPUs.
    """

    racks: tuple[str, ...]
    number: dict[str, int]
    pods: Units
    halls: Units
    sites: Units
    cluster: Units
    site_of_hall: Ints
    hall_of_pod: Ints
    site_number: dict[str, int]
    out: Flags
    healthy: Flags
    sale: Ints
    power: Ints
    capacity: Ints

    def units(self, scope: Scope) -> Units:
        """The units in one of which a block of this scope lies; for ``any`` the one cluster."""
        return {"pod": self.pods, "hall": self.halls, "site": self.sites, "any": self.cluster}[scope]

    def names(self, racks: Ints) -> list[str]:
        return [self.racks[rack] for rack in racks]


def survey(snapshot: Snapshot, stretches: Stretches) -> Ground:
    """The ground of ``snapshot``."""
    sites = snapshot.sites
    halls = [(s, hall) for s, site in enumerate(sites) for hall in site.halls]
    pods = [(h, pod) for h, (_, hall) in enumerate(halls) for pod in hall.pods]
    racks = tuple(rack for _, pod in pods for rack in pod.racks)
    number = {rack: i for i, rack in enumerate(racks)}
    hall_of_pod = np.array([h for h, _ in pods], dtype=np.int64)
    site_of_hall = np.array([s for s, _ in halls], dtype=np.int64)
    pod_of_rack = np.repeat(np.arange(len(pods)), [len(pod.racks) for _, pod in pods])
    hall_units = _units([hall.id for _, hall in halls], hall_of_pod[pod_of_rack])
    site_units = _units([site.id for site in sites], site_of_hall[hall_units.of_rack])

    out, healthy, present = _outages(snapshot, stretches, number)
    spare = np.array([hall.spare_racks for _, hall in halls], dtype=np.int64)
    sale = np.maximum(0, np.minimum(hall_units.counts(healthy), hall_units.counts(present) - spare))
    sale_by_site = np.zeros((len(stretches), len(sites)), dtype=np.int64)
    for h, s in enumerate(site_of_hall):
        sale_by_site[:, s] += sale[:, h]
    power = _power(snapshot, stretches)
    return Ground(
        racks=racks,
        number=number,
        pods=_units([pod.id for _, pod in pods], pod_of_rack),
        halls=hall_units,
        sites=site_units,
        cluster=_units(["cluster"], np.zeros(len(racks), dtype=np.int64)),
        site_of_hall=site_of_hall,
        hall_of_pod=hall_of_pod,
        site_number={site.id: s for s, site in enumerate(sites)},
        out=out,
        healthy=healthy,
        sale=sale,
        power=power,
        capacity=GPUS_PER_RACK * np.minimum(sale_by_site, power),
    )


def _units(ids: list[str], of_rack: Ints) -> Units:
    edges = np.searchsorted(of_rack, np.arange(len(ids) + 1))
    return Units(tuple(ids), edges.astype(np.int64), of_rack.astype(np.int64))


def _outages(snapshot: Snapshot, stretches: Stretches, number: dict[str, int]) -> tuple[Flags, Flags, Flags]:
    """``out``, ``healthy`` and ``present`` (in no outage that is ``absent``), stretches x racks."""
    shape = (len(stretches), len(number))
    out, healthy, present = np.zeros(shape, np.bool_), np.ones(shape, np.bool_), np.ones(shape, np.bool_)
    for outage in snapshot.outages:
        rack = number[outage.rack]
        out[stretches.span(outage.start, outage.end or snapshot.horizon_end), rack] = True
        whole = stretches.span(outage.start, outage.end or dt.date.max)
        healthy[whole, rack] = False
        if outage.kind == "absent":
            present[whole, rack] = False
    return out, healthy, present


def _power(snapshot: Snapshot, stretches: Stretches) -> Ints:
    """R3: ``floor(kw / rack_kw + 1e-9)`` racks; where limits overlap, the lowest holds."""
    power = np.full((len(stretches), len(snapshot.sites)), UNLIMITED, dtype=np.int64)
    for s, site in enumerate(snapshot.sites):
        for limit in site.power_limits:
            racks = math.floor(min(limit.kw / snapshot.rack_kw + 1e-9, UNLIMITED))
            span = stretches.span(limit.start, limit.end)
            power[span, s] = np.minimum(power[span, s], racks)
    return power
