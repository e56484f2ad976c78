"""What a proposed plan is checked against before it is published: the database, and the requests, as they are now."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.staleness import Fingerprint, changes
from portal.domain.states import OfferState
from portal.models.offers import Offer
from portal.models.plans import Plan
from portal.models.reservations import Reservation
from portal.plans.export import codes_of, fingerprint_now
from portal.plans.export_blocks import requests
from portal.plans.stored import Files
from solver import snapshot as snapshots


def changes_since(session: Session, plan: Plan, files: Files, *, today: dt.date, now: dt.datetime) -> tuple[str, ...]:
    """What makes the plan stale, as sentences that name it; empty: it may be published."""
    then = Fingerprint.from_json(plan.fingerprint)
    plan_file = files.plan
    moved = {move.reservation for move in plan_file.moves} | {recall.reservation for recall in plan_file.recalls}
    moved |= {shortfall.reservation for shortfall in plan_file.shortfalls}
    current = fingerprint_now(session, today=today, now=now)
    known = {tenant: quota for tenant, quota in current.quotas.items() if tenant in then.quotas}
    return changes(
        then,
        replace(current, quotas=known),  # a tenant that is new has nothing in this plan
        taken=_taken(session, then),
        moved_offers=moved & then.offers.keys(),
    )


def outdated_requests(session: Session, files: Files, *, today: dt.date) -> frozenset[str]:
    """Requests of the plan that are no longer what it decided: withdrawn, held, amended or decided since."""
    reservations = {reservation.id for reservation in files.snapshot.reservations}
    entries = requests(session, codes_of(session), reservations, today=today)
    now = {entry["id"]: snapshots.Request.model_validate(entry) for entry in entries}
    return frozenset(request.id for request in files.snapshot.requests if now.get(request.id) != request)


def _taken(session: Session, then: Fingerprint) -> dict[str, str]:
    """The offers of the snapshot that were taken since, and the reservations that they became."""
    pairs = sa.select(Offer.public_id, Reservation.public_id).join(Reservation, Reservation.offer_id == Offer.id)
    rows = session.execute(pairs.where(Offer.state == OfferState.TAKEN))
    return {offer: reservation for offer, reservation in rows if offer in then.offers}
