"""The placements of one reservation or offer as rows: cleared from a day on, and put anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import NamedTuple

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


def put(session: Session, placed: Iterable[tuple[Owner, Iterable[Stretch]]], racks: Mapping[str, int]) -> None:
    """Place owners on racks (row ids by code), all at once; what goes on where it stood lengthens its row."""
    wanted = [
        _Row(*_ids(owner), racks[s.rack], s.gpus, s.start, s.end) for owner, placed_on in placed for s in placed_on
    ]
    before = _rows_before(session, wanted)
    new = []
    for row in wanted:
        row_id = before.get(row.joint)
        if row_id is None:
            new.append(row._asdict())
        else:
            session.execute(sa.update(Placement).where(Placement.id == row_id).values(end=row.end))
    if new:
        session.execute(sa.insert(Placement), new)


class _Row(NamedTuple):
    """One placement, field by field as in the database."""

    reservation_id: int | None
    offer_id: int | None
    rack_id: int
    gpus: int
    start: dt.date
    end: dt.date

    @property
    def joint(self) -> _Joint:
        """What a row that ends where this one starts has in common with it."""
        return (self.reservation_id, self.offer_id, self.rack_id, self.gpus, self.start)


_Joint = tuple[int | None, int | None, int, int, dt.date]


def _rows_before(session: Session, rows: list[_Row]) -> dict[_Joint, int]:
    """The row ids of the owners' placements that end on a day on which one of the rows starts."""
    mine = sa.or_(
        Placement.reservation_id.in_({row.reservation_id for row in rows} - {None}),
        Placement.offer_id.in_({row.offer_id for row in rows} - {None}),
    )
    joint = (Placement.reservation_id, Placement.offer_id, Placement.rack_id, Placement.gpus, Placement.end)
    found = sa.select(Placement.id, *joint).where(mine, Placement.end.in_({row.start for row in rows}))
    return {
        (first, second, rack, gpus, end): row_id for row_id, first, second, rack, gpus, end in session.execute(found)
    }


def _own(owner: Owner) -> sa.ColumnElement[bool]:
    return Placement.reservation_id == owner.id if isinstance(owner, Reservation) else Placement.offer_id == owner.id


def _ids(owner: Owner) -> tuple[int | None, int | None]:
    return (owner.id, None) if isinstance(owner, Reservation) else (None, owner.id)
