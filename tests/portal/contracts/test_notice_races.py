"""Real processes: two notices at once, and one killed inside its transaction."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.states import OfferState, RequestState
from portal.models.audit import AuditEntry
from portal.models.contracts import Notice
from portal.models.outbox import OutboxMessage
from portal.models.placements import Placement
from portal.web.actor import Actor
from tests.portal.contracts import scene

SCRIPT = str(Path(__file__).with_name("notice_process.py"))


@contextmanager
def started(url: sa.URL, by: Actor, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The process, ready; killed at the end where it still lives."""
    env = {**os.environ, "PYTHONPATH": str(Path.cwd()), **environment}
    words = ["acme-2026", str(by.user_id), by.role.value, str(by.tenant_id or 0)]
    command = [sys.executable, SCRIPT, url.render_as_string(hide_password=False), *words]
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


def test_of_two_notices_at_once_one_wins_and_the_other_is_told(session: Session, database_url: sa.URL) -> None:
    """The tenant's and the provider's: one row, and each reservation cut once."""
    at = scene.make(session)

    with started(database_url, at.owner) as first, started(database_url, at.admin) as second:
        shoot(first)
        shoot(second)
        said = sorted([heard(first), heard(second)])

    assert said == ["given", "refused Notice was given on 22 Nov 2026; this contract ends after 19 Feb 2027."]
    assert len(session.scalars(sa.select(Notice)).all()) == 1
    cut = session.scalars(sa.select(AuditEntry.thing).where(AuditEntry.action == "shortened by notice")).all()
    assert cut == [f"reservation {at.across.public_id}"]


@pytest.mark.parametrize(
    "pause", ["UPDATE reservations", "DELETE FROM placements", "UPDATE requests", "INSERT INTO audit"]
)
def test_a_notice_killed_inside_its_transaction_leaves_nothing_half_done(
    session: Session, database_url: sa.URL, pause: str
) -> None:
    """And can be given afterwards."""
    at = scene.make(session)
    placements = sa.select(Placement.rack_id, Placement.start, Placement.end).order_by(Placement.id)
    before = session.execute(placements).all()
    session.rollback()

    with started(database_url, at.owner, PAUSE=pause) as process:
        shoot(process)
        assert heard(process) == "paused"
        process.send_signal(signal.SIGKILL)
        process.wait()

    assert session.scalars(sa.select(Notice)).all() == []
    assert session.scalars(sa.select(OutboxMessage)).all() == []
    assert (at.across.ended_as, at.beyond.ended_as) == (None, None)
    assert (at.offer.state, at.reaching.state) == (OfferState.STANDING, RequestState.SUBMITTED)
    assert session.execute(placements).all() == before
    session.rollback()
    with started(database_url, at.owner) as process:
        shoot(process)
        assert heard(process) == "given"
