"""What the search may place, with numbers instead of names: requests, and reservations that need not stay as they are.

A reservation that may be recalled is fixed until the first day on which a recall could end it; from there on it is a
wish to keep exactly its racks, worth what a recall would lose (§ 5 step 2). Not placed means recalled (R11).

A reservation that is not frozen may be moved (R10): it is a wish that has to be placed, best where it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from solver.cluster import Cluster
from solver.decisions import Stand
from solver.snapshot import Request, Scope, Segment, Snapshot
from solver.terms import GPUS_PER_RACK, add_days, block_multiple

NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """One request, or one reservation to be kept.

    ``first_start`` to ``last_start`` (both included) are the starts that R4 and R6 allow; the window is empty where
    ``last_start < first_start``. ``tenant``, ``contract`` and ``site`` are positions in the snapshot's lists, `NONE`
    where there is none. ``keep`` are the racks of the reservation that the request extends, or those that the
    ``reservation`` has.
    """

    number: int
    id: str
    tenant: int
    contract: int
    site: int
    scope: Scope
    gpus: int
    min_gpus: int
    days: int
    first_start: int
    last_start: int
    recall_notice_days: int | None
    tier: int
    value_usd: float
    keep: tuple[int, ...]
    reservation: str | None = None
    """The id of the reservation to be kept; None: this is a request."""
    days_in_all: int = 0
    """Days that a recall of the reservation would lose, those beyond the horizon included."""
    must_stand: bool = False
    beyond: int = 0

    @property
    def multiple(self) -> int:
        return block_multiple(self.gpus)

    @property
    def shares_a_rack(self) -> bool:
        """Whether the block is smaller than a rack."""
        return self.gpus < GPUS_PER_RACK

    @property
    def usd_per_gpu_day(self) -> float:
        return self.value_usd / (self.gpus * self.days)

    def value_of(self, gpus: int) -> float:
        """What a block of ``gpus`` GPUs is worth: its share of the full block's value."""
        return self.value_usd if gpus == self.gpus else self.value_usd * gpus / self.gpus


def split(snapshot: Snapshot, cluster: Cluster, standing: list[Stand]) -> tuple[list[Stand], list[Wish]]:
    """What is fixed, and what may be recalled: reservations cut where a recall could end them, and wishes to keep them.

    Numbers of wishes go on where the requests' end.
    """
    fixed: list[Stand] = []
    keepers: list[Wish] = []
    for stand in standing:
        first = _recallable_from(snapshot, stand)
        segment = next((s for s in stand.segments if s.start <= first and s.end == stand.end), None) if first else None
        if first is None or segment is None or sum(segment.racks.values()) != stand.reservation.gpus:
            fixed.append(stand)
            continue
        before = tuple(_cut(stand.segments, first))
        fixed.append(Stand(stand.reservation, first, before))
        number = len(snapshot.requests) + len(keepers)
        keepers.append(
            _keeper(snapshot, cluster, stand, number=number, first=cluster.index(first), racks=segment.racks)
        )
    return fixed, keepers


def _recallable_from(snapshot: Snapshot, stand: Stand) -> dt.date | None:
    """R11: the first day without the reservation if it is recalled now; None: it can't be, or it would free nothing."""
    reservation = stand.reservation
    if not reservation.interruptible or reservation.recall_notice_days is None:
        return None
    first = max(reservation.start, add_days(snapshot.today, reservation.recall_notice_days))
    return first if first < min(stand.end, snapshot.horizon_end) and stand.end == reservation.end else None


def _cut(segments: tuple[Segment, ...], end: dt.date) -> Iterator[Segment]:
    for segment in segments:
        if segment.start < end:
            yield Segment(start=segment.start, end=min(segment.end, end), racks=segment.racks)


def _keeper(
    snapshot: Snapshot, cluster: Cluster, stand: Stand, *, number: int, first: int, racks: dict[str, int]
) -> Wish:
    reservation = stand.reservation
    lost = (stand.end - cluster.date(first)) / (reservation.end - reservation.start)
    return Wish(
        number=number,
        id=reservation.id,
        tenant=[tenant.id for tenant in snapshot.tenants].index(reservation.tenant),
        contract=NONE,
        site=NONE,
        scope="any",
        gpus=reservation.gpus,
        min_gpus=reservation.gpus,
        days=cluster.index(stand.end) - first,
        first_start=first,
        last_start=first,
        recall_notice_days=reservation.recall_notice_days,
        tier=reservation.tier,
        value_usd=reservation.value_usd * lost,
        keep=tuple(cluster.rack_number[rack] for rack in racks),
        reservation=reservation.id,
        days_in_all=(stand.end - cluster.date(first)).days,
    )


def wishes(snapshot: Snapshot, cluster: Cluster, stands: list[Stand]) -> list[Wish]:
    """All requests in the order of the snapshot."""
    tenants = {tenant.id: i for i, tenant in enumerate(snapshot.tenants)}
    contracts = {contract.id: i for i, contract in enumerate(snapshot.contracts)}
    sites = {site.id: i for i, site in enumerate(snapshot.sites)}
    kept = {stand.reservation.id: _last_racks(stand, cluster) for stand in stands}
    result = []
    for number, request in enumerate(snapshot.requests):
        site = snapshot.site_of(request)
        first, last = _window(snapshot, request)
        result.append(
            Wish(
                number=number,
                id=request.id,
                tenant=tenants[request.tenant],
                contract=NONE if request.contract is None else contracts[request.contract],
                site=NONE if site is None else sites[site],
                scope=request.scope,
                gpus=request.gpus,
                min_gpus=request.min_gpus,
                days=request.days,
                first_start=first,
                last_start=last,
                recall_notice_days=request.recall_notice_days if request.interruptible else None,
                tier=request.tier,
                value_usd=request.value_usd,
                keep=kept.get(request.extends, ()) if request.extends else (),
            )
        )
    return result


def _window(snapshot: Snapshot, request: Request) -> tuple[int, int]:
    first = max(0, (request.earliest_start - snapshot.today).days)
    last = min(
        (request.latest_start - snapshot.today).days, (snapshot.horizon_end - snapshot.today).days - request.days
    )
    if request.contract is not None:
        terms = snapshot.contract_by_id[request.contract].terms
        first = max(first, (terms.start - snapshot.today).days)
        last = min(last, (terms.effective_end - snapshot.today).days - request.days)
    return first, last


def _last_racks(stand: Stand, cluster: Cluster) -> tuple[int, ...]:
    last = next((segment for segment in stand.segments if segment.end == stand.end), None)
    return tuple(cluster.rack_number[rack] for rack in last.racks) if last else ()
