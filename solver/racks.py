"""How much of each rack is used on each day, and what that leaves: free runs, racks free per pod and hall, R2, R3.

Arrays are days x racks (or days x units): day ``t`` is ``today + t``, racks and units are numbered as in `Cluster`.
What follows from the use is worked out when it is asked for, and only for the halls that changed.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from solver.cluster import Bounds, Cluster, Counts, Units
from solver.terms import GPUS_PER_RACK

Flags = NDArray[np.bool_]
Level = Literal["pod", "hall"]
_Number = TypeVar("_Number", bound=np.generic)


class RackUse:
    """GPUs used per rack and day by the blocks that stand; an outage leaves a rack nothing (R1)."""

    def __init__(self, cluster: Cluster) -> None:
        days, racks, halls = cluster.days, len(cluster.rack_ids), len(cluster.halls.ids)
        self.cluster = cluster
        self.used = np.zeros((days, racks), dtype=np.int16)
        self._healthy = np.ascontiguousarray(cluster.healthy.T)
        self._run = np.zeros((days, racks), dtype=np.int32)
        self._sorted = {level: np.zeros((days, racks), dtype=np.int32) for level in ("pod", "hall")}
        self._carrying: Counts = np.zeros((days, halls), dtype=np.int64)
        self._hall_room = cluster.sale.T.copy()
        self._power_room = cluster.power.T.copy()
        self._state = np.zeros((days, halls), dtype=np.int8)
        self._site_of_hall = np.eye(len(cluster.sites.ids), dtype=np.int64)[cluster.site_of_hall]
        self._tray_runs: dict[int, Counts] = {}
        self._stale_tray_runs: dict[int, set[int]] = {}
        self._changed, self._stale_runs = set(range(halls)), set(range(halls))

    def change(self, first: int, last: int, racks: Bounds, gpus: Counts) -> None:
        """Add ``gpus`` (negative: take away) to the use of ``racks`` on the days ``[first, last)``."""
        if first >= last or not len(racks):
            return
        self.used[first:last, racks] += gpus.astype(np.int16)
        self._changed.update(self.cluster.halls.of_rack[racks].tolist())

    @property
    def run(self) -> NDArray[np.int32]:
        """Days from each day on for which a rack is healthy and entirely free; 0 where it is not that day."""
        self._refresh_runs()
        return self._run

    @property
    def carrying(self) -> Counts:
        """Racks that carry a block, days x halls."""
        self._refresh()
        return self._carrying

    @property
    def hall_room(self) -> Counts:
        """R2: racks of a hall that new blocks may still open on a day; negative where reservations stand on spares."""
        self._refresh()
        return self._hall_room

    @property
    def power_room(self) -> Counts:
        """R3: racks of a site that new blocks may still open on a day; negative where too many carry already."""
        self._refresh()
        return self._power_room

    def by_site(self, by_hall: Counts) -> Counts:
        """The sums over each site of what is counted by hall (in the last axis)."""
        result: Counts = by_hall @ self._site_of_hall
        return result

    def units(self, level: Level) -> Units:
        return self.cluster.pods if level == "pod" else self.cluster.halls

    def count(self, level: Level, first: int, last: int, days: int) -> Counts:
        """Racks of each unit that are free on all of ``[start, start + days)``, for the starts ``[first, last)``."""
        self._refresh_runs()
        units, racks = self.units(level), self.used.shape[1]
        low = np.repeat(units.first[None, :], last - first, axis=0)
        high = np.repeat(units.last[None, :], last - first, axis=0)
        if not racks:
            return high - low
        row = np.arange(first, last)[:, None] * racks
        for _ in range(int(np.max(units.last - units.first, initial=0)).bit_length()):
            middle = (low + high) // 2
            # A unit that is found already (low = high) looks past its end, and finds what it found.
            enough = (self._sorted[level].take(row + middle, mode="clip") >= days) | (low >= high)
            high = np.where(enough, np.minimum(high, middle), high)
            low = np.where(enough, low, middle + 1)
        return units.last - low

    def free_run(self, level: Level, racks: int, first: int, last: int) -> Counts:
        """Days from each start in ``[first, last)`` for which ``racks`` (at least 1) of each unit's racks are free."""
        self._refresh_runs()
        units = self.units(level)
        large = units.last - units.first >= racks
        result: Counts = np.zeros((last - first, len(units.ids)), dtype=np.int64)
        result[:, large] = self._sorted[level][first:last, units.last[large] - racks]
        return result

    def tray_run(self, gpus: int) -> Counts:
        """Days from each day on for which ``gpus`` (below 72) fit on one rack of a hall, days x halls (R1 to R3)."""
        self._refresh_runs()
        if gpus not in self._tray_runs:
            self._tray_runs[gpus] = np.zeros_like(self._carrying)
            self._stale_tray_runs[gpus] = set(range(len(self.cluster.halls.ids)))
        stale = self._stale_tray_runs[gpus]
        for hall in sorted(stale):
            self._tray_runs[gpus][:, hall] = self._tray_run(hall, gpus)
        stale.clear()
        return self._tray_runs[gpus]

    def _tray_run(self, hall: int, gpus: int) -> Counts:
        """`tray_run` of one hall: on a rack that is entirely free for longest, or on one that is shared."""
        racks = self._racks(hall)
        if racks.start == racks.stop:
            return np.zeros(self.cluster.days, dtype=np.int64)
        on_a_free_rack = np.minimum(self._sorted["hall"][:, racks.stop - 1], _runs(self._state[:, [hall]] < 1)[:, 0])
        used = self.used[:, racks]
        shared = racks.start + np.flatnonzero(((used > 0) & (used <= GPUS_PER_RACK - gpus)).any(axis=0))
        on_a_shared_rack = _runs(self.trays(0, self.cluster.days, shared) < gpus)
        result: Counts = np.maximum(on_a_free_rack, on_a_shared_rack.max(axis=1, initial=0)).astype(np.int64)
        return result

    def trays(self, first: int, last: int, racks: slice | Bounds) -> NDArray[np.int16]:
        """GPUs that a block of fewer than 72 finds on each rack on the days ``[first, last)``.

        A rack that carries something needs no room in its hall or site, only that neither is over its limit.
        """
        self._refresh()
        used, state = self.used[first:last, racks], self._state[first:last, self.cluster.halls.of_rack[racks]]
        usable = self._healthy[first:last, racks] & (state >= np.where(used > 0, 0, 1))
        return np.where(usable, GPUS_PER_RACK - used, 0).astype(np.int16)

    def _racks(self, hall: int) -> slice:
        return slice(int(self.cluster.halls.first[hall]), int(self.cluster.halls.last[hall]))

    def _refresh(self) -> None:
        """Count anew in the halls that changed. That is cheap, and mostly all that is asked: see `_refresh_runs`."""
        if not self._changed:
            return
        for hall in self._changed:
            self._carrying[:, hall] = np.count_nonzero(self.used[:, self._racks(hall)], axis=1)
        self._power_room = self.cluster.power.T - self.by_site(self._carrying)
        self._hall_room = self.cluster.sale.T - self._carrying
        room = np.minimum(self._hall_room, self._power_room[:, self.cluster.site_of_hall])
        state = np.clip(room, -1, 1).astype(np.int8)
        outdated = self._changed | set(np.flatnonzero((state != self._state).any(axis=0)).tolist())
        self._state = state
        for stale in self._stale_tray_runs.values():
            stale |= outdated
        self._stale_runs |= self._changed
        self._changed = set()

    def _refresh_runs(self) -> None:
        """Find and sort the free runs anew in the halls that changed, which takes ten times as long as counting."""
        self._refresh()
        for hall in self._stale_runs:
            self._refresh_hall(hall)
        self._stale_runs = set()

    def _refresh_hall(self, hall: int) -> None:
        racks = self._racks(hall)
        runs = _runs((self.used[:, racks] > 0) | ~self._healthy[:, racks])
        days = np.flatnonzero((runs != self._run[:, racks]).any(axis=1))
        run = runs[days]
        self._run[days, racks] = run
        self._sorted["hall"][days, racks] = np.sort(run, axis=1)
        # One sort of all pods at once: a key that puts each pod's racks after those of the pod before.
        pod = (self.cluster.pods.of_rack[racks] * (self.cluster.days + 1)).astype(np.int32)
        self._sorted["pod"][days, racks] = np.sort(run + pod, axis=1) - pod


def window_min(values: NDArray[_Number], first: int, last: int, days: int) -> NDArray[_Number]:
    """The least of ``values`` (by day in the first axis) over ``[start, start + days)``, for the starts
    ``[first, last)``; the last window has to end within ``values``.
    """
    rows = values[first : last - 1 + days]
    width = 1
    while 2 * width <= days:
        rows = np.minimum(rows[:-width], rows[width:])
        width *= 2
    rest = days - width
    result: NDArray[_Number] = np.minimum(rows[: last - first], rows[rest : rest + last - first])
    return result


def _runs(blocked: Flags) -> NDArray[np.int32]:
    """Days from each day (first axis) to the next blocked one."""
    days = blocked.shape[0]
    day = np.arange(days, dtype=np.int32)[:, None]
    next_blocked = np.where(blocked, day, np.int32(days))
    result: NDArray[np.int32] = np.minimum.accumulate(next_blocked[::-1], axis=0)[::-1] - day
    return result
