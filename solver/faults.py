"""Faults of a snapshot that no single field shows: ids, intervals, sums. Each is a sentence with its path.

One check is one generator that takes the path and the item. Of a file with wrong fields only a part is readable; a
check that asks for a field that is not is left out, the others still run.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from solver.files import child
from solver.partial import is_whole
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY, block_multiple

if TYPE_CHECKING:
    from solver.snapshot import Contract, Outage, Request, Reservation, Segment, Site, Snapshot

T = TypeVar("T")


def snapshot_faults(snapshot: Snapshot, *, partial: bool = False) -> list[str]:
    """Every cross-field fault of the snapshot, part by part of the file; ``partial``: of what could be read of it."""
    return [*_Checker(snapshot, partial=partial).faults()]


class Known:
    """The ids that the snapshot defines, by kind (the first of two with one id); null where some can't be read."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.sites = _known(lambda: {site.id for site in snapshot.sites})
        self.racks = _known(lambda: {r for s in snapshot.sites for h in s.halls for p in h.pods for r in p.racks})
        self.tenants = _known(lambda: {tenant.id for tenant in snapshot.tenants})
        self.contracts = _known(lambda: {contract.id: contract for contract in reversed(snapshot.contracts)})
        self.reservations = _known(lambda: {block.id: block for block in reversed(snapshot.reservations)})
        self.requests = _known(lambda: {request.id for request in snapshot.requests})


def names(at: str, name: str, known: Collection[str] | None, kind: str) -> Iterator[str]:
    """The fault of an id that names nothing."""
    if known is not None and name not in known:
        yield f"{at}: {name!r} names no {kind}"


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def model_fields_set(self) -> set[str]: ...


class _Span(Protocol):
    @property
    def start(self) -> dt.date: ...
    @property
    def end(self) -> dt.date: ...


