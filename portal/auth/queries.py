"""Reads of people and their sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from portal.auth.sessions import token_hash
from portal.models.users import User, UserSession


def user_by_email(session: Session, email: str) -> User | None:
    return session.scalar(sa.select(User).where(User.email == email.strip().lower()))


def open_session(session: Session, *, token: str, now: dt.datetime, idle: dt.timedelta) -> UserSession | None:
    """The session of this token, where it neither ended nor expired and its person may still sign in."""
    return session.scalar(
        sa.select(UserSession)
        .join(UserSession.user)
        .where(UserSession.token_hash == token_hash(token), User.disabled_at.is_(None), *_is_open(now, idle))
        .options(joinedload(UserSession.user).joinedload(User.tenant))
    )


def open_sessions_of(session: Session, *, user_id: int, now: dt.datetime, idle: dt.timedelta) -> Sequence[UserSession]:
    """The person's open sessions, the one last used first."""
    return session.scalars(
        sa.select(UserSession)
        .where(UserSession.user_id == user_id, *_is_open(now, idle))
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    ).all()


def users(session: Session) -> Sequence[User]:
    """Everyone, the provider's people first, then tenant by tenant."""
    return session.scalars(
        sa.select(User)
        .options(joinedload(User.tenant))
        .order_by(User.tenant_id.is_not(None), User.tenant_id, User.name, User.id)
    ).all()


def _is_open(now: dt.datetime, idle: dt.timedelta) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > now,
        UserSession.last_seen_at > now - idle,
    )
