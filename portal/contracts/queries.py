"""Reads of contracts, tenants and the rate card. A tenant's person is looked up by the tenant first."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.domain.errors import NotFound
from portal.models.contracts import Contract, Notice
from portal.models.rates import Rate
from portal.models.reservations import Reservation
from portal.models.tenants import Tenant
from portal.web.actor import Actor

_LOADED = (
    joinedload(Contract.tenant),
    joinedload(Contract.site),
    selectinload(Contract.commitment_steps),
    selectinload(Contract.fee_steps),
    selectinload(Contract.notices).joinedload(Notice.given_by),
)


def contracts_for(session: Session, actor: Actor) -> Sequence[Contract]:
    """The tenant's own contracts; all of them, tenant by tenant, for the provider."""
    rows = _visible_to(actor).join(Contract.tenant).options(*_LOADED)
    return session.scalars(rows.order_by(Tenant.name, Contract.start, Contract.id)).all()


def contract_for(session: Session, actor: Actor, public_id: str) -> Contract:
    """The contract of this id, where the actor may know of it. Raises `NotFound`."""
    contract = session.scalar(_visible_to(actor).where(Contract.public_id == public_id).options(*_LOADED))
    if contract is None:
        raise NotFound
    return contract


def booked_steps(session: Session, contract_ids: Sequence[int]) -> Mapping[int, Mapping[dt.date, int]]:
    """By contract, the GPUs promised to its reservations from each day on on which their sum changes (R6)."""
    end = sa.func.coalesce(Reservation.ended_on, Reservation.end)
    columns = (Reservation.contract_id, Reservation.start, Reservation.end, end, Reservation.gpus)
    changes: dict[int, dict[dt.date, int]] = {key: defaultdict(int) for key in contract_ids}
    rows = session.execute(sa.select(*columns).where(Reservation.contract_id.in_(contract_ids)))
    for contract_id, start, end_by_date, end_as_recorded, gpus in rows:
        until = min(end_by_date, end_as_recorded)
        if contract_id is not None and start < until:
            changes[contract_id][start] += gpus
            changes[contract_id][until] -= gpus
    return {key: _summed(found) for key, found in changes.items()}


def tenants(session: Session) -> Sequence[Tenant]:
    """All tenants by name."""
    return session.scalars(sa.select(Tenant).order_by(Tenant.name)).all()


def tenant_of(session: Session, public_id: str) -> Tenant:
    """The tenant of this id. Raises `NotFound`."""
    tenant = session.scalar(sa.select(Tenant).where(Tenant.public_id == public_id))
    if tenant is None:
        raise NotFound
    return tenant


def promised_on(session: Session, day: dt.date) -> Mapping[int, int]:
    """By tenant, the GPUs of its reservations on ``day``."""
    end = sa.func.coalesce(Reservation.ended_on, Reservation.end)
    stands = (Reservation.start <= day, Reservation.end > day, end > day)
    rows = sa.select(Reservation.tenant_id, sa.func.sum(Reservation.gpus)).where(*stands)
    return {tenant_id: int(gpus) for tenant_id, gpus in session.execute(rows.group_by(Reservation.tenant_id))}


def rates(session: Session) -> Sequence[Rate]:
    """Every line of the rate card, the newest first within its scope and interruptibility."""
    return session.scalars(sa.select(Rate).order_by(Rate.interruptible, Rate.scope, Rate.start.desc())).all()


def _visible_to(actor: Actor) -> sa.Select[Contract]:
    rows = sa.select(Contract)
    return rows.where(Contract.tenant_id == actor.tenant_id) if actor.is_tenant else rows


def _summed(changes: Mapping[dt.date, int]) -> Mapping[dt.date, int]:
    days = sorted(changes)
    return dict(zip(days, accumulate(changes[day] for day in days), strict=True))
