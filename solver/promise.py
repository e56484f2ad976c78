"""What may still be promised on each day (available to promise), and what stands in the way: NumPy only.

Counts of GPUs by day, over the cluster and per site; day ``t`` is ``today + t``. The rules are `Standing`'s and
`Cluster`'s: here they are only brought side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from solver.cluster import Cluster, Counts
from solver.racks import Flags
from solver.snapshot import Contract
from solver.standing import Room, Standing
from solver.terms import GPUS_PER_RACK


@dataclass(frozen=True, slots=True)
class Supply:
    """GPUs of each site, days x sites: ``capacity`` (R3), and what is lost of its racks, each counted once.

    An outage takes first, then the spares (R2), then power (R3): capacity and losses add up to all racks there are.
    """

    capacity: Counts
    outage: Counts
    spare: Counts
    power: Counts


@dataclass(frozen=True, slots=True)
class Contingent:
    """What ``contract``'s end would set free: by how much ``free`` would rise without its hold and its blocks.

    ``counts``: the days on which it is in force and not under notice; elsewhere ``room`` means nothing.
    ``in_time``: the days that a notice given today or later, after the lock-in, can still set free.
    """

    contract: Contract
    room: Room
    counts: Flags
    in_time: Flags


def supply(standing: Standing, days: slice) -> Supply:
    """What each site has on these days."""
    cluster = standing.cluster
    healthy = cluster.sites.sums(cluster.healthy[:, days]).T
    sale = standing.racks.by_site(cluster.sale[:, days].T)
    capacity: Counts = cluster.capacity[:, days].T
    racks = cluster.sites.last - cluster.sites.first
    return Supply(
        capacity=capacity,
        outage=GPUS_PER_RACK * (racks - healthy),
        spare=GPUS_PER_RACK * (healthy - sale),
        power=GPUS_PER_RACK * sale - capacity,
    )


def free(standing: Standing) -> Room:
    """The GPUs that a firm on-demand block of whole racks could still take on each day: the least slack of R3 (with R2,
    hall by hall), R7 and R8; in a site no more than over the cluster.

    R1 asks no more: a hall's healthy racks that carry nothing are never fewer than R2 leaves.
    """
    room, racks = standing.hold_room(None), standing.racks
    unopened = racks.by_site(np.maximum(0, racks.hall_room))
    by_power = np.minimum(unopened, np.maximum(0, racks.power_room))
    site = np.minimum(by_power, room.site // GPUS_PER_RACK)
    cluster = np.minimum(site.sum(axis=1), room.cluster // GPUS_PER_RACK)
    return Room(GPUS_PER_RACK * cluster, GPUS_PER_RACK * np.minimum(site, cluster[:, None]))


def contingents(standing: Standing) -> Iterator[Contingent]:
    """What the end of each contract that is not under notice would set free, in the order of the snapshot."""
    before = free(standing)
    for contract in standing.snapshot.contracts:
        if contract.notice_given_on is None:
            with _ended(standing, contract):
                after = free(standing)
            rise = Room(after.cluster - before.cluster, after.site - before.site)
            yield Contingent(
                contract, rise, _in_force(contract, standing.cluster), _in_time(contract, standing.cluster)
            )


@contextmanager
def _ended(standing: Standing, contract: Contract) -> Iterator[None]:
    """Within the block the contract holds nothing and nothing that is charged to it stands."""
    charged = [key for key, block in standing.blocks.items() if block.contract == contract.id]
    blocks = [standing.take_out(*key) for key in charged]
    committed = standing.committed[contract.id]
    standing.commit(contract.id, np.zeros_like(committed))
    try:
        yield
    finally:
        standing.commit(contract.id, committed)
        for block in blocks:
            standing.add(block)


def _in_force(contract: Contract, cluster: Cluster) -> Flags:
    days = np.zeros(cluster.days, dtype=np.bool_)
    days[cluster.index(contract.start) : cluster.index(contract.terms.effective_end)] = True
    return days


def _in_time(contract: Contract, cluster: Cluster) -> Flags:
    first_notice = max((contract.lock_in_until - cluster.today).days, 0)
    result: Flags = np.arange(cluster.days) - contract.notice_days >= first_notice
    return result
