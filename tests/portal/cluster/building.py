"""What the tests of the cluster share: who acts when, and what a snapshot says that a reader can count by hand."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from typing import Any

from sqlalchemy.orm import Session

from portal.auth.actions import actor_of
from portal.cluster.outage_changes import OutageChange
from portal.domain.states import OutageKind, Role
from portal.plans import export
from portal.plans.work import Moment
from tests.portal import factories
from tests.portal.factories import NOW, TODAY

LIMIT_S = 60.0
HORIZON = dt.date(2027, 6, 1)


def day(month_day: str, year: int = 2026) -> dt.date:
    """`day("12-01")` is 1 December 2026."""
    return dt.date.fromisoformat(f"{year}-{month_day}")


def moment(session: Session, role: Role = Role.OPERATOR) -> Moment:
    """Someone of this role, now; commits what stands, for a transaction that writes comes first."""
    user = factories.user(session, role)
    session.commit()
    return Moment(by=actor_of(user, "192.0.2.1"), now=NOW, today=TODAY)


def snapshot(session: Session) -> dict[str, Any]:
    """The export as anyone reads it: JSON."""
    session.rollback()
    data = export.snapshot(session, today=TODAY, now=NOW, horizon_end=HORIZON)
    content: dict[str, Any] = json.loads(data)
    return content


def gpus_by_day(content: dict[str, Any]) -> dict[str, dict[dt.date, int]]:
    """For each block of a snapshot, its GPUs on racks that are in no outage, day by day."""
    out = defaultdict(set)
    for outage in content["outages"]:
        end = dt.date.fromisoformat(outage["end"]) if outage["end"] else HORIZON
        for each in _days(dt.date.fromisoformat(outage["start"]), end):
            out[each].add(outage["rack"])
    found: dict[str, dict[dt.date, int]] = {}
    for block in content["reservations"]:
        days = found.setdefault(block["id"], defaultdict(int))
        for segment in block["placement"]:
            for each in _days(dt.date.fromisoformat(segment["start"]), dt.date.fromisoformat(segment["end"])):
                days[each] += sum(gpus for rack, gpus in segment["racks"].items() if rack not in out[each])
    return found


def carrying_by_day(content: dict[str, Any], site: str) -> dict[dt.date, int]:
    """How many racks of a site carry a block, day by day, in a snapshot."""
    halls = next(each["halls"] for each in content["sites"] if each["id"] == site)
    racks = {rack for hall in halls for pod in hall["pods"] for rack in pod["racks"]}
    found: dict[dt.date, set[str]] = defaultdict(set)
    for block in content["reservations"]:
        for segment in block["placement"]:
            for each in _days(dt.date.fromisoformat(segment["start"]), dt.date.fromisoformat(segment["end"])):
                found[each] |= segment["racks"].keys() & racks
    return {each: len(on) for each, on in found.items()}


def outage(*units: str, kind: OutageKind = OutageKind.FAILURE, **values: Any) -> OutageChange:
    """A change that records a failure of these units from today on, with no end in sight."""
    return OutageChange(**{"units": units, "kind": kind, "start": TODAY, "end": None, **values})


def _days(start: dt.date, end: dt.date) -> list[dt.date]:
    return [start + dt.timedelta(each) for each in range(max(0, (min(end, HORIZON) - start).days))]
