"""A landlord of eight racks with two tenants and a rate card, and people who act."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from portal.bookings import offer_actions
from portal.bookings.offer_actions import NewOffer
from portal.bookings.terms import Terms
from portal.domain.states import Role, Scope
from portal.models.offers import Offer
from portal.models.reservations import Reservation
from portal.models.tenants import Tenant
from portal.models.users import User
from portal.web.actor import Actor
from tests.portal import factories
from tests.portal.factories import NOW, TODAY, Cluster

JAN, FEB = dt.date(2027, 1, 1), dt.date(2027, 2, 1)
RATES = {Scope.ANY: "3", Scope.SITE: "3.1", Scope.HALL: "3.2", Scope.POD: "3.5"}


@dataclass(frozen=True, slots=True)
class Landlord:
    """What tests act on; ``booker`` books for ``tenant``, ``stranger`` for another one."""

    cluster: Cluster
    tenant: Tenant
    booker_row: User
    stranger_row: User
    booker: Actor
    stranger: Actor
    approver: Actor


def landlord(session: Session) -> Landlord:
    """Put it there and commit."""
    cluster = factories.cluster(session, halls=2, racks=4)
    for scope, usd in RATES.items():
        factories.rate(session, usd, scope=scope)
    factories.rate(session, "1.5", interruptible=True)
    tenant = factories.tenant(session, name="Aurora Labs", public_id="aurora")
    rival = factories.tenant(session, name="Borealis AI", public_id="borealis")
    booker = factories.user(session, Role.BOOKER, tenant=tenant)
    stranger = factories.user(session, Role.OWNER, tenant=rival)
    approver = factories.user(session, Role.APPROVER)
    session.commit()
    actors = [actor_of(user) for user in (booker, stranger, approver)]
    session.commit()
    return Landlord(cluster, tenant, booker, stranger, *actors)


def actor_of(user: User) -> Actor:
    return Actor(user.id, user.name, user.email, user.role, user.tenant_id, "192.0.2.1")


def terms(by: Actor, **values: Any) -> Terms:
    """One rack, anywhere, on demand, for 30 days from a start in January."""
    assert by.tenant_id is not None
    defaults: dict[str, Any] = {
        "tenant_id": by.tenant_id,
        "contract_id": None,
        "gpus": 72,
        "min_gpus": values.get("gpus", 72),
        "earliest_start": JAN,
        "latest_start": dt.date(2027, 1, 15),
        "days": 30,
        "scope": Scope.ANY,
    }
    return Terms(**{**defaults, **values})


def block(by: Actor, **values: Any) -> Terms:
    """The same with one start."""
    return terms(by, **{"latest_start": values.get("earliest_start", JAN), **values})


def offered(session: Session, town: Landlord, *, to: Actor | None = None, hours: int = 48, **values: Any) -> Offer:
    """An offer of the approver's, committed."""
    new = NewOffer(block(to or town.booker, **values), NOW + dt.timedelta(hours=hours))
    offer = offer_actions.make(session, new=new, by=town.approver, now=NOW, today=TODAY)
    session.commit()
    return offer


def reserved(session: Session, town: Landlord, *, to: Actor | None = None, **values: Any) -> Reservation:
    """A reservation that came from an offer, committed."""
    offer_id = offered(session, town, to=to, **values).public_id
    session.commit()
    row = offer_actions.take(session, public_id=offer_id, by=to or town.booker, now=NOW, today=TODAY)
    session.commit()
    return row


def price(gpus: int, days: int, usd_per_hour: str) -> Decimal:
    """By hand: GPUs x days x 24 x rate."""
    return gpus * days * 24 * Decimal(usd_per_hour)
