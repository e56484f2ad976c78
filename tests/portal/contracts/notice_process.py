"""A real process that gives notice: ``notice_process.py DATABASE_URL CONTRACT_ID USER_ID ROLE TENANT_ID``.

``PAUSE`` names a statement's beginning; before the first such statement the process says ``paused`` and sleeps, so
that a test can kill it there. It waits for a line before it begins.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.contracts.notice_actions import NewNotice, give_notice
from portal.domain.errors import DomainError
from portal.domain.states import Party, Role
from portal.models.engine import make_engine
from portal.web.actor import Actor
from tests.portal.factories import NOW, TODAY


def main(url: str, public_id: str, user_id: str, role: str, tenant_id: str) -> None:
    engine = make_engine(sa.make_url(url))
    sa.event.listen(engine, "before_cursor_execute", _pause)
    by = Actor(int(user_id), "Person", "person@example.com", Role(role), int(tenant_id) or None, "test")
    new = NewNotice(party=Party.TENANT if by.is_tenant else Party.PROVIDER, given_on=TODAY)
    with Session(engine) as session:
        say("ready")
        sys.stdin.readline()  # the starting shot
        try:
            give_notice(session, public_id=public_id, new=new, by=by, now=NOW, today=TODAY)
            session.commit()
            say("given")
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
