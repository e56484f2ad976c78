"""Real processes killed without a warning, with the real solver and the real server."""

from __future__ import annotations

import os
import signal
import threading

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.domain.states import PlanState, RequestState, RunCause, RunState
from portal.models.plans import Plan, Run
from portal.models.requests import Request
from portal.plans import runs
from portal.web.actor import process_actor
from tests.journeys.building import ask, solve
from tests.journeys.caller import Caller
from tests.journeys.installation import Installation


@pytest.fixture
def waiting_run(quiet_installation: Installation) -> str:
    """A run that somebody asked for; its public id."""
    with quiet_installation.rows() as rows:
        by = process_actor("a test")
        run = runs.queue(rows, by=by, now=Clock().now(), cause=RunCause.ASKED, time_limit_s=2.0)
        rows.commit()
        return run.public_id


def test_a_worker_killed_in_a_real_solve_is_seen_as_crashed_and_its_run_is_done_again(
    quiet_installation: Installation, waiting_run: str
) -> None:
    """The solver ends with its worker; the next worker says what happened and makes the plan."""
    here = quiet_installation
    worker = here.start("worker")
    here.eventually(lambda: _state(here, waiting_run) is RunState.RUNNING, "the run is under way")
    solver = here.eventually(lambda: psutil.Process(worker.pid).children(recursive=True), "the solver runs")
    plans = _plans(here)

    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()

    with here.rows() as rows:
        run = _run(rows, waiting_run)
        assert runs.is_crashed(run, Clock().now())
    assert _plans(here) == plans
    here.eventually(lambda: not any(_lives(process) for process in solver), "the solver is gone")
    here.start("worker")
    here.eventually(lambda: _plans(here) == plans + 1, "another worker makes the plan")
    with here.rows() as rows:
        assert (_run(rows, waiting_run).state, _run(rows, waiting_run).error) == (RunState.FAILED, runs.LOST)


def test_of_two_solves_at_once_one_says_who_runs_and_one_waits(quiet_installation: Installation) -> None:
    """The first stands still while the others start, so that they do meet it."""
    here = quiet_installation
    plans = _plans(here)
    first = here.start("solve")
    here.eventually(lambda: _running(here), "the first is at work")
    first.send_signal(signal.SIGSTOP)
    try:
        assert here.start("solve").wait(timeout=120) == 3
        assert "has been under way since" in here.said("solve")
        assert f"process {first.pid} on " in here.said("solve")
        waiting = here.start("solve", "--wait")
    finally:
        first.send_signal(signal.SIGCONT)
    assert first.wait(timeout=120) == 0
    assert waiting.wait(timeout=120) == 0
    assert _plans(here) == plans + 2


@pytest.mark.parametrize("landlord_url", ["postgresql"], indirect=True)
def test_a_server_killed_while_it_publishes_leaves_nothing_half_done(
    quiet_installation: Installation,
) -> None:
    """It waits, reservations written, for a table that we hold; afterwards another server publishes the same plan."""
    here = quiet_installation
    server = here.start_server()
    with here.rows() as rows:
        request = ask(rows, "cirrus", 144, 30)
    plan = solve(here.engine)
    approver = Caller(here.address).sign_in("approver@berth.example")
    with sa.create_engine(here.engine.url, poolclass=sa.NullPool).connect() as holder:
        holder.execute(sa.text("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE"))
        publishing = threading.Thread(target=lambda: approver.publish(plan))
        publishing.start()
        here.eventually(lambda: _waits_for_the_outbox(here), "the server is in the middle of publishing")
        here.kill(server)
        publishing.join()

    assert _states(here, plan, request) == (PlanState.PROPOSED, RequestState.SUBMITTED)
    here.start_server()
    assert approver.publish(plan) == 200
    assert _states(here, plan, request) == (PlanState.PUBLISHED, RequestState.ACCEPTED)


def _states(here: Installation, plan: str, request: str) -> tuple[PlanState, RequestState]:
    with here.rows() as rows:
        of_plan = rows.scalars(sa.select(Plan.state).where(Plan.public_id == plan)).one()
        return of_plan, rows.scalars(sa.select(Request.state).where(Request.public_id == request)).one()


def _waits_for_the_outbox(here: Installation) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE '%outbox%'"
    with here.rows() as rows:
        return rows.scalar(sa.text(f"{waiting} AND datname = current_database()")) == 1


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _run(rows: Session, public_id: str) -> Run:
    return rows.scalars(sa.select(Run).where(Run.public_id == public_id)).one()


def _state(here: Installation, public_id: str) -> RunState:
    with here.rows() as rows:
        return _run(rows, public_id).state


def _running(here: Installation) -> bool:
    with here.rows() as rows:
        return runs.running(rows) is not None


def _plans(here: Installation) -> int:
    with here.rows() as rows:
        return rows.scalar(sa.select(sa.func.count()).select_from(Plan)) or 0
