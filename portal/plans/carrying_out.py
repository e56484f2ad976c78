"""What a plan decides, written into the database: one function for each of its lists, inside one transaction.

Reservations and offers that the plan changes lose their placements from today on before any new ones are inserted, so
that blocks may swap racks. History is never deleted.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from portal.domain.states import OfferState, ReservationState, check_transition
from portal.models.cluster import Rack
from portal.models.offers import Offer
from portal.models.placements import Placement
from portal.models.reservations import Reservation
from portal.plans import decisions, placing
from portal.plans.placing import Owner
from portal.plans.segments import Stretch, stretches_of
from portal.plans.stored import Files
from portal.plans.work import Moment, Work
from solver.plan import Recall
from solver.snapshot import Segment


def carry_out(session: Session, *, plan_id: int, files: Files, moment: Moment) -> None:
    """Write down everything that the plan decides."""
    racks = dict(session.execute(sa.select(Rack.code, Rack.id)).all())
    work = Work(session, plan_id, files, moment, racks)
    withdraw_offers(work)
    move_and_recall(work)
    decisions.accept(work)
    decisions.decline(work)
    tell_shortfalls(work)
    work.write_trail()


def withdraw_offers(work: Work) -> None:
    """An offer that the plan recalls or leaves short can no longer be had as it was offered: it is withdrawn."""
    hurt = {recall.reservation for recall in work.plan.recalls}
    hurt |= {shortfall.reservation for shortfall in work.plan.shortfalls}
    for offer in _offers(work.session, hurt):
        offer.state = check_transition(offer.state, OfferState.WITHDRAWN)
        offer.withdrawn_at, offer.withdrawn_by_id = work.moment.now, work.moment.by.user_id
        work.session.execute(sa.delete(Placement).where(Placement.offer_id == offer.id))
        work.tell("offer_withdrawn", offer.tenant_id, offer=offer.public_id)
        work.audit("withdrew an offer", f"offer {offer.public_id}", offer.tenant_id, {"plan": work.plan_id})


def move_and_recall(work: Work) -> None:
    """R10, R11: new placements from today on for what is moved, none after the new end for what is recalled."""
    moved = {move.reservation: move.placement for move in work.plan.moves}
    recalled = {recall.reservation: recall for recall in work.plan.recalls}
    reservations = _reservations(work.session, moved.keys() | recalled.keys())
    offers = _offers(work.session, moved.keys())
    owners: list[Owner] = [*reservations, *offers]
    for owner in owners:
        placing.clear(work.session, owner, today=work.moment.today)
    for reservation in reservations:
        if reservation.public_id in recalled:
            _recall(work, reservation, recalled[reservation.public_id])
    left = {owner.public_id: _left(work, owner, moved.get(owner.public_id)) for owner in owners}
    placing.put(work.session, [(owner, left[owner.public_id]) for owner in owners], work.racks)
    for reservation in reservations:
        if reservation.public_id in moved:
            _tell_move(work, reservation)


def tell_shortfalls(work: Work) -> None:
    """Shortness itself follows from placements; the people concerned are told."""
    ids = {shortfall.reservation for shortfall in work.plan.shortfalls}
    tenants = {row.public_id: row.tenant_id for row in _reservations(work.session, ids)}
    for short in work.plan.shortfalls:
        if short.reservation in tenants:
            days = {"start": short.start.isoformat(), "end": short.end.isoformat()}
            tenant = tenants[short.reservation]
            work.tell("reservation_short", tenant, reservation=short.reservation, gpus=short.gpus, **days)
    for hold in work.plan.hold_shortfalls:
        days = {"start": hold.start.isoformat(), "end": hold.end.isoformat()}
        work.tell("hold_short", None, contract=hold.contract, gpus=hold.gpus, **days)


def _reservations(session: Session, ids: Collection[str]) -> list[Reservation]:
    rows = sa.select(Reservation).where(Reservation.public_id.in_(ids)).order_by(Reservation.id)
    return list(session.scalars(rows)) if ids else []


def _offers(session: Session, ids: Collection[str]) -> list[Offer]:
    rows = sa.select(Offer).where(Offer.public_id.in_(ids), Offer.state == OfferState.STANDING).order_by(Offer.id)
    return list(session.scalars(rows)) if ids else []


def _recall(work: Work, reservation: Reservation, recall: Recall) -> None:
    """Record the recall; one that takes effect before the start leaves the dates as they were promised."""
    before = reservation.end
    reservation.ended_as = ReservationState.RECALLED
    reservation.ended_on = recall.end
    reservation.ended_at, reservation.ended_by_id = work.moment.now, work.moment.by.user_id
    if recall.end > reservation.start:
        reservation.original_end = reservation.original_end or before
        reservation.end = recall.end
    end = recall.end.isoformat()
    work.tell("reservation_recalled", reservation.tenant_id, reservation=reservation.public_id, end=end)
    thing = f"reservation {reservation.public_id}"
    work.audit("recalled", thing, reservation.tenant_id, {"end": end, "original_end": before})


def _left(work: Work, owner: Owner, placement: list[Segment] | None) -> list[Stretch]:
    """Where the plan leaves the block from today on; this counts as a change of the block's row."""
    flag_modified(owner, "end")
    ended_on = owner.ended_on if isinstance(owner, Reservation) else None
    segments = placement if placement is not None else _placement_before(work, owner.public_id)
    return list(stretches_of(segments, work.moment.today, min(owner.end, ended_on or owner.end)))


def _placement_before(work: Work, public_id: str) -> list[Segment]:
    return next(r.placement for r in work.files.snapshot.reservations if r.id == public_id)


def _tell_move(work: Work, reservation: Reservation) -> None:
    start = max(reservation.start, work.moment.today).isoformat()
    work.tell("reservation_moved", reservation.tenant_id, reservation=reservation.public_id, start=start)
    thing = f"reservation {reservation.public_id}"
    work.audit("moved", thing, reservation.tenant_id, {"from": start, "plan": work.plan_id})
