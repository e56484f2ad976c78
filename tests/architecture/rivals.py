"""Two tenants with one of everything each: Quillon's secrets, and Tamarack, whose owner tries to find them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from portal.auth import sessions
from portal.domain.states import RequestState, Role, RunState, Scope
from portal.models.cluster import Rack
from portal.models.contracts import Contract
from portal.models.offers import Offer
from portal.models.plans import Plan
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.models.tenants import Tenant
from portal.models.users import User, UserSession
from tests.portal import factories
from tests.portal.factories import NOW, TODAY
from tests.portal.plans.building import accept, propose

JANUARY = dt.date(2027, 1, 1)


@dataclass(frozen=True, slots=True)
class Belongings:
    """What one tenant has. The last rack is the one on which its reservation stands."""

    tenant: Tenant
    owner: User
    contract: Contract
    request: Request
    declined: Request
    offer: Offer
    reservation: Reservation
    racks: tuple[Rack, Rack]


@dataclass(frozen=True, slots=True)
class Rivals:
    """``ids`` names a thing of Quillon's, or one of the provider's, by what stands before it in an address."""

    quillon: Belongings
    tamarack: Belongings
    admin: User
    ids: dict[str, Any]


def rivals(rows: Session) -> Rivals:
    """Put it all there and commit. The plan that is proposed takes both tenants' open requests."""
    cluster = factories.cluster(rows, halls=2, racks=4)
    for scope in Scope:
        factories.rate(rows, scope=scope)
    admin = factories.user(rows, Role.ADMIN, name="Ada Admin")
    quillon = _belongings(rows, "Quillon Labs", cluster.racks[:4], decided_by=admin)
    tamarack = _belongings(rows, "Tamarack AI", cluster.racks[4:], decided_by=admin)
    tamarack.declined.reason = _reason_naming(quillon)
    outage = factories.outage(rows, quillon.racks[1])
    limit = factories.power_limit(rows, cluster.sites[0])
    rows.commit()
    plan = propose(rows, accepted=[_accepted(quillon, cluster.racks[2]), _accepted(tamarack, cluster.racks[6])])
    sessions.start(rows, user=quillon.owner, now=NOW, lifetime=dt.timedelta(hours=1), user_agent="test")
    rows.commit()
    key = sessions.key_of(rows.query(UserSession).filter_by(user_id=quillon.owner.id).one())
    waiting = factories.run(rows, RunState.QUEUED)
    ids = {**_own_ids(quillon), **_provider_ids(quillon, plan, cluster.halls[0].code)}
    ids |= {"/outages/": outage.id, "/outages/power-limits/": limit.id, "/account/sessions/": key}
    ids["/runs/"] = waiting.public_id
    rows.commit()
    return Rivals(quillon, tamarack, admin, ids)


def secrets_of(whose: Belongings) -> set[str]:
    """Words that only this tenant and the provider may read."""
    things = (whose.contract, whose.request, whose.declined, whose.offer, whose.reservation)
    people = {whose.owner.name, whose.owner.email}
    return {whose.tenant.name, whose.tenant.public_id, *people, *(thing.public_id for thing in things)}


def _own_ids(whose: Belongings) -> dict[str, Any]:
    return {
        "/requests/": whose.request.public_id,
        "/reservations/": whose.reservation.public_id,
        "/offers/": whose.offer.public_id,
        "/contracts/": whose.contract.public_id,
    }


def _provider_ids(quillon: Belongings, plan: Plan, hall: str) -> dict[str, Any]:
    return {
        "/approvals/": quillon.request.public_id,
        "/plans/": plan.public_id,
        "/tenants/": quillon.tenant.public_id,
        "/users/": quillon.owner.id,
        "/cluster/halls/": hall,
        "/cluster/racks/": quillon.racks[1].code,
    }


def _belongings(rows: Session, name: str, racks: list[Rack], *, decided_by: User) -> Belongings:
    code = name.split()[0].lower()
    tenant = factories.tenant(rows, name=name, public_id=code)
    owner = factories.user(rows, Role.OWNER, tenant=tenant, name=f"Owner of {name}", email=f"owner@{code}.example")
    values = {"tenant": tenant, "submitted_by": owner}
    contract = factories.contract(rows, tenant=tenant, public_id=f"{code}-2026", gpus=72)
    refused = {
        "state": RequestState.DECLINED,
        "decided_at": NOW,
        "decided_by_id": decided_by.id,
        "note": f"From {name}",
    }
    return Belongings(
        tenant,
        owner,
        contract,
        factories.submitted_request(rows, **values),
        factories.submitted_request(rows, **values, **refused, reason=_reason("It does not fit.")),
        factories.offer(rows, tenant=tenant, racks=[racks[0]]),
        factories.reservation(rows, tenant=tenant, contract=contract, racks=[racks[1]]),
        (racks[0], racks[1]),
    )


def _accepted(whose: Belongings, rack: Rack) -> dict[str, Any]:
    return accept(whose.request, rack, start=JANUARY)


def _reason(text: str) -> dict[str, Any]:
    return {"code": "capacity", "text": text, "for_tenant": "Other commitments are in the way.", "start": None}


def _reason_naming(rival: Belongings) -> dict[str, Any]:
    """What the provider reads names the rival and what its block was worth."""
    holders = [{"kind": "reservation", "id": rival.reservation.public_id, "gpus": 72}]
    text = f"{rival.tenant.name} holds {rival.racks[1].code} with {rival.reservation.public_id}."
    short = [{"unit": rival.racks[1].code, "start": TODAY.isoformat(), "end": JANUARY.isoformat(), "gpus": 72}]
    return {**_reason(text), "holders": holders, "short": short, "price_to_win_usd": 987654.0}
