"""Faults of a snapshot or plan that no single field shows: ids, intervals, sums. Each is a sentence with its path."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from solver.terms import GPUS_PER_RACK, block_multiple, is_block_size

if TYPE_CHECKING:
    from solver.plan import Plan
    from solver.snapshot import Reservation, Request, Segment, Snapshot


class _Span(Protocol):
    @property
    def start(self) -> dt.date: ...
    @property
    def end(self) -> dt.date: ...


def snapshot_faults(snapshot: Snapshot) -> list[str]:
    """Every cross-field fault of the snapshot, in the order of the file."""
    return [*_Checker(snapshot).faults()]


def plan_faults(plan: Plan, snapshot: Snapshot) -> list[str]:
    """Every id in the plan that the snapshot does not have. What a plan decides is judged by `solver.verify`."""
    known = _Known(snapshot)
    return [*_plan_faults(plan, known)]


class _Known:
    """The ids that the snapshot defines, by kind."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.sites = {site.id for site in snapshot.sites}
        self.racks = {r for s in snapshot.sites for h in s.halls for p in h.pods for r in p.racks}
        self.tenants = {tenant.id for tenant in snapshot.tenants}
        self.contracts = {contract.id: contract for contract in snapshot.contracts}
        self.reservations = {reservation.id: reservation for reservation in snapshot.reservations}
        self.requests = {request.id for request in snapshot.requests}


