"""Reads of runs and plans."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, undefer

from portal.domain.errors import NotFound
from portal.domain.states import PlanState, RunState
from portal.models.plans import Plan, Run

_FILES = (undefer(Plan.snapshot_gz), undefer(Plan.plan_gz), undefer(Plan.fingerprint))
_PEOPLE = (joinedload(Plan.published_by), joinedload(Plan.run).joinedload(Run.queued_by))


def published_plan(session: Session) -> Plan | None:
    """The plan that is in effect, if one was ever published."""
    return session.scalars(sa.select(Plan).where(Plan.state == PlanState.PUBLISHED)).one_or_none()


def proposed_plan(session: Session) -> Plan | None:
    """The plan that waits for an approver, with its files."""
    return session.scalars(sa.select(Plan).where(Plan.state == PlanState.PROPOSED).options(*_FILES)).one_or_none()


def plan_by_id(session: Session, public_id: str) -> Plan:
    """The plan with its files and people. Raises `NotFound`."""
    plan = session.scalars(sa.select(Plan).where(Plan.public_id == public_id).options(*_FILES, *_PEOPLE)).one_or_none()
    if plan is None:
        raise NotFound
    return plan


def run_by_id(session: Session, public_id: str) -> Run:
    """The run with its plan and the person who asked for it. Raises `NotFound`."""
    found = sa.select(Run).where(Run.public_id == public_id).options(joinedload(Run.plan), joinedload(Run.queued_by))
    run = session.scalars(found).one_or_none()
    if run is None:
        raise NotFound
    return run


def recent_runs(session: Session, *, limit: int) -> Sequence[Run]:
    """The newest runs first, each with its plan and who asked for it."""
    newest = sa.select(Run).order_by(Run.queued_at.desc(), Run.id.desc()).limit(limit)
    return session.scalars(newest.options(joinedload(Run.plan), joinedload(Run.queued_by))).all()


def open_run(session: Session) -> Run | None:
    """The run that is under way, else the one that waits."""
    is_open = sa.select(Run).where(Run.state.in_((RunState.RUNNING, RunState.QUEUED)))
    in_order = is_open.order_by(sa.case((Run.state == RunState.RUNNING, 0), else_=1), Run.id)
    return session.scalars(in_order.limit(1)).first()