class _Checker:
    def __init__(self, snapshot: Snapshot, *, partial: bool) -> None:
        self.snapshot = snapshot
        self.partial = partial
        self.known = Known(snapshot)

    def faults(self) -> Iterator[str]:
        parts = (self._horizon, self._units, self._power_limits, self._outages, self._tenants, self._contracts)
        for part in (*parts, self._reservations, self._requests, self._rack_loads):
            yield from self._run(part())

    def _run(self, check: Iterator[str]) -> Iterator[str]:
        try:
            yield from check
        except AttributeError:  # a field that this check needs is wrong by itself, and listed already
            if not self.partial:
                raise

    def _each(self, path: str, items: Sequence[T], *checks: Callable[[str, T], Iterator[str]]) -> Iterator[str]:
        for i, item in enumerate(items):
            for check in checks:
                yield from self._run(check(f"{path}[{i}]", item))

    def _horizon(self) -> Iterator[str]:
        if self.snapshot.horizon_end <= self.snapshot.today:
            yield f"horizon_end: {self.snapshot.horizon_end} is not after today, {self.snapshot.today}"

    def _units(self) -> Iterator[str]:
        yield from _repeated("site", [*_listed("sites", self.snapshot.sites)])
        halls = [
            hall for at, site in _paths("sites", self.snapshot.sites) for hall in _paths(f"{at}.halls", site.halls)
        ]
        pods = [pod for at, hall in halls for pod in _paths(f"{at}.pods", hall.pods)]
        yield from _repeated("hall", [(f"{at}.id", hall.id) for at, hall in halls])
        yield from _repeated("pod", [(f"{at}.id", pod.id) for at, pod in pods])
        yield from _repeated("rack", [rack for at, pod in pods for rack in _paths(f"{at}.racks", pod.racks)])

    def _power_limits(self) -> Iterator[str]:
        def limits(at: str, site: Site) -> Iterator[str]:
            return self._each(f"{at}.power_limits", site.power_limits, _end_after_start)

        yield from self._each("sites", self.snapshot.sites, limits)

    def _outages(self) -> Iterator[str]:
        yield from self._each("outages", self.snapshot.outages, self._outage_rack, _outage_interval)

    def _outage_rack(self, at: str, outage: Outage) -> Iterator[str]:
        yield from names(f"{at}.rack", outage.rack, self.known.racks, "rack")

    def _tenants(self) -> Iterator[str]:
        yield from _repeated("tenant", [*_listed("tenants", self.snapshot.tenants)])

    def _contracts(self) -> Iterator[str]:
        contracts = self.snapshot.contracts
        yield from _repeated("contract", [*_listed("contracts", contracts)])
        checks = (self._tenant, self._site, _end_after_start, _notice_after_lock_in, self._commitments)
        yield from self._each("contracts", contracts, *checks)

    def _commitments(self, at: str, contract: Contract) -> Iterator[str]:
        yield from self._each(f"{at}.commitments", contract.commitments, _end_after_start)
        yield from _overlaps(f"{at}.commitments", contract.commitments)

    def _reservations(self) -> Iterator[str]:
        reservations = self.snapshot.reservations
        yield from _repeated("reservation", [*_listed("reservations", reservations)])
        block = (self._tenant, self._site, _size, *self._charge_checks(), _interruptible)
        yield from self._each("reservations", reservations, *block, _end_after_start, self._placement)

    def _placement(self, at: str, reservation: Reservation) -> Iterator[str]:
        path = f"{at}.placement"
        yield from self._each(path, reservation.placement, _end_after_start, self._segment_racks)
        yield from _overlaps(path, reservation.placement)
        for here, segment in _paths(path, reservation.placement):
            yield from self._run(_segment_interval(here, segment, reservation))
            yield from self._run(_segment_gpus(here, segment, reservation))

    def _segment_racks(self, at: str, segment: Segment) -> Iterator[str]:
        for rack in segment.racks:
            yield from names(child(f"{at}.racks", rack), rack, self.known.racks, "rack")

    def _requests(self) -> Iterator[str]:
        requests = self.snapshot.requests
        yield from _repeated("request", [*_listed("requests", requests)])
        block = (self._tenant, self._site, _size, *self._charge_checks(), _interruptible)
        yield from self._each("requests", requests, *block, _smallest_size, _window, self._extends)

    def _extends(self, at: str, request: Request) -> Iterator[str]:
        if request.extends is None or self.known.reservations is None:
            return
        yield from names(f"{at}.extends", request.extends, self.known.reservations, "reservation")
        extended = self.known.reservations.get(request.extends)
        if extended is not None and extended.tenant != request.tenant:
            yield f"{at}.extends: {request.extends!r} is not a reservation of {request.tenant!r}"

    def _tenant(self, at: str, item: Contract | Reservation | Request) -> Iterator[str]:
        yield from names(f"{at}.tenant", item.tenant, self.known.tenants, "tenant")

    def _site(self, at: str, item: Contract | Reservation | Request) -> Iterator[str]:
        if item.site is not None:
            yield from names(f"{at}.site", item.site, self.known.sites, "site")

    def _charge_checks(self) -> tuple[Callable[[str, Reservation | Request], Iterator[str]], ...]:
        return (self._charged_contract, self._charged_tenant, self._charged_site)

    def _charged_contract(self, at: str, block: Reservation | Request) -> Iterator[str]:
        if block.contract is not None:
            yield from names(f"{at}.contract", block.contract, self.known.contracts, "contract")

    def _charged_tenant(self, at: str, block: Reservation | Request) -> Iterator[str]:
        contract = (self.known.contracts or {}).get(block.contract or "")
        if contract is not None and contract.tenant != block.tenant:
            yield f"{at}.tenant: {block.tenant!r} is not the tenant of contract {contract.id!r}, {contract.tenant!r}"

    def _charged_site(self, at: str, block: Reservation | Request) -> Iterator[str]:
        contract = (self.known.contracts or {}).get(block.contract or "")
        if contract is not None and None not in (block.site, contract.site) and block.site != contract.site:
            yield f"{at}.site: {block.site!r} contradicts the site of contract {contract.id!r}, {contract.site!r}"

    def _rack_loads(self) -> Iterator[str]:
        """R1 for what was promised already: at most 72 GPUs on a rack on each day from today on."""
        changes: dict[str, list[tuple[dt.date, int, str]]] = defaultdict(list)
        for at, segment in self._promised():
            start = max(segment.start, self.snapshot.today)
            if start < segment.end:
                for rack, gpus in segment.racks.items():
                    changes[rack] += [(start, gpus, at), (segment.end, -gpus, at)]
        for rack, steps in changes.items():
            yield from _overload(rack, sorted(steps, key=_releases_first))

    def _promised(self) -> Iterator[tuple[str, Segment]]:
        for i, reservation in enumerate(self.snapshot.reservations):
            if "placement" in reservation.model_fields_set:
                segments = _paths(f"reservations[{i}].placement", reservation.placement)
                yield from ((at, segment) for at, segment in segments if is_whole(segment))


