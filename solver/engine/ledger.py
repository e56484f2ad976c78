"""Counts that contracts and quotas limit: R6 contract, R7 hold, R8 interruptible, R9 quota, as running sums per day.

A row is one right side of R7 or R8: row 0 is R7 (firm blocks), row ``1 + i`` is R8 for the ``i``-th recall notice.
Each has a slack over the cluster and one per site: the right side less the left side, in GPUs, never negative under a
valid plan. A drawdown block uses up its contract's hold first, so a row in which that hold counts has the hold's GPUs
as additional room for it.
"""

from __future__ import annotations

import copy

import numpy as np
from numpy.typing import NDArray

from solver.cluster import UNLIMITED, Cluster
from solver.decisions import Decisions, Stand
from solver.engine.wishes import NONE, Wish
from solver.snapshot import Snapshot

Grid = NDArray[np.int64]


class Ledger:
    """Slack of every row, hold of every contract, room in every quota, day by day."""

    def __init__(
        self, snapshot: Snapshot, cluster: Cluster, decisions: Decisions, fixed: list[Stand], movable: list[Stand]
    ) -> None:
        """``fixed`` reservations count everywhere, ``movable`` ones in all but sites: there they count as placed."""
        self._snapshot, self._cluster = snapshot, cluster
        self._notices = _recall_notices(snapshot)
        days, contracts = cluster.days, len(snapshot.contracts)
        self._contract_site = _contract_sites(snapshot)
        self._counts_in_row = self._hold_rows()
        self._holding = np.zeros((days, contracts), dtype=np.bool_)
        self._uncovered = np.zeros((days, contracts), dtype=np.int64)
        self._booking_room = np.full((days, contracts), UNLIMITED, dtype=np.int64)
        self._quota_room = np.full((days, len(snapshot.tenants)), UNLIMITED, dtype=np.int64)
        self._fill_contracts(decisions, [*fixed, *movable])
        self._fill_quotas([*fixed, *movable])
        self._fill_slack(fixed, movable)
        self._has_quota = [tenant.max_gpus is not None for tenant in snapshot.tenants]
        self._has_limit = [not contract.overage for contract in snapshot.contracts]

    def held(self, contract: int, start: int, end: int) -> Grid:
        """R7: GPUs held for the contract on each day of ``[start, end)``."""
        uncovered = np.maximum(self._uncovered[start:end, contract], 0)
        held: Grid = uncovered * self._holding[start:end, contract]
        return held

    def room(self, wish: Wish, start: int, end: int) -> int:
        """The most GPUs that R6 to R9 leave for ``wish`` on all of ``[start, end)`` over the cluster."""
        if wish.must_stand:
            return UNLIMITED
        room = UNLIMITED
        if self._has_quota[wish.tenant]:
            room = int(np.minimum.reduce(self._quota_room[start:end, wish.tenant]))
            if room < wish.min_gpus:
                return room
        rows = self.rows(wish)
        slack = self._cluster_slack[start:end, rows]
        if wish.contract != NONE:
            if self._has_limit[wish.contract]:
                room = min(room, int(np.minimum.reduce(self._booking_room[start:end, wish.contract])))
            held = self.held(wish.contract, start, end)[:, None]
            slack = slack + held * self._counts_in_row[wish.contract, rows]
        return min(room, int(np.minimum.reduce(slack, axis=None))) if slack.shape[1] else room

    def site_room(self, wish: Wish, start: int, end: int) -> Grid:
        """The most GPUs that R7 and R8 leave for ``wish`` on all of ``[start, end)``, by site."""
        slack = self._site_slack[start:end, :, self.rows(wish)]
        if wish.contract != NONE and self._contract_site[wish.contract] != NONE:
            slack = slack.copy()
            held = self.held(wish.contract, start, end)[:, None]
            slack[:, self._contract_site[wish.contract], :] += held * self._counts_in_row[wish.contract]
        if not slack.shape[2]:
            return np.full(slack.shape[1], UNLIMITED, dtype=np.int64)
        room: Grid = slack.min(axis=(0, 2))
        return room

    def rows(self, wish: Wish) -> slice:
        """The rows whose left side a block of this wish raises: all for a firm one, R8 with ``n`` up to its own."""
        if wish.recall_notice_days is None:
            return slice(0, 1 + len(self._notices))
        return slice(1, 1 + sum(n <= wish.recall_notice_days for n in self._notices))

    def holds_in(self, contract: int, site: int | None, row: int) -> bool:
        """Whether the contract's hold counts in a row over the cluster, or in that of a site."""
        here = site is None or self._contract_site[contract] == site
        return here and bool(self._counts_in_row[contract, row])

    @property
    def cluster_slack(self) -> Grid:
        """R7, R8: what each row leaves over the cluster, days x rows; a hold that a booking uses up comes back."""
        return self._cluster_slack

    @property
    def site_slack(self) -> Grid:
        """The same in each site, days x sites x rows."""
        return self._site_slack

    @property
    def booking_room(self) -> Grid:
        """R6: GPUs that may still be booked, days x contracts."""
        return self._booking_room

    @property
    def quota_room(self) -> Grid:
        """R9: GPUs that may still be promised, days x tenants."""
        return self._quota_room

    def copy(self) -> Ledger:
        """The same counts, to be changed apart."""
        other = copy.copy(self)
        for name in ("_uncovered", "_booking_room", "_quota_room", "_site_slack", "_cluster_slack"):
            setattr(other, name, getattr(self, name).copy())
        return other

    def change(
        self, wish: Wish, start: int, end: int, by_site: dict[int, int], sign: int, *, gpus: int | None = None
    ) -> None:
        """Enter (``sign`` 1) or take out (-1) a block of ``by_site`` GPUs on ``[start, end)``.

        ``gpus``: all of it, where only a part of it has a site yet.
        """
        gpus = sum(by_site.values()) if gpus is None else gpus
        rows = self.rows(wish)
        for site, here in by_site.items():
            self._site_slack[start:end, site, rows] -= sign * here
        if wish.must_stand:
            return
        self._quota_room[start:end, wish.tenant] -= sign * gpus
        self._cluster_slack[start:end, rows] -= sign * gpus
        if wish.contract != NONE:
            self._book(wish.contract, start, end, sign * gpus)

    def _book(self, contract: int, start: int, end: int, gpus: int) -> None:
        before = self.held(contract, start, end)
        self._uncovered[start:end, contract] -= gpus
        self._booking_room[start:end, contract] -= gpus
        freed = (before - self.held(contract, start, end))[:, None] * self._counts_in_row[contract]
        self._cluster_slack[start:end] += freed
        if self._contract_site[contract] != NONE:
            self._site_slack[start:end, self._contract_site[contract]] += freed

    def _hold_rows(self) -> Grid:
        """contracts x rows: 1 where the contract's hold counts in the row (R7 always, R8 where its lead is below n)."""
        rows = [[1] + [int(c.booking_lead_days < n) for n in self._notices] for c in self._snapshot.contracts]
        return np.array(rows, dtype=np.int64).reshape(len(rows), 1 + len(self._notices))

    def _fill_contracts(self, decisions: Decisions, stands: list[Stand]) -> None:
        index = self._cluster.index
        numbers = {contract.id: k for k, contract in enumerate(self._snapshot.contracts)}
        for k, contract in enumerate(self._snapshot.contracts):
            self._holding[index(contract.terms.holds_from(self._cluster.today)) :, k] = True
            for step in contract.terms.commitments_in_force():
                self._uncovered[index(step.start) : index(step.end), k] += step.gpus
        for stand in stands:
            if stand.reservation.contract is not None:
                days = slice(index(stand.reservation.start), index(stand.end))
                self._uncovered[days, numbers[stand.reservation.contract]] -= stand.reservation.gpus
        for k, contract in enumerate(self._snapshot.contracts):
            if not contract.overage:
                self._booking_room[:, k] = self._uncovered[:, k]
        for shortfall in decisions.hold_shortfalls:
            days = slice(index(shortfall.start), index(shortfall.end))
            self._uncovered[days, numbers[shortfall.contract]] -= shortfall.gpus

    def _fill_quotas(self, stands: list[Stand]) -> None:
        numbers = {tenant.id: i for i, tenant in enumerate(self._snapshot.tenants)}
        for i, tenant in enumerate(self._snapshot.tenants):
            if tenant.max_gpus is not None:
                self._quota_room[:, i] = tenant.max_gpus
        index = self._cluster.index
        for stand in stands:
            days = slice(index(stand.reservation.start), index(stand.end))
            self._quota_room[days, numbers[stand.reservation.tenant]] -= stand.reservation.gpus

    def _fill_slack(self, fixed: list[Stand], movable: list[Stand]) -> None:
        cluster, rows = self._cluster, 1 + len(self._notices)
        use = np.zeros((cluster.days, len(cluster.sites.ids), rows), dtype=np.int64)
        for stand in fixed:
            first, last = self._rows_of(stand)
            for segment in stand.segments:
                days = slice(cluster.index(segment.start), cluster.index(segment.end))
                for rack, gpus in segment.racks.items():
                    use[days, cluster.sites.of_rack[cluster.rack_number[rack]], first:last] += gpus
        right = np.maximum(cluster.capacity.T[:, :, None], use)
        self._site_slack: Grid = right - use
        self._cluster_slack: Grid = (right - use).sum(axis=1)
        for stand in movable:
            days = slice(cluster.index(stand.reservation.start), cluster.index(stand.end))
            self._cluster_slack[days] -= stand.reservation.gpus
        for k, site in enumerate(self._contract_site):
            held = self.held(k, 0, cluster.days)[:, None] * self._counts_in_row[k]
            self._cluster_slack -= held
            if site != NONE:
                self._site_slack[:, site] -= held

    def _rows_of(self, stand: Stand) -> tuple[int, int]:
        notice = stand.reservation.recall_notice_days if stand.reservation.interruptible else None
        if notice is None:
            return 0, 1 + len(self._notices)
        return 1, 1 + sum(n <= notice for n in self._notices)


def _recall_notices(snapshot: Snapshot) -> list[int]:
    """Every recall notice in the snapshot, ascending. A row without a block in it follows from R7, so none hurts."""
    reserved = {r.recall_notice_days for r in snapshot.reservations if r.interruptible}
    asked = {r.recall_notice_days for r in snapshot.requests if r.interruptible}
    return sorted(notice for notice in reserved | asked if notice is not None)


def _contract_sites(snapshot: Snapshot) -> list[int]:
    sites = {site.id: i for i, site in enumerate(snapshot.sites)}
    return [NONE if contract.site is None else sites[contract.site] for contract in snapshot.contracts]
