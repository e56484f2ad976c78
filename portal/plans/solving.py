"""One run from its claim to its plan: snapshot, solver in its own process, second opinion, proposal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.domain.errors import DomainError
from portal.domain.states import RunCause, RunState
from portal.models.plans import Run
from portal.plans import actions, child, export, proposals, runs
from portal.plans.processes import Identity, own_identity
from portal.web.actor import Actor, process_actor

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What carrying out runs needs. ``stop`` ends the run under way with the best plan so far."""

    engine: sa.Engine
    workers: int
    time_limit_s: float
    clock: Clock = field(default_factory=Clock)
    command: tuple[str, ...] = child.SOLVER
    stop: child.Stop = field(default_factory=threading.Event)
    by: Actor = field(default_factory=lambda: process_actor("berth worker"))
    identity: Identity = field(default_factory=own_identity)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; ``plan`` is the public id of what it proposed, ``error`` the sentence that says why nothing."""

    run: str
    state: RunState
    plan: str | None
    error: str


def solve_now(workshop: Workshop, cause: RunCause = RunCause.ASKED) -> Outcome:
    """Queue a run and carry it out here. Raises `runs.RunnerBusy`, and queues none, where another one is under way."""

    def queued_and_claimed(session: Session) -> int | None:
        now = workshop.clock.now()
        run = runs.queue(session, by=workshop.by, now=now, cause=cause, time_limit_s=workshop.time_limit_s)
        claimed = runs.claim(session, identity=workshop.identity, now=now, run_id=run.id)
        return None if claimed is None else claimed.id

    run_id = _claimed(workshop, queued_and_claimed)
    assert run_id is not None  # noqa: S101  # it was queued in the same transaction
    return carry_out(workshop, run_id)


def solve_next(workshop: Workshop) -> Outcome | None:
    """Carry out the run that has waited longest; null where none waits. Raises `runs.RunnerBusy`."""

    def claimed(session: Session) -> int | None:
        run = runs.claim(session, identity=workshop.identity, now=workshop.clock.now())
        return None if run is None else run.id

    run_id = _claimed(workshop, claimed)
    return None if run_id is None else carry_out(workshop, run_id)


def carry_out(workshop: Workshop, run_id: int) -> Outcome:
    """Carry out a claimed run. Whatever goes wrong ends the run with a sentence; nothing is raised for it."""
    try:
        _solve(workshop, run_id)
    except runs.RunEnded as ended:
        _log.info("run ended from outside", run=run_id, reason=ended.sentence)
    except DomainError as refused:
        _fail(workshop, run_id, refused.sentence)
    except Exception as fault:
        _log.exception("run failed", run=run_id)
        _fail(workshop, run_id, f"A fault of Berth ended it: {type(fault).__name__}. The service's log says more.")
    with Session(workshop.engine) as session:
        run = session.get_one(Run, run_id)
        return Outcome(run.public_id, run.state, run.plan.public_id if run.plan else None, run.error)


def _solve(workshop: Workshop, run_id: int) -> None:
    with Session(workshop.engine) as session:
        taken, order = _prepare(workshop, session, run_id)
    answer = child.run(workshop.command, order, stop=workshop.stop, tick=_beats(workshop, run_id))
    if answer.exit_code != 0:
        _end_without_plan(workshop, run_id, answer)
        return
    proposals.check(taken.data, answer.plan)
    _propose(workshop, run_id, proposals.Found(taken, answer.plan, answer.log))


def _propose(workshop: Workshop, run_id: int, found: proposals.Found) -> None:
    """Store what was found; a database that is busy with a large write is tried again, as the work is done already."""
    for last in (False, False, True):
        try:
            with Session(workshop.engine) as session:
                proposals.propose(session, run_id=run_id, found=found, by=workshop.by, now=workshop.clock.now())
                session.commit()
                return
        except OperationalError:
            if last:
                raise
            _log.warning("the plan could not be stored yet", run=run_id)


def _prepare(workshop: Workshop, session: Session, run_id: int) -> tuple[export.Taken, child.Order]:
    now = workshop.clock.now()
    today = workshop.clock.business_day(session)
    actions.decline_passed(session, by=workshop.by, today=today, now=now)
    session.commit()
    taken = export.take(session, today=today, now=now)
    run = session.get_one(Run, run_id)
    return taken, child.Order(
        snapshot=taken.data, time_limit_s=run.time_limit_s, workers=workshop.workers, seed=run.seed
    )


def _beats(workshop: Workshop, run_id: int) -> Callable[[child.Report], bool]:
    """Stores progress every second; false once the run was cancelled. A database that is busy is told the next time."""

    def beat(report: child.Report) -> bool:
        try:
            with Session(workshop.engine) as session:
                now = workshop.clock.now()
                goes_on = runs.beat(session, run_id=run_id, now=now, progress=report.progress, log=report.log)
                session.commit()
                return goes_on
        except OperationalError:
            _log.warning("the run's progress could not be stored", run=run_id)
            return True

    return beat


def _end_without_plan(workshop: Workshop, run_id: int, answer: child.Answer) -> None:
    with Session(workshop.engine) as session:
        now = workshop.clock.now()
        if workshop.stop.is_set():
            error = "It was told to stop before it had a plan to show. Run again."
            runs.stop(session, run_id=run_id, now=now, error=error, log=answer.log)
        else:
            runs.fail(session, run_id=run_id, now=now, error=_exit_sentence(answer), log=answer.log)
        session.commit()


def _exit_sentence(answer: child.Answer) -> str:
    if answer.exit_code < 0:
        return (
            f"The solver was ended from outside (signal {-answer.exit_code}). Run again; the log says how far it was."
        )
    last = next((line.strip() for line in reversed(answer.log.splitlines()) if line.strip()), "it said nothing")
    return f"The solver gave up with exit code {answer.exit_code}: {last}"


def _fail(workshop: Workshop, run_id: int, error: str) -> None:
    try:
        with Session(workshop.engine) as session:
            runs.fail(session, run_id=run_id, now=workshop.clock.now(), error=error)
            session.commit()
    except runs.RunEnded as ended:
        _log.info("run ended from outside", run=run_id, reason=ended.sentence)


def _claimed(workshop: Workshop, claim: Callable[[Session], int | None]) -> int | None:
    """Claim and commit; of two processes that claim at once the database lets one through."""
    with Session(workshop.engine) as session:
        try:
            run_id = claim(session)
            session.commit()
        except IntegrityError as clash:
            session.rollback()
            raise runs.RunnerBusy("Another process has just begun a run. Wait for it, or cancel it.") from clash
        return run_id
