"""Writes around the terms of business: contracts, tenants and their quotas, the rate card. The caller commits."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.contracts.drafting import NewContract, Problem, WrongContract, check
from portal.contracts.queries import tenant_of
from portal.domain.errors import CapacityTaken, Invalid, StaleVersion
from portal.domain.states import Scope, TenantKind
from portal.models.capacity import lock_capacity
from portal.models.contracts import Contract
from portal.models.offers import expire_offers
from portal.models.rates import Rate
from portal.models.tenants import Tenant
from portal.models.transactions import begin_write
from portal.notices.actions import tell
from portal.plans.restoring import missing
from portal.plans.standing import standing_of
from portal.web.actor import Actor
from portal.web.format import day_range_text, gpus_text

LONGEST_TENANT_ID = 48
_TENANT_ID = re.compile(r"[a-z0-9][a-z0-9-]*")


class Oversold(CapacityTaken):
    """A new contract commits GPUs that are not there on some days."""

    code = "oversold"


def add_contract(
    session: Session, *, new: NewContract, by: Actor, now: dt.datetime, today: dt.date, oversell: bool = False
) -> Contract:
    """Record a contract; what it commits is held from then on (R7).

    Raises `WrongContract`, and, unless ``oversell``, `Oversold` with the days on which its GPUs are not there.
    """
    lock_capacity(session)
    expire_offers(session, now)
    check(new)
    if session.scalar(sa.select(Contract.id).where(Contract.public_id == new.public_id)) is not None:
        raise WrongContract((Problem("public_id", "There is a contract of this name already."),))
    before = None if oversell else missing(standing_of(session, today=today, now=now))
    contract = new.to_row()
    session.add(contract)
    session.flush()
    if before is not None:
        gaps = missing(standing_of(session, today=today, now=now)).beyond(before)
        if gaps:
            named = "; ".join(f"{gpus_text(gap.gpus)} on {day_range_text(gap.start, gap.end)}" for gap in gaps)
            raise Oversold(f"The cluster cannot keep this commitment beside the others. Missing are {named}.")
    after = {
        "start": new.start,
        "end": new.end,
        "steps": [f"{step.start} {step.gpus} GPUs {step.monthly_fee} USD" for step in new.steps],
        "oversold": oversell,
    }
    thing = f"contract {contract.public_id}"
    tell(session, "contract_added", tenant_id=contract.tenant_id, now=now, contract=contract.public_id)
    record(session, by=by, action="added", thing=thing, after=after, now=now, tenant_id=contract.tenant_id)
    return contract


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant to be added; ``max_gpus`` null: no limit (R9)."""

    public_id: str
    name: str
    kind: TenantKind
    max_gpus: int | None


def add_tenant(session: Session, *, new: NewTenant, by: Actor, now: dt.datetime) -> Tenant:
    """Record a tenant. Raises `Invalid` with the sentence to show."""
    lock_capacity(session)
    _check_tenant(session, new)
    tenant = Tenant(public_id=new.public_id, name=new.name, kind=new.kind, max_gpus=new.max_gpus)
    session.add(tenant)
    session.flush()
    after = {"name": new.name, "kind": new.kind, "max_gpus": new.max_gpus}
    record(session, by=by, action="added", thing=f"tenant {new.public_id}", after=after, now=now, tenant_id=tenant.id)
    return tenant


def set_quota(
    session: Session, *, public_id: str, version: int, max_gpus: int | None, by: Actor, now: dt.datetime
) -> Tenant:
    """Limit the GPUs that may be promised to a tenant at a time (R9). Raises `NotFound`, `Invalid`, `StaleVersion`."""
    lock_capacity(session)
    tenant = tenant_of(session, public_id)
    if tenant.version != version:
        raise StaleVersion
    _check_quota(max_gpus)
    before, tenant.max_gpus = tenant.max_gpus, max_gpus
    thing = f"tenant {public_id}"
    tell(session, "quota_changed", tenant_id=tenant.id, now=now, max_gpus=max_gpus)
    record(
        session,
        by=by,
        action="set the quota",
        thing=thing,
        before={"max_gpus": before},
        after={"max_gpus": max_gpus},
        now=now,
        tenant_id=tenant.id,
    )
    return tenant


@dataclass(frozen=True, slots=True)
class NewRate:
    """US dollars per GPU-hour for quotes made from ``start`` on."""

    scope: Scope
    interruptible: bool
    start: dt.date
    usd_per_gpu_hour: Decimal


def add_rate(session: Session, *, new: NewRate, by: Actor, now: dt.datetime, today: dt.date) -> Rate:
    """Add a line to the rate card; lines are never edited, and none begins in the past. Raises `Invalid`."""
    begin_write(session)
    if new.start < today:
        raise Invalid("Quotes made before today stand: a new rate begins today or later.")
    if not 0 <= new.usd_per_gpu_hour < 1_000_000 or new.usd_per_gpu_hour != round(new.usd_per_gpu_hour, 6):
        raise Invalid("A rate is 0 or more US dollars per GPU-hour, with no more than six decimals.")
    key = (Rate.scope == new.scope, Rate.interruptible == new.interruptible, Rate.start == new.start)
    if session.scalar(sa.select(Rate.id).where(*key)) is not None:
        raise Invalid("This rate has a line from that day on already, and lines are never edited. Choose another day.")
    rate = Rate(
        scope=new.scope,
        interruptible=new.interruptible,
        start=new.start,
        usd_per_gpu_hour=new.usd_per_gpu_hour,
        created_at=now,
    )
    session.add(rate)
    kind = "interruptible" if new.interruptible else "firm"
    after = {"start": new.start, "usd_per_gpu_hour": new.usd_per_gpu_hour}
    record(session, by=by, action="added", thing=f"rate {new.scope} {kind}", after=after, now=now)
    return rate


def _check_tenant(session: Session, new: NewTenant) -> None:
    if len(new.public_id) > LONGEST_TENANT_ID or not _TENANT_ID.fullmatch(new.public_id):
        raise Invalid(f"The short name has up to {LONGEST_TENANT_ID} small letters, digits and hyphens.")
    if not new.name or len(new.name) > 200:
        raise Invalid("Write the tenant's name, up to 200 characters.")
    _check_quota(new.max_gpus)
    same = sa.or_(Tenant.public_id == new.public_id, sa.func.lower(Tenant.name) == new.name.lower())
    if session.scalar(sa.select(Tenant.id).where(same)) is not None:
        raise Invalid("There is a tenant of this name already.")


def _check_quota(max_gpus: int | None) -> None:
    if max_gpus is not None and not 0 <= max_gpus <= 10**9:
        raise Invalid("A limit is 0 GPUs or more; leave it empty for none.")
