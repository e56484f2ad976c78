"""Rows for tests: valid by default, so that a test names only what it is about. Each is added and flushed."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from portal.domain.states import NoticeState, OutageKind, Party, RequestState, Role, RunState, Scope
from portal.models.cluster import Hall, Outage, Pod, PowerLimit, Rack, Site
from portal.models.contracts import CommitmentStep, Contract, FeeStep, Notice
from portal.models.offers import Offer
from portal.models.placements import Placement
from portal.models.plans import Plan, Run
from portal.models.rates import Rate
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.models.tenants import Tenant
from portal.models.users import User

TODAY = dt.date(2026, 11, 22)
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)

_numbers = itertools.count(1)
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Cluster:
    """The units of a small cluster, each list in its order."""

    sites: list[Site]
    halls: list[Hall]
    pods: list[Pod]
    racks: list[Rack]


def tenant(session: Session, **values: Any) -> Tenant:
    """A customer without a quota."""
    number = next(_numbers)
    return _add(session, Tenant(**{"public_id": f"tenant-{number}", "name": f"Tenant {number}", **values}))


def user(session: Session, role: Role = Role.APPROVER, **values: Any) -> User:
    """A person of this role; a tenant role gets a tenant of its own unless one is given. Nobody can sign in as it."""
    number = next(_numbers)
    if role.is_tenant_role and "tenant" not in values and "tenant_id" not in values:
        values["tenant"] = tenant(session)
    defaults: dict[str, Any] = {
        "email": f"person-{number}@example.com",
        "name": f"Person {number}",
        "password_hash": "!",
        "role": role,
        "created_at": NOW,
    }
    return _add(session, User(**{**defaults, **values}))


def cluster(session: Session, *, sites: int = 1, halls: int = 1, pods: int = 1, racks: int = 4) -> Cluster:
    """So many halls per site, pods per hall and racks per pod; ids such as ``s1-h1-p1-r1``."""
    made = Cluster([], [], [], [])
    for s in range(1, sites + 1):
        site = Site(code=f"s{s}", name=f"Site {s}", position=s)
        made.sites.append(site)
        for h in range(1, halls + 1):
            hall = Hall(site=site, code=f"s{s}-h{h}", name=f"Hall {s}.{h}", position=h)
            made.halls.append(hall)
            for p in range(1, pods + 1):
                pod = Pod(hall=hall, code=f"s{s}-h{h}-p{p}", position=p)
                made.pods.append(pod)
                made.racks.extend(Rack(pod=pod, code=f"{pod.code}-r{r}", position=r) for r in range(1, racks + 1))
    session.add_all([*made.sites, *made.racks])
    session.flush()
    return made


def contract(session: Session, *, gpus: int = 144, fee: Decimal | int = 1_000_000, **values: Any) -> Contract:
    """A contract of 2026-07-01 to 2030-01-01 with one commitment step and one fee step over its whole term."""
    if "tenant" not in values and "tenant_id" not in values:
        values["tenant"] = tenant(session)
    defaults: dict[str, Any] = {
        "start": dt.date(2026, 7, 1),
        "end": dt.date(2030, 1, 1),
        "lock_in_until": dt.date(2026, 10, 1),
        "notice_days": 90,
        "notice_by": Party.EITHER,
        "booking_lead_days": 14,
        "move_notice_days": 14,
        "overage": False,
    }
    row = Contract(**{**defaults, **values})
    if "commitment_steps" not in values:
        row.commitment_steps = [CommitmentStep(start=row.start, end=row.end, gpus=gpus)]
    if "fee_steps" not in values:
        row.fee_steps = [FeeStep(start=row.start, end=row.end, monthly_fee=Decimal(fee))]
    return _add(session, row)


def notice(session: Session, contract: Contract, **values: Any) -> Notice:
    """The tenant's running notice, given today."""
    given_on = values.get("given_on", TODAY)
    defaults: dict[str, Any] = {
        "party": Party.TENANT,
        "given_on": given_on,
        "ends_on": given_on + dt.timedelta(contract.notice_days),
        "state": NoticeState.RUNNING,
        "given_at": NOW,
    }
    if "given_by" not in values and "given_by_id" not in values:
        values["given_by"] = user(session)
    return _add(session, Notice(contract=contract, **{**defaults, **values}))


def rate(session: Session, usd_per_gpu_hour: Decimal | int | str = 3, **values: Any) -> Rate:
    """A line of the rate card for a firm block of any scope from 2026-01-01 on."""
    defaults: dict[str, Any] = {
        "scope": Scope.ANY,
        "interruptible": False,
        "start": dt.date(2026, 1, 1),
        "created_at": NOW,
    }
    return _add(session, Rate(usd_per_gpu_hour=Decimal(usd_per_gpu_hour), **{**defaults, **values}))


def request(session: Session, **values: Any) -> Request:
    """An on-demand draft for one rack over 30 days that may start in January 2027."""
    values = _with_tenant(session, values)
    gpus = values.get("gpus", 72)
    defaults: dict[str, Any] = {
        **_block(values),
        "min_gpus": gpus,
        "earliest_start": dt.date(2027, 1, 1),
        "latest_start": dt.date(2027, 1, 31),
        "days": 30,
        "created_at": NOW,
    }
    return _add(session, Request(**{**defaults, **values}))


