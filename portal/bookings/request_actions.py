"""Writes around requests: drafted, submitted, amended, withdrawn, and a counter-offer asked for instead.

Every action finds the request by its tenant first, and never commits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.bookings.quotes import Quote, card_rate, quote
from portal.bookings.terms import Terms, check, terms_of
from portal.domain.errors import Conflict, NotFound, StaleVersion
from portal.domain.requests import can_amend
from portal.domain.states import RequestState, Scope, check_transition
from portal.models.requests import Request
from portal.models.transactions import begin_write
from portal.notices.actions import tell
from portal.web.actor import Actor


def draft(session: Session, *, terms: Terms, by: Actor, now: dt.datetime, today: dt.date) -> Request:
    """Keep a request for later; nobody else sees it. Raises `WrongTerms`."""
    begin_write(session)
    request = _new(session, terms, now=now, today=today)
    record(session, by=by, action="drafted", thing=_thing(request), after=_said(request), now=now)
    return request


def submit_new(session: Session, *, terms: Terms, by: Actor, now: dt.datetime, today: dt.date) -> Request:
    """Ask for a block: the next plan decides. Raises `WrongTerms`."""
    begin_write(session)
    request = _new(session, terms, now=now, today=today)
    _submit(session, request, by=by, now=now)
    return request


def submit(session: Session, *, public_id: str, by: Actor, now: dt.datetime, today: dt.date) -> Request:
    """Ask for what a draft says, at today's prices. Raises `WrongTerms` where it can no longer be asked for."""
    begin_write(session)
    request = _own(session, public_id, by)
    check_transition(request.state, RequestState.SUBMITTED)
    _write(session, request, terms_of(request), today)
    _submit(session, request, by=by, now=now)
    return request


@dataclass(frozen=True, slots=True)
class Edition:
    """A request as someone saw it when they began to change it."""

    public_id: str
    version: int


def amend(session: Session, *, edition: Edition, terms: Terms, by: Actor, now: dt.datetime, today: dt.date) -> Request:
    """Change a request that is not decided yet; an approver looks at it again. Raises `StaleVersion`, `WrongTerms`."""
    begin_write(session)
    request = _own(session, edition.public_id, by)
    if not can_amend(request.state):
        raise Conflict(f"This request is {request.state} and can no longer be changed. Ask for a new block instead.")
    if request.version != edition.version:
        raise StaleVersion
    before = _said(request)
    _write(session, request, terms, today)
    request.approved_at = request.approved_by_id = None
    thing, after = _thing(request), _said(request)
    if request.state is not RequestState.DRAFT:
        tell(session, "request_amended", tenant_id=None, now=now, request=request.public_id)
    record(session, by=by, action="amended", thing=thing, before=before, after=after, now=now)
    return request


def withdraw(session: Session, *, public_id: str, by: Actor, now: dt.datetime) -> Request:
    """Take a request back before it is accepted. Raises `IllegalTransition`."""
    begin_write(session)
    request = _own(session, public_id, by)
    before = request.state
    request.state = check_transition(before, RequestState.WITHDRAWN)
    request.withdrawn_at, request.withdrawn_by_id = now, by.user_id
    if before is not RequestState.DRAFT:
        tell(session, "request_withdrawn", tenant_id=None, now=now, request=request.public_id)
    record(session, by=by, action="withdrew", thing=_thing(request), before={"state": before}, now=now)
    return request


def ask_instead(session: Session, *, public_id: str, kind: str, by: Actor, now: dt.datetime, today: dt.date) -> Request:
    """Submit one of a request's counter-offers as a request of its own; it holds nothing until a plan accepts it.

    A wider scope is asked for at no less than the rate card's rate for it.
    """
    begin_write(session)
    request = _own(session, public_id, by)
    chosen = _counter_offer(request, kind)
    terms = _at_card_or_more(session, _block_of(terms_of(request), chosen), today)
    new = _new(session, terms, now=now, today=today)
    _submit(session, new, by=by, now=now)
    return new


def _new(session: Session, terms: Terms, *, now: dt.datetime, today: dt.date) -> Request:
    request = Request(tenant_id=terms.tenant_id, created_at=now)
    _write(session, request, terms, today)
    session.add(request)
    session.flush()
    return request


def _write(session: Session, request: Request, terms: Terms, today: dt.date) -> None:
    """Put checked and priced terms on the row."""
    check(session, terms, today)
    priced: Quote = quote(session, terms, start=max(terms.earliest_start, today), today=today)
    for name in ("contract_id", "gpus", "min_gpus", "earliest_start", "latest_start", "days", "scope", "site_id"):
        setattr(request, name, getattr(terms, name))
    request.interruptible, request.recall_notice_days = terms.interruptible, terms.recall_notice_days
    request.extends_id, request.wants_waitlist, request.note = terms.extends_id, terms.wants_waitlist, terms.note
    request.tier, request.value_usd = priced.tier, priced.value
    request.rate, request.rate_id = priced.rate, priced.rate_id


def _submit(session: Session, request: Request, *, by: Actor, now: dt.datetime) -> None:
    request.state = check_transition(request.state, RequestState.SUBMITTED)
    request.submitted_at, request.submitted_by_id = now, by.user_id
    tell(session, "request_submitted", tenant_id=None, now=now, request=request.public_id)
    record(session, by=by, action="submitted", thing=_thing(request), after=_said(request), now=now)


def _own(session: Session, public_id: str, by: Actor) -> Request:
    """The tenant's request, locked. Raises `NotFound`."""
    own = sa.select(Request).where(Request.tenant_id == by.tenant_id, Request.public_id == public_id)
    request = session.scalars(own.with_for_update()).one_or_none()
    if request is None:
        raise NotFound
    return request


def _counter_offer(request: Request, kind: str) -> Mapping[str, Any]:
    found = next((offer for offer in request.counter_offers if offer["kind"] == kind), None)
    if found is None:
        raise Conflict("This suggestion is no longer there. Look at the request again.")
    chosen: Mapping[str, Any] = found
    return chosen


def _block_of(terms: Terms, chosen: Mapping[str, Any]) -> Terms:
    start, end = dt.date.fromisoformat(chosen["start"]), dt.date.fromisoformat(chosen["end"])
    return terms.block(gpus=chosen["gpus"], start=start, days=(end - start).days, scope=Scope(chosen["scope"]))


def _at_card_or_more(session: Session, terms: Terms, today: dt.date) -> Terms:
    if terms.contract_id is not None or terms.rate is None:
        return terms
    card = card_rate(session, scope=terms.scope, interruptible=terms.interruptible, today=today)
    return replace(terms, rate=max(terms.rate, card.usd_per_gpu_hour))


def _thing(request: Request) -> str:
    return f"request {request.public_id}"


def _said(request: Request) -> dict[str, Any]:
    names = ("state", "gpus", "min_gpus", "earliest_start", "latest_start", "days", "scope", "interruptible", "rate")
    return {name: getattr(request, name) for name in names}
