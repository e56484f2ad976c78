"""The rows of a relaxation: capacity with holds (R2, R3, R7, R8), contracts (R6), quotas (R9); what may be short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from solver.cluster import Counts
from solver.engine.relaxation.footing import Footing
from solver.engine.relaxation.problem import Limit, Meter, Missing
from solver.engine.relaxation.scene import Scene, contract_room, kept, no_gpus, notice_of, tenant_room, total
from solver.snapshot import Contract
from solver.terms import GPUS_PER_RACK

Due = list[tuple[Contract, Counts]]


def capacity(scene: Scene, holds: Due) -> Iterator[Limit]:
    """R7, and R8 for every recall notice, over the cluster and for each site."""
    for site in [None, *range(len(scene.cluster.sites.ids))]:
        yield _capacity_limit(scene, holds, site, None)
        for notice in scene.notices:
            yield _capacity_limit(scene, holds, site, notice)


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


def _capacity_limit(scene: Scene, holds: Due, site: int | None, notice: int | None) -> Limit:
    site_id = None if site is None else scene.cluster.sites.ids[site]
    inside = [
        number
        for number, (contract, _) in enumerate(holds)
        if (site_id is None or contract.site == site_id) and (notice is None or contract.booking_lead_days < notice)
    ]
    due = total((holds[number][1] for number in inside), scene)
    counted = [f for f in scene.footings if _counts(f, notice)]
    standing = total((kept(f, site, scene) for f in counted), scene)
    right = _ceiling(scene, counted, site) + np.minimum(due, _hold_shortfall(scene, holds))
    meters = {Meter("firm", site)} | ({Meter("interruptible", site, notice=notice)} if notice is not None else set())
    unavoidable = total((kept(f, site, scene, recalled=True) for f in counted), scene) + due
    free = np.maximum(right, unavoidable) - standing
    if site is not None:
        free = _beside_crowds(scene, free, due, site)
    return Limit("R7" if notice is None else "R8", frozenset(meters), tuple(inside), free.astype(np.float64))


def _beside_crowds(scene: Scene, free: Counts, due: Counts, site: int) -> Counts:
    """Where power may have taken racks, the room beside small reservations is there whatever the row says."""
    stand = scene.stand
    return np.where(stand.crowded[site], np.maximum(free, stand.beside[site] + due), free)


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
    """R12: at most this many GPUs of holds may be given up on a day; none where the plan at hand gives up none."""
    if not scene.decisions.hold_shortfalls:
        return no_gpus(scene)
    cluster, firm = scene.cluster, [f for f in scene.footings if not f.reservation.interruptible]
    due = total((d for _, d in holds), scene)
    missing = sum((kept(f, None, scene) for f in firm), due) - cluster.capacity.sum(axis=0)
    by_site = no_gpus(scene)
    used = sum((f.most for f in firm), np.zeros_like(cluster.capacity))
    for site, site_id in enumerate(cluster.sites.ids):
        bound = total((d for contract, d in holds if contract.site == site_id), scene)
        by_site += np.minimum(bound, np.maximum(0, used[site] + bound - cluster.capacity[site]))
    shortfall: Counts = np.maximum(np.maximum(missing, by_site), 0)
    return shortfall
