"""The audit trail only grows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from portal.models.audit import AuditEntry
from tests.portal.factories import NOW
from tests.portal.models.refusals import refused


@pytest.fixture
def entry(session):
    row = AuditEntry(
        at=NOW, actor="a@example.com", action="signed in", thing="user", previous_hash="0" * 64, hash="1" * 64
    )
    session.add(row)
    session.commit()
    return row


def test_an_entry_is_kept(session, entry):
    assert session.scalars(sa.select(AuditEntry.thing)).one() == "user"


def test_an_entry_cannot_be_changed(session, entry):
    with refused(session, "ck_audit_append_only"):
        session.execute(sa.update(AuditEntry).values(actor="b@example.com"))


def test_an_entry_cannot_be_deleted(session, entry):
    with refused(session, "ck_audit_append_only"):
        session.execute(sa.delete(AuditEntry))


def test_the_chain_never_forks(session, entry):
    with refused(session, "uq_audit_previous_hash"):
        session.add(
            AuditEntry(at=NOW, actor="b", action="c", thing="d", previous_hash=entry.previous_hash, hash="2" * 64)
        )
