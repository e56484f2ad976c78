"""`berth worker`: runs what waits and what the clock strikes, ends cleanly, and picks up what a crash left."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.clock import FixedClock
from portal.domain.states import RunCause, RunState
from portal.models.plans import Run
from portal.plans import runs
from portal.plans.processes import own_identity
from portal.plans.solving import Workshop
from portal.plans.worker import Worker, nightly_due
from tests.portal import factories
from tests.portal.factories import NOW
from tests.portal.plans.test_child import FAKE, set_behaviour

AT = dt.time(2, 0)
NIGHT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)


@pytest.fixture
def worker(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, clock: FixedClock) -> Worker:
    set_behaviour(monkeypatch, "")
    stop = threading.Event()
    workshop = Workshop(engine=engine, workers=1, time_limit_s=30, clock=clock, command=FAKE, stop=stop)
    return Worker(workshop=workshop, nightly_at=AT, stop=stop)


def states(session: Session) -> list[tuple[RunCause, RunState]]:
    session.rollback()
    return [(run.cause, run.state) for run in session.scalars(sa.select(Run).order_by(Run.id))]


def lost_run(session: Session, **values: object) -> Run:
    own = own_identity()
    process = {"pid": own.pid, "host": own.host, "process_started_at": own.started_at - 1}
    return factories.run(session, RunState.RUNNING, **{**process, **values})


def test_a_waiting_run_is_carried_out_and_then_there_is_nothing_to_do(session: Session, worker: Worker) -> None:
    factories.run(session)
    session.commit()

    assert worker.look() is False
    assert worker.look() is True
    assert states(session) == [(RunCause.ASKED, RunState.FINISHED)]


def test_the_nightly_run_is_carried_out_once_when_its_time_has_come(
    session: Session, worker: Worker, clock: FixedClock
) -> None:
    clock.move(NIGHT - NOW)

    assert worker.look() is False
    assert worker.look() is True
    assert states(session) == [(RunCause.NIGHTLY, RunState.FINISHED)]


@pytest.mark.parametrize(
    ("minutes", "due"), [(-1, False), (0, True), (60, True), (61, False)], ids=["before", "at", "late", "too late"]
)
def test_the_nightly_run_is_due_from_its_time_on_for_an_hour(session: Session, minutes: int, due: bool) -> None:
    assert nightly_due(session, at=AT, now=NIGHT + dt.timedelta(minutes=minutes)) is due


def test_a_nightly_run_shortly_before_midnight_is_still_due_after_it(session: Session) -> None:
    assert nightly_due(session, at=dt.time(23, 50), now=NIGHT.replace(hour=0, minute=10))


def test_a_nightly_run_that_was_queued_is_not_due_again(session: Session) -> None:
    factories.run(session, RunState.FAILED, cause=RunCause.NIGHTLY, queued_at=NIGHT)

    assert not nightly_due(session, at=AT, now=NIGHT + dt.timedelta(minutes=5))
    assert nightly_due(session, at=AT, now=NIGHT + dt.timedelta(days=1))


def test_the_run_of_a_process_that_is_gone_is_done_again(session: Session, worker: Worker) -> None:
    crashed = lost_run(session, cause=RunCause.REPAIR)
    session.commit()

    assert worker.look() is False

    assert states(session) == [(RunCause.REPAIR, RunState.FAILED), (RunCause.REPAIR, RunState.FINISHED)]
    assert crashed.error == runs.LOST


def test_a_run_that_is_lost_twice_in_a_row_is_left_to_a_person(session: Session, worker: Worker) -> None:
    factories.run(session, RunState.FAILED, error=runs.LOST)
    lost_run(session)
    session.commit()

    assert worker.look() is True
    assert states(session) == [(RunCause.ASKED, RunState.FAILED), (RunCause.ASKED, RunState.FAILED)]


def test_a_worker_waits_while_another_process_runs(session: Session, worker: Worker) -> None:
    own = own_identity()
    values = {"pid": own.pid, "host": own.host, "process_started_at": own.started_at}
    factories.run(session, RunState.RUNNING, **values)
    factories.run(session)
    session.commit()

    assert worker.look() is True
    assert states(session) == [(RunCause.ASKED, RunState.RUNNING), (RunCause.ASKED, RunState.QUEUED)]


def test_a_worker_that_was_told_to_stop_begins_nothing(session: Session, worker: Worker) -> None:
    factories.run(session)
    session.commit()
    worker.stop.set()

    worker.work()

    assert states(session) == [(RunCause.ASKED, RunState.QUEUED)]
