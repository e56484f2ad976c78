"""Power limits of sites: what stands above a limit before it is recorded, and recording, ending, removing one."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from portal.audit.actions import record
from portal.cluster.blocks import Block, Placed, placed
from portal.cluster.losses import Days, Loss
from portal.cluster.outage_actions import Confirmation, queue_repair, tell_tenants
from portal.domain.errors import ConsequencesChanged, Invalid, NotFound
from portal.models.capacity import lock_capacity
from portal.models.cluster import Hall, PowerLimit, Site
from portal.models.settings import Settings
from portal.plans.work import Moment


@dataclass(frozen=True, slots=True)
class LimitChange:
    """A limit of ``kw`` kilowatts for a site (by code) on ``[start, end)``."""

    site: str
    start: dt.date
    end: dt.date
    kw: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Excess:
    """On each day of ``[start, end)`` blocks stand on ``carrying`` racks of a site that powers ``powered`` (R3)."""

    start: dt.date
    end: dt.date
    carrying: int
    powered: int

    @property
    def over(self) -> int:
        return self.carrying - self.powered


@dataclass(frozen=True, slots=True)
class LimitConsequences:
    """The days on which blocks would stand above the limit, and the blocks that stand in the site on those days.

    Which of their racks go dark is for the repair run to decide.
    """

    site: Site
    racks: int
    excesses: Sequence[Excess]
    blocks: Sequence[Loss]

    @property
    def days_above(self) -> int:
        """On how many days something stands above the limit."""
        return sum((excess.end - excess.start).days for excess in self.excesses)

    @property
    def most_over(self) -> int:
        """How many racks are too many on the worst of them."""
        return max((excess.over for excess in self.excesses), default=0)

    @property
    def digest(self) -> str:
        """Changes whenever the list does: who confirms it has seen this very one."""
        return hashlib.sha256("\n".join(self._lines()).encode()).hexdigest()[:16]

    def _lines(self) -> Iterator[str]:
        yield f"{self.site.code} {self.racks}"
        for excess in self.excesses:
            yield f"{excess.start} {excess.end} {excess.carrying} {excess.powered}"
        for each in self.blocks:
            yield f"{each.block.public_id} {each.gpus} {each.start} {each.end}"


def racks_powered(kw: float, rack_kw: float) -> int:
    """R3: how many racks so many kilowatts keep running."""
    return math.floor(kw / rack_kw + 1e-9)


def rack_kw(session: Session) -> float:
    """What one rack draws."""
    return session.scalars(sa.select(Settings.rack_kw)).one()


def limits(session: Session) -> Sequence[PowerLimit]:
    """Every limit with its site, the latest first."""
    rows = sa.select(PowerLimit).options(joinedload(PowerLimit.site))
    return session.scalars(rows.order_by(PowerLimit.start.desc(), PowerLimit.id.desc())).all()


def limit_by_id(session: Session, limit_id: int) -> PowerLimit:
    """The limit with its site. Raises `NotFound`."""
    found = sa.select(PowerLimit).where(PowerLimit.id == limit_id).options(joinedload(PowerLimit.site))
    limit = session.scalars(found).one_or_none()
    if limit is None:
        raise NotFound
    return limit


def consequences_of_limit(session: Session, change: LimitChange, moment: Moment) -> LimitConsequences:
    """What the limit would do, as this session's transaction sees it; nothing is written.

    Raises `Invalid` for a site that there is not, or days that hold none.
    """
    site = session.scalars(sa.select(Site).where(Site.code == change.site)).one_or_none()
    if site is None:
        raise Invalid("Choose one of the sites.")
    if change.end <= change.start:
        raise Invalid("The last day lies before the first one.")
    racks = racks_powered(change.kw, rack_kw(session))
    days = Days(max(change.start, moment.today), change.end)
    stands = placed(session, Hall.site_id == site.id, days.start, days.end, now=moment.now)
    excesses = _excesses(stands, days, racks, _powered(session, site)) if days.start < days.end else []
    return LimitConsequences(site, racks, excesses, _standing_then(stands, excesses))


def record_limit(
    session: Session, change: LimitChange, confirmed: Confirmation, *, moment: Moment, time_limit_s: float
) -> LimitConsequences:
    """Record the limit; it counts at once. The caller commits. Raises `Invalid` and `ConsequencesChanged`."""
    lock_capacity(session)
    found = consequences_of_limit(session, change, moment)
    if confirmed.seen is not None and confirmed.seen != found.digest:
        raise ConsequencesChanged("What follows from this has changed since you read it. Read it again.")
    limit = PowerLimit(
        site_id=found.site.id,
        start=change.start,
        end=change.end,
        kw=change.kw,
        note=change.note,
        recorded_at=moment.now,
        recorded_by_id=moment.by.user_id,
    )
    session.add(limit)
    session.flush()
    tell_tenants(session, "power_limited", found.blocks, moment, site=found.site.name)
    queue_repair(session, moment, time_limit_s)
    after = {**_values(limit), "above": [each.block.public_id for each in found.blocks]}
    thing = f"power limit {limit.id}"
    record(session, by=moment.by, action="recorded a power limit", thing=thing, now=moment.now, after=after)
    return found


def end_limit(session: Session, limit_id: int, end: dt.date, *, moment: Moment, time_limit_s: float) -> PowerLimit:
    """End the limit earlier, on the first day ``end`` that it no longer holds. Raises `Invalid`, `NotFound`."""
    lock_capacity(session)
    limit = limit_by_id(session, limit_id)
    if not limit.start < end < limit.end:
        raise Invalid("Choose a last day within the limit. To limit power for longer, record a further limit.")
    before, limit.end = _values(limit), end
    _close(session, limit, "ended a power limit", moment, before, _values(limit), time_limit_s=time_limit_s)
    return limit


def remove_limit(session: Session, limit_id: int, *, moment: Moment, time_limit_s: float) -> None:
    """Delete a limit that never was. The audit trail keeps it. Raises `NotFound`."""
    lock_capacity(session)
    limit = limit_by_id(session, limit_id)
    session.delete(limit)
    before = _values(limit)
    _close(session, limit, "removed a power limit", moment, before, None, time_limit_s=time_limit_s)


def _close(  # noqa: PLR0913 - an entry is what, before, after, each said by name
    session: Session,
    limit: PowerLimit,
    action: str,
    moment: Moment,
    before: dict[str, Any],
    after: dict[str, Any] | None,
    *,
    time_limit_s: float,
) -> None:
    thing = f"power limit {limit.id}"
    queue_repair(session, moment, time_limit_s)
    record(session, by=moment.by, action=action, thing=thing, now=moment.now, before=before, after=after)


def _values(limit: PowerLimit) -> dict[str, Any]:
    days = {"start": limit.start, "end": limit.end}
    return {"site_id": limit.site_id, **days, "kw": limit.kw, "note": limit.note}


def _powered(session: Session, site: Site) -> list[tuple[Days, int]]:
    kw = rack_kw(session)
    rows = session.scalars(sa.select(PowerLimit).where(PowerLimit.site_id == site.id))
    return [(Days(row.start, row.end), racks_powered(row.kw, kw)) for row in rows]


def _excesses(stands: Sequence[Placed], days: Days, racks: int, known: Sequence[tuple[Days, int]]) -> list[Excess]:
    """Stretches on which more racks carry a block than before the limit could and now may be powered."""
    found: list[Excess] = []
    edges = {day for each in stands for day in (each.start, each.end)}
    edges |= {day for limited, _ in known for day in (limited.start, limited.end)}
    cuts = [days.start, *sorted(day for day in edges if days.start < day < days.end), days.end]
    for start, end in pairwise(cuts):
        carrying = len({each.rack_id for each in stands if each.start <= start < each.end})
        before = min((powered for limited, powered in known if limited.start <= start < limited.end), default=carrying)
        if carrying <= racks or racks >= before:
            continue
        if found and (found[-1].end, found[-1].carrying) == (start, carrying):
            found[-1] = Excess(found[-1].start, end, carrying, racks)
        else:
            found.append(Excess(start, end, carrying, racks))
    return found


def _standing_then(stands: Iterable[Placed], excesses: Sequence[Excess]) -> list[Loss]:
    """The blocks that stand in the site on days of an excess, with the racks and GPUs that they have there."""
    parts: dict[Block, list[Placed]] = defaultdict(list)
    for each in stands:
        if any(each.start < excess.end and excess.start < each.end for excess in excesses):
            parts[each.block].append(each)
    found = [_there(block, placed_there, excesses) for block, placed_there in parts.items()]
    return sorted(found, key=lambda each: (each.start, -each.gpus, each.block.public_id))


def _there(block: Block, parts: Sequence[Placed], excesses: Sequence[Excess]) -> Loss:
    racks = {each.rack_id: each.gpus for each in parts}
    first = max(min(each.start for each in parts), excesses[0].start)
    last = min(max(each.end for each in parts), excesses[-1].end)
    return Loss(block, len(racks), sum(racks.values()), first, last)
