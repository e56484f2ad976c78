"""Writes around runs and plans, but for publishing itself."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.domain.errors import Conflict, NotFound
from portal.domain.reasons import WINDOW, window_passed
from portal.domain.requests import OPEN_STATES
from portal.domain.states import PlanState, RequestState, RunCause, check_transition
from portal.models.plans import Plan, Run
from portal.models.requests import Request
from portal.models.transactions import begin_write
from portal.notices.actions import tell
from portal.plans import runs
from portal.web.actor import Actor


def ask_for_run(session: Session, *, by: Actor, now: dt.datetime, time_limit_s: float) -> Run:
    """Queue a run for a worker; the one that waits already, where there is one."""
    return runs.queue(session, by=by, now=now, cause=RunCause.ASKED, time_limit_s=time_limit_s)


def ask_for_repair(session: Session, *, by: Actor, now: dt.datetime, time_limit_s: float) -> Run:
    """Queue the run that answers a loss of capacity, in the transaction that records it; before its audit entry."""
    session.flush()
    return runs.queue(session, by=by, now=now, cause=RunCause.REPAIR, time_limit_s=time_limit_s)


def discard(session: Session, *, plan_id: str, by: Actor, now: dt.datetime) -> Plan:
    """Discard the proposed plan: nothing changes, its requests wait for the next run."""
    begin_write(session)
    plan = session.scalars(sa.select(Plan).where(Plan.public_id == plan_id).with_for_update()).one_or_none()
    if plan is None:
        raise NotFound
    if plan.state is not PlanState.PROPOSED:
        raise Conflict(f"This plan is {plan.state} already. Look at the newest one.")
    plan.state = check_transition(plan.state, PlanState.DISCARDED)
    plan.closed_at = now
    record(session, by=by, action="discarded a plan", thing=f"plan {plan.public_id}", now=now)
    return plan


def decline_passed(session: Session, *, by: Actor, today: dt.date, now: dt.datetime) -> int:
    """Decline the open requests whose latest start has passed (``window``); how many there were."""
    passed = sa.select(Request).where(Request.state.in_(OPEN_STATES), Request.latest_start < today)
    if session.scalars(passed.limit(1)).first() is None:
        return 0
    begin_write(session)
    requests = session.scalars(passed.order_by(Request.id).with_for_update()).all()
    for request in requests:
        before = request.state
        request.state = check_transition(request.state, RequestState.DECLINED)
        request.reason = window_passed(request.latest_start)
        thing, tenant = f"request {request.public_id}", request.tenant_id
        record(session, by=by, action="declined", thing=thing, now=now, before={"state": before}, tenant_id=tenant)
        tell(session, "request_declined", tenant_id=tenant, now=now, request=request.public_id, code=WINDOW)
    session.flush()
    return len(requests)
