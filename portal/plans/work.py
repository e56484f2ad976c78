"""What publishing a plan hands from step to step."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.notices.actions import tell
from portal.plans.stored import Files
from portal.web.actor import Actor
from solver.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Who publishes, and when."""

    by: Actor
    now: dt.datetime
    today: dt.date


@dataclass(frozen=True, slots=True)
class Work:
    """What every step needs. ``racks`` are the row ids by code; the session is inside the one transaction."""

    session: Session
    plan_id: int
    files: Files
    moment: Moment
    racks: dict[str, int]
    _entries: list[dict[str, Any]] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        return self.files.plan

    def audit(self, action: str, thing: str, tenant_id: int, after: dict[str, Any]) -> None:
        """Keep an entry for the end of the work: until then the trail is open to others."""
        self._entries.append({"action": action, "thing": thing, "tenant_id": tenant_id, "after": after})

    def write_trail(self) -> None:
        """Write down what was kept."""
        for entry in self._entries:
            record(self.session, by=self.moment.by, now=self.moment.now, **entry)

    def tell(self, kind: str, tenant_id: int | None, **payload: Any) -> None:
        tell(self.session, kind, tenant_id=tenant_id, now=self.moment.now, **payload)
