"""The condition of a reservation's racks: which are out of use, and on which days it is short."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.models.cluster import Hall, Outage, Pod, Rack, Site
from portal.models.placements import Placement
from portal.models.reservations import Reservation

_FOREVER = dt.date.max


@dataclass(frozen=True, slots=True)
class Short:
    """``gpus`` GPUs of a reservation are missing on each day of ``[start, end)``."""

    start: dt.date
    end: dt.date
    gpus: int


@dataclass(frozen=True, slots=True)
class RackUse:
    """``gpus`` GPUs of a rack on ``[start, end)``, and its first outage that is not over."""

    code: str
    place: str
    gpus: int
    start: dt.date
    end: dt.date
    outage: Outage | None


@dataclass(frozen=True, slots=True)
class Condition:
    """The racks of a reservation that are not history, and the days from today on on which it is short."""

    racks: tuple[RackUse, ...]
    shorts: tuple[Short, ...]

    def short_on(self, day: dt.date) -> int:
        """The GPUs missing on a day."""
        return next((short.gpus for short in self.shorts if short.start <= day < short.end), 0)


def conditions_of(session: Session, reservations: Sequence[Reservation], today: dt.date) -> Mapping[int, Condition]:
    """The condition of each reservation from ``today`` on, by its id."""
    uses = _uses(session, [row.id for row in reservations])
    outages = _outages(session, {placement.rack_id for rows in uses.values() for placement, *_ in rows}, today)
    return {row.id: _condition(row, uses[row.id], outages, today) for row in reservations}


_Use = tuple[Placement, str, str, str]


def _condition(
    row: Reservation, uses: Sequence[_Use], outages: Mapping[int, list[Outage]], today: dt.date
) -> Condition:
    end = min(row.end, row.ended_on or row.end)
    racks = [_rack(use, outages, today) for use in uses if use[0].end > today]
    if max(row.start, today) >= end:
        return Condition((), ())
    placements = [use[0] for use in uses]
    return Condition(tuple(racks), tuple(_shorts(row.gpus, (max(row.start, today), end), placements, outages)))


def _rack(use: _Use, outages: Mapping[int, list[Outage]], today: dt.date) -> RackUse:
    placement, code, hall, site = use
    first = max(placement.start, today)
    hits = (o for o in outages.get(placement.rack_id, ()) if _touches(o, first, placement.end))
    return RackUse(
        code=code,
        place=hall if site in hall else f"{site}, {hall}",
        gpus=placement.gpus,
        start=placement.start,
        end=placement.end,
        outage=min(hits, key=lambda outage: outage.start, default=None),
    )


def _shorts(
    gpus: int, days: tuple[dt.date, dt.date], placements: Sequence[Placement], outages: Mapping[int, list[Outage]]
) -> Iterable[Short]:
    """Stretches of equal shortness between the days on which a placement or an outage begins or ends."""
    found: list[Short] = []
    for start, end in pairwise(_cuts(days, placements, outages)):
        missing = gpus - sum(p.gpus for p in placements if p.start <= start < p.end and _is_well(p, outages, start))
        if missing <= 0:
            continue
        if found and (found[-1].end, found[-1].gpus) == (start, missing):
            found[-1] = Short(found[-1].start, end, missing)
        else:
            found.append(Short(start, end, missing))
    return found


def _cuts(
    days: tuple[dt.date, dt.date], placements: Sequence[Placement], outages: Mapping[int, list[Outage]]
) -> list[dt.date]:
    changes = {day for p in placements for day in (p.start, p.end)}
    changes |= {day for p in placements for o in outages.get(p.rack_id, ()) for day in (o.start, o.end or _FOREVER)}
    return [days[0], *sorted(day for day in changes if days[0] < day < days[1]), days[1]]


def _is_well(placement: Placement, outages: Mapping[int, list[Outage]], day: dt.date) -> bool:
    return not any(_touches(o, day, day + dt.timedelta(1)) for o in outages.get(placement.rack_id, ()))


def _touches(outage: Outage, start: dt.date, end: dt.date) -> bool:
    return outage.start < end and (outage.end or _FOREVER) > start


def _uses(session: Session, ids: Collection[int]) -> Mapping[int, list[_Use]]:
    found: dict[int, list[_Use]] = defaultdict(list)
    rows = (
        sa.select(Placement, Rack.code, Hall.name, Site.name)
        .join(Rack, Rack.id == Placement.rack_id)
        .join(Pod, Pod.id == Rack.pod_id)
        .join(Hall, Hall.id == Pod.hall_id)
        .join(Site, Site.id == Hall.site_id)
        .where(Placement.reservation_id.in_(ids))
        .order_by(Placement.start, Site.position, Hall.position, Pod.position, Rack.position)
    )
    for placement, code, hall, site in session.execute(rows):
        found[placement.reservation_id or 0].append((placement, code, hall, site))
    return found


def _outages(session: Session, racks: Collection[int], today: dt.date) -> Mapping[int, list[Outage]]:
    found: dict[int, list[Outage]] = defaultdict(list)
    left = sa.or_(Outage.end.is_(None), Outage.end > today)
    for outage in session.scalars(sa.select(Outage).where(left).order_by(Outage.start, Outage.id)):
        if outage.rack_id in racks:
            found[outage.rack_id].append(outage)
    return found
