"""The person behind a request: our own session row, found by the cookie, handed to Flask-Login."""

from __future__ import annotations

import datetime as dt

from flask import Flask, Request, request
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from portal.auth import queries, sessions
from portal.auth.browsers import browser_text
from portal.models.users import UserSession
from portal.web.actor import Actor
from portal.web.clock import now
from portal.web.database import db
from portal.web.settings import app_settings, cookie_name

_SEEN_EVERY = dt.timedelta(minutes=1)


class Identity(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """Who signed in, as values: it outlives the transaction that it was read in."""

    def __init__(self, row: UserSession, address: str) -> None:
        user = row.user
        self.id = user.id
        self.session_key = sessions.key_of(row)
        self.tenant_name = user.tenant.name if user.tenant else None
        self.actor = Actor(
            user_id=user.id,
            name=user.name,
            email=user.email,
            role=user.role,
            tenant_id=user.tenant_id,
            address=address,
        )


def init_app(app: Flask) -> None:
    manager = LoginManager()
    manager.session_protection = None  # our session row decides, not the signed cookie
    manager.request_loader(_load)
    manager.init_app(app)
    app.jinja_env.filters["browser"] = browser_text
    app.jinja_env.globals.update(tenant_name=_tenant_name, session_key=_session_key)


def set_cookie(response: Response, token: str) -> None:
    """Hand the session's token to the browser until the session expires."""
    settings = app_settings()
    response.set_cookie(
        cookie_name(settings, "session"),
        token,
        max_age=settings.session_lifetime_hours * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings.is_production,
    )


def delete_cookie(response: Response) -> None:
    settings = app_settings()
    response.delete_cookie(
        cookie_name(settings, "session"), httponly=True, samesite="Lax", secure=settings.is_production
    )


def token_of(asked: Request) -> str | None:
    """The token that the browser sent, if any."""
    return asked.cookies.get(cookie_name(app_settings(), "session"))


def remote_address() -> str:
    return request.remote_addr or ""


def _tenant_name() -> str:
    return current_user.tenant_name or "" if current_user.is_authenticated else ""


def _session_key() -> str:
    return current_user.session_key if current_user.is_authenticated else ""


def _load(asked: Request) -> Identity | None:
    token = token_of(asked)
    if not token:
        return None
    idle = dt.timedelta(minutes=app_settings().session_idle_minutes)
    row = queries.open_session(db.session, token=token, now=now(), idle=idle)
    if row is None:
        return None
    identity = Identity(row, remote_address())
    if now() - row.last_seen_at >= _SEEN_EVERY:
        _note_seen(row.id)
    return identity


def _note_seen(session_id: int) -> None:
    """A database that is busy with a large write must not stop a page: the next page tries again."""
    try:
        sessions.note_seen(db.session, session_id=session_id, now=now())
        db.session.commit()
    except OperationalError:
        db.session.rollback()
