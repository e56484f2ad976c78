"""Taking a notice back: asked for by the side that gave it, consented to by the other, where everything still fits."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.contracts.notice_actions import NewNotice, give_notice
from portal.contracts.withdrawal import ask_to_withdraw, consent_to_withdrawal, is_asked
from portal.domain.errors import CapacityTaken, Conflict, NotAllowed
from portal.domain.states import NoticeState, OfferState, RequestState
from portal.models.contracts import Notice
from portal.models.outbox import OutboxMessage
from portal.models.placements import Placement
from portal.web.actor import Actor
from tests.portal import factories
from tests.portal.contracts import scene
from tests.portal.contracts.scene import END, NOW, TODAY, Party, Scene

LATER = NOW + dt.timedelta(hours=2)


def given(session: Session, **terms: object) -> Scene:
    """The scene after the tenant's notice."""
    at = scene.make(session, **terms)
    new = NewNotice(party=Party.TENANT, given_on=TODAY)
    give_notice(session, public_id="acme-2026", new=new, by=at.owner, now=NOW, today=TODAY)
    session.commit()
    return at


def ask(session: Session, by: Actor, today: dt.date = TODAY) -> Notice:
    return ask_to_withdraw(session, public_id="acme-2026", by=by, now=LATER, today=today)


def consent(session: Session, by: Actor, today: dt.date = TODAY) -> Notice:
    return consent_to_withdrawal(session, public_id="acme-2026", by=by, now=LATER, today=today)


def test_what_the_notice_cut_comes_back(session: Session) -> None:
    """The term, and both reservations with racks to their old ends."""
    at = given(session)
    ask(session, at.owner)
    session.commit()

    notice = consent(session, at.admin)
    session.commit()

    assert (notice.state, notice.withdrawn_by_id) == (NoticeState.WITHDRAWN, at.admin.user_id)
    assert at.contract.terms.effective_end == dt.date(2030, 1, 1)
    assert (at.across.end, at.across.original_end, at.across.ended_as) == (dt.date(2027, 6, 1), None, None)
    assert at.beyond.ended_as is None
    of_across = sa.select(Placement).where(Placement.reservation_id == at.across.id)
    (row,) = session.scalars(of_across)
    assert (row.rack_id, row.start, row.end) == (at.racks[1].id, dt.date(2026, 10, 1), dt.date(2027, 6, 1))
    of_beyond = sa.select(Placement).where(Placement.reservation_id == at.beyond.id)
    (row,) = session.scalars(of_beyond)
    assert (row.start, row.end, row.gpus) == (dt.date(2027, 3, 1), dt.date(2027, 9, 1), 72)


def test_offers_and_requests_stay_as_the_notice_left_them(session: Session) -> None:
    """Their tenant asks again."""
    at = given(session)
    ask(session, at.owner)
    consent(session, at.admin)

    assert (at.offer.state, at.reaching.state) == (OfferState.WITHDRAWN, RequestState.DRAFT)


def test_it_takes_both_sides(session: Session) -> None:
    """Nobody consents to the own notice, and nobody takes back what was not asked for."""
    at = given(session)

    with pytest.raises(NotAllowed, match="only the tenant"):
        ask(session, at.admin)
    session.rollback()
    with pytest.raises(Conflict, match="has not asked"):
        consent(session, at.admin)
    session.rollback()
    ask(session, at.owner)
    session.commit()
    with pytest.raises(NotAllowed, match="other party"):
        consent(session, at.owner)


def test_asking_tells_the_other_side_once(session: Session) -> None:
    at = given(session)

    notice = ask(session, at.owner)
    session.commit()

    assert is_asked(session, notice)
    told = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == "notice_withdrawal_asked")).all()
    assert [message.tenant_id for message in told] == [None]
    with pytest.raises(Conflict, match="asked already"):
        ask(session, at.owner)


def test_a_notice_that_has_taken_effect_stays(session: Session) -> None:
    at = given(session)

    with pytest.raises(Conflict, match="taken effect"):
        ask(session, at.owner, today=END)
    session.rollback()
    ask(session, at.owner, today=END - dt.timedelta(days=1))


def test_without_a_notice_there_is_nothing_to_take_back(session: Session) -> None:
    at = scene.make(session)

    with pytest.raises(Conflict, match="No notice runs"):
        ask(session, at.owner)


def test_where_the_commitment_no_longer_fits_the_days_and_gpus_are_named(session: Session) -> None:
    """Others have six of the eight racks in April; five are committed: three are missing."""
    at = given(session)
    other = factories.tenant(session)
    april = {"start": dt.date(2027, 4, 1), "end": dt.date(2027, 5, 1)}
    for rack in at.racks[2:]:
        factories.reservation(session, racks=[rack], tenant=other, **april)
    ask(session, at.owner)
    session.commit()

    with pytest.raises(CapacityTaken) as refused:
        consent(session, at.admin)

    assert refused.value.sentence.endswith("Missing are 216 GPUs on 1 – 30 Apr 2027.")
    assert other.name not in refused.value.sentence
    session.rollback()
    assert at.contract.notice is not None
    assert at.contract.notice.state is NoticeState.RUNNING


def test_the_hold_alone_may_no_longer_fit(session: Session) -> None:
    """No reservation comes back, but the commitment would be held again: 360 + 288 of 576 GPUs are 72 too many."""
    racks = factories.cluster(session, racks=8).racks
    contract = factories.contract(session, gpus=360, public_id="acme-2026")
    owner = scene.actor(factories.user(session, scene.Role.OWNER, tenant=contract.tenant))
    admin = scene.actor(factories.user(session, scene.Role.ADMIN))
    session.commit()
    new = NewNotice(party=Party.TENANT, given_on=TODAY)
    give_notice(session, public_id="acme-2026", new=new, by=owner, now=NOW, today=TODAY)
    for rack in racks[:4]:
        factories.reservation(session, racks=[rack], start=dt.date(2027, 4, 1), end=dt.date(2027, 5, 1))
    ask(session, owner)
    session.commit()

    with pytest.raises(CapacityTaken, match=r"Missing are 72 GPUs on 1 – 30 Apr 2027\."):
        consent(session, admin)


def test_a_rack_that_others_took_is_named_with_its_days(session: Session) -> None:
    """The reservation cannot go on where it was."""
    at = given(session)
    factories.reservation(session, racks=[at.racks[1]], start=dt.date(2027, 3, 1), end=dt.date(2027, 4, 1))
    ask(session, at.owner)
    session.commit()

    with pytest.raises(CapacityTaken, match=r"Missing are 72 GPUs on 20 Feb – 31 May 2027\."):
        consent(session, at.admin)


def test_after_the_withdrawal_notice_can_be_given_again(session: Session) -> None:
    at = given(session)
    ask(session, at.owner)
    consent(session, at.admin)
    session.commit()

    new = NewNotice(party=Party.PROVIDER, given_on=TODAY)
    again = give_notice(session, public_id="acme-2026", new=new, by=at.admin, now=LATER, today=TODAY)

    assert not is_asked(session, again)
    assert at.across.end == END
