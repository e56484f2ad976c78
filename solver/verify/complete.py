"""R13: no declined request would fit on top of the plan as it stands, at its smallest size, anywhere in its window.

`Room` is what the plan leaves over, laid out so that a request is tried at every start by looking up arrays. Where a
rule has two readings, the one under which less fits is used, so that no plan is called incomplete on a lenient reading.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solver.snapshot import Request
from solver.terms import GPUS_PER_RACK
from solver.verify.broken import Broken
from solver.verify.case import Case
from solver.verify.ground import UNLIMITED, Ints
from solver.verify.holds import Row, declared_by_contract, held, held_beside, row
from solver.verify.requests import committed
from solver.verify.stretches import Flags


def r13(case: Case) -> Iterator[Broken]:
    """R13: no declined request fits on top of the plan at ``min_gpus``, at any start of its window, nothing moved."""
    room = room_of(case)
    accepted = {item.request for item in case.plan.accepted}
    for request in case.snapshot.requests:
        start = None if request.id in accepted else fitting_start(room, request)
        if start is not None:
            text = (
                f"{request.id} is declined, but {request.min_gpus:,} GPUs fit from {start} on for {request.days} days."
            )
            yield Broken("R13", text, (request.id,))


@dataclass(frozen=True, slots=True)
class Room:
    """What a plan leaves over on the days that it decides.

    ``load`` (stretches x racks) is GPUs in use, 72 in an outage; ``free_for`` how many stretches from this one on the
    rack is unused and healthy; ``partly_used`` the racks that ever carry a part; ``halls`` and ``sites`` (stretches x
    units) the racks that may still carry a block, ``rows`` the inequalities of R7 and R8.
    """

    case: Case
    load: Ints
    free_for: Ints
    partly_used: Ints
    halls: Ints
    sites: Ints
    rows: dict[int | None, Row]


def room_of(case: Case) -> Room:
    """What the plan leaves over."""
    decided, ground, used = case.decided, case.ground, case.everything
    load = np.where(ground.healthy[decided], used.load[decided], GPUS_PER_RACK)
    holds = held(case, used)
    notices = {None, *used.sites.interruptible, *_declined_notices(case)}
    return Room(
        case=case,
        load=load,
        free_for=_free_for(load == 0),
        partly_used=np.flatnonzero(((used.load[decided] > 0) & (load < GPUS_PER_RACK)).any(axis=0)),
        halls=ground.sale[decided] - used.carrying[decided],
        sites=ground.power[decided] - used.racks_in_site[decided],
        rows={notice: row(case, notice, used.sites, case.reserved.sites, holds) for notice in notices},
    )


def fitting_start(room: Room, request: Request) -> dt.date | None:
    """A start at which the request fits at ``min_gpus`` with nothing moved; None: there is none.

    Only starts whose block ends on a cut are tried, and the latest: from any other the block can slide to one of these
    without meeting a stretch that it did not meet before.
    """
    cuts = np.array([cut.toordinal() for cut in room.case.stretches.cuts[: room.case.stretches.decided + 1]])
    starts = _starts(room.case, request, cuts)
    first = np.searchsorted(cuts, starts, side="right") - 1
    last = np.searchsorted(cuts, starts + request.days, side="left")
    closed = np.concatenate(([0], np.cumsum(~_open(room, request))))
    site_gpus = _site_gpus(room, request)
    for n in np.flatnonzero(closed[last] == closed[first]):
        if _fits(room, request, slice(int(first[n]), int(last[n])), site_gpus):
            return dt.date.fromordinal(int(starts[n]))
    return None


def _free_for(free: Flags) -> Ints:
    count = np.zeros((len(free) + 1, free.shape[1]), dtype=np.int64)
    for t in range(len(free) - 1, -1, -1):
        count[t] = (count[t + 1] + 1) * free[t]
    return count[:-1]


def _declined_notices(case: Case) -> set[int]:
    return {request.recall_notice_days for request in case.snapshot.requests if request.recall_notice_days is not None}


def _starts(case: Case, request: Request, cuts: Ints) -> Ints:
    """The starts to try, as day numbers: in the window, before the horizon, while the contract is in force (R4, R6)."""
    first, end = max(request.earliest_start, case.snapshot.today), case.snapshot.horizon_end
    if request.contract is not None:
        terms = case.snapshot.contract_by_id[request.contract].terms
        first, end = max(first, terms.start), min(end, terms.effective_end)
    earliest, latest = first.toordinal(), min(request.latest_start.toordinal(), end.toordinal() - request.days)
    if latest < earliest:
        return np.zeros(0, dtype=np.int64)
    starts = cuts - request.days
    return np.append(starts[(starts >= earliest) & (starts < latest)], latest)


def _open(room: Room, request: Request) -> Flags:
    """Stretches on which contract, quota and the cluster's rows of R7 and R8 leave the request room (R6 to R9)."""
    case, gpus = room.case, request.min_gpus
    flags = np.ones(len(case.stretches), dtype=np.bool_)
    quota = next(tenant.max_gpus for tenant in case.snapshot.tenants if tenant.id == request.tenant)
    if quota is not None:
        flags &= case.everything.by_tenant.get(request.tenant, 0) + gpus <= quota
    contract = None if request.contract is None else case.snapshot.contract_by_id[request.contract]
    if contract is not None and not contract.overage:
        flags &= case.everything.by_contract.get(contract.id, 0) + gpus <= committed(case, contract.id)
    released = _released(room, request)
    for checked in _rows(room, request):
        counted = contract is not None and checked.counts(contract)
        cost = gpus - released if counted else gpus
        flags &= checked.left + cost <= checked.right
        if contract is not None and contract.site is not None:
            s = case.ground.site_number[contract.site]
            flags &= checked.site_left[:, s] + cost <= checked.site_right[:, s]
    decided: Flags = flags[case.decided]
    return decided


