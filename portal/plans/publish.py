"""Publishing a plan: one transaction, all or nothing, and nothing that has not passed `solver.verify`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session, undefer

from portal.audit.actions import record
from portal.domain.errors import Conflict, Invalid, NotFound, StalePlan
from portal.domain.states import PlanState, check_transition
from portal.models.capacity import lock_capacity
from portal.models.offers import expire_offers
from portal.models.plans import Plan
from portal.models.requests import Request
from portal.notices.actions import tell
from portal.plans import carrying_out
from portal.plans.freshness import changes_since, outdated_requests
from portal.plans.leaving_out import Rest, without
from portal.plans.stored import Files, files_of
from portal.plans.work import Moment


def publish(session: Session, *, plan_id: str, moment: Moment, left_out: Collection[str] = ()) -> Plan:
    """Publish the proposed plan but for the requests ``left_out`` and those that changed since; the caller commits.

    Comes first in its transaction. The second opinion is heard before capacity is locked, so that nobody waits for it;
    what it was heard on is looked at again under the lock. Raises `StalePlan` with what changed, `Conflict` where the
    plan is decided already, `UnsoundPlan` where what is left breaks a rule.
    """
    plan = _proposed(session, plan_id)
    files = files_of(plan)
    rest = without(files, _left_out(session, files, left_out, moment.today))
    lock_capacity(session)
    expire_offers(session, moment.now)  # their racks are free already, and may be in this plan
    _lock_requests(session, files)
    plan = _proposed(session, plan_id)
    _check_fresh(session, plan, files, moment)
    if not outdated_requests(session, files, today=moment.today) <= rest.left_out:
        raise Conflict("A request of this plan was changed at this very moment. Look at the plan again.")
    carrying_out.carry_out(session, plan_id=plan.id, files=rest.files, moment=moment)
    _switch(session, plan, rest, moment)
    return plan


def _proposed(session: Session, plan_id: str) -> Plan:
    stored = (undefer(Plan.snapshot_gz), undefer(Plan.plan_gz), undefer(Plan.fingerprint))
    plan = session.scalars(sa.select(Plan).where(Plan.public_id == plan_id).options(*stored)).one_or_none()
    if plan is None:
        raise NotFound
    if plan.state is not PlanState.PROPOSED:
        raise Conflict(_decided(plan))
    return plan


def _decided(plan: Plan) -> str:
    if plan.state is PlanState.DISCARDED:
        return "This plan was discarded, or a newer one took its place. Look at the newest one."
    who = plan.published_by.name if plan.published_by else "Someone"
    when = f"{plan.published_at:%H:%M} UTC" if plan.published_at else "a moment ago"
    return f"{who} published this plan at {when}. There is nothing left to do."


def _left_out(session: Session, files: Files, chosen: Collection[str], today: dt.date) -> frozenset[str]:
    unknown = set(chosen) - {request.id for request in files.snapshot.requests}
    if unknown:
        raise Invalid(f"This plan does not decide {', '.join(sorted(unknown))}. Reload the page and choose again.")
    return frozenset(chosen) | outdated_requests(session, files, today=today)


def _lock_requests(session: Session, files: Files) -> None:
    """From here on nobody withdraws or amends a request that this plan decides."""
    decided = [request.id for request in files.snapshot.requests]
    ordered = sa.select(Request.id).where(Request.public_id.in_(decided)).order_by(Request.id)
    session.execute(ordered.with_for_update())


def _check_fresh(session: Session, plan: Plan, files: Files, moment: Moment) -> None:
    changed = changes_since(session, plan, files, today=moment.today, now=moment.now)
    if changed:
        raise StalePlan(changed)


def _switch(session: Session, plan: Plan, rest: Rest, moment: Moment) -> None:
    """The plan becomes the published one; the one before is superseded first, as only one is published at a time."""
    before = session.scalars(sa.select(Plan).where(Plan.state == PlanState.PUBLISHED)).one_or_none()
    if before is not None:
        before.state = check_transition(before.state, PlanState.SUPERSEDED)
        before.closed_at = moment.now
        session.flush()
    plan.state = check_transition(plan.state, PlanState.PUBLISHED)
    plan.published_at, plan.published_by_id = moment.now, moment.by.user_id
    plan.left_out = sorted(rest.left_out)
    tell(session, "plan_published", tenant_id=None, now=moment.now, plan=plan.public_id)
    after = {"left_out": plan.left_out, "accepted": len(rest.files.plan.accepted), "moves": len(rest.files.plan.moves)}
    thing = f"plan {plan.public_id}"
    record(session, by=moment.by, action="published a plan", thing=thing, now=moment.now, after=after)
