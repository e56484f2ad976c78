"""Offers: made on top of everything that stands, answered once, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.bookings import offer_actions as actions
from portal.bookings.offer_actions import GoneElsewhere, NewOffer
from portal.bookings.terms import WrongTerms
from portal.domain.errors import NotFound, OfferClosed, TooManyOffers
from portal.domain.states import OfferState, RequestState, ReservationState, Scope
from portal.models.audit import AuditEntry
from portal.models.capacity import Capacity
from portal.models.offers import Offer
from portal.models.outbox import OutboxMessage
from portal.models.placements import Placement
from portal.models.requests import Request
from portal.models.reservations import Reservation
from tests.portal import factories
from tests.portal.bookings.landlord import FEB, JAN, Landlord, block, offered, price, reserved
from tests.portal.factories import NOW, TODAY

LATER = NOW + dt.timedelta(hours=48)


def make(session: Session, town: Landlord, *, now: dt.datetime = NOW, **values: Any) -> Offer:
    new = NewOffer(block(values.pop("to", town.booker), **values), now + dt.timedelta(hours=48))
    return actions.make(session, new=new, by=town.approver, now=now, today=TODAY)


def take(session: Session, town: Landlord, public_id: str, **values: Any) -> Reservation:
    moment = {"by": town.booker, "now": NOW, "today": TODAY, **values}
    return actions.take(session, public_id=public_id, **moment)


def racks_of(session: Session, owner: Any, row_id: int) -> set[tuple[int, dt.date, dt.date, int]]:
    rows = sa.select(Placement.rack_id, Placement.start, Placement.end, Placement.gpus).where(owner == row_id)
    return {tuple(row) for row in session.execute(rows)}


def test_an_offer_binds_racks_and_has_a_price(session: Session, town: Landlord) -> None:
    offer = offered(session, town, gpus=144, scope=Scope.HALL)

    assert (offer.tier, offer.value_usd, offer.end) == (1, price(144, 30, "3.2"), dt.date(2027, 1, 31))
    held = racks_of(session, Placement.offer_id, offer.id)
    assert sorted(gpus for *_, gpus in held) == [72, 72]
    assert {(start, end) for _, start, end, _ in held} == {(JAN, dt.date(2027, 1, 31))}
    assert session.scalars(sa.select(Capacity.version)).one() == 1
    message = session.scalars(sa.select(OutboxMessage)).one()
    assert (message.kind, message.tenant_id) == ("offer_made", town.tenant.id)


def test_taking_it_makes_the_same_racks_a_reservation(session: Session, town: Landlord) -> None:
    offer = offered(session, town, gpus=144)
    before = racks_of(session, Placement.offer_id, offer.id)
    public_id = offer.public_id
    session.commit()

    row = take(session, town, public_id)
    session.commit()

    assert racks_of(session, Placement.reservation_id, row.id) == before
    assert (row.gpus, row.start, row.offer_id, row.move_notice_days) == (144, JAN, offer.id, 14)
    assert row.state_on(TODAY) is ReservationState.SCHEDULED
    taken = session.scalars(sa.select(Offer)).one()
    assert (taken.state, taken.answered_by_id) == (OfferState.TAKEN, town.booker.user_id)
    assert session.scalars(sa.select(AuditEntry.action)).all() == ["made an offer", "took an offer"]


def test_taking_it_accepts_the_request_that_it_answers(session: Session, town: Landlord) -> None:
    request = factories.submitted_request(session, tenant=town.tenant)
    session.commit()
    new = NewOffer(block(town.booker), LATER, request_id=request.id)
    public_id = actions.make(session, new=new, by=town.approver, now=NOW, today=TODAY).public_id
    session.commit()

    row = take(session, town, public_id)
    session.commit()

    accepted = session.scalars(sa.select(Request)).one()
    assert (accepted.state, accepted.decided_by_id) == (RequestState.ACCEPTED, town.booker.user_id)
    assert row.request_id == accepted.id


def test_a_request_accepted_meanwhile_is_not_answered_twice(session: Session, town: Landlord) -> None:
    request = factories.submitted_request(session, tenant=town.tenant)
    session.commit()
    new = NewOffer(block(town.booker), LATER, request_id=request.id)
    public_id = actions.make(session, new=new, by=town.approver, now=NOW, today=TODAY).public_id
    session.commit()
    request.state = RequestState.ACCEPTED
    request.decided_at, request.decided_by_id = NOW, town.approver.user_id
    session.commit()

    with pytest.raises(OfferClosed):
        take(session, town, public_id)


@pytest.mark.parametrize("answer", ["refuse", "withdraw"])
def test_refused_or_withdrawn_it_frees_its_racks(session: Session, town: Landlord, answer: str) -> None:
    public_id = offered(session, town).public_id
    session.commit()

    by = town.booker if answer == "refuse" else town.approver
    offer = getattr(actions, answer)(session, public_id=public_id, by=by, now=NOW)
    session.commit()

    assert offer.state is {"refuse": OfferState.REFUSED, "withdraw": OfferState.WITHDRAWN}[answer]
    assert session.scalars(sa.select(Placement)).all() == []
    with pytest.raises(OfferClosed):
        take(session, town, public_id)


def test_it_stands_up_to_its_last_instant(session: Session, town: Landlord) -> None:
    """One microsecond before the expiry it can be taken, at the expiry it cannot."""
    public_id = offered(session, town).public_id
    session.commit()

    with pytest.raises(OfferClosed):
        take(session, town, public_id, now=LATER)
    session.rollback()
    assert take(session, town, public_id, now=LATER - dt.timedelta(microseconds=1))


def test_what_an_expired_offer_held_can_be_offered_again(session: Session, town: Landlord) -> None:
    """All eight racks are offered; an hour after the expiry they are free, although nobody did anything."""
    offered(session, town, gpus=576)
    with pytest.raises(GoneElsewhere):
        make(session, town)
    session.rollback()

    again = make(session, town, now=LATER, gpus=576, to=town.stranger)
    session.commit()

    states = dict(session.execute(sa.select(Offer.id, Offer.state)).all())
    assert states.pop(again.id) is OfferState.STANDING
    assert list(states.values()) == [OfferState.EXPIRED]


def test_at_most_five_stand_for_a_tenant(session: Session, town: Landlord) -> None:
    for _ in range(5):
        offered(session, town, gpus=4)
    with pytest.raises(TooManyOffers):
        make(session, town, gpus=4)
    session.rollback()

    assert make(session, town, gpus=4, to=town.stranger).state is OfferState.STANDING


def test_where_it_does_not_fit_the_nearest_blocks_are_named(session: Session, town: Landlord) -> None:
    """Five of eight racks are taken for January: four more fit from the day after, and three now."""
    reserved(session, town, to=town.stranger, gpus=360)

    with pytest.raises(GoneElsewhere) as gone:
        make(session, town, gpus=288)

    nearest = {each.kind: each for each in gone.value.nearest}
    assert nearest["later"].start == dt.date(2027, 1, 31)
    assert (nearest["smaller"].gpus, nearest["smaller"].start) == (216, JAN)
    assert "borealis" not in gone.value.sentence.lower()


def test_standing_offers_count_against_a_quota(session: Session, town: Landlord) -> None:
    """R9: the second rack of a tenant that may have one is refused while the first is offered."""
    town.tenant.max_gpus = 72
    session.commit()
    offered(session, town)

    with pytest.raises(GoneElsewhere):
        make(session, town)
    session.rollback()
    assert make(session, town, to=town.stranger)


def test_what_a_commitment_holds_is_not_offered_to_others(session: Session, town: Landlord) -> None:
    """R7: seven of eight racks are held; its own tenant may draw on them, inside the lead others may as well."""
    contract = factories.contract(session, tenant_id=town.tenant.id, gpus=504)
    session.commit()

    with pytest.raises(GoneElsewhere):
        make(session, town, gpus=144, to=town.stranger)
    session.rollback()
    assert make(session, town, gpus=144, contract_id=contract.id).tier == 0
    session.rollback()
    assert make(session, town, gpus=144, to=town.stranger, earliest_start=TODAY, days=14)


def test_spare_racks_are_not_offered(session: Session, town: Landlord) -> None:
    """R2: with one spare rack in each hall six of eight can be had."""
    for hall in town.cluster.halls:
        hall.spare_racks = 1
    session.commit()

    with pytest.raises(GoneElsewhere):
        make(session, town, gpus=504)
    session.rollback()
    assert make(session, town, gpus=432)


def test_an_offer_needs_a_future(session: Session, town: Landlord) -> None:
    new = NewOffer(block(town.booker), NOW)

    with pytest.raises(WrongTerms):
        actions.make(session, new=new, by=town.approver, now=NOW, today=TODAY)


def test_an_outage_since_is_found_when_it_is_taken(session: Session, town: Landlord) -> None:
    """One of its racks failed: nothing is reserved, and what fits instead is named."""
    offer = offered(session, town, gpus=144)
    rack_id = min(rack for rack, *_ in racks_of(session, Placement.offer_id, offer.id))
    rack = next(row for row in town.cluster.racks if row.id == rack_id)
    factories.outage(session, rack)
    session.commit()

    with pytest.raises(GoneElsewhere):
        take(session, town, offer.public_id)
    session.rollback()
    assert session.scalars(sa.select(Reservation)).all() == []
    assert session.scalars(sa.select(Offer.state)).one() is OfferState.STANDING


def test_an_outage_of_another_rack_does_not_matter(session: Session, town: Landlord) -> None:
    offer = offered(session, town, gpus=144)
    held = {rack for rack, *_ in racks_of(session, Placement.offer_id, offer.id)}
    factories.outage(session, next(row for row in town.cluster.racks if row.id not in held))
    session.commit()

    assert take(session, town, offer.public_id)


def test_an_offer_whose_first_day_passed_cannot_be_taken(session: Session, town: Landlord) -> None:
    public_id = offered(session, town, hours=24 * 60).public_id
    session.commit()

    with pytest.raises(GoneElsewhere):
        take(session, town, public_id, today=dt.date(2027, 1, 2))
    session.rollback()
    assert take(session, town, public_id, today=JAN)


def test_a_notice_since_is_found_when_it_is_taken(session: Session, town: Landlord) -> None:
    """R6: the contract ends inside the block now."""
    contract = factories.contract(session, tenant_id=town.tenant.id)
    session.commit()
    public_id = offered(session, town, contract_id=contract.id, earliest_start=FEB, days=60).public_id
    factories.notice(session, contract, given_by_id=town.approver.user_id)
    session.commit()

    with pytest.raises(GoneElsewhere):
        take(session, town, public_id)


def test_another_tenant_can_neither_take_nor_refuse_it(session: Session, town: Landlord) -> None:
    public_id = offered(session, town).public_id
    session.commit()

    with pytest.raises(NotFound):
        take(session, town, public_id, by=town.stranger)
    session.rollback()
    with pytest.raises(NotFound):
        actions.refuse(session, public_id=public_id, by=town.stranger, now=NOW)


def test_a_refused_take_leaves_nothing_behind(session: Session, town: Landlord, monkeypatch: Any) -> None:
    """The audit entry is written in the same transaction: without it there is no reservation."""
    public_id = offered(session, town).public_id
    session.commit()

    def fail(*_args: object, **_values: object) -> None:
        raise RuntimeError("the trail is full")

    monkeypatch.setattr(actions, "record", fail)
    with pytest.raises(RuntimeError):
        take(session, town, public_id)
    session.rollback()

    assert session.scalars(sa.select(Reservation)).all() == []
    assert session.scalars(sa.select(Offer.state)).one() is OfferState.STANDING
