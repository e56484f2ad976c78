"""What each change does to a snapshot, and when it is refused.

A check is a generator of faults that takes the path of the change. Of a change with a wrong field only a part is
readable: a check that asks for a field that is not is left out, the others still run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import count, islice
from typing import Protocol

from solver.faults import names
from solver.scenarios.changes import LARGEST_ADDITION, AddPods, Change, NewCommitment, Notice, Power, UnitOutage
from solver.scenarios.draft import Draft, Ended, changed
from solver.snapshot import CommitmentStep, Outage, Pod, PowerLimit, Request, Reservation, Site

Faults = Iterator[str]


class _OfContract(Protocol):
    @property
    def contract(self) -> str: ...


class _Span(Protocol):
    @property
    def start(self) -> dt.date: ...
    @property
    def end(self) -> dt.date | None: ...


def apply(draft: Draft, at: str, change: Change, *, partial: bool = False) -> list[str]:
    """Carry the change out on the draft, or say why not; ``partial``: of what could be read of it.

    A request is put in whatever it says: `solver.faults` judges it where it stands.
    """
    faults = [fault for check in _checks(draft, at, change) for fault in _run(check, partial=partial)]
    if isinstance(change, Request):
        draft.requested[len(draft.requests)] = at
        draft.requests.append(change)
    elif not faults and not partial:
        _carry_out(draft, change)
    return faults


def _run(check: Faults, *, partial: bool) -> Faults:
    try:
        yield from check
    except AttributeError:  # a field that this check needs is wrong by itself, and listed already
        if not partial:
            raise


def _checks(draft: Draft, at: str, change: Change) -> tuple[Faults, ...]:
    match change:
        case Notice():
            return (_known_contract(draft, at, change), _no_notice_runs(draft, at, change), _lock_in(draft, at, change))
        case UnitOutage():
            return (_known_unit(draft, at, change), _end_after_start(at, change))
        case Power():
            return (_known_site(draft, at, change), _end_after_start(at, change))
        case AddPods():
            return (_known_hall(draft, at, change), _not_too_many(at, change))
        case NewCommitment():
            return (_known_contract(draft, at, change), _end_after_start(at, change))
        case Request():
            return ()


def _carry_out(draft: Draft, change: Notice | UnitOutage | Power | AddPods | NewCommitment) -> None:
    match change:
        case Notice():
            _give_notice(draft, change)
        case UnitOutage():
            [racks] = draft.racks_of(change.unit)
            draft.outages += [_failure(rack, change) for rack in racks]
        case Power():
            draft.sites = [_limited(site, change) if site.id == change.site else site for site in draft.sites]
        case AddPods():
            _add_pods(draft, change)
        case NewCommitment():
            _commit(draft, change)


def _known_contract(draft: Draft, at: str, change: _OfContract) -> Faults:
    yield from names(f"{at}.contract", change.contract, draft.contracts, "contract")


def _no_notice_runs(draft: Draft, at: str, notice: Notice) -> Faults:
    contract = draft.contracts.get(notice.contract)
    if contract is not None and contract.notice_given_on is not None:
        yield f"{at}.contract: {contract.id!r} is under notice already, given on {contract.notice_given_on}"


def _lock_in(draft: Draft, at: str, notice: Notice) -> Faults:
    contract = draft.contracts.get(notice.contract)
    if contract is not None and notice.on < contract.lock_in_until:
        yield f"{at}.on: {notice.on} is before the end of the lock-in, {contract.lock_in_until}"


def _known_unit(draft: Draft, at: str, outage: UnitOutage) -> Faults:
    found = draft.racks_of(outage.unit)
    yield from names(f"{at}.unit", outage.unit, [outage.unit] if found else [], "rack, pod, hall or site")
    if len(found) > 1:
        yield f"{at}.unit: {outage.unit!r} names units with different racks"


def _known_site(draft: Draft, at: str, power: Power) -> Faults:
    yield from names(f"{at}.site", power.site, [site.id for site in draft.sites], "site")


def _known_hall(draft: Draft, at: str, pods: AddPods) -> Faults:
    yield from names(f"{at}.hall", pods.hall, [hall.id for hall in draft.halls], "hall")


def _not_too_many(at: str, new: AddPods) -> Faults:
    if new.pods * new.racks > LARGEST_ADDITION:
        yield f"{at}: {new.pods * new.racks:,} racks are more than one change may add, {LARGEST_ADDITION:,}"


def _end_after_start(at: str, span: _Span) -> Faults:
    if span.end is not None and span.end <= span.start:
        yield f"{at}.end: {span.end} is not after the start, {span.start}"


def _give_notice(draft: Draft, notice: Notice) -> None:
    """The contract's reservations end with it; later ones are dropped, and nothing extends them any more."""
    contract = changed(draft.contracts[notice.contract], notice_given_on=notice.on)
    draft.contracts[contract.id] = contract
    end = contract.terms.effective_end
    late = [block for block in draft.reservations if block.contract == contract.id and block.end > end]
    draft.ended += [Ended(block, end if block.start < end else None) for block in late]
    dropped = {block.id for block in late if block.start >= end}
    shorter = {block.id: _until(block, end) for block in late if block.id not in dropped}
    draft.reservations = [shorter.get(block.id, block) for block in draft.reservations if block.id not in dropped]
    draft.requests = [_extending_none_of(dropped, request) for request in draft.requests]


