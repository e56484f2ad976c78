"""Builds the relaxation of one tier from a snapshot: its choices, holds and limits (R2, R3, R6-R9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from solver.cluster import Cluster, Counts
from solver.decisions import Decisions
from solver.engine import openings
from solver.engine.footing import Footing, footings
from solver.engine.relaxation import Choice, Columns, Hold, Indices, Limit, Meter, Missing, Problem
from solver.snapshot import Contract, Request, Snapshot, Tenant
from solver.terms import GPUS_PER_RACK

SLACK = 1e-9  # of a value reached above: its sum may round differently here


@dataclass(frozen=True, slots=True)
class _Way:
    """A choice with its columns: start and end in days, value in USD."""

    choice: Choice
    columns: list[tuple[int, int, float]]


@dataclass(frozen=True, slots=True)
class _Scene:
    """What every step reads; ``valued`` are the tiers whose value counts: the asked one, and those above with one."""

    snapshot: Snapshot
    cluster: Cluster
    decisions: Decisions
    footings: list[Footing]
    tier: int
    valued: frozenset[int]
    notices: tuple[int, ...]


def problem(
    snapshot: Snapshot, cluster: Cluster, decisions: Decisions, *, tier: int, reached: Mapping[int, float]
) -> Problem:
    """The relaxation of ``tier`` with the tiers above at the values ``reached`` (USD; a tier not named is free)."""
    above = {number: value - SLACK * abs(value) for number, value in reached.items() if number < tier}
    scene = _scene(snapshot, cluster, decisions, tier, frozenset([*above, tier]))
    holds = [(contract, due) for contract in snapshot.contracts if (due := _due(contract, scene)).any()]
    ways = [*_requests(scene), *_recalls(scene)]
    limits = [*_capacity(scene, holds), *_contracts(scene), *_quotas(scene)]
    missing = [*_missing(scene)]
    dues = [Hold(contract.id, due.astype(np.float64)) for contract, due in holds]
    binding = [limit for limit in limits if _can_bind(limit, dues, ways, scene)]
    return _in_spans(scene, ways, dues, binding, missing, above)


def _scene(snapshot: Snapshot, cluster: Cluster, decisions: Decisions, tier: int, valued: frozenset[int]) -> _Scene:
    standing = footings(snapshot, cluster)
    asked = (request.recall_notice_days for request in snapshot.requests if request.tier in valued)
    notices = {*asked, *(f.reservation.recall_notice_days for f in standing)}
    present = sorted(notice for notice in notices if notice is not None)
    return _Scene(snapshot, cluster, decisions, standing, tier, valued, tuple(present))


# Choices


def _requests(scene: _Scene) -> Iterator[_Way]:
    """R4: a choice per request with a column for each start at which it could be accepted at all."""
    room = openings.room(scene.cluster)
    contract_room = {c.id: _contract_room(c, scene) for c in scene.snapshot.contracts if not c.overage}
    tenant_room = {
        tenant.id: _tenant_room(tenant, tenant.max_gpus, scene, recalled=True)
        for tenant in scene.snapshot.tenants
        if tenant.max_gpus is not None
    }
    for request in scene.snapshot.requests:
        if request.tier not in scene.valued:
            continue
        contract = scene.snapshot.contract_by_id[request.contract] if request.contract is not None else None
        starts = openings.window(request, contract, scene.cluster)
        ceilings = [tenant_room[request.tenant]] if request.tenant in tenant_room else []
        if request.contract in contract_room:
            ceilings.append(contract_room[request.contract])
        site = scene.snapshot.site_of(request)
        gpus = openings.largest(request, starts, site=site, ceilings=ceilings, room=room)
        columns = [(s, s + request.days, request.value_usd) for s, fits in zip(starts, gpus, strict=True) if fits]
        if columns:
            most = int(gpus.max()) / request.gpus
            yield _Way(Choice(request.id, request.tier, request.gpus, _meters(request, scene), most), columns)


def _meters(request: Request, scene: _Scene) -> frozenset[Meter]:
    site_id = scene.snapshot.site_of(request)
    sites = [None] if site_id is None else [None, scene.cluster.sites.ids.index(site_id)]
    owners = [Meter("promised", owner=request.tenant)]
    if request.contract is not None:
        owners.append(Meter("booked", owner=request.contract))
    if request.recall_notice_days is None:
        return frozenset([*owners, *(Meter("firm", site) for site in sites)])
    notices = [n for n in scene.notices if n <= request.recall_notice_days]
    return frozenset([*owners, *(Meter("interruptible", site, notice=n) for site in sites for n in notices)])


def _recalls(scene: _Scene) -> Iterator[_Way]:
    """R11: a choice per interruptible reservation whose recall costs value, a column for each day it could end on."""
    for footing in scene.footings:
        reservation, first = footing.reservation, _recall_from(footing, scene)
        if not _costs_value(footing, scene) or first >= footing.last:
            continue
        price = reservation.value_usd / (reservation.end - reservation.start).days
        days_lost = (reservation.end - scene.cluster.today).days
        columns = [(day, footing.last, -price * (days_lost - day)) for day in range(first, footing.last)]
        yield _Way(Choice(None, reservation.tier, -reservation.gpus, _recalled_meters(footing, scene)), columns)


def _recalled_meters(footing: Footing, scene: _Scene) -> frozenset[Meter]:
    sites = [None, *(s for s in range(len(scene.cluster.sites.ids)) if _stays_in(footing, s))]
    notices = [n for n in scene.notices if n <= _notice(footing)]
    loads = (Meter("interruptible", site, notice=n) for site in sites for n in notices)
    return frozenset([Meter("promised", owner=footing.reservation.tenant), *loads])


def _stays_in(footing: Footing, site: int) -> bool:
    return bool((footing.least[site, footing.first : footing.last] == footing.reservation.gpus).all())


def _notice(footing: Footing) -> int:
    return footing.reservation.recall_notice_days or 0


def _recall_from(footing: Footing, scene: _Scene) -> int:
    """R11: the first day that a recall could free; the end of a firm reservation."""
    if not footing.reservation.interruptible:
        return footing.last
    return min(footing.last, max(footing.first, _notice(footing)))


def _costs_value(footing: Footing, scene: _Scene) -> bool:
    reservation = footing.reservation
    return reservation.interruptible and reservation.tier in scene.valued and reservation.value_usd > 0


# Limits


def _capacity(scene: _Scene, holds: list[tuple[Contract, Counts]]) -> Iterator[Limit]:
    """R7, and R8 for every recall notice, over the cluster and for each site."""
    for site in [None, *range(len(scene.cluster.sites.ids))]:
        yield _capacity_limit(scene, holds, site, None)
        for notice in scene.notices:
            yield _capacity_limit(scene, holds, site, notice)


def _capacity_limit(scene: _Scene, holds: list[tuple[Contract, Counts]], site: int | None, notice: int | None) -> Limit:
    site_id = None if site is None else scene.cluster.sites.ids[site]
    inside = [
        number
        for number, (contract, _) in enumerate(holds)
        if (site_id is None or contract.site == site_id) and (notice is None or contract.booking_lead_days < notice)
    ]
    due = sum((holds[number][1] for number in inside), _no_gpus(scene))
    counted = [f for f in scene.footings if _counts(f, notice)]
    standing = sum((_kept(f, site, scene) for f in counted), _no_gpus(scene))
    right = _ceiling(scene, counted, site) + np.minimum(due, _hold_shortfall(scene, holds))
    meters = {Meter("firm", site)} | ({Meter("interruptible", site, notice=notice)} if notice is not None else set())
    free = np.maximum(right, standing + due) - standing
    return Limit("R7" if notice is None else "R8", frozenset(meters), tuple(inside), free.astype(np.float64))


def _counts(footing: Footing, notice: int | None) -> bool:
    """R7 counts firm reservations, R8 for a notice the interruptible ones with at least that notice as well."""
    if not footing.reservation.interruptible:
        return True
    return notice is not None and _notice(footing) >= notice


def _kept(footing: Footing, site: int | None, scene: _Scene, *, recalled: bool = False) -> Counts:
    """GPUs that the reservation certainly uses, by day, but for what a column of its recall gives back (none, where it
    is taken to be ``recalled``).
    """
    gpus = _no_gpus(scene) if site is None else footing.least[site].copy()
    if site is None:
        gpus[footing.first : footing.last] = footing.reservation.gpus
    given_back = not recalled and _costs_value(footing, scene) and (site is None or _stays_in(footing, site))
    if not given_back:
        gpus[_recall_from(footing, scene) :] = 0
    return gpus


def _ceiling(scene: _Scene, counted: list[Footing], site: int | None) -> Counts:
    """R7: capacity, or what the counted reservations could use by themselves where that is more."""
    cluster = scene.cluster
    healthy = np.minimum(cluster.sites.sums(cluster.healthy), cluster.power) * GPUS_PER_RACK
    used = sum((f.most for f in counted), np.zeros_like(cluster.capacity))
    by_site = np.maximum(cluster.capacity, np.minimum(used, healthy))
    ceiling: Counts = by_site.sum(axis=0) if site is None else by_site[site]
    return ceiling


def _hold_shortfall(scene: _Scene, holds: list[tuple[Contract, Counts]]) -> Counts:
    """R12: at most this many GPUs of holds may be given up on a day; none where the plan at hand gives up none."""
    if not scene.decisions.hold_shortfalls:
        return _no_gpus(scene)
    cluster, firm = scene.cluster, [f for f in scene.footings if not f.reservation.interruptible]
    due = sum((d for _, d in holds), _no_gpus(scene))
    missing = sum((_kept(f, None, scene) for f in firm), due) - cluster.capacity.sum(axis=0)
    by_site = _no_gpus(scene)
    used = sum((f.most for f in firm), np.zeros_like(cluster.capacity))
    for site, site_id in enumerate(cluster.sites.ids):
        bound = sum((d for contract, d in holds if contract.site == site_id), _no_gpus(scene))
        by_site += np.minimum(bound, np.maximum(0, used[site] + bound - cluster.capacity[site]))
    shortfall: Counts = np.maximum(np.maximum(missing, by_site), 0)
    return shortfall


def _contracts(scene: _Scene) -> Iterator[Limit]:
    """R6: without overage accepted blocks book no more than is committed and not booked yet."""
    for contract in scene.snapshot.contracts:
        if not contract.overage:
            right = _contract_room(contract, scene).astype(np.float64)
            yield Limit("R6", frozenset([Meter("booked", owner=contract.id)]), (), right)


def _quotas(scene: _Scene) -> Iterator[Limit]:
    """R9: accepted blocks keep a tenant at or below its ``max_gpus``."""
    for tenant in scene.snapshot.tenants:
        if tenant.max_gpus is not None:
            right = _tenant_room(tenant, tenant.max_gpus, scene, recalled=False).astype(np.float64)
            yield Limit("R9", frozenset([Meter("promised", owner=tenant.id)]), (), right)


def _contract_room(contract: Contract, scene: _Scene) -> Counts:
    booked = (_kept(f, None, scene) for f in scene.footings if f.reservation.contract == contract.id)
    committed = _no_gpus(scene)
    for step in contract.terms.commitments_in_force():
        committed[scene.cluster.index(step.start) : scene.cluster.index(step.end)] = step.gpus
    free: Counts = np.maximum(0, committed - sum(booked, _no_gpus(scene)))
    return free


def _due(contract: Contract, scene: _Scene) -> Counts:
    """R7: held for the contract on each day when no request of its is accepted."""
    due = _contract_room(contract, scene)
    due[: scene.cluster.index(contract.terms.holds_from(scene.snapshot.today))] = 0
    return due


def _tenant_room(tenant: Tenant, max_gpus: int, scene: _Scene, *, recalled: bool) -> Counts:
    own = (f for f in scene.footings if f.reservation.tenant == tenant.id)
    promised = sum((_kept(f, None, scene, recalled=recalled) for f in own), _no_gpus(scene))
    free: Counts = np.maximum(0, max_gpus - promised)
    return free


def _missing(scene: _Scene) -> Iterator[Missing]:
    """R11: what a plan with no more shortfall of firm, or of interruptible, reservations may lack."""
    sites = [None, *range(len(scene.cluster.sites.ids))]
    interruptible = {f.reservation.id for f in scene.footings if f.reservation.interruptible}
    for kind in (False, True):
        lacking = [s for s in scene.decisions.shortfalls if (s.reservation in interruptible) == kind]
        budget = sum(s.gpus * (s.end - s.start).days for s in lacking)
        if not budget:
            continue
        counted = (f for f in scene.footings if f.reservation.interruptible == kind)
        most = sum((_kept(f, None, scene) for f in counted), _no_gpus(scene)).astype(np.float64)
        firm = (Meter("firm", site) for site in sites)
        other = (Meter("interruptible", site, notice=n) for site in sites for n in scene.notices)
        yield Missing(float(budget), most, frozenset(other if kind else firm))


def _no_gpus(scene: _Scene) -> Counts:
    return np.zeros(scene.cluster.days, dtype=np.int64)


# From days to spans


def _can_bind(limit: Limit, holds: list[Hold], ways: list[_Way], scene: _Scene) -> bool:
    """Whether all requests together, each on every day of its window, could break the limit at all."""
    change = np.zeros(scene.cluster.days + 1)
    for way in ways:
        if way.choice.gpus > 0 and way.choice.meters & limit.meters:
            change[way.columns[0][0]] += way.choice.gpus
            change[max(end for _, end, _ in way.columns)] -= way.choice.gpus
    load = np.cumsum(change)[:-1]
    held = sum((holds[number].due for number in limit.holds), np.zeros(scene.cluster.days))
    return bool((load + held > limit.right).any() and load.any())


def _in_spans(
    scene: _Scene,
    ways: list[_Way],
    holds: list[Hold],
    limits: list[Limit],
    missing: list[Missing],
    reached: Mapping[int, float],
) -> Problem:
    """Cut time at the days on which anything starts, ends or changes; a recall pays only at one of them."""
    profiles = [*(h.due for h in holds), *(limit.right for limit in limits), *(m.most for m in missing)]
    events: set[int] = {0, scene.cluster.days, *chain.from_iterable(np.flatnonzero(np.diff(p)) + 1 for p in profiles)}
    for way in ways:
        is_recall = way.choice.request is None
        kept = way.columns[:1] if is_recall else way.columns
        events.update(day for start, end, _ in kept for day in (start, end))
    spans = np.array(sorted(events), dtype=np.int64)
    firsts = spans[:-1]
    return Problem(
        tier=scene.tier,
        spans=spans,
        choices=tuple(way.choice for way in ways),
        columns=_columns(ways, spans),
        holds=tuple(Hold(hold.contract, hold.due[firsts]) for hold in holds),
        limits=tuple(Limit(limit.rule, limit.meters, limit.holds, limit.right[firsts]) for limit in limits),
        missing=tuple(Missing(m.budget, m.most[firsts], m.meters) for m in missing),
        reached=reached,
    )


def _columns(ways: list[_Way], spans: Indices) -> Columns:
    rows = [(number, *column) for number, way in enumerate(ways) for column in way.columns]
    choice, start, end, value = zip(*rows, strict=True) if rows else ((), (), (), ())
    starts, ends = np.array(start, dtype=np.int64), np.array(end, dtype=np.int64)
    first = np.searchsorted(spans, starts)
    on_event = spans[np.minimum(first, len(spans) - 1)] == starts
    return Columns(
        choice=np.array(choice, dtype=np.int64)[on_event],
        start=starts[on_event],
        first=first[on_event],
        last=np.searchsorted(spans, ends)[on_event],
        value=np.array(value, dtype=np.float64)[on_event],
    )
