"""Recording, correcting and removing outages: rows, audit, messages and a repair run in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.cluster.losses import Loss
from portal.cluster.outage_changes import Consequences, OutageChange, consequences_of, consequences_of_removal
from portal.cluster.outages import event_of
from portal.domain.errors import ConsequencesChanged, Invalid, NotAllowed
from portal.domain.permissions import Permission
from portal.domain.states import RunCause
from portal.models.capacity import lock_capacity
from portal.models.cluster import Outage
from portal.models.plans import Run
from portal.notices.actions import tell
from portal.plans import runs
from portal.plans.work import Moment
from portal.web.format import day_text


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person confirmed: ``seen`` is the digest of the consequences that were read; null: none were shown.

    ``overrides`` says that maintenance may begin within a reservation's move notice.
    """

    seen: str | None = None
    overrides: bool = False


class WithinMoveNotice(NotAllowed):
    """Maintenance would begin before the reservations on the racks can be moved in good time."""

    code = "within_move_notice"


def record_outage(
    session: Session, change: OutageChange, confirmed: Confirmation, *, moment: Moment, time_limit_s: float
) -> Consequences:
    """Record (or correct) the outage of each rack; it counts at once. The caller commits.

    Raises `Invalid`, `NotFound`, `ConsequencesChanged`, and `WithinMoveNotice` for maintenance that begins within a
    reservation's move notice, unless an admin overrides it.
    """
    lock_capacity(session)
    check_days(change)
    found = consequences_of(session, change, moment)
    _check_confirmed(found, confirmed)
    _check_move_notice(found, confirmed, moment)
    before = _values(found.before[0], found) if found.before else None
    rows = _put(session, change, found, moment)
    _close(session, found, moment, time_limit_s)
    after = {**_values(rows[0], found), "short": [loss.block.public_id for loss in found.lost]}
    if found.late:
        after["move_notice_overridden"] = True
    action, thing = ("corrected" if before else "recorded"), f"outage {rows[0].id}"
    record(session, by=moment.by, action=f"{action} an outage", thing=thing, now=moment.now, before=before, after=after)
    return found


def remove_outage(
    session: Session, outage_id: int, confirmed: Confirmation, *, moment: Moment, time_limit_s: float
) -> Consequences:
    """Delete an outage that never was, on all racks for which it was recorded. The audit trail keeps it."""
    lock_capacity(session)
    found = consequences_of_removal(session, event_of(session, outage_id), moment)
    _check_confirmed(found, confirmed)
    before = _values(found.before[0], found)
    for row in found.before:
        session.delete(row)
    session.flush()
    _close(session, found, moment, time_limit_s)
    thing = f"outage {outage_id}"
    record(session, by=moment.by, action="removed an outage", thing=thing, now=moment.now, before=before)
    return found


def check_days(change: OutageChange) -> None:
    """Raise `Invalid` where the change holds no day."""
    if change.end is not None and change.end <= change.start:
        raise Invalid("The last day lies before the first one.")


def check_may_override(found: Consequences, moment: Moment) -> None:
    """Raise `WithinMoveNotice`, naming the first day that is in good time, unless this person may override it."""
    if found.in_good_time_from is None or moment.by.may(Permission.OVERRIDE_MOVE_NOTICE):
        return
    raise WithinMoveNotice(
        f"This maintenance begins within the move notice of {_named(found.late)}. "
        f"Begin on {day_text(found.in_good_time_from)} or later, or ask an admin to override it."
    )


def queue_repair(session: Session, moment: Moment, time_limit_s: float) -> Run:
    """Ask for the run that repairs what this transaction breaks; one that waits already will see it too."""
    session.flush()
    return runs.queue(session, by=moment.by, now=moment.now, cause=RunCause.REPAIR, time_limit_s=time_limit_s)


def tell_tenants(session: Session, kind: str, found: Sequence[Loss], moment: Moment, **said: Any) -> None:
    """One message for each tenant, about its own blocks alone."""
    blocks: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for loss in found:
        name = "offer" if loss.block.is_offer else "reservation"
        days = {"start": loss.start.isoformat(), "end": loss.end.isoformat()}
        blocks[loss.block.tenant_id].append({name: loss.block.public_id, "gpus": loss.gpus, **days})
    for tenant_id, listed in blocks.items():
        tell(session, kind, tenant_id=tenant_id, now=moment.now, blocks=listed, **said)


def _check_confirmed(found: Consequences, confirmed: Confirmation) -> None:
    if confirmed.seen is not None and confirmed.seen != found.digest:
        raise ConsequencesChanged("What follows from this has changed since you read it. Read it again.")


def _check_move_notice(found: Consequences, confirmed: Confirmation, moment: Moment) -> None:
    check_may_override(found, moment)
    if found.late and not confirmed.overrides:
        raise WithinMoveNotice(
            f"This maintenance begins within the move notice of {_named(found.late)}. "
            "Tick the override to begin it all the same."
        )


def _named(late: Sequence[Loss]) -> str:
    names = [loss.block.public_id for loss in late[:3]]
    more = f" and {len(late) - 3} more" if len(late) > 3 else ""
    return ", ".join(names) + more


def _put(session: Session, change: OutageChange, found: Consequences, moment: Moment) -> list[Outage]:
    rows = list(found.before)
    for row in rows:
        row.kind, row.start, row.end, row.note = change.kind, change.start, change.end, change.note
    if not rows:
        rows = [
            Outage(
                rack_id=rack.id,
                start=change.start,
                end=change.end,
                kind=change.kind,
                note=change.note,
                recorded_at=moment.now,
                recorded_by_id=moment.by.user_id,
            )
            for rack in found.racks
        ]
        session.add_all(rows)
    session.flush()
    return rows


def _close(session: Session, found: Consequences, moment: Moment, time_limit_s: float) -> None:
    tell_tenants(session, "racks_out", found.lost, moment)
    tell_tenants(session, "racks_back", found.back, moment)
    queue_repair(session, moment, time_limit_s)


def _values(row: Outage, found: Consequences) -> dict[str, Any]:
    return {"units": list(found.units), "kind": row.kind, "start": row.start, "end": row.end, "note": row.note}
