"""Writes around offers: made on top of everything that stands, taken, refused, withdrawn.

Each locks capacity first and frees the racks of expired offers, so that of two people exactly one wins; none commits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.bookings.quotes import quote
from portal.bookings.terms import Problem, Terms, WrongTerms, check, terms_of_offer, wish_of
from portal.domain.errors import CapacityTaken, NotFound, OfferClosed
from portal.domain.offers import check_answer, check_one_more
from portal.domain.requests import OPEN_STATES
from portal.domain.states import OfferState, RequestState, check_transition
from portal.models.capacity import lock_capacity
from portal.models.cluster import Outage, Rack
from portal.models.offers import Offer, expire_offers
from portal.models.placements import Placement
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.models.settings import Settings
from portal.notices.actions import tell
from portal.plans.fitting import Nearest, fits_at, nearest, racks_for, without
from portal.plans.standing import standing_of
from portal.web.actor import Actor


@dataclass(frozen=True, slots=True)
class NewOffer:
    """One block for one tenant: ``terms`` with one start and one size. ``request_id`` names the request it answers."""

    terms: Terms
    expires_at: dt.datetime
    request_id: int | None = None
    note: str = ""


class GoneElsewhere(CapacityTaken):
    """The block does not fit (any more); ``nearest`` are blocks of the same terms that do."""

    def __init__(self, nearest: Sequence[Nearest]) -> None:
        self.nearest = tuple(nearest)
        super().__init__(
            "Other commitments have taken this capacity. "
            + ("Choose one of the nearest blocks that fit." if self.nearest else "No block like it fits at present.")
        )


def make(session: Session, *, new: NewOffer, by: Actor, now: dt.datetime, today: dt.date) -> Offer:
    """Hold a block for a tenant's answer: checked by R1 to R9 on all that stands, racks bound, priced.

    Raises `WrongTerms`, `TooManyOffers`, or `GoneElsewhere` with what fits instead.
    """
    lock_capacity(session)
    expire_offers(session, now)
    terms, start = new.terms, new.terms.earliest_start
    _check_new(session, new, now=now, today=today)
    priced = quote(session, terms, start=start, today=today)
    racks = _racks(session, terms, now=now, today=today)
    offer = Offer(
        tenant_id=terms.tenant_id,
        contract_id=terms.contract_id,
        gpus=terms.gpus,
        scope=terms.scope,
        site_id=terms.site_id,
        interruptible=terms.interruptible,
        recall_notice_days=terms.recall_notice_days,
        tier=priced.tier,
        value_usd=priced.value,
        rate=priced.rate,
        rate_id=priced.rate_id,
        request_id=new.request_id,
        start=start,
        end=start + dt.timedelta(terms.days),
        expires_at=new.expires_at,
        note=new.note,
        made_at=now,
        made_by_id=by.user_id,
    )
    session.add(offer)
    session.flush()
    _bind(session, offer, racks)
    _note(session, offer, "made an offer", by=by, now=now)
    tell(session, "offer_made", tenant_id=offer.tenant_id, now=now, offer=offer.public_id, **_block(offer))
    return offer


def take(session: Session, *, public_id: str, by: Actor, now: dt.datetime, today: dt.date) -> Reservation:
    """The offer's racks become a reservation, its request is accepted, without a solve.

    Raises `OfferClosed`, or `GoneElsewhere` where an outage, a notice or the calendar has made the block impossible.
    """
    offer = _answerable(session, public_id, by=by, now=now)
    request = _still_open_request(session, offer)
    _check_still_fits(session, offer, now=now, today=today)
    reservation = _reserved(session, offer, now)
    session.execute(
        sa.update(Placement).where(Placement.offer_id == offer.id).values(reservation_id=reservation.id, offer_id=None)
    )
    _answer(offer, OfferState.TAKEN, by=by, now=now)
    if request is not None:
        request.state = check_transition(request.state, RequestState.ACCEPTED)
        request.decided_at, request.decided_by_id = now, by.user_id
        request.reason, request.counter_offers = None, []
    names = {"offer": offer.public_id, "reservation": reservation.public_id}
    tell(session, "offer_taken", tenant_id=None, now=now, **names, **_block(offer))
    tell(session, "reservation_made", tenant_id=offer.tenant_id, now=now, **names, **_block(offer))
    _note(session, offer, "took an offer", by=by, now=now, reservation=reservation.public_id)
    return reservation


def refuse(session: Session, *, public_id: str, by: Actor, now: dt.datetime) -> Offer:
    """The tenant does not want it: its racks are free again. Raises `OfferClosed`."""
    offer = _answerable(session, public_id, by=by, now=now)
    _answer(offer, OfferState.REFUSED, by=by, now=now)
    _free(session, offer)
    tell(session, "offer_refused", tenant_id=None, now=now, offer=offer.public_id)
    _note(session, offer, "refused an offer", by=by, now=now)
    return offer


def withdraw(session: Session, *, public_id: str, by: Actor, now: dt.datetime) -> Offer:
    """The provider takes it back before it is answered. Raises `OfferClosed`."""
    lock_capacity(session)
    expire_offers(session, now)
    offer = session.scalars(sa.select(Offer).where(Offer.public_id == public_id)).one_or_none()
    if offer is None:
        raise NotFound
    check_answer(offer.state, offer.expires_at, now)
    offer.state = check_transition(offer.state, OfferState.WITHDRAWN)
    offer.withdrawn_at, offer.withdrawn_by_id = now, by.user_id
    _free(session, offer)
    tell(session, "offer_withdrawn", tenant_id=offer.tenant_id, now=now, offer=offer.public_id)
    _note(session, offer, "withdrew an offer", by=by, now=now)
    return offer


def _check_new(session: Session, new: NewOffer, *, now: dt.datetime, today: dt.date) -> None:
    check(session, new.terms, today)
    if new.expires_at <= now:
        raise WrongTerms((Problem("hours", "An offer must stand for a while: choose one hour or more."),))
    if new.request_id is not None:
        _check_request(session, new)
    standing = sa.select(sa.func.count()).where(
        Offer.tenant_id == new.terms.tenant_id, Offer.state == OfferState.STANDING
    )
    check_one_more(session.scalars(standing).one())


def _check_request(session: Session, new: NewOffer) -> None:
    """The request is the same tenant's and still waits, or was declined: then the offer stands beside it."""
    own = sa.select(Request.state).where(Request.tenant_id == new.terms.tenant_id, Request.id == new.request_id)
    if session.scalars(own).one_or_none() not in {*OPEN_STATES, RequestState.DECLINED}:
        raise OfferClosed("This request no longer waits for an answer. Look at it again.")


