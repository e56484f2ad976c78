"""The rows of a relaxation: capacity with holds (R2, R3, R7, R8), contracts (R6), quotas (R9); what may be short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from solver.cluster import Counts
from solver.engine.relaxation.footing import Footing
from solver.engine.relaxation.problem import Limit, Meter, Missing
from solver.engine.relaxation.scene import (
    Scene,
    contract_room,
    kept,
    no_gpus,
    notice_of,
    recall_from,
    tenant_room,
    total,
)
from solver.snapshot import Contract
from solver.terms import GPUS_PER_RACK

Due = list[tuple[Contract, Counts]]


def capacity(scene: Scene, holds: Due) -> Iterator[Limit]:
    """R7, and R8 for every recall notice, over the cluster and for each site."""
    given_up = _hold_shortfall(scene, holds)
    for site in (None, *range(len(scene.cluster.sites.ids))):
        for notice in (None, *scene.notices):
            yield _capacity_limit(scene, holds, site, notice, given_up)


def racks(scene: Scene) -> Iterator[Limit]:
    """R3: racks in order and with power. R7 and R8 say as much, but where holds are given up or power takes racks."""
    if not (scene.decisions.hold_shortfalls or scene.stand.crowded.any()):
        return
    loads = [Meter("firm"), *(Meter("interruptible", notice=n) for n in scene.notices[:1])]
    for site in range(len(scene.cluster.sites.ids)):
        standing = total((kept(f, site, scene) for f in scene.footings), scene)
        right = np.maximum(_with_power(scene)[site], standing)
        free = _beside_crowds(scene, right - standing, no_gpus(scene), site)
        meters = frozenset(replace(meter, site=site) for meter in loads)
        yield Limit("R3", meters, (), free.astype(np.float64))


def contracts(scene: Scene) -> Iterator[Limit]:
    """R6: without overage accepted blocks book no more than is committed and not booked yet."""
    for contract in scene.snapshot.contracts:
        if not contract.overage:
            right = contract_room(contract, scene).astype(np.float64)
            yield Limit("R6", frozenset([Meter("booked", owner=contract.id)]), (), right)


def quotas(scene: Scene) -> Iterator[Limit]:
    """R9: accepted blocks keep a tenant at or below its ``max_gpus``."""
    for tenant in scene.snapshot.tenants:
        if tenant.max_gpus is not None:
            right = tenant_room(tenant, tenant.max_gpus, scene, recalled=False).astype(np.float64)
            yield Limit("R9", frozenset([Meter("promised", owner=tenant.id)]), (), right)


def missing(scene: Scene) -> Iterator[Missing]:
    """R11: what a plan with no more shortfall of firm, or of interruptible, reservations may lack."""
    sites = [None, *range(len(scene.cluster.sites.ids))]
    interruptible = {f.reservation.id for f in scene.footings if f.reservation.interruptible}
    for kind in (False, True):
        lacking = [s for s in scene.decisions.shortfalls if (s.reservation in interruptible) == kind]
        budget = sum(s.gpus * (s.end - s.start).days for s in lacking)
        if not budget:
            continue
        counted = (f for f in scene.footings if f.reservation.interruptible == kind)
        most = total((kept(f, None, scene) for f in counted), scene).astype(np.float64)
        firm = (Meter("firm", site) for site in sites)
        other = (Meter("interruptible", site, notice=n) for site in sites for n in scene.notices)
        yield Missing(float(budget), most, frozenset(other if kind else firm))


def _capacity_limit(scene: Scene, holds: Due, site: int | None, notice: int | None, given_up: Counts) -> Limit:
    inside = _held_in(scene, holds, site, notice)
    due = total((holds[number][1] for number in inside), scene)
    counted = [f for f in scene.footings if _counts(f, notice)]
    standing = total((kept(f, site, scene) for f in counted), scene)
    right = _ceiling(scene, counted, site) + np.minimum(due, given_up)
    meters = {Meter("firm", site)} | ({Meter("interruptible", site, notice=notice)} if notice is not None else set())
    unavoidable = total((kept(f, site, scene, recalled=True) for f in counted), scene) + due
    free = np.maximum(right, unavoidable) - standing
    if site is not None:
        free = _beside_crowds(scene, free, due, site)
    return Limit("R7" if notice is None else "R8", frozenset(meters), tuple(inside), free.astype(np.float64))


def _held_in(scene: Scene, holds: Due, site: int | None, notice: int | None) -> list[int]:
    """Numbers of the holds that count in a row: those of the site, in R8 those with a booking lead below the notice."""
    site_id = None if site is None else scene.cluster.sites.ids[site]
    return [
        number
        for number, (contract, _) in enumerate(holds)
        if (site_id is None or contract.site == site_id) and (notice is None or contract.booking_lead_days < notice)
    ]


def _beside_crowds(scene: Scene, free: Counts, due: Counts, site: int) -> Counts:
    """Where power may have taken racks, the room beside small reservations is there whatever the row says."""
    stand = scene.stand
    open_to_blocks: Counts = np.where(stand.crowded[site], np.maximum(free, stand.beside[site] + due), free)
    return open_to_blocks


def _with_power(scene: Scene) -> Counts:
    """GPUs of racks in order that the site can power, sites x days."""
    gpus: Counts = np.minimum(scene.cluster.sites.sums(scene.cluster.healthy), scene.cluster.power) * GPUS_PER_RACK
    return gpus


def _counts(footing: Footing, notice: int | None) -> bool:
    """R7 counts firm reservations, R8 for a notice the interruptible ones with at least that notice as well."""
    if not footing.reservation.interruptible:
        return True
    return notice is not None and notice_of(footing) >= notice


def _ceiling(scene: Scene, counted: list[Footing], site: int | None) -> Counts:
    """R7: capacity, or what the counted reservations could use by themselves where that is more."""
    cluster = scene.cluster
    used = sum((f.most for f in counted), np.zeros_like(cluster.capacity))
    by_site = np.maximum(cluster.capacity, np.minimum(used, _with_power(scene)))
    ceiling: Counts = by_site.sum(axis=0) if site is None else by_site[site]
    return ceiling


def _hold_shortfall(scene: Scene, holds: Due) -> Counts:
    """R12: at most this many GPUs of holds may be given up on a day; none where the plan at hand gives up none.

    What R7 lacks, or R8 for a notice while nobody can be recalled yet: over the cluster, or in the sites together.
    """
    if not scene.decisions.hold_shortfalls:
        return no_gpus(scene)
    everywhere, in_sites = no_gpus(scene), np.zeros_like(scene.cluster.capacity)
    for notice in (None, *scene.notices):
        counted = [f for f in scene.footings if _counts(f, notice)]
        everywhere = np.maximum(everywhere, _lack(scene, holds, counted, None, notice))
        for site in range(len(in_sites)):
            in_sites[site] = np.maximum(in_sites[site], _lack(scene, holds, counted, site, notice))
    most: Counts = np.maximum(everywhere, in_sites.sum(axis=0))
    return most


def _lack(scene: Scene, holds: Due, counted: list[Footing], site: int | None, notice: int | None) -> Counts:
    """GPUs by which holds and the reservations that could be there exceed the capacity, no more than the holds."""
    capacity = scene.cluster.capacity.sum(axis=0) if site is None else scene.cluster.capacity[site]
    due = total((holds[number][1] for number in _held_in(scene, holds, site, notice)), scene)
    standing = total((_could_stand(f, site, scene) for f in counted), scene)
    lack: Counts = np.clip(standing + due - capacity, 0, due)
    return lack


def _could_stand(footing: Footing, site: int | None, scene: Scene) -> Counts:
    """GPUs that the reservation may use, by day, until it can be recalled."""
    if site is None:
        return kept(footing, None, scene, recalled=True)
    gpus: Counts = footing.most[site].copy()
    gpus[recall_from(footing, scene) :] = 0
    return gpus
