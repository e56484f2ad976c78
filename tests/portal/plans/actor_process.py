"""Real processes for tests of kills and races: ``actor_process.py ROLE DATABASE_URL [PLAN_ID PERSON_ID]``.

``PAUSE`` names a statement's beginning; before the first such statement inside its last transaction the process says
``paused`` and sleeps, so that a test can kill it there. Roles: ``worker``, ``publisher``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.clock import FixedClock
from portal.domain.errors import DomainError
from portal.domain.states import Role
from portal.models.engine import make_engine
from portal.plans.publish import publish
from portal.plans.solving import Workshop
from portal.plans.work import Moment
from portal.plans.worker import Worker
from portal.web.actor import Actor
from tests.portal.factories import NOW, TODAY

FAKE = (sys.executable, str(Path(__file__).with_name("fake_solver.py")))


def main(role: str, url: str, *words: str) -> None:
    engine = make_engine(url)
    sa.event.listen(engine, "before_cursor_execute", _pause)
    say("ready")
    {"worker": work, "publisher": publish_once}[role](engine, *words)


def work(engine: sa.Engine) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    clock = FixedClock(NOW)
    workshop = Workshop(engine=engine, workers=1, time_limit_s=30, clock=clock, command=FAKE, stop=stop)
    Worker(workshop=workshop, nightly_at=NOW.time().replace(hour=2), stop=stop).work()
    say("ended")


def publish_once(engine: sa.Engine, plan_id: str, person_id: str) -> None:
    sys.stdin.readline()  # the starting shot
    by = Actor(int(person_id), "Approver", "approver@example.com", Role.APPROVER, None, "test")
    with Session(engine) as session:
        try:
            publish(session, plan_id=plan_id, moment=Moment(by=by, now=NOW, today=TODAY))
            session.commit()
            say("published")
        except DomainError as refused:
            say(f"refused {refused.sentence}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _pause(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    if "PAUSE" in os.environ and statement.startswith(os.environ["PAUSE"]):
        say("paused")
        time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
