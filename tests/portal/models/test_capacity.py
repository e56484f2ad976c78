"""The lock that every change of capacity takes first."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.models.capacity import Capacity, lock_capacity
from portal.models.tenants import Tenant
from tests.portal import factories

# Reads the quota, thinks for a while, and takes 72 GPUs of it: without the lock each process would take from 720.
TAKE = """
import sys, time
import sqlalchemy as sa
from sqlalchemy.orm import Session
from portal.models.capacity import lock_capacity
from portal.models.engine import make_engine
from portal.models.tenants import Tenant

engine = make_engine(sys.argv[1])
with Session(engine) as session:
    for _ in range(3):
        tenant = session.scalars(sa.select(Tenant)).one()
        tenant.max_gpus  # read before the lock, and old by the time it is held
        lock_capacity(session)
        left = tenant.max_gpus
        time.sleep(0.02)
        tenant.max_gpus = left - 72
        session.commit()
engine.dispose()
"""


def test_each_lock_raises_the_version(session):
    versions = []
    for _ in range(3):
        versions.append(lock_capacity(session).version)
        session.commit()

    assert versions == [1, 2, 3]


def test_a_change_that_is_rolled_back_does_not_count(session):
    lock_capacity(session)
    session.rollback()

    assert session.scalars(sa.select(Capacity.version)).one() == 0


def test_what_was_read_before_is_read_again(session, engine):
    tenant = factories.tenant(session, max_gpus=720)
    session.commit()
    assert tenant.max_gpus == 720
    with Session(engine) as other:
        other.execute(sa.update(Tenant).values(max_gpus=0))
        other.commit()

    lock_capacity(session)

    assert tenant.max_gpus == 0


def test_it_keeps_what_the_transaction_has_written(session):
    tenant = factories.tenant(session, max_gpus=720)

    lock_capacity(session)
    session.commit()

    assert tenant.max_gpus == 720


def test_unsaved_changes_are_refused(session):
    session.add(Tenant(public_id="t", name="Unsaved"))

    with pytest.raises(RuntimeError, match="before its first change"):
        lock_capacity(session)


def test_processes_take_turns(session, database_url):
    factories.tenant(session, max_gpus=720)
    session.commit()
    url = database_url.render_as_string(hide_password=False)

    processes = [
        subprocess.Popen([sys.executable, "-c", TAKE, url], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    errors = [process.communicate(timeout=120)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert session.scalars(sa.select(Tenant.max_gpus)).one() == 720 - 9 * 72
    assert session.scalars(sa.select(Capacity.version)).one() == 9


def test_a_process_that_dies_with_the_lock_lets_go_of_it(session, database_url):
    url = database_url.render_as_string(hide_password=False)
    die = TAKE[: TAKE.index("with Session")] + (
        "session = Session(engine)\nlock_capacity(session)\nimport os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    killed = subprocess.run([sys.executable, "-c", die, url], check=False, timeout=60)

    assert killed.returncode == -9
    assert lock_capacity(session).version == 1