def _racks(session: Session, terms: Terms, *, now: dt.datetime, today: dt.date) -> dict[str, int]:
    standing = standing_of(session, today=today, now=now)
    wish = wish_of(session, terms)
    racks = racks_for(standing, wish, terms.earliest_start)
    if racks is None:
        raise GoneElsewhere(nearest(standing, wish, terms.earliest_start, terms.latest_start))
    return dict(racks)


def _bind(session: Session, offer: Offer, racks: dict[str, int]) -> None:
    ids = dict(session.execute(sa.select(Rack.code, Rack.id).where(Rack.code.in_(racks))).all())
    days = {"offer_id": offer.id, "start": offer.start, "end": offer.end}
    session.execute(sa.insert(Placement), [{**days, "rack_id": ids[r], "gpus": gpus} for r, gpus in racks.items()])


def _answerable(session: Session, public_id: str, *, by: Actor, now: dt.datetime) -> Offer:
    """The tenant's offer, with capacity locked, while it stands. Raises `NotFound`, `OfferClosed`."""
    lock_capacity(session)
    own = sa.select(Offer).where(Offer.tenant_id == by.tenant_id, Offer.public_id == public_id)
    offer = session.scalars(own).one_or_none()
    if offer is None:
        raise NotFound
    check_answer(offer.state, offer.expires_at, now)
    expire_offers(session, now)
    return offer


