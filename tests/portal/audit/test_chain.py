"""The audit trail: appended beside the change, each entry bound to the one before."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from pathlib import PurePosixPath

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.audit.chain import FIRST, hash_of, plain, verify
from portal.audit.queries import check_chain
from portal.domain.states import Role
from portal.models.audit import AuditEntry
from portal.models.transactions import begin_write
from portal.web.actor import Actor, process_actor

NOW = dt.datetime(2026, 11, 22, 9, 0, 0, 123_456, tzinfo=dt.UTC)
ADA = Actor(7, "Ada", "ada@example.com", Role.OWNER, tenant_id=3, address="192.0.2.1")


def add(session: Session, action: str = "submitted", **values: object) -> AuditEntry:
    return record(session, by=ADA, action=action, thing="request Q-7GK2QX4M", now=NOW, **values)  # type: ignore[arg-type]  # each test names what it is about


def entries(session: Session) -> list[AuditEntry]:
    session.expire_all()
    return list(session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)))


def test_an_entry_says_who_did_what_from_where(session: Session) -> None:
    """The tenant is the actor's own unless another is given."""
    add(session, before={"gpus": 72}, after={"gpus": 144})
    record(session, by=process_actor("berth worker"), action="ran", thing="run 1", now=NOW, tenant_id=5)
    session.commit()

    person, process = entries(session)
    assert (person.actor_id, person.actor, person.origin, person.tenant_id) == (7, "ada@example.com", "192.0.2.1", 3)
    assert (person.at, person.before, person.after) == (NOW, {"gpus": 72}, {"gpus": 144})
    assert (process.actor_id, process.actor, process.origin, process.tenant_id) == (
        None,
        "berth worker",
        "berth worker",
        5,
    )


def test_each_entry_carries_the_hash_of_the_one_before(session: Session) -> None:
    """Read back from the database, the hashes are those that were written."""
    add(session)
    add(session, after={"rate": Decimal("2.350000"), "share": 1e22, "from": dt.date(2027, 1, 4), "racks": ["r1", "r2"]})
    session.commit()

    first, second = entries(session)
    assert first.previous_hash == FIRST
    assert second.previous_hash == first.hash
    assert (first.hash, second.hash) == (hash_of(first), hash_of(second))
    assert check_chain(session).holds


def test_an_entry_is_kept_with_its_change_or_not_at_all(session: Session) -> None:
    """It is part of the caller's transaction."""
    add(session)
    session.rollback()

    assert entries(session) == []


@pytest.mark.parametrize(
    "field", ["actor", "origin", "action", "thing", "tenant_id", "actor_id", "after", "before", "at"]
)
def test_a_change_of_any_field_breaks_the_chain(session: Session, field: str) -> None:
    """At the entry that was changed."""
    for _ in range(3):
        add(session, before={"x": 1}, after={"x": 2})
    chain = entries(session)
    changed = {
        "tenant_id": 99,
        "actor_id": 99,
        "after": {"x": 3},
        "before": {"x": 0},
        "at": NOW + dt.timedelta(seconds=1),
    }

    setattr(chain[1], field, changed.get(field, "someone else"))

    verdict = verify(chain)
    assert (verdict.holds, verdict.broken_at, verdict.entries) == (False, chain[1].id, 2)
    session.expunge_all()


def test_a_missing_entry_breaks_the_chain_at_the_next(session: Session) -> None:
    """Wherever it was taken out, the first one too."""
    for _ in range(3):
        add(session)
    chain = entries(session)

    assert verify([chain[0], chain[2]]).broken_at == chain[2].id
    assert verify(chain[1:]).broken_at == chain[1].id


def test_writers_at_once_make_one_chain(engine: sa.Engine) -> None:
    """Eight threads with their own connections; none fails, none forks the chain."""
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(5):
                with Session(engine) as session:
                    begin_write(session)
                    add(session)
                    session.commit()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with Session(engine) as session:
        verdict = check_chain(session)
    assert (verdict.entries, verdict.holds) == (40, True)


def test_values_are_written_as_json_that_every_database_gives_back() -> None:
    """Numbers that are not whole become text: their digits are what was meant."""
    value = {
        "state": Role.OWNER,
        "rate": Decimal("2.350"),
        "share": 0.1,
        "day": dt.date(2027, 1, 4),
        "at": NOW,
        "file": PurePosixPath("var/run"),
        "racks": {"r2", "r1"},
        "nested": ({"gpus": 72, "all": True, "none": None},),
    }

    assert plain(value) == {
        "state": "owner",
        "rate": "2.350",
        "share": "0.1",
        "day": "2027-01-04",
        "at": "2026-11-22T09:00:00.123456+00:00",
        "file": "var/run",
        "racks": ["r1", "r2"],
        "nested": [{"gpus": 72, "all": True, "none": None}],
    }


def test_what_is_no_value_is_refused() -> None:
    """A row of the database is not one: name its fields."""
    with pytest.raises(TypeError, match="object cannot stand in the audit trail"):
        plain({"row": object()})