class _Checker:
    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.known = _Known(snapshot)

    def faults(self) -> Iterator[str]:
        if self.snapshot.horizon_end <= self.snapshot.today:
            yield f"horizon_end: {self.snapshot.horizon_end} is not after today, {self.snapshot.today}"
        yield from self._cluster()
        yield from self._outages()
        yield from self._contracts()
        yield from self._reservations()
        yield from self._requests()
        yield from self._rack_loads()

    def _cluster(self) -> Iterator[str]:
        sites = [(f"sites[{i}]", site) for i, site in enumerate(self.snapshot.sites)]
        halls = [(f"{at}.halls[{i}]", hall) for at, site in sites for i, hall in enumerate(site.halls)]
        pods = [(f"{at}.pods[{i}]", pod) for at, hall in halls for i, pod in enumerate(hall.pods)]
        racks = [(f"{at}.racks[{i}]", rack) for at, pod in pods for i, rack in enumerate(pod.racks)]
        for kind, units in (("site", sites), ("hall", halls), ("pod", pods)):
            yield from _repeated(kind, [(f"{at}.id", unit.id) for at, unit in units])
        yield from _repeated("rack", racks)
        for at, site in sites:
            for i, limit in enumerate(site.power_limits):
                yield from _end_after_start(f"{at}.power_limits[{i}]", limit)
        yield from _repeated("tenant", [(f"tenants[{i}].id", t.id) for i, t in enumerate(self.snapshot.tenants)])

    def _outages(self) -> Iterator[str]:
        for i, outage in enumerate(self.snapshot.outages):
            at = f"outages[{i}]"
            yield from _names(f"{at}.rack", outage.rack, self.known.racks, "rack")
            if outage.end is not None and outage.end <= outage.start:
                yield f"{at}.end: {outage.end} is not after the start, {outage.start}"

    def _contracts(self) -> Iterator[str]:
        contracts = self.snapshot.contracts
        yield from _repeated("contract", [(f"contracts[{i}].id", c.id) for i, c in enumerate(contracts)])
        for i, contract in enumerate(contracts):
            at = f"contracts[{i}]"
            yield from _names(f"{at}.tenant", contract.tenant, self.known.tenants, "tenant")
            yield from _end_after_start(at, contract)
            if contract.site is not None:
                yield from _names(f"{at}.site", contract.site, self.known.sites, "site")
            notice = contract.notice_given_on
            if notice is not None and notice < contract.lock_in_until:
                yield f"{at}.notice_given_on: {notice} is before the end of the lock-in, {contract.lock_in_until}"
            yield from _spans(f"{at}.commitments", contract.commitments)

    def _reservations(self) -> Iterator[str]:
        reservations = self.snapshot.reservations
        yield from _repeated("reservation", [(f"reservations[{i}].id", r.id) for i, r in enumerate(reservations)])
        for i, reservation in enumerate(reservations):
            at = f"reservations[{i}]"
            yield from self._block(at, reservation)
            yield from _end_after_start(at, reservation)
            yield from self._placement(at, reservation)

    def _placement(self, at: str, reservation: Reservation) -> Iterator[str]:
        yield from _spans(f"{at}.placement", reservation.placement)
        for i, segment in enumerate(reservation.placement):
            here = f"{at}.placement[{i}]"
            if segment.start < reservation.start or segment.end > reservation.end:
                interval = f"[{reservation.start}, {reservation.end})"
                yield f"{here}: [{segment.start}, {segment.end}) is outside its reservation's {interval}"
            yield from self._segment_racks(here, reservation, segment)

    def _segment_racks(self, at: str, reservation: Reservation, segment: Segment) -> Iterator[str]:
        whole = reservation.gpus >= GPUS_PER_RACK
        for rack, gpus in segment.racks.items():
            yield from _names(f"{at}.racks.{rack}", rack, self.known.racks, "rack")
            if whole and gpus != GPUS_PER_RACK:
                yield f"{at}.racks.{rack}: {gpus} is not {GPUS_PER_RACK}: a block of 72 GPUs or more uses whole racks"
            elif gpus % block_multiple(min(gpus, GPUS_PER_RACK - 1)):
                yield f"{at}.racks.{rack}: {gpus} is not a multiple of 4"
        if sum(segment.racks.values()) > reservation.gpus:
            total = sum(segment.racks.values())
            yield f"{at}.racks: {total} GPUs are more than the reservation's {reservation.gpus}"
        elif not whole and len(segment.racks) > 1:
            yield f"{at}.racks: a block of fewer than 72 GPUs lies on one rack, not on {len(segment.racks)}"

    def _requests(self) -> Iterator[str]:
        requests = self.snapshot.requests
        yield from _repeated("request", [(f"requests[{i}].id", r.id) for i, r in enumerate(requests)])
        for i, request in enumerate(requests):
            at = f"requests[{i}]"
            yield from self._block(at, request)
            yield from _size_faults(f"{at}.min_gpus", request.min_gpus, block_multiple(request.gpus))
            if request.min_gpus > request.gpus:
                yield f"{at}.min_gpus: {request.min_gpus} is more than gpus, {request.gpus}"
            if request.latest_start < request.earliest_start:
                yield f"{at}.latest_start: {request.latest_start} is before earliest_start, {request.earliest_start}"
            yield from self._extends(at, request)

    def _extends(self, at: str, request: Request) -> Iterator[str]:
        if request.extends is None:
            return
        extended = self.known.reservations.get(request.extends)
        if extended is None:
            yield f"{at}.extends: {request.extends!r} names no reservation"
        elif extended.tenant != request.tenant:
            yield f"{at}.extends: {request.extends!r} is not a reservation of {request.tenant!r}"

    def _block(self, at: str, block: Reservation | Request) -> Iterator[str]:
        yield from _names(f"{at}.tenant", block.tenant, self.known.tenants, "tenant")
        yield from _size_faults(f"{at}.gpus", block.gpus, block_multiple(block.gpus))
        if block.site is not None:
            yield from _names(f"{at}.site", block.site, self.known.sites, "site")
        if block.contract is not None:
            yield from self._charged(at, block, block.contract)
        if block.interruptible and block.contract is not None:
            yield f"{at}.contract: an interruptible block is on demand and has no contract"
        if block.interruptible and block.recall_notice_days is None:
            yield f"{at}.recall_notice_days: an interruptible block needs its recall notice"
        if not block.interruptible and block.recall_notice_days is not None:
            yield f"{at}.recall_notice_days: only an interruptible block has a recall notice; must be null"

    def _charged(self, at: str, block: Reservation | Request, contract_id: str) -> Iterator[str]:
        contract = self.known.contracts.get(contract_id)
        if contract is None:
            yield f"{at}.contract: {contract_id!r} names no contract"
            return
        if contract.tenant != block.tenant:
            yield f"{at}.tenant: {block.tenant!r} is not the tenant of contract {contract_id!r}, {contract.tenant!r}"
        if block.site is not None and contract.site is not None and block.site != contract.site:
            yield f"{at}.site: {block.site!r} contradicts the site of contract {contract_id!r}, {contract.site!r}"

    def _rack_loads(self) -> Iterator[str]:
        """R1 for what was promised already: at most 72 GPUs on a rack on each day from today on."""
        changes: dict[str, list[tuple[dt.date, int, str]]] = defaultdict(list)
        for i, reservation in enumerate(self.snapshot.reservations):
            for j, segment in enumerate(reservation.placement):
                start = max(segment.start, self.snapshot.today)
                if start >= segment.end:
                    continue
                at = f"reservations[{i}].placement[{j}]"
                for rack, gpus in segment.racks.items():
                    changes[rack] += [(start, gpus, at), (segment.end, -gpus, at)]
        for rack, steps in changes.items():
            load = 0
            for day, gpus, at in sorted(steps):
                load += gpus
                if load > GPUS_PER_RACK:
                    yield f"{at}.racks.{rack}: {load} GPUs stand on the rack on {day}, more than {GPUS_PER_RACK}"
                    break