def _still_open_request(session: Session, offer: Offer) -> Request | None:
    """The request that taking the offer accepts; none where it was declined or never was.

    Raises `OfferClosed` where the request was accepted or withdrawn meanwhile: nobody gets the same block twice.
    """
    if offer.request_id is None:
        return None
    request = session.scalars(sa.select(Request).where(Request.id == offer.request_id).with_for_update()).one()
    if request.state in {RequestState.ACCEPTED, RequestState.WITHDRAWN}:
        raise OfferClosed(f"The request that this offer answers is {request.state}. Refuse the offer, or ask again.")
    return request if request.state in OPEN_STATES else None


def _check_still_fits(session: Session, offer: Offer, *, now: dt.datetime, today: dt.date) -> None:
    """R1 to R9 again, without the offer itself, and its very racks in order on all of its days."""
    terms = terms_of_offer(offer)
    standing, wish = standing_of(session, today=today, now=now), wish_of(session, terms)
    without(standing, offer.public_id)
    if fits_at(standing, wish, offer.start) and not _is_hurt(session, offer):
        return
    raise GoneElsewhere(nearest(standing, wish, offer.start, offer.start))


def _is_hurt(session: Session, offer: Offer) -> bool:
    """Whether it is short of racks, or one of them is out of use on one of its days."""
    own = sa.select(Placement.rack_id, Placement.gpus).where(
        Placement.offer_id == offer.id, Placement.start == offer.start, Placement.end == offer.end
    )
    racks = dict(session.execute(own).all())
    if sum(racks.values()) != offer.gpus:
        return True
    hit = sa.select(Outage.id).where(
        Outage.rack_id.in_(racks),
        Outage.start < offer.end,
        sa.or_(Outage.end.is_(None), Outage.end > offer.start),
    )
    return session.scalars(hit.limit(1)).first() is not None


def _reserved(session: Session, offer: Offer, now: dt.datetime) -> Reservation:
    on_demand_days = session.scalars(sa.select(Settings.on_demand_move_notice_days)).one()
    reservation = Reservation(
        tenant_id=offer.tenant_id,
        contract_id=offer.contract_id,
        gpus=offer.gpus,
        scope=offer.scope,
        site_id=offer.site_id,
        interruptible=offer.interruptible,
        recall_notice_days=offer.recall_notice_days,
        tier=offer.tier,
        value_usd=offer.value_usd,
        rate=offer.rate,
        rate_id=offer.rate_id,
        request_id=offer.request_id,
        offer_id=offer.id,
        start=offer.start,
        end=offer.end,
        move_notice_days=offer.contract.move_notice_days if offer.contract else on_demand_days,
        created_at=now,
    )
    session.add(reservation)
    session.flush()
    return reservation


def _answer(offer: Offer, state: OfferState, *, by: Actor, now: dt.datetime) -> None:
    offer.state = check_transition(offer.state, state)
    offer.answered_at, offer.answered_by_id = now, by.user_id


def _free(session: Session, offer: Offer) -> None:
    session.execute(sa.delete(Placement).where(Placement.offer_id == offer.id))


def _block(offer: Offer) -> dict[str, str | int]:
    return {"gpus": offer.gpus, "start": offer.start.isoformat(), "end": offer.end.isoformat()}


def _note(session: Session, offer: Offer, action: str, *, by: Actor, now: dt.datetime, **more: str) -> None:
    thing, after = f"offer {offer.public_id}", {**_block(offer), **more}
    record(session, by=by, action=action, thing=thing, after=after, tenant_id=offer.tenant_id, now=now)
