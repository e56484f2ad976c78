"""What a run found, stored as the proposed plan. Nothing is stored that has not passed the second opinion."""

from __future__ import annotations

import datetime as dt
import gzip
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.domain.errors import DomainError
from portal.domain.states import PlanState, check_transition
from portal.models.plans import Plan
from portal.plans import runs
from portal.plans.export import Taken
from portal.web.actor import Actor
from solver import plan as plans
from solver import snapshot as snapshots
from solver.files import BadFile
from solver.verify.broken import Broken
from solver.verify.check import broken_rules

_SHOWN = 5


class UnsoundPlan(DomainError):
    """A plan that cannot be read, is not of its snapshot, or breaks a rule."""

    code = "unsound_plan"


def check(snapshot: bytes, plan: bytes) -> plans.Plan:
    """Read the plan of a snapshot. Raises `UnsoundPlan` with the first faults where it is not sound."""
    try:
        loaded = snapshots.parse(snapshot)
        made = plans.parse(plan)
        plans.belongs_to(made, loaded.snapshot, loaded.sha256)
    except BadFile as bad:
        raise UnsoundPlan(_sentence("cannot be used", list(bad.faults))) from None
    broken = broken_rules(loaded.snapshot, made)
    if broken:
        raise UnsoundPlan(broken_sentence(broken))
    return made


def broken_sentence(broken: list[Broken]) -> str:
    """Which rules are broken, the first few in words."""
    return _sentence("breaks the rules of planning", [f"{fault.rule}: {fault.text}" for fault in broken])


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found: the plan's bytes for the snapshot taken, checked, and the solver's log."""

    taken: Taken
    plan: bytes
    log: str


def propose(session: Session, *, run_id: int, found: Found, by: Actor, now: dt.datetime) -> Plan:
    """Store a checked plan as the proposed one and end its run; the plan proposed before is discarded.

    Raises `runs.RunEnded` where the run was cancelled meanwhile.
    """
    run = runs.under_way(session, run_id)
    made = plans.parse(found.plan)
    before = session.scalars(sa.select(Plan).where(Plan.state == PlanState.PROPOSED).with_for_update()).one_or_none()
    if before is not None:
        _discard(before, now)
        session.flush()  # one plan is proposed at a time
    row = Plan(
        run_id=run.id,
        today=found.taken.today,
        snapshot_gz=gzip.compress(found.taken.data, mtime=0),
        snapshot_sha256=made.snapshot_sha256,
        plan_gz=gzip.compress(found.plan, mtime=0),
        fingerprint=found.taken.fingerprint.to_json(),
        status=made.status,
        tiers=[tier.model_dump() for tier in made.tiers],
        seconds=made.seconds,
        proposed_at=now,
    )
    session.add(row)
    runs.finish(run, now=now, log=found.log)
    session.flush()
    after = {
        "run": run.public_id,
        "accepted": len(made.accepted),
        "declined": len(made.declined),
        "replaces": before.public_id if before else None,
    }
    thing = f"plan {row.public_id}"
    record(session, by=by, action="proposed a plan", thing=thing, now=now, after=after)
    return row


def _discard(plan: Plan, now: dt.datetime) -> None:
    plan.state = check_transition(plan.state, PlanState.DISCARDED)
    plan.closed_at = now


def _sentence(fault: str, texts: list[str]) -> str:
    more = f" And {len(texts) - _SHOWN:,} more." if len(texts) > _SHOWN else ""
    return f"The plan {fault}: {' '.join(texts[:_SHOWN])}{more}"
