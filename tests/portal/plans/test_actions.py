"""Writes around runs and plans."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.errors import Conflict, NotFound
from portal.domain.states import PlanState, RequestState, RunCause, RunState
from portal.models.capacity import lock_capacity
from portal.models.outbox import OutboxMessage
from portal.models.plans import Run
from portal.plans import actions
from tests.portal import factories
from tests.portal.factories import NOW, TODAY
from tests.portal.plans.building import WORKER, approver, propose


def test_a_discarded_plan_leaves_its_requests_waiting(session: Session) -> None:
    factories.cluster(session)
    request = factories.submitted_request(session)
    plan = propose(session)

    actions.discard(session, plan_id=plan.public_id, by=approver(session), now=NOW)
    session.commit()

    assert (plan.state, plan.closed_at, request.state) == (PlanState.DISCARDED, NOW, RequestState.SUBMITTED)


def test_a_plan_is_discarded_once(session: Session) -> None:
    plan = propose(session)
    by = approver(session)
    actions.discard(session, plan_id=plan.public_id, by=by, now=NOW)
    session.commit()

    with pytest.raises(Conflict, match="discarded already"):
        actions.discard(session, plan_id=plan.public_id, by=by, now=NOW)


def test_a_plan_that_does_not_exist_is_not_discarded(session: Session) -> None:
    with pytest.raises(NotFound):
        actions.discard(session, plan_id="P-NOTHING1", by=approver(session), now=NOW)


def test_a_loss_of_capacity_queues_its_repair_in_its_own_transaction(session: Session) -> None:
    rack = factories.cluster(session).racks[0]
    by = approver(session)
    lock_capacity(session)
    factories.outage(session, rack)
    actions.ask_for_repair(session, by=by, now=NOW, time_limit_s=60)
    session.rollback()
    assert session.scalars(sa.select(Run)).all() == []
    session.rollback()

    lock_capacity(session)
    actions.ask_for_repair(session, by=by, now=NOW, time_limit_s=60)
    session.commit()

    run = session.scalars(sa.select(Run)).one()
    assert (run.cause, run.state, run.queued_by_id) == (RunCause.REPAIR, RunState.QUEUED, by.user_id)


@pytest.mark.parametrize("state", [RequestState.SUBMITTED, RequestState.WAITLISTED])
def test_an_open_request_whose_last_start_has_passed_is_declined(session: Session, state: RequestState) -> None:
    early = dt.date(2026, 11, 1)
    passed = factories.submitted_request(
        session, state=state, earliest_start=early, latest_start=TODAY - dt.timedelta(1)
    )
    open_still = factories.submitted_request(session, state=state, earliest_start=early, latest_start=TODAY)
    session.commit()

    assert actions.decline_passed(session, by=WORKER, today=TODAY, now=NOW) == 1
    session.commit()

    assert (passed.state, open_still.state) == (RequestState.DECLINED, state)
    assert session.scalars(sa.select(OutboxMessage.kind)).all() == ["request_declined"]
