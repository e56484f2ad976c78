"""What stands, looked at from all sides: sums that an explanation needs and that many explanations share.

A `Survey` is made of a `Standing` that no longer changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np

from solver.cluster import Bounds, Cluster, Counts
from solver.fit import Ask, allowed_sites, no_limit
from solver.plan import Holder, HolderKind
from solver.racks import Flags
from solver.snapshot import Scope
from solver.standing import Kind, Room, Standing
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY


class Survey:
    """Free racks by pod and hall and day, racks in an outage, and who stands where. Units are ranges of pods."""

    def __init__(self, standing: Standing) -> None:
        cluster = standing.cluster
        self.standing = standing
        self.cluster = cluster
        self.no_limit = no_limit(standing)
        halls = [hall for site in standing.snapshot.sites for hall in site.halls]
        self.racks_in_hall = cluster.halls.last - cluster.halls.first
        self.spares_asked = np.array([hall.spare_racks for hall in halls], np.int64)
        self.spares = np.minimum(self.spares_asked, self.racks_in_hall)
        self._owed = np.maximum(0, self.spares_asked - self.racks_in_hall)

    # What follows is worked out when it is first asked for: an explanation in a hurry asks for none of it.

    @cached_property
    def census(self) -> Census:
        return Census(self.standing)

    @cached_property
    def free_in_pod(self) -> Counts:
        """Racks that are entirely free, days x pods."""
        return self.cluster.pods.sums(self._free.T).T

    @cached_property
    def free_in_hall(self) -> Counts:
        """Racks that are entirely free, days x halls."""
        return self.cluster.halls.sums(self._free.T).T

    @cached_property
    def out_in_pod(self) -> Counts:
        """Racks in an outage, days x pods."""
        return self.cluster.pods.sums(~self.cluster.healthy).T

    @cached_property
    def unused_in_pod(self) -> Counts:
        """Racks without a block, in an outage or not, days x pods."""
        return self.cluster.pods.sums((self.standing.racks.used == 0).T).T

    @cached_property
    def _free(self) -> Flags:
        return self.standing.racks.run > 0

    @cached_property
    def _free_days(self) -> Counts:
        """Days before each day on which a rack is entirely free, (days + 1) x racks."""
        free = self._free
        return np.concatenate((np.zeros((1, free.shape[1]), np.int32), np.cumsum(free, 0, np.int32)))

    def pods_of(self, scope: Scope, unit: int) -> tuple[int, int]:
        """The pods ``[first, last)`` of a unit of this scope."""
        match scope:
            case "pod":
                return unit, unit + 1
            case "hall":
                return _range(self.cluster.hall_of_pod, unit)
            case "site":
                return _range(self.cluster.site_of_pod, unit)
            case "any":
                return 0, len(self.cluster.pods.ids)

    def free_rack_days(self, scope: Scope, first: int, last: int) -> Counts:
        """Days in ``[first, last)`` on which a rack is free, summed over the racks of each unit."""
        return self.cluster.units(scope).sums(self._free_days[last] - self._free_days[first])

    def owed_racks(self, scope: Scope, first: int, last: int) -> Counts:
        """R2: racks that each unit's hall would have to get on ``[first, last)`` before it could sell a single one."""
        over = -self.standing.racks.hall_room[first:last].min(axis=0)
        by_hall: Counts = self._owed + np.maximum(0, over)
        match scope:
            case "pod":
                by_pod: Counts = by_hall[self.cluster.hall_of_pod]
                return by_pod
            case "hall":
                return by_hall
            case _:
                return np.zeros(len(self.cluster.units(scope).ids), np.int64)

    def fits_by_day(self, ask: Ask, room: Room, unit: int, start: int) -> Counts:
        """GPUs that fit in the unit on each single day of the window from ``start`` on, up to ``ask.gpus``."""
        days = slice(start, start + ask.days)
        site_room = np.where(allowed_sites(self.standing, ask), room.site[days], 0)
        if ask.gpus < GPUS_PER_RACK:
            fitting = self._trays_by_day(ask, site_room, unit, days)
        else:
            fitting = self._racks_by_day(ask, site_room // GPUS_PER_RACK, unit, days) * GPUS_PER_RACK
        limit = room.cluster[days]
        result: Counts = np.minimum(np.minimum(fitting, limit - limit % ask.multiple), ask.gpus)
        return result

    def _trays_by_day(self, ask: Ask, site_room: Counts, unit: int, days: slice) -> Counts:
        units = self.cluster.units(ask.scope)
        racks = slice(int(units.first[unit]), int(units.last[unit]))
        trays = self.standing.racks.trays(days.start, days.stop, racks)
        largest = np.minimum(trays, site_room[:, self.cluster.sites.of_rack[racks]]).max(axis=1, initial=0)
        result: Counts = (largest - largest % GPUS_PER_TRAY).astype(np.int64)
        return result

    def _racks_by_day(self, ask: Ask, site_racks: Counts, unit: int, days: slice) -> Counts:
        hall_room, power = self.standing.racks.hall_room[days], self.standing.racks.power_room[days]
        in_site = np.maximum(0, np.minimum(power, site_racks))
        in_hall = np.maximum(0, np.minimum(self.free_in_hall[days], hall_room))
        if ask.scope == "pod":
            hall, site = int(self.cluster.hall_of_pod[unit]), int(self.cluster.site_of_pod[unit])
            return np.minimum(np.minimum(self.free_in_pod[days, unit], in_hall[:, hall]), in_site[:, site])
        if ask.scope == "hall":
            return np.minimum(in_hall[:, unit], in_site[:, self.cluster.site_of_hall[unit]])
        by_site = np.minimum(self.standing.racks.by_site(in_hall), in_site)
        result: Counts = by_site[:, unit] if ask.scope == "site" else by_site.sum(axis=1)
        return result

    def obstacles(self, pods: tuple[int, int], short: Counts, racks: int) -> Iterator[Holder]:
        """What keeps these pods from having ``racks`` racks free on the days (by number) ``short``, blocks apart.

        Outages, the spares of a hall and the power of a site; each as if the others were mended.
        """
        first, last = pods
        unused_in_site: dict[int, Counts] = {}
        for hall in np.unique(self.cluster.hall_of_pod[first:last]).tolist():
            low, high = _range(self.cluster.hall_of_pod, hall)
            inside = slice(max(low, first), min(high, last))
            yield from _holder("outage", self.cluster.halls.ids[hall], self.out_in_pod[short, inside].sum(axis=1))
            unused = self.unused_in_pod[short, inside].sum(axis=1)
            room = self.racks_in_hall[hall] - self.spares[hall] - self.standing.racks.carrying[short, hall]
            binding = room < np.clip(unused, 1, racks)
            yield from _holder("spare", self.cluster.halls.ids[hall], np.where(binding, self.spares[hall], 0))
            site = int(self.cluster.site_of_hall[hall])
            unused_in_site[site] = unused_in_site.get(site, np.zeros_like(unused)) + unused
        for site, unused in unused_in_site.items():
            dark = self.cluster.sites.last[site] - self.cluster.sites.first[site] - self.cluster.power[site, short]
            binding = self.standing.racks.power_room[short, site] < np.clip(unused, 1, racks)
            yield from _holder("power", self.cluster.sites.ids[site], np.where(binding, dark, 0))


class Census:
    """Every piece of every block's placement, with its GPUs by pod."""

    def __init__(self, standing: Standing) -> None:
        self._kinds = np.array([kind for kind, _ in standing.blocks], dtype=np.str_)
        self._ids = np.array([block_id for _, block_id in standing.blocks], dtype=np.str_)
        pieces = [(number, placed) for number, block in enumerate(standing.blocks.values()) for placed in block.placed]
        self._block = np.array([number for number, _ in pieces], dtype=np.int64)
        self._first = np.array([placed.first for _, placed in pieces], dtype=np.int64)
        self._last = np.array([placed.last for _, placed in pieces], dtype=np.int64)
        by_pod = np.zeros((len(pieces), len(standing.cluster.pods.ids)), dtype=np.int32)
        for row, (_, placed) in enumerate(pieces):
            np.add.at(by_pod[row], standing.cluster.pods.of_rack[placed.racks], placed.gpus.astype(np.int32))
        self._before = np.concatenate((np.zeros((len(pieces), 1), np.int32), np.cumsum(by_pod, 1, np.int32)), axis=1)

    def holders(self, kind: Kind, pods: tuple[int, int], short: Flags, at_most: int | None = None) -> list[Holder]:
        """The blocks of one kind with GPUs in these pods on a flagged day, largest first, each with the most GPUs that
        it has there on one of them; only the largest ``at_most`` of them where that is given.
        """
        days_before = np.concatenate(([0], np.cumsum(short)))
        gpus = self._before[:, pods[1]] - self._before[:, pods[0]]
        gpus = np.where(days_before[self._last] > days_before[self._first], gpus, 0)
        most = np.zeros(len(self._ids), dtype=np.int64)
        np.maximum.at(most, self._block, gpus)
        found = np.flatnonzero((most > 0) & (self._kinds == kind))
        order = found[np.lexsort((self._ids[found], -most[found]))][:at_most].tolist()
        return [Holder(kind=kind, id=str(self._ids[number]), gpus=int(most[number])) for number in order]


def largest_first(holders: Iterable[Holder]) -> list[Holder]:
    return sorted(holders, key=lambda holder: (-holder.gpus, holder.kind, holder.id))


def allowed_pods(cluster: Cluster, sites: Flags) -> tuple[int, int]:
    """The pods of the sites a block may stand in: those of one site, or all of them."""
    if len(sites) and sites.sum() == 1:
        return _range(cluster.site_of_pod, int(sites.argmax()))
    return 0, len(cluster.pods.ids)


def _holder(kind: HolderKind, unit: str, racks: Counts) -> Iterator[Holder]:
    most = int(racks.max(initial=0))
    if most > 0:
        yield Holder(kind=kind, id=unit, gpus=most * GPUS_PER_RACK)


def _range(unit_of_pod: Bounds, unit: int) -> tuple[int, int]:
    """The pods of one unit; pods stand in the order of the file, so a unit's are neighbours."""
    first, last = np.searchsorted(unit_of_pod, [unit, unit + 1]).tolist()
    return first, last
