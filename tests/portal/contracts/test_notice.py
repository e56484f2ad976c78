"""Giving notice: refused with the first day, or carried out as it was listed, in one transaction."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.contracts.consequences import consequences_of
from portal.contracts.notice_actions import NewNotice, give_notice
from portal.domain.errors import ConsequencesChanged, NotAllowed, NotFound, NoticeRefused
from portal.domain.states import NoticeState, OfferState, RequestState, ReservationState, Role
from portal.models.audit import AuditEntry
from portal.models.contracts import Notice
from portal.models.outbox import OutboxMessage
from portal.models.placements import Placement
from portal.plans.export import snapshot
from portal.web.actor import Actor
from tests.portal import factories
from tests.portal.contracts import scene
from tests.portal.contracts.scene import END, NOW, TODAY, Party, Scene


def give(session: Session, by: Actor, public_id: str = "acme-2026", **values: object) -> Notice:
    new = NewNotice(**{"party": Party.TENANT, "given_on": TODAY, **values})  # type: ignore[arg-type]
    return give_notice(session, public_id=public_id, new=new, by=by, now=NOW, today=TODAY)


def test_notice_ends_the_contract_after_its_days(session: Session) -> None:
    """90 days after 22 November 2026 the contract is out of force: 20 February 2027."""
    at = scene.make(session)

    notice = give(session, at.owner)

    assert (notice.ends_on, notice.state, notice.party) == (END, NoticeState.RUNNING, Party.TENANT)
    assert at.contract.terms.effective_end == END


def test_what_is_listed_is_what_happens(session: Session) -> None:
    """Each thing on the list changes as it says, and nothing else does."""
    at = scene.make(session)
    listed = consequences_of(session, at.contract, given_on=TODAY, today=TODAY, now=NOW)
    ids = {
        "shortened": [row.public_id for row in listed.shortened],
        "dropped": [row.public_id for row in listed.dropped],
        "offers": [row.public_id for row in listed.offers],
        "requests": [row.public_id for row in listed.requests],
    }

    give(session, at.owner, seen=listed.digest)

    assert ids == {
        "shortened": [at.across.public_id],
        "dropped": [at.beyond.public_id],
        "offers": [at.offer.public_id],
        "requests": [at.reaching.public_id],
    }
    assert (at.across.end, at.across.original_end) == (END, dt.date(2027, 6, 1))
    assert at.across.ended_as is ReservationState.ENDED_BY_NOTICE
    assert at.across.state_on(END - dt.timedelta(1)) is ReservationState.ACTIVE
    assert at.across.state_on(END) is ReservationState.ENDED_BY_NOTICE
    assert (at.beyond.start, at.beyond.end) == (dt.date(2027, 3, 1), dt.date(2027, 9, 1))
    assert at.beyond.state_on(TODAY) is ReservationState.ENDED_BY_NOTICE
    assert at.offer.state is OfferState.WITHDRAWN
    assert at.reaching.state is RequestState.DRAFT
    assert (at.within.end, at.within.ended_as) == (dt.date(2027, 2, 1), None)
    assert at.fitting.state is RequestState.SUBMITTED


def test_placements_from_the_end_on_are_gone_and_history_stays(session: Session) -> None:
    at = scene.make(session)

    give(session, at.owner)

    rows = session.execute(sa.select(Placement.rack_id, Placement.start, Placement.end).order_by(Placement.rack_id))
    assert rows.all() == [
        (at.racks[0].id, dt.date(2026, 8, 1), dt.date(2027, 2, 1)),
        (at.racks[1].id, dt.date(2026, 10, 1), END),
    ]


def test_the_next_snapshot_lacks_what_the_notice_freed(session: Session) -> None:
    at = scene.make(session)
    give(session, at.owner)
    session.commit()

    content = json.loads(snapshot(session, today=TODAY, now=NOW, horizon_end=dt.date(2030, 1, 1)))

    blocks = {block["id"]: block["end"] for block in content["reservations"]}
    assert blocks == {at.within.public_id: "2027-02-01", at.across.public_id: "2027-02-20"}
    assert [each["id"] for each in content["requests"]] == [at.fitting.public_id]
    assert content["contracts"][0]["notice_given_on"] == "2026-11-22"


def test_a_returned_request_has_to_be_looked_at_again(session: Session) -> None:
    """What an approver said of it was said of another contract."""
    at = scene.make(session)
    at.reaching.approved_at, at.reaching.approved_by_id = NOW, at.admin.user_id
    session.commit()

    give(session, at.owner)

    assert (at.reaching.approved_at, at.reaching.approved_by_id) == (None, None)


def test_both_sides_are_told_and_the_trail_has_every_change(session: Session) -> None:
    at = scene.make(session)

    give(session, at.owner)

    told = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == "notice_given")).all()
    assert {message.tenant_id for message in told} == {at.contract.tenant_id, None}
    assert {message.payload["ends_on"] for message in told} == {"2027-02-20"}
    actions = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == [
        "shortened by notice",
        "ended by notice",
        "withdrew by notice",
        "returned by notice",
        "gave notice",
    ]


def test_capacity_is_locked_and_its_version_raised(session: Session) -> None:
    at = scene.make(session)
    before = session.scalar(sa.text("SELECT version FROM capacity"))
    session.rollback()

    give(session, at.owner)

    assert session.scalar(sa.text("SELECT version FROM capacity")) == before + 1


def test_another_tenants_contract_is_not_found(session: Session) -> None:
    scene.make(session)
    stranger = scene.actor(factories.user(session, Role.OWNER))
    session.commit()

    with pytest.raises(NotFound):
        give(session, stranger)


def test_a_second_notice_is_refused(session: Session) -> None:
    at = scene.make(session)
    give(session, at.owner)
    session.commit()

    with pytest.raises(NoticeRefused, match="Notice was given on 22 Nov 2026"):
        give(session, at.admin, party=Party.PROVIDER)


def test_before_the_lock_in_ends_it_is_refused_with_the_first_day(session: Session) -> None:
    at = scene.make(session, lock_in_until=dt.date(2027, 3, 1))

    with pytest.raises(NoticeRefused) as refused:
        give(session, at.owner)

    assert refused.value.first_date == dt.date(2027, 3, 1)


def test_a_side_that_may_not_leave_is_refused(session: Session) -> None:
    at = scene.make(session, notice_by=Party.TENANT)

    with pytest.raises(NoticeRefused, match="provider may not"):
        give(session, at.admin, party=Party.PROVIDER)
    session.rollback()
    give(session, at.owner)


def test_nobody_speaks_for_the_other_side(session: Session) -> None:
    """But an admin enters the tenant's notice with the paper that it came on."""
    at = scene.make(session)

    with pytest.raises(NotAllowed):
        give(session, at.owner, party=Party.PROVIDER)
    session.rollback()
    with pytest.raises(NotAllowed, match="document"):
        give(session, at.admin)
    session.rollback()
    assert give(session, at.admin, document="Letter of 20 Nov").party is Party.TENANT


