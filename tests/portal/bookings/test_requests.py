"""Requests from draft to withdrawal, on both databases."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.bookings import request_actions as actions
from portal.bookings.request_actions import Edition
from portal.bookings.terms import WrongTerms
from portal.domain.errors import Conflict, IllegalTransition, NotFound, StaleVersion
from portal.domain.states import RequestState, Scope
from portal.models.audit import AuditEntry
from portal.models.outbox import OutboxMessage
from portal.models.requests import Request
from tests.portal import factories
from tests.portal.bookings.landlord import JAN, Landlord, price, reserved, terms
from tests.portal.factories import NOW, TODAY


def submitted(session: Session, town: Landlord, **values: object) -> Request:
    row = actions.submit_new(session, terms=terms(town.booker, **values), by=town.booker, now=NOW, today=TODAY)
    session.commit()
    return row


def wrong_fields(session: Session, town: Landlord, **values: object) -> set[str]:
    with pytest.raises(WrongTerms) as refusal:
        actions.submit_new(session, terms=terms(town.booker, **values), by=town.booker, now=NOW, today=TODAY)
    session.rollback()
    return {problem.field for problem in refusal.value.problems}


def test_a_draft_is_kept_sent_and_withdrawn(session: Session, town: Landlord) -> None:
    """Each step is audited; the provider hears of it only once it is sent."""
    draft = actions.draft(session, terms=terms(town.booker), by=town.booker, now=NOW, today=TODAY)
    session.commit()
    assert draft.state is RequestState.DRAFT
    assert session.scalars(sa.select(OutboxMessage.kind)).all() == []

    public_id = draft.public_id
    session.commit()
    actions.submit(session, public_id=public_id, by=town.booker, now=NOW, today=TODAY)
    session.commit()
    actions.withdraw(session, public_id=public_id, by=town.booker, now=NOW)
    session.commit()

    row = session.scalars(sa.select(Request)).one()
    assert (row.state, row.submitted_at, row.withdrawn_by_id) == (RequestState.WITHDRAWN, NOW, town.booker.user_id)
    assert session.scalars(sa.select(OutboxMessage.kind)).all() == ["request_submitted", "request_withdrawn"]
    assert session.scalars(sa.select(AuditEntry.action)).all() == ["drafted", "submitted", "withdrew"]


def test_tier_and_value_follow_from_the_kind_of_block(session: Session, town: Landlord) -> None:
    """On demand 1 at the rate agreed, interruptible 2 at its own rate, drawdown 0 at the fee's share."""
    contract = factories.contract(session, tenant_id=town.tenant.id, gpus=144, fee=1_071_360)
    session.commit()

    plain = submitted(session, town, rate=Decimal("4.25"))
    assert (plain.tier, plain.rate, plain.value_usd) == (1, Decimal("4.25"), price(72, 30, "4.25"))

    soft = submitted(session, town, recall_notice_days=7)
    assert (soft.tier, soft.interruptible, soft.value_usd) == (2, True, price(72, 30, "1.5"))

    # January has 744 hours: 1,071,360 / (144 x 744) is 10 US dollars per GPU-hour.
    drawn = submitted(session, town, contract_id=contract.id, days=10)
    assert (drawn.tier, drawn.rate, drawn.value_usd) == (0, None, price(72, 10, "10"))


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"gpus": 70}, {"gpus"}),
        ({"gpus": 144, "min_gpus": 100}, {"min_gpus"}),
        ({"gpus": 72, "min_gpus": 144}, {"min_gpus"}),
        ({"latest_start": dt.date(2026, 12, 31)}, {"latest_start"}),
        ({"earliest_start": TODAY - dt.timedelta(9), "latest_start": TODAY - dt.timedelta(1)}, {"latest_start"}),
        ({"days": 0}, {"days"}),
        ({"days": 2000}, {"days"}),
        ({"rate": Decimal("2.99")}, {"rate"}),
        ({"recall_notice_days": -1}, {"recall_notice_days"}),
    ],
)
def test_what_cannot_be_asked_for_is_refused_beside_its_field(
    session: Session, town: Landlord, values: dict[str, object], fields: set[str]
) -> None:
    assert wrong_fields(session, town, **values) == fields
    assert session.scalars(sa.select(Request)).all() == []


def test_the_rate_card_s_own_rate_is_enough(session: Session, town: Landlord) -> None:
    assert submitted(session, town, rate=Decimal(3)).rate == Decimal(3)


def test_a_quota_refuses_what_could_never_fit(session: Session, town: Landlord) -> None:
    """R9: the least size above the limit is refused at once, a larger wish with a small least size is not."""
    town.tenant.max_gpus = 72
    session.commit()

    assert wrong_fields(session, town, gpus=144) == {"gpus"}
    assert submitted(session, town, gpus=144, min_gpus=72).state is RequestState.SUBMITTED


def test_a_drawdown_lies_within_its_contract(session: Session, town: Landlord) -> None:
    """R6: one day too long for any start is refused; the last possible day is not."""
    contract = factories.contract(session, tenant_id=town.tenant.id, end=dt.date(2027, 2, 1))
    session.commit()

    assert wrong_fields(session, town, contract_id=contract.id, days=32) == {"contract"}
    assert wrong_fields(session, town, contract_id=contract.id, recall_notice_days=7) >= {"interruptible"}
    assert submitted(session, town, contract_id=contract.id, days=31).contract_id == contract.id


