"""Requests as the search sees them: numbers instead of names, windows cut to the days that can start a block (R4)."""

from __future__ import annotations

from dataclasses import dataclass

from solver.cluster import Cluster
from solver.decisions import Stand
from solver.snapshot import Request, Scope, Snapshot
from solver.terms import GPUS_PER_RACK, block_multiple

NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """One request. ``first_start`` to ``last_start`` (both included) are the starts that R4 and R6 allow; the window
    is empty where ``last_start < first_start``. ``tenant``, ``contract`` and ``site`` are positions in the snapshot's
    lists, `NONE` where there is none. ``keep`` are the racks of the reservation that the request extends.
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
