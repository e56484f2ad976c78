"""The life of a run: queued, claimed by one process, watched by its heartbeat, ended. One runs at a time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.domain.errors import Conflict, NotFound
from portal.domain.states import RunCause, RunState, check_transition
from portal.models.plans import Run
from portal.models.transactions import begin_write
from portal.plans.processes import Identity, is_alive
from portal.web.actor import Actor

_ASKED_BY = {
    RunCause.ASKED: "a command",
    RunCause.NIGHTLY: "the clock",
    RunCause.REPAIR: "a loss of capacity",
}
_LOCK = 0x52756E73  # "Runs": the advisory lock of runs on PostgreSQL
LOST = "The process that carried it out ended without a word, so there is no plan. Nothing else was lost: run again."


class RunnerBusy(Conflict):
    """Another run is under way; one runs at a time."""

    code = "runner_busy"


class RunEnded(Conflict):
    """The run was cancelled, or taken for crashed, while its process was still at it."""

    code = "run_ended"


def queue(session: Session, *, by: Actor, now: dt.datetime, cause: RunCause, time_limit_s: float) -> Run:
    """Ask for a run. One that waits already will see everything there is, so that one is returned instead."""
    lock(session)
    waiting = session.scalars(_in_state(RunState.QUEUED).limit(1)).first()
    if waiting is not None:
        return waiting
    run = Run(queued_at=now, queued_by_id=by.user_id, cause=cause, time_limit_s=time_limit_s)
    session.add(run)
    record(session, by=by, action="queued a run", thing=_thing(run, session), now=now, after={"cause": cause})
    return run


def claim(session: Session, *, identity: Identity, now: dt.datetime, run_id: int | None = None) -> Run | None:
    """Make the run (by default the one that has waited longest) this process's; null where none waits.

    Raises `RunnerBusy` while another one is under way. A run whose process is gone is in nobody's way.
    """
    lock(session)
    release_crashed(session, now=now)
    busy = running(session)
    if busy is not None:
        raise RunnerBusy(busy_sentence(busy))
    waiting = _in_state(RunState.QUEUED).limit(1)
    run = session.scalars(waiting if run_id is None else waiting.where(Run.id == run_id)).first()
    if run is None:
        return None
    run.state = check_transition(run.state, RunState.RUNNING)
    run.started_at = run.heartbeat_at = now
    run.host, run.pid, run.process_started_at = identity.host, identity.pid, identity.started_at
    session.flush()
    return run


def release_crashed(session: Session, *, now: dt.datetime) -> Run | None:
    """Mark the run that claims to be under way as failed where its process is gone, and return it."""
    run = running(session)
    if run is None or _lives(run, now):
        return None
    _end(run, RunState.FAILED, now=now, error=LOST)
    session.flush()
    return run


def is_crashed(run: Run, now: dt.datetime) -> bool:
    """Whether the run claims to be under way, but its process is gone."""
    return run.state is RunState.RUNNING and not _lives(run, now)


def running(session: Session) -> Run | None:
    """The run that is (or claims to be) under way."""
    return session.scalars(_in_state(RunState.RUNNING)).first()


def beat(session: Session, *, run_id: int, now: dt.datetime, progress: dict[str, Any] | None, log: str) -> bool:
    """Store the run's progress and log; false where the run is no longer under way, so that its process stops."""
    begin_write(session)
    statement = (
        sa.update(Run)
        .where(Run.id == run_id, Run.state == RunState.RUNNING)
        .values(heartbeat_at=now, progress=progress, log=log)
        .returning(Run.id)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).first() is not None


def under_way(session: Session, run_id: int) -> Run:
    """The run, locked, to end it. Raises `RunEnded` where someone else ended it before."""
    begin_write(session)
    run = session.scalars(sa.select(Run).where(Run.id == run_id).with_for_update()).one()
    if run.state is not RunState.RUNNING:
        raise RunEnded(f"Run {run.public_id} is {run.state}; what it found is not kept.")
    return run


def finish(run: Run, *, now: dt.datetime, log: str) -> None:
    """The run has answered."""
    _end(run, RunState.FINISHED, now=now, log=log)


def fail(session: Session, *, run_id: int, now: dt.datetime, error: str, log: str | None = None) -> None:
    """The run has no answer; ``error`` is the sentence that says why."""
    _end(under_way(session, run_id), RunState.FAILED, now=now, error=error, log=log)
    session.flush()


def stop(session: Session, *, run_id: int, now: dt.datetime, error: str, log: str) -> None:
    """The run was told to stop before it had anything to show."""
    _end(under_way(session, run_id), RunState.CANCELLED, now=now, error=error, log=log)
    session.flush()


def cancel(session: Session, *, public_id: str, by: Actor, now: dt.datetime) -> Run:
    """Take the run back: a waiting one never starts, one under way is told to stop and what it found is not kept."""
    lock(session)
    run = session.scalars(sa.select(Run).where(Run.public_id == public_id).with_for_update()).one_or_none()
    if run is None:
        raise NotFound
    before = run.state
    _end(run, RunState.CANCELLED, now=now)
    thing = _thing(run, session)
    record(session, by=by, action="cancelled a run", thing=thing, now=now, before={"state": before})
    return run


def asked_by(run: Run) -> str:
    """Who wanted the run: a person's name, else what caused it."""
    return run.queued_by.name if run.queued_by else _ASKED_BY[run.cause]


def busy_sentence(run: Run) -> str:
    """Who runs, where, since when."""
    since = f"{run.started_at:%H:%M}" if run.started_at else "now"
    return (
        f"Run {run.public_id}, asked for by {asked_by(run)}, has been under way since {since} UTC "
        f"(process {run.pid} on {run.host}). Wait for it, or cancel it."
    )


def _in_state(state: RunState) -> sa.Select[Run]:
    return sa.select(Run).where(Run.state == state).order_by(Run.queued_at, Run.id)


def _lives(run: Run, now: dt.datetime) -> bool:
    assert run.host is not None and run.pid is not None and run.process_started_at is not None  # noqa: S101,PT018  # by a check
    identity = Identity(run.host, run.pid, run.process_started_at)
    return is_alive(identity, heartbeat_at=run.heartbeat_at, now=now)


def lock(session: Session) -> None:
    """One process at a time decides what waits and what runs, until its transaction ends."""
    begin_write(session)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    session.expire_all()


def _end(run: Run, state: RunState, *, now: dt.datetime, error: str = "", log: str | None = None) -> None:
    run.state = check_transition(run.state, state)
    run.finished_at = now
    run.error = error
    if log is not None:
        run.log = log


def _thing(run: Run, session: Session) -> str:
    session.flush()
    return f"run {run.public_id}"
