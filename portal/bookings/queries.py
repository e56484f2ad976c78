"""Reads of requests, offers and reservations: a tenant's own, or everyone's for the provider's people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from portal.domain.errors import NotFound
from portal.domain.requests import OPEN_STATES
from portal.domain.states import OfferState, RequestState
from portal.models.cluster import Site
from portal.models.contracts import Contract
from portal.models.offers import Offer
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.models.tenants import Tenant
from portal.plans.export_blocks import standing_offers
from portal.web.actor import Actor
from portal.web.paging import Page

_Row = TypeVar("_Row", Request, Offer, Reservation)

CLOSED_REQUESTS = frozenset(RequestState) - OPEN_STATES - {RequestState.DRAFT}


def request_for(session: Session, by: Actor, public_id: str) -> Request:
    """A request that this person may see. Raises `NotFound`, for another tenant's and another's draft alike."""
    return _one(session, _requests(by).where(Request.public_id == public_id))


def offer_for(session: Session, by: Actor, public_id: str) -> Offer:
    """An offer that this person may see. Raises `NotFound`."""
    return _one(session, _offers(by).where(Offer.public_id == public_id))


def reservation_for(session: Session, by: Actor, public_id: str) -> Reservation:
    """A reservation that this person may see. Raises `NotFound`."""
    return _one(session, _reservations(by).where(Reservation.public_id == public_id))


def requests_page(
    session: Session, by: Actor, states: frozenset[RequestState], *, page: int, size: int
) -> Page[Request]:
    """Requests in one of these states, the newest first."""
    return _page(session, _requests(by).where(Request.state.in_(states)), Request.id.desc(), page=page, size=size)


def request_counts(session: Session, by: Actor) -> dict[RequestState, int]:
    """How many requests the person may see in each state; states without any are left out."""
    rows = _requests(by).with_only_columns(Request.state, sa.func.count()).group_by(Request.state)
    return dict(session.execute(rows).all())


def offers_page(session: Session, by: Actor, *, page: int, size: int) -> Page[Offer]:
    """All offers, the newest first."""
    return _page(session, _offers(by), Offer.id.desc(), page=page, size=size)


def standing(session: Session, by: Actor, now: dt.datetime) -> Sequence[Offer]:
    """The offers that stand at ``now``, the first to expire first."""
    own = _own(by, Offer)
    return session.scalars(standing_offers(now).where(own).order_by(Offer.expires_at, Offer.id)).all()


def standing_count(session: Session, by: Actor, now: dt.datetime) -> int:
    """How many offers stand at ``now``."""
    rows = sa.select(sa.func.count()).where(_own(by, Offer), Offer.state == OfferState.STANDING, Offer.expires_at > now)
    return session.scalars(rows).one()


def reservations_page(
    session: Session, by: Actor, *, current: bool, today: dt.date, page: int, size: int
) -> Page[Reservation]:
    """Those that still bind capacity on ``today`` or later by their start, or those that are over, the latest first."""
    over = sa.or_(Reservation.end <= today, sa.and_(Reservation.ended_on.is_not(None), Reservation.ended_on <= today))
    rows = _reservations(by).where(sa.not_(over) if current else over)
    order = Reservation.start if current else Reservation.start.desc()
    return _page(session, rows, order, page=page, size=size)


def live_reservations(session: Session, tenant_id: int, today: dt.date) -> Sequence[Reservation]:
    """The tenant's reservations with a day left, by their start."""
    end = sa.func.coalesce(Reservation.ended_on, Reservation.end)
    rows = sa.select(Reservation).where(Reservation.tenant_id == tenant_id, Reservation.end > today, end > today)
    return session.scalars(rows.order_by(Reservation.start, Reservation.id)).all()


def all_reservations(session: Session, tenant_id: int) -> Sequence[Reservation]:
    """Every reservation of the tenant."""
    rows = sa.select(Reservation).where(Reservation.tenant_id == tenant_id)
    return session.scalars(rows.order_by(Reservation.start, Reservation.id)).all()


def contracts_of(session: Session, tenant_id: int) -> Sequence[Contract]:
    """The tenant's contracts by their start."""
    rows = sa.select(Contract).where(Contract.tenant_id == tenant_id)
    return session.scalars(rows.order_by(Contract.start, Contract.id)).all()


def sites(session: Session) -> Sequence[Site]:
    """All sites in their order."""
    return session.scalars(sa.select(Site).order_by(Site.position, Site.id)).all()


def tenants(session: Session) -> Sequence[Tenant]:
    """All tenants by name; for the provider's pages only."""
    return session.scalars(sa.select(Tenant).order_by(Tenant.name)).all()


def made_from(session: Session, by: Actor, request: Request) -> tuple[Sequence[Reservation], Sequence[Offer]]:
    """The reservations and offers that answer a request."""
    reservations = _reservations(by).where(Reservation.request_id == request.id).order_by(Reservation.id)
    offers = _offers(by).where(Offer.request_id == request.id).order_by(Offer.id)
    return session.scalars(reservations).all(), session.scalars(offers).all()


def _own(by: Actor, model: type[_Row]) -> sa.ColumnElement[bool]:
    return model.tenant_id == by.tenant_id if by.is_tenant else sa.true()


def _requests(by: Actor) -> sa.Select[Request]:
    """A draft is its tenant's alone, also after it was withdrawn."""
    rows = sa.select(Request).where(_own(by, Request)).options(joinedload(Request.tenant), joinedload(Request.site))
    return rows if by.is_tenant else rows.where(Request.submitted_at.is_not(None))


def _offers(by: Actor) -> sa.Select[Offer]:
    return sa.select(Offer).where(_own(by, Offer)).options(joinedload(Offer.tenant), joinedload(Offer.site))


def _reservations(by: Actor) -> sa.Select[Reservation]:
    loaded = joinedload(Reservation.tenant), joinedload(Reservation.site)
    return sa.select(Reservation).where(_own(by, Reservation)).options(*loaded)


def _one(session: Session, rows: sa.Select[_Row]) -> _Row:
    found = session.scalars(rows).one_or_none()
    if found is None:
        raise NotFound
    return found


def _page(session: Session, rows: sa.Select[_Row], order: Any, *, page: int, size: int) -> Page[_Row]:
    total = session.scalar(sa.select(sa.func.count()).select_from(rows.order_by(None).subquery())) or 0
    number = Page.clamp(page, size=size, total=total)
    found = session.scalars(rows.order_by(order).limit(size).offset((number - 1) * size)).all()
    return Page(items=tuple(found), number=number, size=size, total=total)
