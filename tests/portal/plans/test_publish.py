"""Publishing: one transaction that makes a plan true, or says why not and changes nothing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.errors import Conflict, NotFound
from portal.domain.states import OfferState, PlanState, RequestState, ReservationState
from portal.models.audit import AuditEntry
from portal.models.capacity import Capacity
from portal.models.reservations import Reservation
from portal.plans.proposals import UnsoundPlan
from portal.plans.publish import publish
from tests.portal import factories
from tests.portal.factories import NOW, TODAY
from tests.portal.plans.building import accept, approver, moment, move, propose
from tests.portal.plans.publishing import messages, placed, published

JANUARY = dt.date(2027, 1, 1)
FEBRUARY = dt.date(2027, 2, 1)


def test_an_accepted_request_becomes_a_reservation_on_its_racks(session: Session) -> None:
    racks = factories.cluster(session).racks
    request = factories.submitted_request(session, gpus=144, value_usd=Decimal("1000.00"))
    plan = propose(session, accepted=[accept(request, racks[0], racks[2], start=JANUARY)])

    published(session, plan)

    [made] = session.scalars(sa.select(Reservation)).all()
    assert (made.tenant_id, made.gpus, made.start, made.end) == (request.tenant_id, 144, JANUARY, dt.date(2027, 1, 31))
    assert (made.request_id, made.plan_id, made.move_notice_days) == (request.id, plan.id, 14)
    assert made.value_usd == Decimal("1000.00")
    assert placed(session, made) == [(r.code, made.start, made.end, 72) for r in (racks[0], racks[2])]
    assert request.state is RequestState.ACCEPTED
    assert (request.decided_at, request.reason) == (NOW, None)


def test_a_smaller_accepted_block_is_worth_its_share_to_the_cent(session: Session) -> None:
    racks = factories.cluster(session, racks=1).racks
    request = factories.submitted_request(session, gpus=216, min_gpus=72, value_usd=Decimal("100.00"))
    plan = propose(session, accepted=[accept(request, racks[0], start=JANUARY, gpus=72)])

    published(session, plan)

    assert session.scalars(sa.select(Reservation.value_usd)).one() == Decimal("33.33")


def test_a_declined_request_keeps_its_reason_and_counter_offers(session: Session) -> None:
    factories.cluster(session, racks=1)
    request = factories.submitted_request(session, gpus=144)
    plan = propose(session)

    published(session, plan)

    assert request.state is RequestState.DECLINED
    assert request.reason is not None
    assert request.reason["code"] == "capacity"
    assert request.counter_offers[0]["kind"] == "later"
    assert messages(session) == ["plan_published", "request_declined"]


def test_a_declined_request_waits_where_its_tenant_wanted_that(session: Session) -> None:
    factories.cluster(session, racks=1)
    request = factories.submitted_request(session, gpus=144, wants_waitlist=True)

    published(session, propose(session))

    assert request.state is RequestState.WAITLISTED


def test_the_plan_becomes_the_published_one_and_the_one_before_is_superseded(session: Session) -> None:
    first = propose(session)
    published(session, first)
    second = propose(session)

    published(session, second)

    assert (first.state, second.state) == (PlanState.SUPERSEDED, PlanState.PUBLISHED)
    assert (first.closed_at, second.published_at) == (NOW, NOW)


def test_publishing_raises_the_version_of_capacity_and_is_audited(session: Session) -> None:
    before = session.scalars(sa.select(Capacity.version)).one()
    plan = propose(session)

    published(session, plan)

    assert session.scalars(sa.select(Capacity.version)).one() == before + 1
    last = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    assert (last.action, last.thing) == ("published a plan", f"plan {plan.public_id}")


def test_two_moved_reservations_may_swap_their_racks(session: Session) -> None:
    racks = factories.cluster(session, racks=2).racks
    first = factories.reservation(session, racks=[racks[0]])
    second = factories.reservation(session, racks=[racks[1]])
    swap = [move(first, (first.start, first.end, [racks[1]])), move(second, (second.start, second.end, [racks[0]]))]
    version = first.version
    plan = propose(session, moves=swap)

    published(session, plan)

    assert placed(session, first) == [(racks[1].code, first.start, first.end, 72)]
    assert placed(session, second) == [(racks[0].code, second.start, second.end, 72)]
    assert first.version > version
    assert messages(session) == ["plan_published", "reservation_moved", "reservation_moved"]


def test_history_stays_as_it_was_when_a_running_reservation_is_moved(session: Session) -> None:
    racks = factories.cluster(session, racks=2).racks
    start, end = dt.date(2026, 11, 1), dt.date(2027, 1, 1)
    row = factories.reservation(session, racks=[racks[0]], start=start, end=end)
    factories.outage(session, racks[0])
    plan = propose(session, moves=[move(row, (start, TODAY, [racks[0]]), (TODAY, end, [racks[1]]), forced=True)])

    published(session, plan)

    assert placed(session, row) == [(racks[0].code, start, TODAY, 72), (racks[1].code, TODAY, end, 72)]


def test_a_recalled_reservation_ends_early_and_frees_its_racks(session: Session) -> None:
    racks = factories.cluster(session, racks=1).racks
    start, end = dt.date(2026, 11, 1), dt.date(2027, 3, 1)
    row = factories.reservation(
        session, racks=racks, start=start, end=end, interruptible=True, recall_notice_days=7, tier=2
    )
    request = factories.submitted_request(session)
    recalled = dt.date(2026, 12, 1)
    plan = propose(
        session,
        accepted=[accept(request, racks[0], start=JANUARY)],
        recalls=[{"reservation": row.public_id, "end": recalled}],
    )

    published(session, plan)

    assert (row.end, row.original_end) == (recalled, end)
    assert (row.ended_as, row.ended_on) == (ReservationState.RECALLED, recalled)
    assert placed(session, row) == [(racks[0].code, start, recalled, 72)]
    assert request.state is RequestState.ACCEPTED


def test_a_reservation_recalled_before_its_start_keeps_its_dates_and_loses_its_racks(session: Session) -> None:
    racks = factories.cluster(session, racks=1).racks
    row = factories.reservation(session, racks=racks, interruptible=True, recall_notice_days=7, tier=2)
    request = factories.submitted_request(session)
    plan = propose(
        session,
        accepted=[accept(request, racks[0], start=JANUARY)],
        recalls=[{"reservation": row.public_id, "end": row.start}],
    )

    published(session, plan)

    assert (row.end, row.original_end, row.ended_on) == (dt.date(2027, 1, 31), None, JANUARY)
    assert placed(session, row) == []


def test_a_short_reservation_keeps_the_racks_it_has_and_its_tenant_is_told(session: Session) -> None:
    racks = factories.cluster(session, racks=2).racks
    start, end = dt.date(2026, 11, 1), dt.date(2027, 1, 1)
    row = factories.reservation(session, racks=racks, gpus=144, start=start, end=end)
    factories.outage(session, racks[1], end=dt.date(2026, 12, 1))
    segments = [
        (start, TODAY, racks),
        (TODAY, dt.date(2026, 12, 1), [racks[0]]),
        (dt.date(2026, 12, 1), end, racks),
    ]
    short = {"reservation": row.public_id, "start": TODAY, "end": dt.date(2026, 12, 1), "gpus": 72}
    plan = propose(session, moves=[move(row, *segments, forced=True)], shortfalls=[short])

    published(session, plan)

    assert placed(session, row) == [
        (racks[0].code, start, end, 72),
        (racks[1].code, start, TODAY, 72),
        (racks[1].code, dt.date(2026, 12, 1), end, 72),
    ]
    assert "reservation_short" in messages(session)


def test_an_offer_that_the_plan_moves_holds_its_new_racks(session: Session) -> None:
    racks = factories.cluster(session, racks=2).racks
    offer = factories.offer(session, racks=[racks[0]])
    plan = propose(session, moves=[move(offer, (offer.start, offer.end, [racks[1]]))])

    published(session, plan)

    assert placed(session, offer) == [(racks[1].code, offer.start, offer.end, 72)]
    assert offer.state is OfferState.STANDING


def test_an_offer_that_the_plan_leaves_short_is_withdrawn(session: Session) -> None:
    racks = factories.cluster(session, racks=1).racks
    offer = factories.offer(session, racks=racks)
    factories.outage(session, racks[0], start=dt.date(2027, 1, 10), end=dt.date(2027, 1, 12))
    segments = [(offer.start, dt.date(2027, 1, 10), racks), (dt.date(2027, 1, 12), offer.end, racks)]
    short = {"reservation": offer.public_id, "start": dt.date(2027, 1, 10), "end": dt.date(2027, 1, 12), "gpus": 72}
    plan = propose(session, moves=[move(offer, *segments, forced=True)], shortfalls=[short])

    published(session, plan)

    assert offer.state is OfferState.WITHDRAWN
    assert placed(session, offer) == []


def test_an_extension_on_the_same_racks_lengthens_its_reservation(session: Session) -> None:
    racks = factories.cluster(session).racks
    row = factories.reservation(session, racks=[racks[0]], end=FEBRUARY, value_usd=Decimal(100))
    request = factories.submitted_request(
        session,
        tenant=row.tenant,
        extends_id=row.id,
        earliest_start=FEBRUARY,
        latest_start=FEBRUARY,
        value_usd=Decimal(50),
    )
    plan = propose(session, accepted=[accept(request, racks[0], start=FEBRUARY)])

    published(session, plan)

    assert session.scalars(sa.select(Reservation)).all() == [row]
    assert (row.end, row.value_usd) == (dt.date(2027, 3, 3), Decimal(150))
    assert request.state is RequestState.ACCEPTED


def test_an_extension_on_other_racks_is_a_reservation_linked_to_the_first(session: Session) -> None:
    racks = factories.cluster(session).racks
    row = factories.reservation(session, racks=[racks[0]], end=FEBRUARY)
    request = factories.submitted_request(
        session, tenant=row.tenant, extends_id=row.id, earliest_start=FEBRUARY, latest_start=FEBRUARY
    )
    plan = propose(session, accepted=[accept(request, racks[1], start=FEBRUARY)])

    published(session, plan)

    linked = session.scalars(sa.select(Reservation).where(Reservation.id != row.id)).one()
    assert (linked.extends_id, linked.start, row.end) == (row.id, FEBRUARY, FEBRUARY)


def test_a_plan_that_breaks_a_rule_is_never_published(session: Session) -> None:
    racks = factories.cluster(session).racks
    request = factories.submitted_request(session)
    early = dt.date(2026, 12, 1)
    plan = propose(session, accepted=[accept(request, racks[0], start=early)])

    with pytest.raises(UnsoundPlan, match="R4"):
        published(session, plan)


def test_a_plan_is_published_once(session: Session) -> None:
    plan = propose(session)
    published(session, plan)

    with pytest.raises(Conflict, match="published this plan"):
        published(session, plan)


def test_a_plan_that_a_newer_one_replaced_is_not_published(session: Session) -> None:
    first = propose(session)
    propose(session)

    assert first.state is PlanState.DISCARDED
    with pytest.raises(Conflict, match="discarded"):
        published(session, first)


def test_a_plan_that_does_not_exist_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        publish(session, plan_id="P-NOTHING1", moment=moment(approver(session)))


def test_a_block_takes_the_racks_of_an_offer_that_has_expired(session: Session) -> None:
    racks = factories.cluster(session, racks=1).racks
    offer = factories.offer(session, racks=racks, made_at=NOW - dt.timedelta(2), expires_at=NOW)
    request = factories.submitted_request(session)
    plan = propose(session, accepted=[accept(request, racks[0], start=JANUARY)])

    published(session, plan)

    assert (request.state, offer.state) == (RequestState.ACCEPTED, OfferState.EXPIRED)
