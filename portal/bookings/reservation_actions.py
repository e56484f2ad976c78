"""Writes around reservations: cancelling one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.domain.errors import NotFound
from portal.domain.money import ZERO, to_cents
from portal.domain.states import ReservationState, check_transition
from portal.models.capacity import lock_capacity
from portal.models.offers import expire_offers
from portal.models.reservations import Reservation
from portal.notices.actions import tell
from portal.plans import placing
from portal.web.actor import Actor


def cancel(session: Session, *, public_id: str, by: Actor, now: dt.datetime, today: dt.date) -> Reservation:
    """End a reservation today: its racks are free from today on, what lies before stays. Raises `IllegalTransition`."""
    lock_capacity(session)
    expire_offers(session, now)
    own = sa.select(Reservation).where(Reservation.tenant_id == by.tenant_id, Reservation.public_id == public_id)
    reservation = session.scalars(own).one_or_none()
    if reservation is None:
        raise NotFound
    before = reservation.state_on(today)
    check_transition(before, ReservationState.CANCELLED)
    fee, old_end = cancellation_fee(reservation, today), reservation.end
    placing.clear(session, reservation, today=today)
    reservation.ended_as, reservation.ended_on = ReservationState.CANCELLED, today
    reservation.ended_at, reservation.ended_by_id = now, by.user_id
    if today > reservation.start:
        reservation.original_end = reservation.original_end or old_end
        reservation.end = today
    said = {"state": before, "end": old_end.isoformat()}
    after = {"ended_on": today.isoformat(), "fee_usd": fee}
    tell(session, "reservation_cancelled", tenant_id=None, now=now, reservation=public_id, ended_on=today.isoformat())
    record(session, by=by, action="cancelled", thing=f"reservation {public_id}", before=said, after=after, now=now)
    return reservation


def cancellation_fee(reservation: Reservation, today: dt.date) -> Decimal:
    """What cancelling today costs: the contract's share of the price where the start is too near, or behind.

    On demand nothing is owed for days given up.
    """
    contract = reservation.contract
    if contract is None or (reservation.start - today).days >= contract.cancellation_days:
        return ZERO
    return to_cents(Fraction(reservation.value_usd) * contract.cancellation_fee_percent / 100)
