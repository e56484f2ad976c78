"""The blocks on racks: reservations and standing offers with the racks that they have, whenever that is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from portal.models.cluster import Hall, Pod, Rack
from portal.models.offers import Offer
from portal.models.placements import Placement
from portal.models.reservations import Reservation
from portal.plans.export_blocks import last_day_of, standing_offers


@dataclass(frozen=True, slots=True)
class Block:
    """A reservation or a standing offer; an offer may be moved without notice. ``end`` is exclusive."""

    public_id: str
    is_offer: bool
    tenant_id: int
    tenant: str
    gpus: int
    interruptible: bool
    move_notice_days: int
    start: dt.date
    end: dt.date


@dataclass(frozen=True, slots=True)
class Placed:
    """``gpus`` GPUs of a rack that a block has on ``[start, end)``."""

    block: Block
    rack_id: int
    start: dt.date
    end: dt.date
    gpus: int


@dataclass(frozen=True, slots=True)
class Standing:
    """``racks`` racks of a hall on which a block has ``gpus`` GPUs on ``[start, end)``."""

    block: Block
    hall_id: int
    racks: int
    gpus: int
    start: dt.date
    end: dt.date


def placed(
    session: Session, where: sa.ColumnElement[bool], start: dt.date, end: dt.date | None, *, now: dt.datetime
) -> list[Placed]:
    """What stands on the racks that ``where`` chooses (by rack, pod, hall) on any day of ``[start, end)``."""
    columns = (Placement.rack_id, Placement.start, Placement.end, Placement.gpus)
    query = _within(sa.select(*_OWNER, *columns), where, start, end)
    rows = session.execute(query.order_by(Placement.start, Placement.rack_id)).all()
    blocks = _blocks(session, rows, now)
    return [
        Placed(block, rack_id, first, min(last, block.end), gpus)
        for reservation, offer, rack_id, first, last, gpus in rows
        if (block := blocks.get((reservation, offer))) and first < block.end
    ]


def standing_by_hall(
    session: Session, where: sa.ColumnElement[bool], start: dt.date, end: dt.date, *, now: dt.datetime
) -> list[Standing]:
    """The same, its racks added up by hall where their days are the same."""
    sums = (sa.func.count(Placement.rack_id.distinct()), sa.func.sum(Placement.gpus))
    days = (Placement.start, Placement.end)
    query = _within(sa.select(*_OWNER, Pod.hall_id, *sums, *days), where, start, end)
    rows = session.execute(query.group_by(*_OWNER, Pod.hall_id, *days).order_by(Placement.start)).all()
    blocks = _blocks(session, rows, now)
    return [
        Standing(block, hall_id, racks, int(gpus), first, min(last, block.end))
        for reservation, offer, hall_id, racks, gpus, first, last in rows
        if (block := blocks.get((reservation, offer))) and first < block.end
    ]


_OWNER = (Placement.reservation_id, Placement.offer_id)


def _within(
    query: sa.Select[*tuple[Any, ...]], where: sa.ColumnElement[bool], start: dt.date, end: dt.date | None
) -> sa.Select[*tuple[Any, ...]]:
    joined = query.join(Rack, Rack.id == Placement.rack_id).join(Pod, Pod.id == Rack.pod_id)
    chosen = joined.join(Hall, Hall.id == Pod.hall_id).where(where, Placement.end > start)
    return chosen if end is None else chosen.where(Placement.start < end)


def _blocks(session: Session, rows: Iterable[Any], now: dt.datetime) -> dict[tuple[int | None, int | None], Block]:
    """By the ids of reservation and offer; offers that no longer stand are left out."""
    owners = {(row[0], row[1]) for row in rows}
    found: dict[tuple[int | None, int | None], Block] = {}
    for reservation in _reservations(session, [each for each, _ in owners if each]):
        found[reservation.id, None] = _block(reservation, reservation.move_notice_days, last_day_of(reservation))
    for offer in _offers(session, [each for _, each in owners if each], now):
        found[None, offer.id] = _block(offer, 0, offer.end)
    return found


def _reservations(session: Session, ids: Collection[int]) -> Sequence[Reservation]:
    wanted = sa.select(Reservation).where(Reservation.id.in_(ids)).options(joinedload(Reservation.tenant))
    return session.scalars(wanted).all() if ids else ()


def _offers(session: Session, ids: Collection[int], now: dt.datetime) -> Sequence[Offer]:
    wanted = standing_offers(now).where(Offer.id.in_(ids)).options(joinedload(Offer.tenant))
    return session.scalars(wanted).all() if ids else ()


def _block(row: Reservation | Offer, move_notice_days: int, end: dt.date) -> Block:
    return Block(
        public_id=row.public_id,
        is_offer=isinstance(row, Offer),
        tenant_id=row.tenant_id,
        tenant=row.tenant.name,
        gpus=row.gpus,
        interruptible=row.interruptible,
        move_notice_days=move_notice_days,
        start=row.start,
        end=end,
    )
