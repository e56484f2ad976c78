"""Publishing after the world has changed: stale plans, and requests that are left out."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.errors import Invalid, StalePlan
from portal.domain.states import OfferState, PlanState, RequestState
from portal.models.placements import Placement
from portal.models.reservations import Reservation
from portal.plans.publish import publish
from tests.portal import factories
from tests.portal.factories import NOW, TODAY
from tests.portal.plans.building import accept, approver, moment, move, propose
from tests.portal.plans.publishing import published

JANUARY = dt.date(2027, 1, 1)
FEBRUARY = dt.date(2027, 2, 1)


def test_a_stale_plan_names_what_changed_and_changes_nothing(session: Session) -> None:
    racks = factories.cluster(session).racks
    request = factories.submitted_request(session)
    plan = propose(session, accepted=[accept(request, racks[0], start=JANUARY)])
    factories.outage(session, racks[3])

    with pytest.raises(StalePlan) as refused:
        published(session, plan)
    session.rollback()

    assert refused.value.changes == (f"The outages of rack {racks[3].code} changed.",)
    assert (request.state, plan.state) == (RequestState.SUBMITTED, PlanState.PROPOSED)
    assert session.scalars(sa.select(Reservation)).all() == []


def test_a_plan_of_yesterday_is_stale(session: Session) -> None:
    plan = propose(session)
    tomorrow = moment(approver(session), today=TODAY + dt.timedelta(1))

    with pytest.raises(StalePlan, match=r"The day is 23 Nov 2026; the plan was made on 22 Nov 2026\."):
        publish(session, plan_id=plan.public_id, moment=tomorrow)


def test_an_offer_that_expired_since_does_not_make_the_plan_stale(session: Session) -> None:
    racks = factories.cluster(session).racks
    factories.offer(session, racks=[racks[0]], expires_at=NOW + dt.timedelta(minutes=5))
    plan = propose(session)

    later = moment(approver(session), now=NOW + dt.timedelta(hours=1))
    publish(session, plan_id=plan.public_id, moment=later)

    assert plan.state is PlanState.PUBLISHED


def test_an_offer_taken_since_does_not_make_the_plan_stale_unless_the_plan_moves_it(session: Session) -> None:
    racks = factories.cluster(session).racks
    offer = factories.offer(session, racks=[racks[0]])
    still = propose(session)
    moved = [move(offer, (offer.start, offer.end, [racks[1]]))]

    def take() -> None:
        offer.state, offer.answered_at, offer.answered_by_id = OfferState.TAKEN, NOW, factories.user(session).id
        row = factories.reservation(session, tenant=offer.tenant, offer_id=offer.id, move_notice_days=0)
        session.execute(sa.update(Placement).values(offer_id=None, reservation_id=row.id))

    def back() -> None:
        offer.state, offer.answered_at, offer.answered_by_id = OfferState.STANDING, None, None
        session.execute(sa.update(Placement).values(offer_id=offer.id, reservation_id=None))
        session.execute(sa.delete(Reservation))

    take()
    published(session, still)
    assert still.state is PlanState.PUBLISHED

    back()
    moving = propose(session, moves=moved)
    take()
    with pytest.raises(StalePlan, match=f"Offer {offer.public_id} has ended"):
        published(session, moving)


def test_a_request_submitted_since_waits_for_the_next_run(session: Session) -> None:
    factories.cluster(session)
    plan = propose(session)
    late = factories.submitted_request(session)

    published(session, plan)

    assert (plan.state, late.state) == (PlanState.PUBLISHED, RequestState.SUBMITTED)


def test_a_request_withdrawn_since_is_left_out(session: Session) -> None:
    racks = factories.cluster(session).racks
    gone = factories.submitted_request(session)
    kept = factories.submitted_request(session)
    blocks = [accept(gone, racks[0], start=JANUARY), accept(kept, racks[1], start=JANUARY)]
    plan = propose(session, accepted=blocks)
    gone.state, gone.withdrawn_at, gone.withdrawn_by_id = RequestState.WITHDRAWN, NOW, gone.submitted_by_id

    published(session, plan)

    assert session.scalars(sa.select(Reservation.request_id)).all() == [kept.id]
    assert plan.left_out == [gone.public_id]
    assert gone.state is RequestState.WITHDRAWN


def test_a_request_amended_since_is_left_out_and_waits(session: Session) -> None:
    racks = factories.cluster(session).racks
    request = factories.submitted_request(session)
    plan = propose(session, accepted=[accept(request, racks[0], start=JANUARY)])
    request.days = 60

    published(session, plan)

    assert (plan.left_out, request.state) == ([request.public_id], RequestState.SUBMITTED)


def test_a_request_that_the_approver_leaves_out_waits_for_the_next_run(session: Session) -> None:
    racks = factories.cluster(session).racks
    request = factories.submitted_request(session)
    plan = propose(session, accepted=[accept(request, racks[0], start=JANUARY)])

    published(session, plan, left_out={request.public_id})

    assert (plan.left_out, request.state) == ([request.public_id], RequestState.SUBMITTED)
    assert session.scalars(sa.select(Reservation)).all() == []


def test_a_declined_request_that_fits_where_another_was_left_out_waits_with_it(session: Session) -> None:
    racks = factories.cluster(session, racks=1).racks
    taken = factories.submitted_request(session)
    declined = factories.submitted_request(session, latest_start=JANUARY)
    plan = propose(session, accepted=[accept(taken, racks[0], start=JANUARY)])

    published(session, plan, left_out={taken.public_id})

    assert declined.state is RequestState.SUBMITTED
    assert plan.left_out == sorted([taken.public_id, declined.public_id])


def test_a_request_that_the_plan_does_not_decide_cannot_be_left_out(session: Session) -> None:
    plan = propose(session)

    with pytest.raises(Invalid, match="Q-UNKNOWN1"):
        published(session, plan, left_out={"Q-UNKNOWN1"})
