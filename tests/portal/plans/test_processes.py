"""Whether the process of a run still lives, whatever became of its id."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from dataclasses import replace

import psutil

from portal.plans.processes import Identity, is_alive, own_identity
from tests.portal.factories import NOW


def lives(identity: Identity, heartbeat_at: dt.datetime | None = None) -> bool:
    return is_alive(identity, heartbeat_at=heartbeat_at, now=NOW)


def test_this_process_lives() -> None:
    assert lives(own_identity())


def test_a_reused_process_id_is_not_mistaken_for_the_process_that_had_it() -> None:
    own = own_identity()

    assert not lives(replace(own, started_at=own.started_at - 1))


def test_a_process_that_is_gone_does_not_live() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    identity = replace(own_identity(), pid=process.pid, started_at=psutil.Process(process.pid).create_time())
    process.wait()

    assert not lives(identity)


def test_a_process_that_ended_and_was_not_collected_does_not_live() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    known = psutil.Process(process.pid)
    identity = replace(own_identity(), pid=process.pid, started_at=known.create_time())
    deadline = time.monotonic() + 20
    while known.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.02)

    assert known.status() == psutil.STATUS_ZOMBIE
    assert not lives(identity)
    process.wait()


def test_a_process_on_another_host_lives_as_long_as_its_heart_beats() -> None:
    elsewhere = replace(own_identity(), host="elsewhere")

    assert lives(elsewhere, NOW - dt.timedelta(seconds=89))
    assert not lives(elsewhere, NOW - dt.timedelta(seconds=90))
    assert not lives(elsewhere)
