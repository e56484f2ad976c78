"""The placements of one reservation or offer as rows: cleared from a day on, and put anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.models.offers import Offer
from portal.models.placements import Placement
from portal.models.reservations import Reservation
from portal.plans.segments import Stretch

Owner = Reservation | Offer


def clear(session: Session, owner: Owner, *, today: dt.date) -> None:
    """Delete what begins on ``today`` or later; what has begun ends on ``today``. History stays."""
    session.execute(sa.delete(Placement).where(_own(owner), Placement.start >= today))
    session.execute(sa.update(Placement).where(_own(owner), Placement.end > today).values(end=today))


def put(session: Session, owner: Owner, stretches: Iterable[Stretch], racks: Mapping[str, int]) -> None:
    """Place the owner on racks (row ids by code); what goes on where it stood lengthens its row."""
    wanted = [(racks[s.rack], s) for s in stretches]
    before = _rows_ending_on(session, owner, {s.start for _, s in wanted})
    new = []
    for rack_id, stretch in wanted:
        row_id = before.get((rack_id, stretch.start, stretch.gpus))
        if row_id is None:
            new.append(
                {**_key(owner), "rack_id": rack_id, "start": stretch.start, "end": stretch.end, "gpus": stretch.gpus}
            )
        else:
            session.execute(sa.update(Placement).where(Placement.id == row_id).values(end=stretch.end))
    if new:
        session.execute(sa.insert(Placement), new)


def _rows_ending_on(session: Session, owner: Owner, days: set[dt.date]) -> dict[tuple[int, dt.date, int], int]:
    columns = (Placement.rack_id, Placement.end, Placement.gpus, Placement.id)
    rows = session.execute(sa.select(*columns).where(_own(owner), Placement.end.in_(days)))
    return {(rack_id, end, gpus): row_id for rack_id, end, gpus, row_id in rows}


def _own(owner: Owner) -> sa.ColumnElement[bool]:
    return Placement.reservation_id == owner.id if isinstance(owner, Reservation) else Placement.offer_id == owner.id


def _key(owner: Owner) -> dict[str, int]:
    return {"reservation_id": owner.id} if isinstance(owner, Reservation) else {"offer_id": owner.id}
