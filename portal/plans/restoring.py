"""Whether what stands meets its holds (R7, R8), and racks for blocks that come back, nothing moved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from portal.plans.fitting import Wish, racks_for
from solver.cluster import Counts
from solver.standing import FIRM, Block, Placed, Standing


@dataclass(frozen=True, slots=True)
class Gap:
    """``gpus`` GPUs are missing on each day of ``[start, end)``."""

    start: dt.date
    end: dt.date
    gpus: int


@dataclass(frozen=True, slots=True)
class Missing:
    """GPUs missing by day, from ``today`` on, for what is held and promised."""

    today: dt.date
    gpus: Counts

    def beyond(self, other: Missing) -> tuple[Gap, ...]:
        """Where more is missing here than there, each stretch with the most that is missing beyond it."""
        worse = np.maximum(0, self.gpus - other.gpus)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], (worse > 0).astype(np.int8), [0]))))
        return tuple(
            Gap(self._day(first), self._day(last), int(worse[first:last].max()))
            for first, last in edges.reshape(-1, 2).tolist()
        )

    def _day(self, index: int) -> dt.date:
        return self.today + dt.timedelta(index)


def missing(standing: Standing) -> Missing:
    """What the holds lack on each day up to the horizon, over the cluster and in the sites that they are bound to."""
    notices = {r.recall_notice_days for r in standing.snapshot.reservations if r.recall_notice_days is not None}
    lacking = np.zeros(standing.cluster.days, dtype=np.int64)
    for row in (FIRM, *sorted(notices)):
        room = standing.slack(row)
        in_sites = np.maximum(0, -room.site).sum(axis=1)
        lacking = np.maximum(lacking, np.maximum(-room.cluster, in_sites))
    return Missing(standing.cluster.today, lacking)


def bring_back(standing: Standing, block: str, wish: Wish, start: dt.date) -> Mapping[str, int] | None:
    """GPUs by rack for a block that comes back on ``start``, which then stands as well; null where it does not fit."""
    racks = racks_for(standing, wish, start)
    if racks is not None:
        standing.add(_block(standing, block, wish, start, racks))
    return racks


def _block(standing: Standing, name: str, wish: Wish, start: dt.date, racks: Mapping[str, int]) -> Block:
    cluster = standing.cluster
    first, last = cluster.index(start), cluster.index(start + dt.timedelta(wish.days))
    numbers = np.array([cluster.rack_number[rack] for rack in racks], dtype=np.int64)
    placed = Placed(first, last, numbers, np.array(list(racks.values()), dtype=np.int64))
    return Block(
        kind="reservation",
        id=name,
        tenant=wish.tenant,
        contract=wish.contract,
        notice=FIRM if wish.recall_notice_days is None else wish.recall_notice_days,
        gpus=wish.gpus,
        first=first,
        last=last,
        placed=(placed,),
    )