def test_another_tenant_s_contract_or_reservation_cannot_be_used(session: Session, town: Landlord) -> None:
    foreign = factories.contract(session, tenant_id=town.stranger.tenant_id)
    block = reserved(session, town, to=town.stranger)
    session.commit()

    with pytest.raises(NotFound):
        submitted(session, town, contract_id=foreign.id)
    session.rollback()
    assert wrong_fields(session, town, extends_id=block.id) == {"extends"}


def test_an_amended_request_is_approved_anew(session: Session, town: Landlord) -> None:
    row = submitted(session, town)
    row.approved_at, row.approved_by_id = NOW, town.approver.user_id
    session.commit()
    edition = Edition(row.public_id, row.version)
    session.commit()

    amended = terms(town.booker, gpus=144)
    actions.amend(session, edition=edition, terms=amended, by=town.booker, now=NOW, today=TODAY)
    session.commit()

    changed = session.scalars(sa.select(Request)).one()
    assert (changed.gpus, changed.state, changed.approved_at) == (144, RequestState.SUBMITTED, None)
    assert changed.value_usd == price(144, 30, "3")
    with pytest.raises(StaleVersion):
        actions.amend(session, edition=edition, terms=amended, by=town.booker, now=NOW, today=TODAY)


@pytest.mark.parametrize("state", [RequestState.ACCEPTED, RequestState.DECLINED, RequestState.WITHDRAWN])
def test_a_decided_request_is_neither_changed_nor_withdrawn(
    session: Session, town: Landlord, state: RequestState
) -> None:
    row = factories.submitted_request(session, tenant=town.tenant, state=state)
    edition = Edition(row.public_id, row.version)
    session.commit()

    with pytest.raises(Conflict):
        actions.amend(session, edition=edition, terms=terms(town.booker), by=town.booker, now=NOW, today=TODAY)
    session.rollback()
    with pytest.raises(IllegalTransition):
        actions.withdraw(session, public_id=edition.public_id, by=town.booker, now=NOW)


def test_a_waitlisted_request_can_be_withdrawn(session: Session, town: Landlord) -> None:
    row = factories.submitted_request(session, tenant=town.tenant, state=RequestState.WAITLISTED)
    session.commit()

    withdrawn = actions.withdraw(session, public_id=row.public_id, by=town.booker, now=NOW)

    assert withdrawn.state is RequestState.WITHDRAWN


def test_nobody_acts_on_another_tenant_s_request(session: Session, town: Landlord) -> None:
    row = submitted(session, town)
    public_id, version = row.public_id, row.version
    session.commit()
    rival = town.stranger
    edition, wish = Edition(public_id, version), terms(rival)

    with pytest.raises(NotFound):
        actions.withdraw(session, public_id=public_id, by=rival, now=NOW)
    session.rollback()
    with pytest.raises(NotFound):
        actions.submit(session, public_id=public_id, by=rival, now=NOW, today=TODAY)
    session.rollback()
    with pytest.raises(NotFound):
        actions.amend(session, edition=edition, terms=wish, by=rival, now=NOW, today=TODAY)
    session.rollback()
    with pytest.raises(NotFound):
        actions.ask_instead(session, public_id=public_id, kind="later", by=rival, now=NOW, today=TODAY)


def declined(session: Session, town: Landlord, **suggestion: object) -> str:
    offer = {"kind": "later", "gpus": 144, "start": "2027-03-01", "end": "2027-03-11", "scope": "any", **suggestion}
    row = factories.submitted_request(
        session, tenant=town.tenant, gpus=288, state=RequestState.DECLINED, rate=Decimal(3), counter_offers=[offer]
    )
    session.commit()
    return row.public_id


def test_a_suggestion_becomes_a_request_of_its_own(session: Session, town: Landlord) -> None:
    """The very block, all or nothing, with the same terms; the old request stays as it was decided."""
    public_id = declined(session, town)

    new = actions.ask_instead(session, public_id=public_id, kind="later", by=town.booker, now=NOW, today=TODAY)
    session.commit()

    assert (new.state, new.gpus, new.min_gpus, new.days) == (RequestState.SUBMITTED, 144, 144, 10)
    assert new.earliest_start == new.latest_start == dt.date(2027, 3, 1)
    assert new.value_usd == price(144, 10, "3")
    old = session.scalars(sa.select(Request).where(Request.public_id == public_id)).one()
    assert old.state is RequestState.DECLINED
    with pytest.raises(Conflict):
        actions.ask_instead(session, public_id=public_id, kind="earlier", by=town.booker, now=NOW, today=TODAY)


def test_a_wider_suggestion_costs_at_least_the_card_s_rate_for_it(session: Session, town: Landlord) -> None:
    public_id = declined(session, town, kind="wider", scope="hall")

    new = actions.ask_instead(session, public_id=public_id, kind="wider", by=town.booker, now=NOW, today=TODAY)

    assert (new.scope, new.rate) == (Scope.HALL, Decimal("3.2"))


def test_a_draft_whose_window_passed_cannot_be_sent(session: Session, town: Landlord) -> None:
    row = factories.request(session, tenant=town.tenant)
    session.commit()

    with pytest.raises(WrongTerms):
        actions.submit(session, public_id=row.public_id, by=town.booker, now=NOW, today=dt.date(2027, 3, 1))
    session.rollback()
    assert actions.submit(session, public_id=row.public_id, by=town.booker, now=NOW, today=JAN)