def submitted_request(session: Session, **values: Any) -> Request:
    """The same, submitted an hour ago."""
    values = _with_tenant(session, values)
    if "submitted_by" not in values:
        values["submitted_by"] = user(session, Role.BOOKER, tenant_id=_tenant_id(values))
    return request(session, **{"state": RequestState.SUBMITTED, "submitted_at": NOW - dt.timedelta(hours=1), **values})


def offer(session: Session, *, racks: list[Rack] | None = None, **values: Any) -> Offer:
    """A standing offer of one rack for January 2027, until the day after tomorrow; it holds ``racks``."""
    values = _with_tenant(session, values)
    if "made_by" not in values and "made_by_id" not in values:
        values["made_by"] = user(session)
    defaults: dict[str, Any] = {
        **_block(values),
        **_january(),
        "made_at": NOW,
        "expires_at": NOW + dt.timedelta(days=2),
    }
    row = _add(session, Offer(**{**defaults, **values}))
    for rack in racks or []:
        placement(session, rack, offer_id=row.id, start=row.start, end=row.end, gpus=min(row.gpus, 72))
    return row


def reservation(session: Session, *, racks: list[Rack] | None = None, **values: Any) -> Reservation:
    """One rack for January 2027, on demand, movable with 14 days' notice; it stands on ``racks`` all the time."""
    values = _with_tenant(session, values)
    defaults: dict[str, Any] = {**_block(values), **_january(), "move_notice_days": 14, "created_at": NOW}
    row = _add(session, Reservation(**{**defaults, **values}))
    for rack in racks or []:
        placement(session, rack, reservation_id=row.id, start=row.start, end=row.end, gpus=min(row.gpus, 72))
    return row


def placement(session: Session, rack: Rack, **values: Any) -> Placement:
    """The whole rack for January 2027; say whose: ``reservation_id`` or ``offer_id``."""
    return _add(session, Placement(rack_id=rack.id, **{**_january(), "gpus": 72, **values}))


def outage(session: Session, rack: Rack, **values: Any) -> Outage:
    """A failure from today on, with no end in sight."""
    defaults: dict[str, Any] = {"start": TODAY, "kind": OutageKind.FAILURE, "recorded_at": NOW}
    return _add(session, Outage(rack=rack, **{**defaults, **values}))


def power_limit(session: Session, site: Site, kw: float = 1_400.0, **values: Any) -> PowerLimit:
    """A limit for the first quarter of 2027."""
    defaults: dict[str, Any] = {"start": dt.date(2027, 1, 1), "end": dt.date(2027, 4, 1), "recorded_at": NOW}
    return _add(session, PowerLimit(site=site, kw=kw, **{**defaults, **values}))


def run(session: Session, state: RunState = RunState.QUEUED, **values: Any) -> Run:
    """A run in this state, with the process and the instants that belong to it."""
    defaults: dict[str, Any] = {"state": state, "queued_at": NOW}
    if state is not RunState.QUEUED:
        defaults |= {"started_at": NOW, "heartbeat_at": NOW, "pid": 4_000_000, "process_started_at": 1.5, "host": "h1"}
    if state in {RunState.FINISHED, RunState.FAILED, RunState.CANCELLED}:
        defaults["finished_at"] = NOW
    return _add(session, Run(**{**defaults, **values}))


def plan(session: Session, **values: Any) -> Plan:
    """A proposed plan of a finished run; its files are a few bytes that nobody can read."""
    if "run" not in values and "run_id" not in values:
        values["run"] = run(session, RunState.FINISHED)
    defaults: dict[str, Any] = {
        "today": TODAY,
        "snapshot_gz": b"snapshot",
        "snapshot_sha256": "0" * 64,
        "plan_gz": b"plan",
        "fingerprint": {},
        "status": "optimal",
        "tiers": [],
        "seconds": 1.0,
        "proposed_at": NOW,
    }
    return _add(session, Plan(**{**defaults, **values}))


def _add(session: Session, row: _Row) -> _Row:
    session.add(row)
    session.flush()
    return row


def _with_tenant(session: Session, values: dict[str, Any]) -> dict[str, Any]:
    if "tenant" in values or "tenant_id" in values:
        return values
    return {**values, "tenant": tenant(session)}


def _tenant_id(values: dict[str, Any]) -> int:
    found: int = values["tenant"].id if "tenant" in values else values["tenant_id"]
    return found


def _block(values: dict[str, Any]) -> dict[str, Any]:
    gpus = values.get("gpus", 72)
    tier = 0 if values.get("contract") or values.get("contract_id") else 1
    return {"gpus": gpus, "scope": Scope.ANY, "tier": tier, "value_usd": Decimal(gpus * 24 * 30 * 3)}


def _january() -> dict[str, dt.date]:
    return {"start": dt.date(2027, 1, 1), "end": dt.date(2027, 1, 31)}
