"""The life of a run: one at a time, cancelled when asked, and out of the way once its process is gone."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from portal.domain.errors import IllegalTransition, NotFound
from portal.domain.states import RunCause, RunState
from portal.models.plans import Run
from portal.plans import runs
from portal.plans.processes import own_identity
from tests.portal import factories
from tests.portal.factories import NOW
from tests.portal.plans.building import approver

OWN = own_identity()


def queued(session: Session) -> Run:
    by = approver(session)
    run = runs.queue(session, by=by, now=NOW, cause=RunCause.ASKED, time_limit_s=60)
    session.commit()
    return run


def claimed(session: Session) -> Run:
    queued(session)
    run = runs.claim(session, identity=OWN, now=NOW)
    session.commit()
    assert run is not None
    return run


def lost(session: Session) -> Run:
    """A run whose process had this process's id, but started earlier."""
    values = {"pid": OWN.pid, "host": OWN.host, "process_started_at": OWN.started_at - 100}
    run = factories.run(session, RunState.RUNNING, **values)
    session.commit()
    return run


def test_a_second_wish_for_a_run_joins_the_one_that_waits(session: Session) -> None:
    assert queued(session) is queued(session)


def test_a_claimed_run_belongs_to_its_process(session: Session) -> None:
    run = claimed(session)

    assert (run.state, run.started_at) == (RunState.RUNNING, NOW)
    assert (run.host, run.pid, run.process_started_at) == (OWN.host, OWN.pid, OWN.started_at)


def test_nothing_is_claimed_where_nothing_waits(session: Session) -> None:
    assert runs.claim(session, identity=OWN, now=NOW) is None


def test_while_one_runs_no_other_is_claimed_and_the_refusal_says_who_runs(session: Session) -> None:
    run = claimed(session)
    queued(session)

    with pytest.raises(runs.RunnerBusy, match=f"{run.public_id}.*since 09:00 UTC.*process {OWN.pid}"):
        runs.claim(session, identity=OWN, now=NOW)


def test_a_crashed_run_blocks_nothing_even_if_its_process_id_lives_again(session: Session) -> None:
    crashed = lost(session)
    waiting = queued(session)

    assert runs.claim(session, identity=OWN, now=NOW) is waiting
    assert (crashed.state, crashed.error, crashed.finished_at) == (RunState.FAILED, runs.LOST, NOW)


def test_a_run_of_a_living_process_is_not_taken_for_crashed(session: Session) -> None:
    run = claimed(session)

    assert runs.release_crashed(session, now=NOW) is None
    assert not runs.is_crashed(run, NOW)
    assert run.state is RunState.RUNNING


def test_a_waiting_run_that_is_cancelled_never_starts(session: Session) -> None:
    run = queued(session)
    runs.cancel(session, public_id=run.public_id, by=approver(session), now=NOW)
    session.commit()

    assert runs.claim(session, identity=OWN, now=NOW) is None
    assert run.state is RunState.CANCELLED


def test_a_run_that_is_cancelled_under_way_hears_of_it_at_its_next_heartbeat(session: Session) -> None:
    run = claimed(session)
    assert runs.beat(session, run_id=run.id, now=NOW, progress=None, log="")
    session.commit()
    runs.cancel(session, public_id=run.public_id, by=approver(session), now=NOW)
    session.commit()

    assert not runs.beat(session, run_id=run.id, now=NOW, progress=None, log="")
    with pytest.raises(runs.RunEnded, match="cancelled"):
        runs.under_way(session, run.id)


def test_a_run_that_has_ended_cannot_be_cancelled(session: Session) -> None:
    run = factories.run(session, RunState.FINISHED)
    session.commit()

    with pytest.raises(IllegalTransition):
        runs.cancel(session, public_id=run.public_id, by=approver(session), now=NOW)


def test_a_run_that_does_not_exist_cannot_be_cancelled(session: Session) -> None:
    with pytest.raises(NotFound):
        runs.cancel(session, public_id="S-NOTHING1", by=approver(session), now=NOW)


def test_a_heartbeat_stores_progress_and_log(session: Session) -> None:
    run = claimed(session)
    later = NOW + dt.timedelta(seconds=5)

    runs.beat(session, run_id=run.id, now=later, progress={"stage": "placement", "seconds": 5.0}, log="so far")
    session.commit()

    session.refresh(run)
    assert (run.heartbeat_at, run.log) == (later, "so far")
    assert run.progress == {"stage": "placement", "seconds": 5.0}


def test_a_crashed_run_is_seen_as_crashed_before_anyone_releases_it(session: Session) -> None:
    crashed = lost(session)

    assert runs.is_crashed(crashed, NOW)
    assert runs.release_crashed(session, now=NOW) is crashed
    session.commit()
    assert runs.running(session) is None