def test_an_earlier_day_needs_its_document_and_a_later_one_is_refused(session: Session) -> None:
    at = scene.make(session)
    earlier = TODAY - dt.timedelta(days=10)

    with pytest.raises(NoticeRefused, match="document"):
        give(session, at.admin, party=Party.PROVIDER, given_on=earlier)
    session.rollback()
    with pytest.raises(NoticeRefused, match="day it is received"):
        give(session, at.admin, party=Party.PROVIDER, given_on=TODAY + dt.timedelta(days=1))
    session.rollback()
    notice = give(session, at.admin, party=Party.PROVIDER, given_on=earlier, document="Courier 4711")
    assert (notice.ends_on, at.across.end) == (END - dt.timedelta(days=10), END - dt.timedelta(days=10))


def test_a_notice_whose_end_has_passed_cuts_from_today_on(session: Session) -> None:
    """Received in time, entered late: what was used until today is history."""
    at = scene.make(session, notice_days=30)

    notice = give(session, at.admin, given_on=dt.date(2026, 10, 2), document="Letter found in the post room")

    assert notice.ends_on == dt.date(2026, 11, 1)
    assert (at.across.end, at.within.end) == (TODAY, TODAY)
    assert {row.end for row in session.scalars(sa.select(Placement))} == {TODAY}


def test_consequences_that_have_changed_since_are_not_carried_out(session: Session) -> None:
    """Who confirmed saw a list without the new block."""
    at = scene.make(session)
    seen = consequences_of(session, at.contract, given_on=TODAY, today=TODAY, now=NOW).digest
    scene.reserve(session, at.contract, at.racks[4], dt.date(2027, 4, 1), dt.date(2027, 5, 1))
    session.commit()

    with pytest.raises(ConsequencesChanged):
        give(session, at.owner, seen=seen)
    session.rollback()
    assert session.scalars(sa.select(Notice)).all() == []


def test_the_money_on_the_list_is_that_of_the_seed_contract(session: Session) -> None:
    """USD 150 million a month: the figures of the product's own example, in cents."""
    contract = factories.contract(session, fee=150_000_000)

    found = consequences_of(session, contract, given_on=TODAY, today=TODAY, now=NOW)

    assert [str(value) for value in (found.full_term, found.effect.firm, found.payable, found.effect.forgone)] == [
        "6300000000.00",
        "1151785714.29",
        "446785714.29",
        "5148214285.71",
    ]


def test_a_cancelled_reservation_is_not_touched(session: Session) -> None:
    at: Scene = scene.make(session)
    at.beyond.ended_as, at.beyond.ended_on = ReservationState.CANCELLED, TODAY
    at.beyond.ended_at, at.beyond.ended_by_id = NOW, at.owner.user_id
    session.commit()

    give(session, at.owner)

    assert at.beyond.ended_as is ReservationState.CANCELLED
