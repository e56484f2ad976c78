"""What a relaxation is built from: the snapshot, where reservations stand, and what may be recalled (R10, R11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from solver.cluster import Cluster, Counts
from solver.decisions import Decisions
from solver.engine.relaxation.footing import Footing, Stand, certain_until, stand
from solver.snapshot import Contract, Snapshot, Tenant


@dataclass(frozen=True, slots=True)
class Scene:
    """What every step reads; ``valued`` are the tiers whose value counts: the asked one, and those above with one.
    ``notices`` are the recall notices present.
    """

    snapshot: Snapshot
    cluster: Cluster
    decisions: Decisions
    stand: Stand
    tier: int
    valued: frozenset[int]
    notices: tuple[int, ...]

    @property
    def footings(self) -> list[Footing]:
        return self.stand.footings


def scene_of(snapshot: Snapshot, cluster: Cluster, decisions: Decisions, tier: int, valued: frozenset[int]) -> Scene:
    """The scene of one tier's relaxation."""
    standing = stand(snapshot, cluster)
    asked = (request.recall_notice_days for request in snapshot.requests if request.tier in valued)
    notices = {*asked, *(f.reservation.recall_notice_days for f in standing.footings)}
    present = sorted(notice for notice in notices if notice is not None)
    return Scene(snapshot, cluster, decisions, standing, tier, valued, tuple(present))


def no_gpus(scene: Scene) -> Counts:
    """0 on every day."""
    return np.zeros(scene.cluster.days, dtype=np.int64)


def total(parts: Iterable[Counts], scene: Scene) -> Counts:
    """The sum of GPUs by day, nothing for no parts."""
    result = no_gpus(scene)
    for part in parts:
        result += part
    return result


def notice_of(footing: Footing) -> int:
    """The recall notice in days; 0 for a firm reservation, which has none."""
    return footing.reservation.recall_notice_days or 0


def recall_from(footing: Footing, scene: Scene) -> int:
    """R11: the first day that a recall could free; the end of a firm reservation."""
    return certain_until(footing.reservation, scene.cluster)


def costs_value(footing: Footing, scene: Scene) -> bool:
    """Whether a recall lowers a value that counts."""
    reservation = footing.reservation
    return reservation.interruptible and reservation.tier in scene.valued and reservation.value_usd > 0


def stays_in(footing: Footing, site: int) -> bool:
    """Whether the whole reservation is in the site on all its days, whatever is moved."""
    return bool((footing.least[site, footing.first : footing.last] == footing.reservation.gpus).all())


def kept(footing: Footing, site: int | None, scene: Scene, *, recalled: bool = False) -> Counts:
    """GPUs that the reservation certainly uses, by day, but for what a column of its recall gives back (none, where it
    is taken to be ``recalled``).
    """
    gpus = no_gpus(scene) if site is None else footing.least[site].copy()
    if site is None:
        gpus[footing.first : footing.last] = footing.reservation.gpus
    given_back = not recalled and costs_value(footing, scene) and (site is None or stays_in(footing, site))
    if not given_back:
        gpus[recall_from(footing, scene) :] = 0
    return gpus


def contract_room(contract: Contract, scene: Scene) -> Counts:
    """R6: what is committed and not booked by reservations."""
    booked = (kept(f, None, scene) for f in scene.footings if f.reservation.contract == contract.id)
    committed = no_gpus(scene)
    for step in contract.terms.commitments_in_force():
        committed[scene.cluster.index(step.start) : scene.cluster.index(step.end)] = step.gpus
    free: Counts = np.maximum(0, committed - total(booked, scene))
    return free


def due(contract: Contract, scene: Scene) -> Counts:
    """R7: held for the contract on each day when no request of its is accepted."""
    held = contract_room(contract, scene)
    held[: scene.cluster.index(contract.terms.holds_from(scene.snapshot.today))] = 0
    return held


def tenant_room(tenant: Tenant, max_gpus: int, scene: Scene, *, recalled: bool) -> Counts:
    """R9: what reservations leave of the tenant's quota."""
    own = (f for f in scene.footings if f.reservation.tenant == tenant.id)
    promised = total((kept(f, None, scene, recalled=recalled) for f in own), scene)
    free: Counts = np.maximum(0, max_gpus - promised)
    return free
