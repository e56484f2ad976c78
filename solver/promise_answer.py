"""The answer of ``promise``: what may still be promised, as ranges of days on which nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from solver import cluster as clusters
from solver import promise
from solver import standing as standings
from solver.cluster import Counts, unchanged
from solver.decisions import of_plan
from solver.plan import Plan
from solver.snapshot import Day, Id, Loaded, Model
from solver.standing import Room, Standing

FORMAT: Literal["berth.promise/1"] = "berth.promise/1"


class Lost(Model):
    """GPUs of racks that are not for sale: in an outage, else spare, else without power."""

    outage: int
    spare: int
    power: int


class Booked(Model):
    """GPUs of blocks that stand."""

    firm: int
    interruptible: int


class Held(Model):
    contract: Id
    gpus: int


class Rise(Model):
    """``gpus`` more would be free if the contract ended in time; ``decide_by`` is the last day for the notice that sets
    the range's first day free, null where none is in time.
    """

    contract: Id
    gpus: int
    decide_by: Day | None


class Range(Model):
    """What holds on each day of ``[start, end)``, in GPUs."""

    start: Day
    end: Day
    capacity: int
    lost: Lost
    booked: Booked
    held: list[Held]
    free: int
    contingent: list[Rise]


class SitePromise(Model):
    id: Id
    days: list[Range]


class Promise(Model):
    format: Literal["berth.promise/1"]
    snapshot_sha256: str
    today: Day
    horizon_end: Day
    cluster: list[Range]
    sites: list[SitePromise]


def answer(loaded: Loaded, plan: Plan | None = None) -> Promise:
    """What the snapshot can still promise, with the plan carried out if there is one."""
    cluster = clusters.build(loaded.snapshot)
    figures = _Figures(standings.of(loaded.snapshot, cluster, None if plan is None else of_plan(plan)))
    return Promise(
        format=FORMAT,
        snapshot_sha256=loaded.sha256,
        today=loaded.snapshot.today,
        horizon_end=loaded.snapshot.horizon_end,
        cluster=[*figures.ranges(None)],
        sites=[SitePromise(id=site, days=[*figures.ranges(s)]) for s, site in enumerate(cluster.sites.ids)],
    )


class _Figures:
    """Every figure by day, of the cluster (site null) and of each site."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.cluster = standing.cluster
        self.supply = promise.supply(standing, slice(None))
        self.firm, self.interruptible = standing.firm(), standing.interruptible()
        self.held = {contract.id: standing.held(contract) for contract in standing.snapshot.contracts}
        self.free = promise.free(standing)
        self.contingents = [*promise.contingents(standing)]

    def ranges(self, site: int | None) -> Iterator[Range]:
        """The days, cut wherever a figure changes."""
        amounts, held, rises = self._amounts(site), self._held(site), self._rises(site)
        marks = [flags for item in self.contingents for flags in (item.counts, item.in_time)]
        for first, last in unchanged(self.cluster.days, *amounts.values(), *held.values(), *rises, *marks):
            here = {name: int(gpus[first]) for name, gpus in amounts.items()}
            yield Range(
                start=self.cluster.date(first),
                end=self.cluster.date(last),
                capacity=here["capacity"],
                lost=Lost(outage=here["outage"], spare=here["spare"], power=here["power"]),
                booked=Booked(firm=here["firm"], interruptible=here["interruptible"]),
                held=[Held(contract=name, gpus=int(gpus[first])) for name, gpus in held.items() if gpus[first]],
                free=here["free"],
                contingent=[*self._contingent(rises, first)],
            )

    def _amounts(self, site: int | None) -> dict[str, Counts]:
        by_site = {
            "capacity": self.supply.capacity,
            "outage": self.supply.outage,
            "spare": self.supply.spare,
            "power": self.supply.power,
            "firm": self.firm,
            "interruptible": self.interruptible,
        }
        amounts = {name: gpus.sum(axis=1) if site is None else gpus[:, site] for name, gpus in by_site.items()}
        return amounts | {"free": _part(self.free, site)}

    def _held(self, site: int | None) -> dict[str, Counts]:
        """R7: over the cluster every hold, in a site those of the contracts bound to it."""
        bound = None if site is None else self.cluster.sites.ids[site]
        contracts = self.standing.snapshot.contracts
        return {k.id: self.held[k.id] for k in contracts if site is None or k.site == bound}

    def _rises(self, site: int | None) -> list[Counts]:
        return [np.where(item.counts, _part(item.room, site), 0) for item in self.contingents]

    def _contingent(self, rises: list[Counts], t: int) -> Iterator[Rise]:
        for item, rise in zip(self.contingents, rises, strict=True):
            if item.counts[t]:
                notice = t - item.contract.notice_days
                decide_by = self.cluster.date(notice) if item.in_time[t] else None
                yield Rise(contract=item.contract.id, gpus=int(rise[t]), decide_by=decide_by)


def _part(room: Room, site: int | None) -> Counts:
    return room.cluster if site is None else room.site[:, site]