def _known(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except AttributeError:
        return None


def _paths(path: str, items: Sequence[T]) -> Iterator[tuple[str, T]]:
    return ((f"{path}[{i}]", item) for i, item in enumerate(items))


def _listed(path: str, items: Sequence[_Named]) -> Iterator[tuple[str, str]]:
    """The ids of the items with their paths; those that can't be read are left out."""
    return ((f"{at}.id", item.id) for at, item in _paths(path, items) if "id" in item.model_fields_set)


def _repeated(kind: str, named: Sequence[tuple[str, str]]) -> Iterator[str]:
    first: dict[str, str] = {}
    for at, name in named:
        if name in first:
            yield f"{at}: the {kind} {name!r} is named already by {first[name]}"
        first.setdefault(name, at)


def _end_after_start(at: str, span: _Span) -> Iterator[str]:
    if span.end <= span.start:
        yield f"{at}.end: {span.end} is not after the start, {span.start}"


def _outage_interval(at: str, outage: Outage) -> Iterator[str]:
    if outage.end is not None and outage.end <= outage.start:
        yield f"{at}.end: {outage.end} is not after the start, {outage.start}"


def _notice_after_lock_in(at: str, contract: Contract) -> Iterator[str]:
    notice = contract.notice_given_on
    if notice is not None and notice < contract.lock_in_until:
        yield f"{at}.notice_given_on: {notice} is before the end of the lock-in, {contract.lock_in_until}"


def _size(at: str, block: Reservation | Request) -> Iterator[str]:
    if block.gpus % block_multiple(block.gpus):
        yield f"{at}.gpus: {block.gpus} is not a multiple of {block_multiple(block.gpus)}"


def _smallest_size(at: str, request: Request) -> Iterator[str]:
    if request.min_gpus % block_multiple(request.gpus):
        yield f"{at}.min_gpus: {request.min_gpus} is not a multiple of {block_multiple(request.gpus)}"
    if request.min_gpus > request.gpus:
        yield f"{at}.min_gpus: {request.min_gpus} is more than gpus, {request.gpus}"


def _window(at: str, request: Request) -> Iterator[str]:
    if request.latest_start < request.earliest_start:
        yield f"{at}.latest_start: {request.latest_start} is before earliest_start, {request.earliest_start}"


def _interruptible(at: str, block: Reservation | Request) -> Iterator[str]:
    if block.interruptible and block.contract is not None:
        yield f"{at}.contract: an interruptible block is on demand and has no contract"
    if block.interruptible and block.recall_notice_days is None:
        yield f"{at}.recall_notice_days: an interruptible block needs its recall notice"
    if not block.interruptible and block.recall_notice_days is not None:
        yield f"{at}.recall_notice_days: only an interruptible block has a recall notice; must be null"


def _overlaps(at: str, spans: Sequence[_Span]) -> Iterator[str]:
    order = sorted(range(len(spans)), key=lambda i: (spans[i].start, spans[i].end))
    last = order[0] if order else 0
    for i in order[1:]:
        if spans[i].start < spans[last].end:
            yield f"{at}[{i}]: it overlaps {at}[{last}]"
        last = max(last, i, key=lambda j: spans[j].end)


def _segment_interval(at: str, segment: Segment, reservation: Reservation) -> Iterator[str]:
    if segment.start < reservation.start or segment.end > reservation.end:
        interval = f"[{reservation.start}, {reservation.end})"
        yield f"{at}: [{segment.start}, {segment.end}) is outside its reservation's {interval}"


def _segment_gpus(at: str, segment: Segment, reservation: Reservation) -> Iterator[str]:
    whole = reservation.gpus >= GPUS_PER_RACK
    for rack, gpus in segment.racks.items():
        here = child(f"{at}.racks", rack)
        if gpus < 1:
            yield f"{here}: {gpus} is not positive"
        elif gpus > GPUS_PER_RACK:
            yield f"{here}: {gpus} is more than a rack's {GPUS_PER_RACK}"
        elif whole and gpus != GPUS_PER_RACK:
            yield f"{here}: {gpus} is not {GPUS_PER_RACK}: a block of 72 GPUs or more uses whole racks"
        elif gpus % GPUS_PER_TRAY:
            yield f"{here}: {gpus} is not a multiple of {GPUS_PER_TRAY}"
    total = sum(segment.racks.values())
    if total > reservation.gpus:
        yield f"{at}.racks: {total} GPUs are more than the reservation's {reservation.gpus}"
    elif not whole and len(segment.racks) > 1:
        yield f"{at}.racks: a block of fewer than 72 GPUs lies on one rack, not on {len(segment.racks)}"


def _releases_first(step: tuple[dt.date, int, str]) -> tuple[dt.date, bool]:
    day, gpus, _ = step
    return day, gpus > 0


def _overload(rack: str, steps: list[tuple[dt.date, int, str]]) -> Iterator[str]:
    """The first day on which more than 72 GPUs stand on the rack; ``steps`` in order."""
    load = 0
    for day, gpus, at in steps:
        load += gpus
        if load > GPUS_PER_RACK:
            here = child(f"{at}.racks", rack)
            yield f"{here}: {load} GPUs stand on the rack on {day}, more than {GPUS_PER_RACK}"
            return
