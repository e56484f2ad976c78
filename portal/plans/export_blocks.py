"""The blocks of a snapshot: reservations, standing offers as reservations that may be moved, and requests."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.requests import OPEN_STATES
from portal.domain.states import OfferState
from portal.models.blocks import BlockTerms
from portal.models.offers import Offer
from portal.models.placements import Placement
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.plans.segments import Stretch, segments_of

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Codes:
    """The public id of each row that blocks refer to, by the database's id."""

    sites: Mapping[int, str]
    racks: Mapping[int, str]
    tenants: Mapping[int, str]
    contracts: Mapping[int, str]

    def site(self, site_id: int | None) -> str | None:
        return None if site_id is None else self.sites[site_id]

    def contract(self, contract_id: int | None) -> str | None:
        return None if contract_id is None else self.contracts[contract_id]


def reservations(session: Session, codes: Codes, *, today: dt.date, now: dt.datetime) -> list[Entry]:
    """Every reservation with a day left, and every offer that stands at ``now``, with their placements.

    An offer is exported with ``move_notice_days`` 0: its racks are promised to nobody yet.
    """
    kept = session.scalars(_with_a_day_left(today)).all()
    offers = session.scalars(standing_offers(now).where(Offer.end > today).order_by(Offer.id)).all()
    of_reservation = _stretches(session, Placement.reservation_id, [row.id for row in kept], codes)
    of_offer = _stretches(session, Placement.offer_id, [row.id for row in offers], codes)
    return [
        *(_reservation(row, codes, of_reservation[row.id]) for row in kept),
        *(_offer(row, codes, of_offer[row.id]) for row in offers),
    ]


def standing_offers(now: dt.datetime) -> sa.Select[Any]:
    """Offers that hold their racks at the instant ``now``; expiry is decided here, not by a job."""
    return sa.select(Offer).where(Offer.state == OfferState.STANDING, Offer.expires_at > now)


def last_day_of(reservation: Reservation) -> dt.date:
    """The first day that the reservation no longer has: its end, or the day on which it was recorded as ended."""
    return min(reservation.end, reservation.ended_on or reservation.end)


def requests(session: Session, codes: Codes, reservations: Collection[str], *, today: dt.date) -> list[Entry]:
    """Every request to be planned; ``reservations`` are the exported ones, others can't be extended any more."""
    extended = dict(session.execute(sa.select(Reservation.id, Reservation.public_id)).all())
    rows = session.scalars(to_be_planned(today).order_by(Request.submitted_at, Request.id))
    return [_request(row, codes, _known(extended.get(row.extends_id or 0), reservations)) for row in rows]


def to_be_planned(today: dt.date) -> sa.Select[Any]:
    """Submitted and waitlisted requests that no approver holds and that may still start on ``today`` or later."""
    return sa.select(Request).where(
        Request.state.in_(OPEN_STATES), Request.held_at.is_(None), Request.latest_start >= today
    )


def _with_a_day_left(today: dt.date) -> sa.Select[Any]:
    end = sa.func.coalesce(Reservation.ended_on, Reservation.end)
    left = (Reservation.end > today, end > today, end > Reservation.start)
    return sa.select(Reservation).where(*left).order_by(Reservation.id)


def _stretches(session: Session, owner: Any, ids: Collection[int], codes: Codes) -> Mapping[int, list[Stretch]]:
    found: dict[int, list[Stretch]] = defaultdict(list)
    if not ids:
        return found
    columns = (owner, Placement.rack_id, Placement.start, Placement.end, Placement.gpus)
    rows = sa.select(*columns).where(owner.is_not(None)).order_by(Placement.rack_id, Placement.start)
    wanted = frozenset(ids)
    for owner_id, rack_id, start, end, gpus in session.execute(rows):
        if owner_id in wanted:
            found[owner_id].append(Stretch(codes.racks[rack_id], start, end, gpus))
    return found


def _terms(block: BlockTerms, codes: Codes) -> Entry:
    return {
        "tenant": codes.tenants[block.tenant_id],
        "contract": codes.contract(block.contract_id),
        "gpus": block.gpus,
        "scope": block.scope.value,
        "site": codes.site(block.site_id),
        "tier": block.tier,
        "value_usd": float(block.value_usd),
        "interruptible": block.interruptible,
        "recall_notice_days": block.recall_notice_days,
    }


def _reservation(row: Reservation, codes: Codes, placed: Iterable[Stretch]) -> Entry:
    end = last_day_of(row)
    return {
        "id": row.public_id,
        **_terms(row, codes),
        "value_usd": _value_until(row, end),
        "start": row.start.isoformat(),
        "end": end.isoformat(),
        "move_notice_days": row.move_notice_days,
        "placement": segments_of(placed, row.start, end),
    }


def _value_until(row: Reservation, end: dt.date) -> float:
    """A reservation that was shortened is worth the share of its days that is left of the first promise."""
    promised = (row.original_end or row.end) - row.start
    return float(row.value_usd) * ((end - row.start) / promised)


def _offer(row: Offer, codes: Codes, placed: Iterable[Stretch]) -> Entry:
    return {
        "id": row.public_id,
        **_terms(row, codes),
        "start": row.start.isoformat(),
        "end": row.end.isoformat(),
        "move_notice_days": 0,
        "placement": segments_of(placed, row.start, row.end),
    }


def _request(row: Request, codes: Codes, extends: str | None) -> Entry:
    assert row.submitted_at is not None  # noqa: S101  # the database says so for these states
    return {
        "id": row.public_id,
        **_terms(row, codes),
        "min_gpus": row.min_gpus,
        "earliest_start": row.earliest_start.isoformat(),
        "latest_start": row.latest_start.isoformat(),
        "days": row.days,
        "extends": extends,
        "submitted_at": row.submitted_at.isoformat().replace("+00:00", "Z"),
    }


def _known(public_id: str | None, reservations: Collection[str]) -> str | None:
    return public_id if public_id in reservations else None
