"""What an approver decides about a request before a run: that it may be planned, that it waits, that it is declined."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.domain.errors import Conflict, Invalid, NotFound
from portal.domain.reasons import PROVIDER, by_provider
from portal.domain.requests import OPEN_STATES
from portal.domain.states import RequestState, check_transition
from portal.models.requests import Request
from portal.models.transactions import begin_write
from portal.notices.actions import tell
from portal.web.actor import Actor

HIGHEST_TIER = 9


def approve(session: Session, *, request_id: str, by: Actor, now: dt.datetime) -> Request:
    """Let the request be planned: someone has looked at it, and nobody holds it any longer."""
    request = _open(session, request_id)
    request.approved_at, request.approved_by_id = now, by.user_id
    request.held_at = request.held_by_id = None
    _audit(session, request, "approved for planning", by=by, now=now)
    return request


def hold(session: Session, *, request_id: str, by: Actor, now: dt.datetime) -> Request:
    """Keep the request out of plans until someone approves it. The tenant goes on seeing it as submitted."""
    request = _open(session, request_id)
    request.held_at, request.held_by_id = now, by.user_id
    request.approved_at = request.approved_by_id = None
    _audit(session, request, "held", by=by, now=now)
    return request


def decline(session: Session, *, request_id: str, text: str, by: Actor, now: dt.datetime) -> Request:
    """Decline the request for a reason that its tenant will read."""
    request = _open(session, request_id)
    request.state = check_transition(request.state, RequestState.DECLINED)
    request.decided_at, request.decided_by_id = now, by.user_id
    request.reason, request.counter_offers = by_provider(text), []
    names = {"request": request.public_id, "code": PROVIDER}
    tell(session, "request_declined", tenant_id=request.tenant_id, now=now, **names)
    _audit(session, request, "declined", by=by, now=now, after={"text": text})
    return request


def set_tier(session: Session, *, request_id: str, tier: int, by: Actor, now: dt.datetime) -> Request:
    """Serve the request in another tier (0 first). Its tenant never sees it."""
    if not 0 <= tier <= HIGHEST_TIER:
        raise Invalid(f"A tier is a number from 0 to {HIGHEST_TIER}.")
    request = _open(session, request_id)
    before, request.tier = request.tier, tier
    _audit(session, request, "set the tier", by=by, now=now, before={"tier": before}, after={"tier": tier})
    return request


def _open(session: Session, request_id: str) -> Request:
    begin_write(session)
    request = session.scalars(sa.select(Request).where(Request.public_id == request_id).with_for_update()).one_or_none()
    if request is None or request.state is RequestState.DRAFT:
        raise NotFound
    if request.state not in OPEN_STATES:
        raise Conflict(f"This request is {request.state} already. There is nothing left to decide.")
    return request


def _audit(session: Session, request: Request, action: str, **values: Any) -> None:
    record(session, action=action, thing=f"request {request.public_id}", tenant_id=request.tenant_id, **values)
