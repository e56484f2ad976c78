"""One run from its claim to its plan, with a solver in a process of its own."""

from __future__ import annotations

import datetime as dt
import gzip
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.clock import FixedClock
from portal.domain.states import PlanState, RequestState, RunState
from portal.models.plans import Plan, Run
from portal.plans import runs, solving
from portal.plans.processes import own_identity
from solver import plan as plans
from solver import snapshot as snapshots
from tests.portal import factories
from tests.portal.factories import NOW, TODAY
from tests.portal.plans.building import approver
from tests.portal.plans.test_child import FAKE, set_behaviour


@pytest.fixture
def workshop(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, clock: FixedClock) -> solving.Workshop:
    set_behaviour(monkeypatch, "")
    return solving.Workshop(engine=engine, workers=1, time_limit_s=30, clock=clock, command=FAKE)


def stored_plan(session: Session) -> Plan:
    return session.scalars(sa.select(Plan).where(Plan.state == PlanState.PROPOSED)).one()


def test_a_run_proposes_a_plan_of_the_database(session: Session, workshop: solving.Workshop) -> None:
    factories.cluster(session)
    request = factories.submitted_request(session)
    session.commit()

    outcome = solving.solve_now(workshop)

    plan = stored_plan(session)
    assert outcome == solving.Outcome(plan.run.public_id, RunState.FINISHED, plan.public_id, "")
    loaded = snapshots.parse(gzip.decompress(plan.snapshot_gz))
    made = plans.parse(gzip.decompress(plan.plan_gz))
    assert loaded.sha256 == plan.snapshot_sha256 == made.snapshot_sha256
    assert [item.request for item in made.accepted] == [request.public_id]
    assert (plan.today, plan.status, plan.tiers[0]["tier"]) == (TODAY, "optimal", 1)
    assert plan.run.log.endswith("a line for the log")
    assert plan.run.progress is not None
    assert request.state is RequestState.SUBMITTED


def test_a_newer_plan_discards_the_one_proposed_before(session: Session, workshop: solving.Workshop) -> None:
    solving.solve_now(workshop)
    first = stored_plan(session)

    solving.solve_now(workshop)

    session.rollback()
    assert (first.state, first.closed_at) == (PlanState.DISCARDED, NOW)
    assert stored_plan(session) is not first


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        ("die", "ended from outside (signal 9)"),
        ("refuse", "exit code 2: requests[0].gpus: 70 is not a multiple of 4"),
        ("nonsense", "The plan cannot be used: line 1"),
        ("cheat", "The plan breaks the rules of planning: R4:"),
    ],
)
def test_a_run_that_ends_badly_says_why_and_proposes_nothing(
    session: Session, workshop: solving.Workshop, monkeypatch: pytest.MonkeyPatch, behaviour: str, sentence: str
) -> None:
    factories.cluster(session)
    factories.submitted_request(session)
    session.commit()
    set_behaviour(monkeypatch, behaviour)

    outcome = solving.solve_now(workshop)

    assert (outcome.state, outcome.plan) == (RunState.FAILED, None)
    assert sentence in outcome.error
    assert session.scalars(sa.select(Plan)).all() == []


def test_a_solver_that_cannot_be_started_ends_the_run(session: Session, workshop: solving.Workshop) -> None:
    outcome = solving.solve_now(replace(workshop, command=("no-such-solver",)))

    assert outcome.state is RunState.FAILED


def test_a_second_run_is_refused_while_one_is_under_way_and_leaves_nothing_waiting(
    session: Session, workshop: solving.Workshop
) -> None:
    own = own_identity()
    values = {"pid": own.pid, "host": own.host, "process_started_at": own.started_at}
    factories.run(session, RunState.RUNNING, **values)
    session.commit()

    with pytest.raises(runs.RunnerBusy, match="Wait for it, or cancel it"):
        solving.solve_now(workshop)

    assert session.scalars(sa.select(Run).where(Run.state == RunState.QUEUED)).all() == []


def test_the_next_waiting_run_is_carried_out(session: Session, workshop: solving.Workshop) -> None:
    run = factories.run(session, time_limit_s=12.0)
    session.commit()

    outcome = solving.solve_next(workshop)

    assert outcome is not None
    assert (outcome.run, outcome.state) == (run.public_id, RunState.FINISHED)
    assert solving.solve_next(workshop) is None


def test_told_to_stop_the_run_proposes_the_best_plan_so_far(
    session: Session, workshop: solving.Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_behaviour(monkeypatch, "sleep")
    stop = threading.Event()
    threading.Timer(3.0, stop.set).start()

    outcome = solving.solve_now(replace(workshop, stop=stop))

    assert (outcome.state, outcome.plan) == (RunState.FINISHED, stored_plan(session).public_id)


def test_what_a_cancelled_run_found_is_not_kept(
    session: Session, workshop: solving.Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_behaviour(monkeypatch, "sleep")
    by = approver(session)

    def cancel() -> None:
        with Session(workshop.engine) as other:
            run = runs.running(other)
            assert run is not None
            runs.cancel(other, public_id=run.public_id, by=by, now=NOW)
            other.commit()

    threading.Timer(3.0, cancel).start()
    outcome = solving.solve_now(workshop)

    assert outcome.state is RunState.CANCELLED
    assert session.scalars(sa.select(Plan)).all() == []


def test_a_request_whose_last_start_has_passed_is_declined_before_the_run(
    session: Session, workshop: solving.Workshop
) -> None:
    days = {"earliest_start": dt.date(2026, 11, 1), "latest_start": TODAY - dt.timedelta(1)}
    request = factories.submitted_request(session, **days)
    session.commit()

    solving.solve_now(workshop)

    session.refresh(request)
    assert request.state is RequestState.DECLINED
    assert (request.reason or {})["code"] == "window"
    assert (request.decided_at, request.decided_by_id) == (None, None)


def test_the_real_solver_proposes_a_plan(
    session: Session, workshop: solving.Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    factories.cluster(session)
    request = factories.submitted_request(session)
    session.commit()

    outcome = solving.solve_now(
        solving.Workshop(engine=workshop.engine, workers=1, time_limit_s=5, clock=workshop.clock)
    )

    assert (outcome.state, outcome.error) == (RunState.FINISHED, "")
    made = plans.parse(gzip.decompress(stored_plan(session).plan_gz))
    assert [item.request for item in made.accepted] == [request.public_id]