def _until(block: Reservation, end: dt.date) -> Reservation:
    """The reservation cut at ``end``, at its share of the value."""
    placement = [changed(part, end=min(part.end, end)) for part in block.placement if part.start < end]
    share = (end - block.start).days / (block.end - block.start).days
    return changed(block, end=end, placement=placement, value_usd=block.value_usd * share)


def _extending_none_of(dropped: set[str], request: Request) -> Request:
    if "extends" in request.model_fields_set and request.extends in dropped:
        return request.model_copy(update={"extends": None})
    return request


def _failure(rack: str, outage: UnitOutage) -> Outage:
    return Outage(rack=rack, start=outage.start, end=outage.end, kind="failure")


def _limited(site: Site, power: Power) -> Site:
    limit = PowerLimit(start=power.start, end=power.end, kw=power.kw)
    return changed(site, power_limits=[*site.power_limits, limit])


def _add_pods(draft: Draft, new: AddPods) -> None:
    """New pods take the next free numbers of their hall; their racks are absent until the first day."""
    taken = {pod.id for hall in draft.halls for pod in hall.pods}
    free = (f"{new.hall}+{number}" for number in count(1) if f"{new.hall}+{number}" not in taken)
    pods = [Pod(id=name, racks=[f"{name}-r{r}" for r in range(1, new.racks + 1)]) for name in islice(free, new.pods)]
    draft.sites = [_extended(site, new.hall, pods) for site in draft.sites]
    today = draft.snapshot.today
    if new.first_day > today:
        draft.outages += [
            Outage(rack=rack, start=today, end=new.first_day, kind="absent") for pod in pods for rack in pod.racks
        ]


def _extended(site: Site, hall_id: str, pods: list[Pod]) -> Site:
    if hall_id not in {hall.id for hall in site.halls}:
        return site
    halls = [changed(hall, pods=[*hall.pods, *pods]) if hall.id == hall_id else hall for hall in site.halls]
    return changed(site, halls=halls)


def _commit(draft: Draft, new: NewCommitment) -> None:
    """The schedule with its own steps on ``[start, end)`` cut out and the new one in their place."""
    contract = draft.contracts[new.contract]
    steps = [CommitmentStep(start=new.start, end=new.end, gpus=new.gpus)]
    for step in contract.commitments:
        for start, end in ((step.start, min(step.end, new.start)), (max(step.start, new.end), step.end)):
            if start < end:
                steps.append(CommitmentStep(start=start, end=end, gpus=step.gpus))
    steps.sort(key=lambda step: step.start)
    draft.contracts[contract.id] = changed(contract, commitments=steps)
