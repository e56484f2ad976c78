"""Reads for the approver's queue."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from portal.domain.errors import NotFound
from portal.domain.requests import OPEN_STATES
from portal.domain.states import RequestState
from portal.models.requests import Request

_NAMES = (joinedload(Request.tenant), joinedload(Request.contract), joinedload(Request.site))


def open_requests(session: Session) -> Sequence[Request]:
    """Every request that waits for a decision, in the order in which they are served: tier, then age."""
    waiting = sa.select(Request).where(Request.state.in_(OPEN_STATES)).options(*_NAMES)
    return session.scalars(waiting.order_by(Request.tier, Request.submitted_at, Request.id)).all()


def waiting_count(session: Session) -> int:
    """Submitted requests that nobody holds: what the badge in the navigation counts."""
    waiting = Request.state == RequestState.SUBMITTED, Request.held_at.is_(None)
    return session.scalar(sa.select(sa.func.count()).select_from(Request).where(*waiting)) or 0


def request_by_id(session: Session, public_id: str) -> Request:
    """A request as the provider sees it; a draft is its tenant's alone. Raises `NotFound`."""
    found = sa.select(Request).where(Request.public_id == public_id, Request.state != RequestState.DRAFT)
    request = session.scalars(found.options(*_NAMES, joinedload(Request.submitted_by))).one_or_none()
    if request is None:
        raise NotFound
    return request
