"""The columns of a relaxation: a choice per request with its starts (R4), and one per recall (R11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solver.cluster import Counts
from solver.engine.relaxation import openings
from solver.engine.relaxation.footing import Footing
from solver.engine.relaxation.problem import Choice, Floats, Indices, Meter
from solver.engine.relaxation.scene import (
    Scene,
    contract_room,
    costs_value,
    notice_of,
    recall_from,
    stays_in,
    tenant_room,
)
from solver.snapshot import Request
from solver.terms import block_multiple


@dataclass(frozen=True, slots=True)
class Way:
    """A choice with its columns by start: the days on which they start and end, and their value in USD."""

    choice: Choice
    starts: Indices
    ends: Indices
    values: Floats


def requests(scene: Scene) -> Iterator[Way]:
    """R4: a choice per request with a column for each start at which it could be accepted at all."""
    rooms = openings.rooms(scene.cluster, scene.stand)
    ceilings = _ceilings(scene)
    for request in scene.snapshot.requests:
        if request.tier not in scene.valued:
            continue
        contract = scene.snapshot.contract_by_id[request.contract] if request.contract is not None else None
        starts = openings.window(request, contract, scene.cluster)
        lowest = [ceilings[owner] for owner in _owners(request) if owner in ceilings]
        site = scene.snapshot.site_of(request)
        gpus = openings.largest(request, starts, site=site, ceilings=lowest, room=rooms.of(request))
        fitting = starts.start + np.flatnonzero(gpus)
        if len(fitting):
            values = np.full(len(fitting), request.value_usd)
            choice = _choice(request, int(gpus.max()), _meters(request, scene))
            yield Way(choice, fitting, fitting + request.days, values)


def recalls(scene: Scene) -> Iterator[Way]:
    """R11: a choice per interruptible reservation whose recall costs value, a column for each day it could end on."""
    for footing in scene.footings:
        reservation, first = footing.reservation, recall_from(footing, scene)
        if not costs_value(footing, scene) or first >= footing.last:
            continue
        price = reservation.value_usd / (reservation.end - reservation.start).days
        days_lost = (reservation.end - scene.cluster.today).days
        days = np.arange(first, footing.last)
        values = (-price * (days_lost - days)).astype(np.float64)
        gpus, meters = -reservation.gpus, _recalled_meters(footing, scene)
        choice = Choice(None, reservation.tier, gpus, gpus, 1, 1, meters)
        yield Way(choice, days, np.full(len(days), footing.last), values)


def _choice(request: Request, most: int, meters: frozenset[Meter]) -> Choice:
    unit = block_multiple(request.gpus) if request.min_gpus < request.gpus else request.gpus
    return Choice(request.id, request.tier, request.gpus, unit, request.min_gpus // unit, most // unit, meters)


def _ceilings(scene: Scene) -> dict[Meter, Counts]:
    """R6, R9: the most that a contract without overage or a tenant with a quota could still get on each day."""
    contracts = {
        Meter("booked", owner=contract.id): contract_room(contract, scene)
        for contract in scene.snapshot.contracts
        if not contract.overage
    }
    tenants = {
        Meter("promised", owner=tenant.id): tenant_room(tenant, tenant.max_gpus, scene, recalled=True)
        for tenant in scene.snapshot.tenants
        if tenant.max_gpus is not None
    }
    return contracts | tenants


def _owners(request: Request) -> list[Meter]:
    promised = Meter("promised", owner=request.tenant)
    return [promised] if request.contract is None else [promised, Meter("booked", owner=request.contract)]


def _meters(request: Request, scene: Scene) -> frozenset[Meter]:
    site_id = scene.snapshot.site_of(request)
    sites = [None] if site_id is None else [None, scene.cluster.sites.ids.index(site_id)]
    owners = _owners(request)
    if request.recall_notice_days is None:
        return frozenset([*owners, *(Meter("firm", site) for site in sites)])
    notices = [n for n in scene.notices if n <= request.recall_notice_days]
    return frozenset([*owners, *(Meter("interruptible", site, notice=n) for site in sites for n in notices)])


def _recalled_meters(footing: Footing, scene: Scene) -> frozenset[Meter]:
    sites = [None, *(s for s in range(len(scene.cluster.sites.ids)) if stays_in(footing, s))]
    notices = [n for n in scene.notices if n <= notice_of(footing)]
    loads = (Meter("interruptible", site, notice=n) for site in sites for n in notices)
    return frozenset([Meter("promised", owner=footing.reservation.tenant), *loads])
