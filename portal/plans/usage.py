"""How the cluster is used: GPUs over the cluster on one day, racks by hall over many, as what stands has it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver import promise
from solver.cluster import Counts
from solver.standing import Standing
from solver.terms import GPUS_PER_RACK


@dataclass(frozen=True, slots=True)
class ClusterUse:
    """GPUs over the cluster on ``day``; ``free``: what a firm on-demand block of whole racks could still take.

    What is lost is counted once, an outage first, then the spares, then power (R2, R3); the rest is ``for_sale``.
    Interruptible blocks may stand on what is held (R8), so the parts need not add up to ``for_sale``.
    """

    day: dt.date
    total: int
    for_sale: int
    firm: int
    interruptible: int
    held: int
    free: int
    lost_to_outages: int
    lost_to_spares: int
    lost_to_power: int

    @property
    def booked(self) -> int:
        return self.firm + self.interruptible

    @property
    def lost(self) -> int:
        return self.lost_to_outages + self.lost_to_spares + self.lost_to_power


@dataclass(frozen=True, slots=True)
class HallUse:
    """Racks of a hall on one day. ``free`` may still be opened by new blocks (R2, R3), before holds are counted.

    ``booked`` racks carry a block, whether they are healthy or not; ``is_limited``: the site's power does not reach
    all of its racks that are for sale.
    """

    booked: int
    free: int
    out: int
    is_limited: bool


def days_known(standing: Standing) -> tuple[dt.date, dt.date]:
    """The days ``[first, end)`` of which what stands can tell: today to the horizon."""
    return standing.cluster.today, standing.cluster.date(standing.cluster.days)


def cluster_use(standing: Standing, day: dt.date) -> ClusterUse:
    """The GPUs of the cluster on ``day``, which must be one of `days_known`."""
    t = _index(standing, day)
    supply = promise.supply(standing, slice(t, t + 1))
    return ClusterUse(
        day=day,
        total=GPUS_PER_RACK * len(standing.cluster.rack_ids),
        for_sale=int(supply.capacity.sum()),
        firm=int(standing.firm()[t].sum()),
        interruptible=int(standing.interruptible()[t].sum()),
        held=sum(int(standing.held(contract)[t]) for contract in standing.snapshot.contracts),
        free=int(promise.free(standing).cluster[t]),
        lost_to_outages=int(supply.outage.sum()),
        lost_to_spares=int(supply.spare.sum()),
        lost_to_power=int(supply.power.sum()),
    )


def hall_uses(standing: Standing, start: dt.date, end: dt.date) -> dict[str, Sequence[HallUse]]:
    """By hall code its use on each day of ``[start, end)``, which must lie in `days_known`."""
    cluster, days = standing.cluster, slice(_index(standing, start), _index(standing, end - dt.timedelta(1)) + 1)
    booked = standing.racks.carrying[days]
    free = _free_racks(standing)[days]
    out = (cluster.halls.last - cluster.halls.first) - cluster.halls.sums(cluster.healthy[:, days]).T
    limited = _is_limited(standing)[days][:, cluster.site_of_hall]
    return {
        code: [
            HallUse(*numbers)
            for numbers in zip(
                booked[:, hall].tolist(),
                free[:, hall].tolist(),
                out[:, hall].tolist(),
                limited[:, hall].tolist(),
                strict=True,
            )
        ]
        for hall, code in enumerate(cluster.halls.ids)
    }


def _index(standing: Standing, day: dt.date) -> int:
    t = (day - standing.cluster.today).days
    if not 0 <= t < standing.cluster.days:
        raise ValueError(f"{day} is not one of the days that the snapshot is about")
    return t


def _free_racks(standing: Standing) -> Counts:
    """R2, R3: racks of each hall that new blocks may still open, days x halls."""
    power = standing.racks.power_room[:, standing.cluster.site_of_hall]
    free: Counts = np.maximum(0, np.minimum(standing.racks.hall_room, power))
    return free


def _is_limited(standing: Standing) -> NDArray[np.bool_]:
    """Days x sites: whether power reaches fewer racks than are for sale."""
    by_site = standing.racks.by_site(standing.cluster.sale.T)
    limited: NDArray[np.bool_] = by_site > standing.cluster.power.T
    return limited
