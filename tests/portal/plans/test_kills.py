"""Real processes killed inside a solve and inside publishing, and two that publish at once."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.states import PlanState, RequestState, RunState
from portal.models.placements import Placement
from portal.models.plans import Plan, Run
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.plans import runs
from portal.plans.publish import publish
from tests.portal import factories
from tests.portal.factories import NOW
from tests.portal.plans.building import accept, approver, moment, move, propose

SCRIPT = str(Path(__file__).with_name("actor_process.py"))
JANUARY = dt.date(2027, 1, 1)


@contextmanager
def started(url: sa.URL, role: str, *words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The process, ready; killed at the end where it still lives."""
    env = {**os.environ, "PYTHONPATH": str(Path.cwd()), **environment}
    command = [sys.executable, SCRIPT, role, url.render_as_string(hide_password=False), *words]
    process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert heard(process) == "ready"
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def shoot(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def eventually(session: Session, happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        session.rollback()
        time.sleep(0.1)


def waiting_run_with_a_request(session: Session) -> Run:
    factories.cluster(session)
    factories.submitted_request(session)
    run = factories.run(session)
    session.commit()
    return run


def count(session: Session, model: type) -> int:
    session.rollback()
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


@pytest.mark.parametrize("pause", ["INSERT INTO placements", "UPDATE plans"])
def test_a_publisher_killed_inside_its_transaction_leaves_nothing_half_done(
    session: Session, database_url: sa.URL, pause: str
) -> None:
    racks = factories.cluster(session).racks
    standing = factories.reservation(session, racks=[racks[0]])
    request = factories.submitted_request(session)
    moved = move(standing, (standing.start, standing.end, [racks[1]]))
    plan = propose(session, accepted=[accept(request, racks[0], start=JANUARY)], moves=[moved])
    by = approver(session)

    with started(database_url, "publisher", plan.public_id, str(by.user_id), PAUSE=pause) as process:
        shoot(process)
        assert heard(process) == "paused"
        kill(process)

    session.rollback()
    assert plan.state is PlanState.PROPOSED
    assert request.state is RequestState.SUBMITTED
    assert count(session, Reservation) == 1
    assert session.scalars(sa.select(Placement.rack_id)).all() == [racks[0].id]
    session.rollback()
    publish(session, plan_id=plan.public_id, moment=moment(by))
    session.commit()
    assert request.state is RequestState.ACCEPTED


def test_of_two_approvers_who_publish_at_once_one_wins_and_the_other_is_told(
    session: Session, database_url: sa.URL
) -> None:
    racks = factories.cluster(session).racks
    request = factories.submitted_request(session)
    plan = propose(session, accepted=[accept(request, racks[0], start=JANUARY)])
    people = [str(approver(session).user_id) for _ in range(2)]

    with (
        started(database_url, "publisher", plan.public_id, people[0]) as first,
        started(database_url, "publisher", plan.public_id, people[1]) as second,
    ):
        shoot(first)
        shoot(second)
        said = sorted([heard(first), heard(second)])

    assert said[0] == "published"
    assert said[1].startswith("refused Person ")
    assert said[1].endswith("There is nothing left to do.")
    assert count(session, Reservation) == 1


def test_a_worker_killed_in_the_middle_of_a_solve_loses_nothing(session: Session, database_url: sa.URL) -> None:
    run = waiting_run_with_a_request(session)

    with started(database_url, "worker", FAKE_SOLVER="sleep") as process:
        eventually(session, lambda: run.progress is not None)
        kill(process)

    assert runs.is_crashed(run, NOW)
    assert count(session, Plan) == 0
    with started(database_url, "worker"):
        eventually(session, lambda: count(session, Plan) == 1)
    assert (run.state, run.error) == (RunState.FAILED, runs.LOST)
    assert session.scalars(sa.select(Request.state)).all() == [RequestState.SUBMITTED]


def test_a_worker_killed_while_it_stores_its_plan_leaves_no_half_plan(session: Session, database_url: sa.URL) -> None:
    run = waiting_run_with_a_request(session)

    with started(database_url, "worker", PAUSE="INSERT INTO plans") as process:
        assert heard(process) == "paused"
        kill(process)

    assert count(session, Plan) == 0
    assert run.state is RunState.RUNNING
    with started(database_url, "worker"):
        eventually(session, lambda: count(session, Plan) == 1)


def test_a_worker_told_to_end_proposes_the_best_plan_so_far_and_ends(session: Session, database_url: sa.URL) -> None:
    run = waiting_run_with_a_request(session)

    with started(database_url, "worker", FAKE_SOLVER="sleep") as process:
        eventually(session, lambda: run.progress is not None)
        process.terminate()
        assert process.stdout is not None
        assert process.stdout.read().splitlines()[-1] == "ended"
        assert process.wait(timeout=20) == 0

    session.rollback()
    assert run.state is RunState.FINISHED
    assert run.plan is not None


def test_an_idle_worker_told_to_end_ends_at_once(session: Session, database_url: sa.URL) -> None:
    with started(database_url, "worker") as process:
        time.sleep(0.5)
        process.terminate()
        assert heard(process) == "ended"
        assert process.wait(timeout=20) == 0


def test_of_two_workers_one_carries_out_a_run(session: Session, database_url: sa.URL) -> None:
    run = waiting_run_with_a_request(session)

    with started(database_url, "worker"), started(database_url, "worker"):
        eventually(session, lambda: run.state is RunState.FINISHED)
        time.sleep(3)

    assert (count(session, Run), count(session, Plan)) == (1, 1)
