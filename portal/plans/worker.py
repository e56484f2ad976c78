"""`berth worker`: waits for runs that people ask for and carries them out, and runs the nightly one at its time.

SIGTERM ends it cleanly: the run under way ends with the best plan so far, which is proposed as any other. Killed at
any moment it loses nothing: its run is seen as crashed, and a worker queues it once more.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal.domain.states import RunCause, RunState
from portal.models.plans import Run
from portal.plans import runs, solving

POLL_S = 2.0
NIGHTLY_CATCH_UP = dt.timedelta(hours=1)
"""A worker that starts so long after the set time still runs the nightly run."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """``nightly_at`` is a time of day in UTC; ``stop`` is the workshop's too, so that it ends both."""

    workshop: solving.Workshop
    nightly_at: dt.time
    stop: threading.Event

    def work(self) -> None:
        """Work until told to stop. A database that cannot be reached is tried again."""
        while not self.stop.is_set():
            try:
                rested = self.look()
            except OperationalError:
                _log.exception("the database did not answer")
                rested = True
            if rested:
                self.stop.wait(POLL_S)

    def look(self) -> bool:
        """Carry out one run where one waits; whether there was nothing to do."""
        self._prepare()
        try:
            outcome = solving.solve_next(self.workshop)
        except runs.RunnerBusy:
            return True
        if outcome is not None:
            _log.info("run ended", run=outcome.run, state=outcome.state, plan=outcome.plan, error=outcome.error)
        return outcome is None

    def _prepare(self) -> None:
        """Queue the nightly run when it is due, and once more the run of a process that is gone."""
        now = self.workshop.clock.now()
        with Session(self.workshop.engine) as session:
            crashed = _crashed(session, now)
            due = nightly_due(session, at=self.nightly_at, now=now)
            session.rollback()
            if crashed:
                self._requeue(session, now)
            if due:
                self._queue(session, RunCause.NIGHTLY, now)
            session.commit()

    def _requeue(self, session: Session, now: dt.datetime) -> None:
        runs.lock(session)
        lost = runs.release_crashed(session, now=now)
        if lost is not None and not _crashed_twice(session, lost):
            self._queue(session, lost.cause, now)

    def _queue(self, session: Session, cause: RunCause, now: dt.datetime) -> None:
        by, limit = self.workshop.by, self.workshop.time_limit_s
        runs.queue(session, by=by, now=now, cause=cause, time_limit_s=limit)


def nightly_due(session: Session, *, at: dt.time, now: dt.datetime) -> bool:
    """Whether the nightly run's time has come and none was queued since; a time long past is left to the next night."""
    today = dt.datetime.combine(now.date(), at, tzinfo=dt.UTC)
    struck = today if today <= now else today - dt.timedelta(days=1)
    if now - struck > NIGHTLY_CATCH_UP:
        return False
    since = sa.select(Run.id).where(Run.cause == RunCause.NIGHTLY, Run.queued_at >= struck)
    return session.scalars(since.limit(1)).first() is None


def _crashed(session: Session, now: dt.datetime) -> bool:
    run = runs.running(session)
    return run is not None and runs.is_crashed(run, now)


def _crashed_twice(session: Session, lost: Run) -> bool:
    """Whether the run that ended before this one was lost in the same way: then a person should look first."""
    earlier = sa.select(Run).where(Run.id != lost.id, Run.finished_at.is_not(None)).order_by(Run.finished_at.desc())
    before = session.scalars(earlier.limit(1)).first()
    return before is not None and before.state is RunState.FAILED and before.error == runs.LOST
