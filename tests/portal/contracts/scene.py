"""A contract with everything that a notice can touch, on a cluster of eight racks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from portal.domain.states import Party, Role
from portal.models.cluster import Rack
from portal.models.contracts import Contract
from portal.models.offers import Offer
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.models.users import User
from portal.web.actor import Actor
from tests.portal import factories
from tests.portal.factories import NOW, TODAY

END = dt.date(2027, 2, 20)
"""The first day out of force where notice of 90 days is given on 2026-11-22."""


@dataclass(frozen=True, slots=True)
class Scene:
    """`within` ends before `END`, `across` begins before and ends after it, `beyond` begins after it."""

    racks: list[Rack]
    contract: Contract
    within: Reservation
    across: Reservation
    beyond: Reservation
    offer: Offer
    reaching: Request
    fitting: Request
    owner: Actor
    admin: Actor


def make(session: Session, **terms: Any) -> Scene:
    """Committed: 5 of 8 racks. Each block has one rack."""
    racks = factories.cluster(session, racks=8).racks
    contract = factories.contract(session, gpus=360, public_id="acme-2026", **terms)
    under = {"tenant": contract.tenant, "contract_id": contract.id}
    owner = factories.user(session, Role.OWNER, tenant=contract.tenant)
    admin = factories.user(session, Role.ADMIN)
    made = Scene(
        racks=racks,
        contract=contract,
        within=reserve(session, contract, racks[0], dt.date(2026, 8, 1), dt.date(2027, 2, 1)),
        across=reserve(session, contract, racks[1], dt.date(2026, 10, 1), dt.date(2027, 6, 1)),
        beyond=reserve(session, contract, racks[2], dt.date(2027, 3, 1), dt.date(2027, 9, 1)),
        offer=factories.offer(session, racks=[racks[3]], **under),
        reaching=factories.submitted_request(session, days=51, **under),
        fitting=factories.submitted_request(session, days=50, **under),
        owner=actor(owner),
        admin=actor(admin),
    )
    session.commit()
    return made


def reserve(session: Session, contract: Contract, rack: Rack, start: dt.date, end: dt.date) -> Reservation:
    """The whole rack for ``[start, end)``, charged to the contract."""
    return factories.reservation(
        session, racks=[rack], tenant=contract.tenant, contract_id=contract.id, start=start, end=end
    )


def actor(user: User) -> Actor:
    return Actor(user.id, user.name, user.email, user.role, user.tenant_id, "test")


__all__ = ["END", "NOW", "TODAY", "Party", "Role", "Scene", "actor", "make", "reserve"]
