"""Which racks a block takes: as few halls as will do, then as few pods, then where it leaves the least over.

Nothing moves. What fits is decided as in `solver.fit`; this only chooses among the racks that are free throughout.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from solver.cluster import Counts
from solver.fit import Ask, allowed_sites
from solver.racks import Flags, window_min
from solver.standing import Room, Standing
from solver.terms import GPUS_PER_RACK


def place(standing: Standing, ask: Ask, room: Room, *, start: int, gpus: int) -> dict[str, int] | None:
    """GPUs by rack for a block of ``gpus`` GPUs from day ``start`` on, or none where it doesn't fit."""
    if start < 0 or start + ask.days > standing.cluster.days:
        return None
    if int(room.cluster[start : start + ask.days].min()) < gpus:
        return None
    chooser = _Chooser(standing, ask, room, start)
    chosen = chooser.whole(gpus // GPUS_PER_RACK) if gpus >= GPUS_PER_RACK else chooser.part(gpus)
    if chosen is None:
        return None
    each = min(gpus, GPUS_PER_RACK)
    return {standing.cluster.rack_ids[rack]: each for rack in chosen}


class _Chooser:
    """The racks, halls and sites that are open on all of one window."""

    def __init__(self, standing: Standing, ask: Ask, room: Room, start: int) -> None:
        self.standing, self.ask, self.start = standing, ask, start
        self.cluster, self.racks = standing.cluster, standing.racks
        site_room = np.where(allowed_sites(standing, ask), self._least(room.site), 0)
        self.site_gpus: Counts = site_room
        self.free: Flags = self.racks.run[start] >= ask.days
        self.in_pod = self.cluster.pods.sums(self.free)
        self.in_site: Counts = np.maximum(0, np.minimum(self._least(self.racks.power_room), site_room // GPUS_PER_RACK))
        in_hall = np.minimum(self.cluster.halls.sums(self.free), self._least(self.racks.hall_room))
        self.in_hall: Counts = np.maximum(0, np.minimum(in_hall, self.in_site[self.cluster.site_of_hall]))

    def whole(self, racks: int) -> list[int] | None:
        """Numbers of ``racks`` whole racks."""
        shares = self._pod_shares(racks) if self.ask.scope == "pod" else self._hall_shares(racks)
        if shares is None:
            return None
        return sorted(rack for pod, count in shares.items() for rack in self._tightest_racks(pod, count))

    def part(self, gpus: int) -> list[int] | None:
        """The number of one rack with ``gpus`` GPUs free: one that is shared already, then the tightest."""
        days = slice(self.start, self.start + self.ask.days)
        trays = self.racks.trays(days.start, days.stop, slice(0, len(self.cluster.rack_ids))).min(axis=0)
        open_racks = np.flatnonzero((trays >= gpus) & (self.site_gpus >= gpus)[self.cluster.sites.of_rack])
        if not len(open_racks):
            return None
        opened = self.ask.days - (self.racks.used[days, open_racks] > 0).sum(axis=0)
        free_in_pod = self.in_pod[self.cluster.pods.of_rack[open_racks]]
        order = np.lexsort((open_racks, self._gap(open_racks), free_in_pod, trays[open_racks], opened))
        return [int(open_racks[order[0]])]

    def _pod_shares(self, racks: int) -> dict[int, int] | None:
        limit = np.minimum(self.in_pod, self.in_hall[self.cluster.hall_of_pod])
        pods = np.flatnonzero(limit >= racks)
        if not len(pods):
            return None
        order = np.lexsort((pods, self.in_hall[self.cluster.hall_of_pod[pods]], self.in_pod[pods]))
        return {int(pods[order[0]]): racks}

    def _hall_shares(self, racks: int) -> dict[int, int] | None:
        """Racks by pod for a block that may spread over the halls of its scope."""
        best = min(self._hall_choices(racks), key=self._cost, default=None)
        if best is None:
            return None
        return {pod: count for hall, share in best.items() for pod, count in self._pods_of(hall, share).items()}

    def _hall_choices(self, racks: int) -> Iterator[dict[int, int]]:
        """Racks by hall: each single hall that is large enough, else the fewest halls of each site, else of all."""
        single = [{int(hall): racks} for hall in np.flatnonzero(self.in_hall >= racks)]
        yield from single
        if single or self.ask.scope == "hall":
            return
        several = [self._fewest_halls(racks, {site}) for site in range(len(self.cluster.sites.ids))]
        if self.ask.scope == "any":
            several.append(self._fewest_halls(racks, set(range(len(self.cluster.sites.ids)))))
        yield from (shares for shares in several if shares is not None)

    def _fewest_halls(self, racks: int, sites: set[int]) -> dict[int, int] | None:
        """Always the hall that takes most; the last one is the tightest that takes the rest."""
        left_in_site = {site: int(self.in_site[site]) for site in sites}
        shares: dict[int, int] = {}
        while racks > 0:
            takes = {
                int(hall): min(int(self.in_hall[hall]), left_in_site[site])
                for hall, site in enumerate(self.cluster.site_of_hall.tolist())
                if site in sites and hall not in shares
            }
            enough = [hall for hall, take in takes.items() if take >= racks]
            hall = (
                min(enough, key=lambda h: (self.in_hall[h], h))
                if enough
                else max(takes, key=lambda h: takes[h], default=-1)
            )
            share = min(takes.get(hall, 0), racks)
            if share <= 0:
                return None
            shares[hall] = share
            left_in_site[int(self.cluster.site_of_hall[hall])] -= share
            racks -= share
        return shares

    def _cost(self, shares: dict[int, int]) -> tuple[int, int, int]:
        """Halls, pods, and racks left over in those pods."""
        pods = [pod for hall, share in shares.items() for pod in self._pods_of(hall, share)]
        return len(shares), len(pods), int(self.in_pod[pods].sum())

    def _pods_of(self, hall: int, racks: int) -> dict[int, int]:
        """Racks by pod in one hall: always the pod with most free; the last one is the tightest for the rest."""
        pods = np.flatnonzero(self.cluster.hall_of_pod == hall).tolist()
        shares: dict[int, int] = {}
        while racks > 0:
            left = [pod for pod in pods if pod not in shares]
            enough = [pod for pod in left if self.in_pod[pod] >= racks]
            pod = min(enough, key=self.in_pod.__getitem__) if enough else max(left, key=self.in_pod.__getitem__)
            shares[pod] = min(int(self.in_pod[pod]), racks)
            racks -= shares[pod]
        return shares

    def _tightest_racks(self, pod: int, count: int) -> list[int]:
        """The free racks of the pod with the shortest free run around the window."""
        first, last = int(self.cluster.pods.first[pod]), int(self.cluster.pods.last[pod])
        racks = first + np.flatnonzero(self.free[first:last])
        return [int(rack) for rack in racks[np.lexsort((racks, self._gap(racks)))[:count]]]

    def _gap(self, racks: Counts) -> Counts:
        """Days of the free run of each rack that the window lies in; those of its start's run where it is not free."""
        run = self.racks.run
        before = run[: self.start, racks][::-1] == 0
        back = np.where(before.any(axis=0), before.argmax(axis=0), self.start) if self.start else 0
        result: Counts = run[self.start, racks].astype(np.int64) + back
        return result

    def _least(self, by_day: Counts) -> Counts:
        least: Counts = window_min(by_day, self.start, self.start + 1, self.ask.days)[0]
        return least
