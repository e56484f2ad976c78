"""Writing the audit trail: beside the change, in its transaction, so that neither is kept without the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.chain import FIRST, hash_of, plain
from portal.models.audit import AuditEntry
from portal.web.actor import Actor

_LOCK = 0x42657274  # "Bert": the chain's own advisory lock on PostgreSQL


def record(  # noqa: PLR0913 - an entry is who, what, which, before, after, when and whence, each said by name
    session: Session,
    *,
    by: Actor,
    action: str,
    thing: str,
    now: dt.datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    tenant_id: int | None = None,
    address: str | None = None,
) -> AuditEntry:
    """Append an entry and return it. `action` is a past tense ("signed in"), `thing` a kind and a public id.

    `tenant_id` is the tenant whose thing it is, by default the actor's own; `address` by default the actor's.
    The chain stays locked until the transaction ends: call this last, after the changes it speaks of, in a transaction
    that `begin_write` or `lock_capacity` began.
    """
    session.flush()
    entry = AuditEntry(
        at=now,
        actor_id=by.user_id,
        actor=by.email,
        origin=by.address if address is None else address,
        action=action,
        thing=thing,
        tenant_id=by.tenant_id if tenant_id is None else tenant_id,
        before=plain(before),
        after=plain(after),
        previous_hash=_last_hash(session),
    )
    entry.hash = hash_of(entry)
    session.add(entry)
    session.flush()
    return entry


def _last_hash(session: Session) -> str:
    """The newest entry's hash, with the chain locked; SQLite has one writer at a time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    return session.scalar(sa.select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)) or FIRST
