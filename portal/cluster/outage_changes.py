"""A change of outages before it is made: what it asks for, and what follows from it for the blocks on the racks."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.cluster.blocks import placed
from portal.cluster.inventory import Inventory, RackPlace, inventory
from portal.cluster.losses import Days, Loss, losses
from portal.cluster.outages import Event, event_of, of_racks
from portal.domain.errors import Invalid
from portal.domain.states import OutageKind
from portal.models.cluster import Outage, Rack
from portal.plans.work import Moment


@dataclass(frozen=True, slots=True)
class OutageChange:
    """Outages to be recorded for ``units`` (codes of racks, pods, halls, sites) on ``[start, end)``.

    ``corrects`` names an outage that was recorded before: those of its event on these racks take the new values.
    """

    units: tuple[str, ...]
    kind: OutageKind
    start: dt.date
    end: dt.date | None
    note: str = ""
    corrects: int | None = None


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a change brings about: blocks that lose GPUs, and blocks that have some back.

    ``late`` are those that maintenance would hit within their move notice, on ``today``.
    """

    racks: Sequence[RackPlace]
    units: Sequence[str]
    lost: Sequence[Loss]
    back: Sequence[Loss]
    late: Sequence[Loss]
    today: dt.date
    before: Sequence[Outage]

    @property
    def in_good_time_from(self) -> dt.date | None:
        """The first day on which this maintenance could begin without anyone's override; null where it may as it is."""
        notice = max((loss.block.move_notice_days for loss in self.late), default=None)
        return None if notice is None else self.today + dt.timedelta(notice)

    @property
    def digest(self) -> str:
        """Changes whenever the list does: who confirms it has seen this very one."""
        return hashlib.sha256("\n".join(self._lines()).encode()).hexdigest()[:16]

    def _lines(self) -> Iterator[str]:
        yield " ".join(rack.code for rack in self.racks)
        yield " ".join(f"{row.id}.{row.version}" for row in self.before)
        for word, found in (("lost", self.lost), ("back", self.back), ("late", self.late)):
            for loss in found:
                yield f"{word} {loss.block.public_id} {loss.racks} {loss.gpus} {loss.start} {loss.end}"


def consequences_of(session: Session, change: OutageChange, moment: Moment) -> Consequences:
    """What the change would do, as this session's transaction sees it; nothing is written.

    Raises `Invalid` where the change names no rack, or one that the corrected event does not have, and `NotFound`.
    """
    known = inventory(session)
    event = None if change.corrects is None else event_of(session, change.corrects)
    racks = _racks(known, change, event)
    days = Days.of(max(change.start, moment.today), change.end)
    is_maintenance = change.kind is OutageKind.MAINTENANCE
    return _Comparison(session, moment, known, event).of(racks, days, is_maintenance=is_maintenance)


def consequences_of_removal(session: Session, event: Event, moment: Moment) -> Consequences:
    """What would follow if the event had never been recorded."""
    known = inventory(session)
    return _Comparison(session, moment, known, event).of(known.of(event.rack_ids), None, is_maintenance=False)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The racks as they are recorded against the racks with other days for one event, or with a new one."""

    session: Session
    moment: Moment
    known: Inventory
    event: Event | None

    def of(self, racks: Sequence[RackPlace], days: Days | None, *, is_maintenance: bool) -> Consequences:
        """The racks out on ``days`` instead of those of the event; null: on none."""
        ids, today = [rack.id for rack in racks], self.moment.today
        recorded = of_racks(self.session, ids)
        before = [row for rows in recorded.values() for row in rows if _belongs(row, self.event)]
        was = {rack: _days(before, rack, today) for rack in ids}
        becomes = {rack: [days] if days else [] for rack in ids}
        others = {rack: _days(set(recorded.get(rack, ())) - set(before), rack, today) for rack in ids}
        stands = placed(self.session, Rack.id.in_(ids), today, None, now=self.moment.now)
        lost = losses(stands, becomes, _joined(others, was))
        return Consequences(
            racks=racks,
            units=self.known.summary(ids),
            lost=lost,
            back=losses(stands, was, _joined(others, becomes)),
            late=[loss for loss in lost if is_maintenance and loss.is_within_notice(today)],
            today=today,
            before=sorted(before, key=lambda row: row.id),
        )


def _racks(known: Inventory, change: OutageChange, event: Event | None) -> list[RackPlace]:
    racks, unknown = known.resolve(change.units)
    if unknown:
        raise Invalid(f"There is no rack, pod or hall called {', '.join(unknown)}.")
    if not racks:
        raise Invalid("Name at least one rack, pod or hall.")
    others = [rack.code for rack in racks if event is not None and rack.id not in event.rack_ids]
    if others:
        raise Invalid(f"{', '.join(others[:5])} is not part of this outage. Record another one for it.")
    return racks


def _belongs(row: Outage, event: Event | None) -> bool:
    if event is None:
        return False
    mine = (row.kind, row.start, row.end, row.note, row.recorded_at)
    return mine == (event.kind, event.start, event.end, event.note, event.recorded_at)


def _days(rows: Iterable[Outage], rack_id: int, today: dt.date) -> list[Days]:
    """The days of these outages from today on: what was is history."""
    return [Days.of(max(row.start, today), row.end) for row in rows if row.rack_id == rack_id]


def _joined(one: Mapping[int, Sequence[Days]], other: Mapping[int, Sequence[Days]]) -> dict[int, list[Days]]:
    return {rack: [*days, *other[rack]] for rack, days in one.items()}
