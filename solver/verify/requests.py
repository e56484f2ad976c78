"""R4, R5, R6 and R9: what an accepted request asks for, and what its contract and its tenant's quota allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from solver.plan import Accepted
from solver.snapshot import Request, Reservation
from solver.terms import add_days, block_multiple
from solver.verify.broken import Broken, gpus_text
from solver.verify.case import Case
from solver.verify.ground import Ints


def r4(case: Case) -> Iterator[Broken]:
    """R4: an accepted block starts in its window and not before today, lasts exactly its days, ends by the horizon, and
    has one placement of ``min_gpus`` to ``gpus`` GPUs in its multiple.
    """
    for accepted in case.plan.accepted:
        request = case.requests[accepted.request]
        for fault in (*_window_faults(case, accepted, request), *_size_faults(accepted, request)):
            yield Broken("R4", f"{request.id} {fault}.", (request.id,))


def r5(case: Case) -> Iterator[Broken]:
    """R5: a block's racks lie in one unit of its scope and in its site, its contract's included.

    Reservations are held to it where the plan gives them racks that they did not have: to the site always, to the scope
    where a reservation that may be moved gets one new placement (replacements of taken racks: R10). R10 says the same
    of both, so that it is broken too.
    """
    for accepted in case.plan.accepted:
        request = case.requests[accepted.request]
        yield from _misplaced(request, _scope_fault(case, request, accepted.racks))
        yield from _misplaced(request, _site_fault(case, request, accepted.racks))
    for move in case.plan.moves:
        reservation = case.reservations[move.reservation]
        had = {rack for segment in reservation.placement for rack in segment.racks}
        remaining = [segment.racks for segment in case.remaining(move)]
        new = {rack for racks in remaining for rack in racks if rack not in had}
        yield from _misplaced(reservation, _site_fault(case, reservation, new))
        is_bound = move.forced or reservation.frozen(case.snapshot.today)  # R10 judges its replacements
        if new and len(remaining) == 1 and not is_bound:
            yield from _misplaced(reservation, _scope_fault(case, reservation, remaining[0]))


def r6(case: Case) -> Iterator[Broken]:
    """R6: a drawdown lies within the days its contract is in force; without overage, accepted blocks keep what is
    booked within the commitment, or within what the reservations book by themselves where that is more.
    """
    for accepted in case.plan.accepted:
        request = case.requests[accepted.request]
        if request.contract is None:
            continue
        terms = case.snapshot.contract_by_id[request.contract].terms
        if accepted.start < terms.start or accepted.end > terms.effective_end:
            force = f"{request.contract} is in force on [{terms.start}, {terms.effective_end})"
            text = f"{request.id} stands on [{accepted.start}, {accepted.end}), but {force}."
            yield Broken("R6", text, (request.id, request.contract))
    for contract in case.snapshot.contracts:
        if not contract.overage:
            limit = committed(case, contract.id)
            yield from _exceeded(case, "R6", contract.id, limit)


def r9(case: Case) -> Iterator[Broken]:
    """R9: accepted blocks keep the GPUs promised to a tenant within ``max_gpus``, or within what its reservations are
    promised by themselves where that is more.
    """
    for tenant in case.snapshot.tenants:
        if tenant.max_gpus is not None:
            limit = np.full(len(case.stretches), tenant.max_gpus, dtype=np.int64)
            yield from _exceeded(case, "R9", tenant.id, limit)


def committed(case: Case, contract_id: str) -> Ints:
    """``committed_k(t)`` by stretch."""
    gpus = np.zeros(len(case.stretches), dtype=np.int64)
    for step in case.snapshot.contract_by_id[contract_id].terms.commitments_in_force():
        gpus[case.stretches.span(step.start, step.end)] = step.gpus
    return gpus


def _scope_fault(case: Case, block: Request | Reservation, racks: Iterable[str]) -> str | None:
    units = case.ground.units(block.scope)
    used = sorted({units.ids[units.of_rack[case.ground.number[rack]]] for rack in racks})
    return f"lies in the {block.scope}s {', '.join(used)}, not in one" if len(used) > 1 else None


def _site_fault(case: Case, block: Request | Reservation, racks: Iterable[str]) -> str | None:
    bound, sites = case.snapshot.site_of(block), case.ground.sites
    if bound is None:
        return None
    outside = sorted(rack for rack in racks if sites.ids[sites.of_rack[case.ground.number[rack]]] != bound)
    return f"stands on {', '.join(outside)}, outside its site {bound}" if outside else None


def _misplaced(block: Request | Reservation, fault: str | None) -> Iterator[Broken]:
    if fault is not None:
        yield Broken("R5", f"{block.id} {fault}.", (block.id,))


def _window_faults(case: Case, accepted: Accepted, request: Request) -> Iterator[str]:
    if not request.earliest_start <= accepted.start <= request.latest_start:
        window = f"its window from {request.earliest_start} to {request.latest_start}"
        yield f"starts on {accepted.start}, outside {window}"
    if accepted.start < case.snapshot.today:
        yield f"starts on {accepted.start}, before today"
    if accepted.end != add_days(accepted.start, request.days):
        yield f"stands on [{accepted.start}, {accepted.end}), which is not exactly {request.days} days"
    if accepted.end > case.snapshot.horizon_end:
        yield f"ends on {accepted.end}, after the horizon"


def _size_faults(accepted: Accepted, request: Request) -> Iterator[str]:
    if not request.min_gpus <= accepted.gpus <= request.gpus:
        yield f"has {gpus_text(accepted.gpus)}, not {request.min_gpus:,} to {request.gpus:,}"
    if accepted.gpus % block_multiple(request.gpus):
        yield f"has {gpus_text(accepted.gpus)}, not a multiple of {block_multiple(request.gpus)}"
    placed = sum(accepted.racks.values())
    if placed != accepted.gpus:
        yield f"has {gpus_text(accepted.gpus)}, but its racks hold {placed:,}"


def _exceeded(case: Case, rule: str, owner: str, limit: Ints) -> Iterator[Broken]:
    """Where the GPUs promised to a contract (R6) or tenant (R9) exceed both the limit and what reservations have."""
    everything, reserved = case.everything, case.reserved
    promised = (everything.by_contract if rule == "R6" else everything.by_tenant).get(owner)
    if promised is None:
        return
    alone = (reserved.by_contract if rule == "R6" else reserved.by_tenant).get(owner, np.zeros_like(promised))
    flags = promised > np.maximum(limit, alone)
    flags[case.stretches.decided :] = False
    if not flags.any():
        return
    ids = tuple(
        block.id
        for block in case.blocks
        if block.accepted and flags[block.span].any() and owner in (block.of.contract, block.of.tenant)
    )
    excess = gpus_text(int((promised - limit)[flags].max()))
    what = "commitment, and it has no overage" if rule == "R6" else "quota"
    text = f"{owner} is promised up to {excess} more than its {what} on {case.stretches.text_of(flags)}."
    yield Broken(rule, text, (owner, *ids))