def _plan_faults(plan: Plan, known: _Known) -> Iterator[str]:
    for i, accepted in enumerate(plan.accepted):
        yield from _names(f"accepted[{i}].request", accepted.request, known.requests, "request")
        for rack in accepted.racks:
            yield from _names(f"accepted[{i}].racks.{rack}", rack, known.racks, "rack")
    for i, declined in enumerate(plan.declined):
        yield from _names(f"declined[{i}].request", declined.request, known.requests, "request")
    for i, move in enumerate(plan.moves):
        yield from _names(f"moves[{i}].reservation", move.reservation, known.reservations, "reservation")
        for j, segment in enumerate(move.placement):
            for rack in segment.racks:
                yield from _names(f"moves[{i}].placement[{j}].racks.{rack}", rack, known.racks, "rack")
    for i, recall in enumerate(plan.recalls):
        yield from _names(f"recalls[{i}].reservation", recall.reservation, known.reservations, "reservation")
    for i, short in enumerate(plan.shortfalls):
        yield from _names(f"shortfalls[{i}].reservation", short.reservation, known.reservations, "reservation")
    for i, hold in enumerate(plan.hold_shortfalls):
        yield from _names(f"hold_shortfalls[{i}].contract", hold.contract, known.contracts, "contract")


def _names(at: str, name: str, known: Iterable[str], kind: str) -> Iterator[str]:
    if name not in known:
        yield f"{at}: {name!r} names no {kind}"


def _repeated(kind: str, named: Sequence[tuple[str, str]]) -> Iterator[str]:
    first: dict[str, str] = {}
    for at, name in named:
        if name in first:
            yield f"{at}: the {kind} {name!r} is named already by {first[name]}"
        first.setdefault(name, at)


def _size_faults(at: str, gpus: int, multiple: int) -> Iterator[str]:
    if gpus <= 0:
        yield f"{at}: {gpus} is not positive"
    elif gpus % multiple or not is_block_size(gpus):
        yield f"{at}: {gpus} is not a multiple of {multiple}"


def _end_after_start(at: str, span: _Span) -> Iterator[str]:
    if span.end <= span.start:
        yield f"{at}.end: {span.end} is not after the start, {span.start}"


def _spans(at: str, spans: Sequence[_Span]) -> Iterator[str]:
    """Faults of a list of half-open intervals: an end not after its start, two that overlap."""
    for i, span in enumerate(spans):
        yield from _end_after_start(f"{at}[{i}]", span)
    order = sorted(range(len(spans)), key=lambda i: (spans[i].start, spans[i].end))
    for before, after in zip(order, order[1:], strict=False):
        if spans[after].start < spans[before].end:
            yield f"{at}[{after}]: it overlaps {at}[{before}]"
