"""Outages as people record them: one kind, one set of days, one note, for one rack or many at once."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.errors import NotFound
from portal.domain.states import OutageKind
from portal.models.cluster import Outage, Pod, Rack
from portal.models.users import User

ONE_DAY = dt.timedelta(1)
_TOGETHER = (Outage.kind, Outage.start, Outage.end, Outage.note, Outage.recorded_at, Outage.recorded_by_id)


class When(StrEnum):
    """Where outages lie against a day."""

    CURRENT = "current"
    PLANNED = "planned"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Event:
    """Outages that were recorded together. ``id`` is the first one's; ``end`` null: until someone ends it."""

    id: int
    kind: OutageKind
    start: dt.date
    end: dt.date | None
    note: str
    recorded_at: dt.datetime
    recorded_by: str
    rack_ids: tuple[int, ...]

    def when(self, day: dt.date) -> When:
        if self.start > day:
            return When.PLANNED
        return When.PAST if self.end is not None and self.end <= day else When.CURRENT


def events(session: Session, when: When, day: dt.date, *, limit: int | None = None, offset: int = 0) -> Sequence[Event]:
    """What is out on ``day``, will be, or was: the next first, of the past the last first."""
    order = (Outage.start.desc(),) if when is not When.PLANNED else (Outage.start.asc(),)
    grouped = sa.select(sa.func.min(Outage.id), *_TOGETHER).where(_in(when, day)).group_by(*_TOGETHER)
    rows = session.execute(grouped.order_by(*order, sa.func.min(Outage.id)).limit(limit).offset(offset)).all()
    return _events(session, rows)


def count(session: Session, when: When, day: dt.date) -> int:
    """How many events there are."""
    grouped = sa.select(sa.func.min(Outage.id)).where(_in(when, day)).group_by(*_TOGETHER)
    return session.scalar(sa.select(sa.func.count()).select_from(grouped.subquery())) or 0


def events_between(session: Session, start: dt.date, end: dt.date) -> Sequence[Event]:
    """What is out on any day of ``[start, end)``, the first first."""
    left = sa.or_(Outage.end.is_(None), Outage.end > start)
    grouped = sa.select(sa.func.min(Outage.id), *_TOGETHER).where(Outage.start < end, left).group_by(*_TOGETHER)
    return _events(session, session.execute(grouped.order_by(Outage.start, sa.func.min(Outage.id))).all())


def event_of(session: Session, outage_id: int) -> Event:
    """The event to which this outage belongs. Raises `NotFound`."""
    row = session.execute(sa.select(Outage.id, *_TOGETHER).where(Outage.id == outage_id)).one_or_none()
    if row is None:
        raise NotFound
    (found,) = _events(session, [row])
    return found


def rows_of(session: Session, event: Event) -> list[Outage]:
    """The rows of an event, locked."""
    same = (event.kind, event.start, event.end, event.note, event.recorded_at)
    wanted = [column == value for column, value in zip(_TOGETHER[:-1], same, strict=True)]
    racks = Outage.rack_id.in_(event.rack_ids)
    return list(session.scalars(sa.select(Outage).where(*wanted, racks).order_by(Outage.id).with_for_update()))


def racks_out(session: Session, day: dt.date) -> dict[OutageKind, int]:
    """Racks in an outage of each kind on ``day``; a rack that is in two counts in both."""
    counted = sa.select(Outage.kind, sa.func.count(Outage.rack_id.distinct()))
    return dict(session.execute(counted.where(_in(When.CURRENT, day)).group_by(Outage.kind)).all())


def on_day(session: Session, hall_id: int, day: dt.date) -> dict[int, list[Outage]]:
    """The outages in a hall on ``day``, by rack."""
    rows = sa.select(Outage).join(Outage.rack).join(Rack.pod).where(Pod.hall_id == hall_id, _in(When.CURRENT, day))
    return _by_rack(session.scalars(rows.order_by(Outage.id)))


def of_racks(session: Session, racks: Iterable[int]) -> dict[int, list[Outage]]:
    """All outages of these racks, past ones as well, by rack and in order."""
    rows = sa.select(Outage).where(Outage.rack_id.in_(list(racks)))
    return _by_rack(session.scalars(rows.order_by(Outage.start, Outage.id)))


def _by_rack(rows: Iterable[Outage]) -> dict[int, list[Outage]]:
    found: dict[int, list[Outage]] = defaultdict(list)
    for outage in rows:
        found[outage.rack_id].append(outage)
    return found


def _in(when: When, day: dt.date) -> sa.ColumnElement[bool]:
    if when is When.PLANNED:
        return Outage.start > day
    if when is When.PAST:
        return sa.and_(Outage.start <= day, Outage.end <= day)
    return sa.and_(Outage.start <= day, sa.or_(Outage.end.is_(None), Outage.end > day))


def _events(session: Session, rows: Sequence[Any]) -> list[Event]:
    racks, names = _racks(session, rows), _names(session, {row.recorded_by_id for row in rows})
    return [
        Event(
            id=row[0],
            kind=row.kind,
            start=row.start,
            end=row.end,
            note=row.note,
            recorded_at=row.recorded_at,
            recorded_by=names.get(row.recorded_by_id, "an import"),
            rack_ids=tuple(racks[tuple(row)[1:]]),
        )
        for row in rows
    ]


def _racks(session: Session, rows: Sequence[Any]) -> dict[tuple[Any, ...], list[int]]:
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    if rows:
        starts = {row.start for row in rows}
        wanted = sa.select(*_TOGETHER, Outage.rack_id).where(Outage.start.in_(starts)).order_by(Outage.id)
        for *together, rack_id in session.execute(wanted):
            found[tuple(together)].append(rack_id)
    return found


def _names(session: Session, ids: set[int | None]) -> dict[int | None, str]:
    wanted = sa.select(User.id, User.name).where(User.id.in_([each for each in ids if each is not None]))
    return {row.id: row.name for row in session.execute(wanted)}
