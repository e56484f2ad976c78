"""Sessions as rows: opened at sign-in, ended one by one or all at once. Only hashes of their tokens are stored."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.models.transactions import begin_write
from portal.models.users import User, UserSession

_TOKEN_BYTES = 32
_KEY_LENGTH = 16
_LONGEST_AGENT = 400


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def key_of(row: UserSession) -> str:
    """How pages name a session: the beginning of its hash, which neither counts sessions nor opens one."""
    return row.token_hash[:_KEY_LENGTH]


def start(session: Session, *, user: User, now: dt.datetime, lifetime: dt.timedelta, user_agent: str) -> str:
    """Add a session that ends after `lifetime` at the latest, and return its token, which is kept nowhere else."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session.add(
        UserSession(
            token_hash=token_hash(token),
            user_id=user.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + lifetime,
            user_agent=user_agent[:_LONGEST_AGENT],
        )
    )
    return token


def note_seen(session: Session, *, session_id: int, now: dt.datetime) -> None:
    """Begins a write of its own, so it comes before anything that the request loads."""
    begin_write(session)
    session.execute(sa.update(UserSession).where(UserSession.id == session_id).values(last_seen_at=now))


def end(session: Session, *, token: str, now: dt.datetime) -> None:
    """End the session of this token; nothing happens where it has ended already."""
    _end_where(session, UserSession.token_hash == token_hash(token), now=now)


def end_one(session: Session, *, user_id: int, key: str, now: dt.datetime) -> bool:
    """End the person's own session of this key; whether there was one."""
    own = UserSession.user_id == user_id, UserSession.token_hash.startswith(key, autoescape=True)
    return len(key) == _KEY_LENGTH and _end_where(session, *own, now=now) > 0


def end_all(session: Session, *, user_id: int, now: dt.datetime) -> int:
    """End every session of this person; how many there were."""
    return _end_where(session, UserSession.user_id == user_id, now=now)


def _end_where(session: Session, *which: sa.ColumnElement[bool], now: dt.datetime) -> int:
    statement = sa.update(UserSession).where(*which, UserSession.revoked_at.is_(None)).values(revoked_at=now)
    result = session.execute(statement, execution_options={"synchronize_session": "fetch"})
    return cast("sa.CursorResult[Any]", result).rowcount