def _rows(room: Room, request: Request) -> Iterator[Row]:
    """The inequalities that count the request on their left side."""
    for notice, checked in room.rows.items():
        recall = request.recall_notice_days
        if recall is None or (notice is not None and notice <= recall):
            yield checked


def _released(room: Room, request: Request) -> Ints:
    """R7: by how much a drawdown lowers its contract's hold."""
    case = room.case
    nothing = np.zeros(len(case.stretches), dtype=np.int64)
    if request.contract is None:
        return nothing
    contract, short = case.snapshot.contract_by_id[request.contract], declared_by_contract(case, request.contract)
    booked = case.everything.by_contract.get(contract.id, nothing)
    released: Ints = held_beside(case, contract, booked, short)
    released -= held_beside(case, contract, booked + request.min_gpus, short)
    return released


def _site_gpus(room: Room, request: Request) -> Ints:
    """GPUs by stretch and site that the sites' rows of R7 and R8 leave for the request; 0 outside its site.

    For a contract that is bound to a site, `_open` has compared the site's rows already, with what the hold releases.
    """
    case, bound = room.case, room.case.snapshot.site_of(request)
    gpus = np.full((case.stretches.decided, len(case.ground.sites.ids)), UNLIMITED, dtype=np.int64)
    if request.contract is None or case.snapshot.contract_by_id[request.contract].site is None:
        for checked in _rows(room, request):
            gpus = np.minimum(gpus, (checked.site_right - checked.site_left)[case.decided])
    if bound is not None:
        gpus[:, np.arange(gpus.shape[1]) != case.ground.site_number[bound]] = 0
    return np.maximum(gpus, 0)


def _fits(room: Room, request: Request, days: slice, site_gpus: Ints) -> bool:
    """Whether racks for the request are left over on all of these stretches (R1 to R3, R5, the sites of R7 and R8)."""
    free = room.free_for[days.start] >= days.stop - days.start
    gpus = site_gpus[days].min(axis=0)
    halls, sites = room.halls[days].min(axis=0), room.sites[days].min(axis=0)
    if request.min_gpus >= GPUS_PER_RACK:
        return _fits_whole(room, request, free, halls, np.minimum(sites, gpus // GPUS_PER_RACK))
    ground, allowed = room.case.ground, gpus >= request.min_gpus
    unused = free & (halls > 0)[ground.halls.of_rack] & (allowed & (sites > 0))[ground.sites.of_rack]
    return bool(unused.any()) or _fits_beside(room, request, days, allowed)


def _fits_whole(room: Room, request: Request, free: Flags, halls: Ints, sites: Ints) -> bool:
    ground, racks = room.case.ground, request.min_gpus // GPUS_PER_RACK
    sites = np.maximum(sites, 0)
    if request.scope == "pod":
        by_hall = np.minimum(halls, sites[ground.site_of_hall])
        return bool((np.minimum(ground.pods.counts(free), by_hall[ground.hall_of_pod]) >= racks).any())
    by_hall = np.maximum(0, np.minimum(ground.halls.counts(free), halls))
    if request.scope == "hall":
        return bool((np.minimum(by_hall, sites[ground.site_of_hall]) >= racks).any())
    by_site = np.minimum(np.bincount(ground.site_of_hall, weights=by_hall, minlength=len(sites)), sites)
    most = by_site.max() if request.scope == "site" else by_site.sum()
    return bool(most >= racks)


def _fits_beside(room: Room, request: Request, days: slice, allowed: Flags) -> bool:
    """R1: whether a block of less than a rack fits on a rack that others use in part."""
    ground = room.case.ground
    racks = room.partly_used[allowed[ground.sites.of_rack[room.partly_used]]]
    load = room.load[days][:, racks]
    racks = racks[(load <= GPUS_PER_RACK - request.min_gpus).all(axis=0)]
    adds = room.load[days][:, racks] == 0
    halls = room.halls[days][:, ground.halls.of_rack[racks]] >= adds
    sites = room.sites[days][:, ground.sites.of_rack[racks]] >= adds
    return bool((halls & sites).all(axis=0).any())
