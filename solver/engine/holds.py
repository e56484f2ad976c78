"""Holds that can't be met (R7, R8, R12): how many GPUs are missing on a day, and which contracts are short of them.

Our reading of R12 beside R8: an interruptible block that stands on a contract's hold is recalled as soon as its
notice allows. On the days before that nobody can be recalled, so there the hold is short, as it is where R7 itself
can't be met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solver.cluster import Cluster, Counts, unchanged
from solver.decisions import Stand
from solver.plan import HoldShortfall
from solver.snapshot import Contract, Snapshot


@dataclass(frozen=True, slots=True)
class Holds:
    """What reservations use and contracts hold on each day ``[0, days)``, in GPUs.

    ``firm`` is sites x days; ``interruptible`` has such an array for each recall notice; ``held`` is contracts x days
    in the order of the snapshot; ``site_of`` is the number of each contract's site, -1 where it has none.
    """

    firm: Counts
    interruptible: dict[int, Counts]
    held: Counts
    lead: Counts
    site_of: Counts
    capacity: Counts

    def counted(self, notice: int | None) -> tuple[Counts, NDArray[np.bool_]]:
        """The left side of R8 for ``notice`` (of R7 where null): GPUs used per site and day, and whose holds count."""
        if notice is None:
            return self.firm, np.ones(len(self.lead), dtype=np.bool_)
        above = [gpus for other, gpus in self.interruptible.items() if other >= notice]
        return self.firm + sum(above), self.lead < notice


@dataclass(frozen=True, slots=True)
class Gap:
    """One row of R7 or R8 that is not met: ``gpus`` missing per day, to come from the holds of ``contracts``."""

    notice: int | None
    site: int | None
    contracts: NDArray[np.bool_]
    gpus: Counts


def hold_shortfalls(snapshot: Snapshot, cluster: Cluster, stands: Iterable[Stand]) -> tuple[HoldShortfall, ...]:
    """R12: the least hold shortfall with which every hold beside these reservations is met, all requests declined."""
    holds = measure(snapshot, cluster, stands)
    short = missing(holds)
    return tuple(_ranges(snapshot, cluster, short))


def measure(snapshot: Snapshot, cluster: Cluster, stands: Iterable[Stand]) -> Holds:
    """What these reservations use and what the contracts hold beside them."""
    shape = (len(snapshot.sites), cluster.days)
    firm = np.zeros(shape, dtype=np.int64)
    interruptible: dict[int, Counts] = {}
    number = {contract.id: k for k, contract in enumerate(snapshot.contracts)}
    booked = np.zeros((len(number), cluster.days), dtype=np.int64)
    for stand in stands:
        reservation = stand.reservation
        notice = reservation.recall_notice_days
        used = firm if notice is None else interruptible.setdefault(notice, np.zeros(shape, dtype=np.int64))
        _add_use(cluster, stand, used)
        if reservation.contract is not None:
            days = slice(cluster.index(reservation.start), cluster.index(stand.end))
            booked[number[reservation.contract], days] += reservation.gpus
    sites = {site.id: s for s, site in enumerate(snapshot.sites)}
    return Holds(
        firm=firm,
        interruptible=interruptible,
        held=_held(snapshot.contracts, cluster, booked),
        lead=np.array([contract.booking_lead_days for contract in snapshot.contracts], dtype=np.int64),
        site_of=np.array([-1 if c.site is None else sites[c.site] for c in snapshot.contracts], dtype=np.int64),
        capacity=cluster.capacity,
    )


def missing(holds: Holds, *, firm_only: bool = False) -> Counts:
    """R12: GPUs by which each contract's hold is short, contracts x days: what sites lack first, then the cluster.

    ``firm_only`` looks at R7 alone, as if every interruptible block could still be recalled.
    """
    short = np.zeros_like(holds.held)
    notices = [None] if firm_only else [*sorted(holds.interruptible), None]
    for notice in notices:
        for gap in site_gaps(holds, notice):
            _take(holds, short, gap)
    for notice in notices:
        _take(holds, short, cluster_gap(holds, notice))
    return short


def recalls_needed(holds: Holds) -> Iterator[Gap]:
    """R8: what interruptible blocks use of holds that are not theirs to stand on, beside the hold shortfall of R7."""
    left = replace(holds, held=holds.held - missing(holds, firm_only=True))
    for notice in sorted(holds.interruptible):
        for gap in (*site_gaps(left, notice), cluster_gap(left, notice)):
            if gap.gpus.any():
                yield gap


def site_gaps(holds: Holds, notice: int | None) -> Iterator[Gap]:
    """R7 (``notice`` null) and R8 per site: the right side is never less than what reservations use there."""
    used, counts = holds.counted(notice)
    for site in sorted({int(s) for s in holds.site_of if s >= 0}):
        bound = counts & (holds.site_of == site)
        room = np.maximum(holds.capacity[site], used[site]) - used[site]
        yield Gap(notice, site, bound, np.maximum(0, holds.held[bound].sum(axis=0) - room))


def cluster_gap(holds: Holds, notice: int | None) -> Gap:
    """R7 (``notice`` null) and R8 over the cluster: its right side is the sum of its sites'."""
    used, counts = holds.counted(notice)
    room = (np.maximum(holds.capacity, used) - used).sum(axis=0)
    return Gap(notice, None, counts, np.maximum(0, holds.held[counts].sum(axis=0) - room))


def _add_use(cluster: Cluster, stand: Stand, used: Counts) -> None:
    for segment in stand.segments:
        first, last = cluster.index(segment.start), cluster.index(segment.end)
        if first < last:
            for rack, gpus in segment.racks.items():
                used[cluster.sites.of_rack[cluster.rack_number[rack]], first:last] += gpus


def _held(contracts: Iterable[Contract], cluster: Cluster, booked: Counts) -> Counts:
    """R7: what is committed and not booked, from the end of the booking lead on."""
    held = np.zeros_like(booked)
    for k, contract in enumerate(contracts):
        for step in contract.terms.commitments_in_force():
            held[k, cluster.index(step.start) : cluster.index(step.end)] = step.gpus
        held[k] = np.maximum(0, held[k] - booked[k])
        held[k, : cluster.index(contract.terms.holds_from(cluster.today))] = 0
    return held


def _take(holds: Holds, short: Counts, gap: Gap) -> None:
    """Add to ``short`` what ``gap`` lacks beyond it: shortest booking lead first, so that it counts in every row."""
    rest = np.maximum(0, gap.gpus - short[gap.contracts].sum(axis=0))
    if not rest.any():
        return
    for k in sorted(np.flatnonzero(gap.contracts), key=lambda k: (holds.lead[k], k)):
        part = np.minimum(rest, holds.held[k] - short[k])
        short[k] += part
        rest -= part


def _ranges(snapshot: Snapshot, cluster: Cluster, short: Counts) -> Iterator[HoldShortfall]:
    for contract, row in zip(snapshot.contracts, short, strict=True):
        for first, last in unchanged(cluster.days, row):
            if row[first] > 0:
                gpus = int(row[first])
                start, end = cluster.date(first), cluster.date(last)
                yield HoldShortfall(contract=contract.id, start=start, end=end, gpus=gpus)
