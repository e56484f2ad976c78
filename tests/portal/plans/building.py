"""Proposed plans for tests: made by hand from what the database says, so that each test says what is decided."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from sqlalchemy.orm import Session

from portal.domain.states import Role, RunState
from portal.models.plans import Plan
from portal.plans import export, proposals
from portal.plans.work import Moment
from portal.web.actor import Actor, process_actor
from solver import files
from solver import plan as plans
from solver import snapshot as snapshots
from tests.portal import factories
from tests.portal.factories import NOW, TODAY

WORKER = process_actor("berth worker")


def approver(session: Session) -> Actor:
    """An approver who has signed in; ends with a commit, so that reads and locks may begin."""
    row = factories.user(session, Role.APPROVER)
    session.commit()
    return Actor(row.id, row.name, row.email, row.role, None, "192.0.2.1")


def moment(by: Actor, *, now: dt.datetime = NOW, today: dt.date = TODAY) -> Moment:
    return Moment(by=by, now=now, today=today)


def propose(session: Session, **decided: list[dict[str, Any]]) -> Plan:
    """Commit, then store a plan of what the database says now; what it does not accept, it declines."""
    run = factories.run(session, RunState.RUNNING)
    session.commit()
    taken = export.take(session, today=TODAY, now=NOW)
    found = proposals.Found(taken, plan_bytes(taken.data, **decided), "a log")
    row = proposals.propose(session, run_id=run.id, found=found, by=WORKER, now=NOW)
    session.commit()
    return row


def plan_bytes(data: bytes, **decided: list[dict[str, Any]]) -> bytes:
    """The plan's file: ``accepted``, ``moves``, ``recalls``, ``shortfalls`` as in the format but for values."""
    loaded = snapshots.parse(data)
    requests = {request.id: request for request in loaded.snapshot.requests}
    accepted = [
        {**item, "value_usd": requests[item["request"]].value_usd * item["gpus"] / requests[item["request"]].gpus}
        for item in decided.get("accepted", [])
    ]
    taken_up = {item["request"] for item in accepted}
    content: dict[str, Any] = {
        "format": plans.FORMAT,
        "snapshot_sha256": loaded.sha256,
        "today": loaded.snapshot.today,
        "status": "optimal",
        "seconds": 1.5,
        "seed": 0,
        "tiers": _tiers(loaded.snapshot, accepted, decided.get("recalls", [])),
        "accepted": accepted,
        "declined": [_declined(name) for name in requests if name not in taken_up],
        "moves": decided.get("moves", []),
        "recalls": decided.get("recalls", []),
        "shortfalls": decided.get("shortfalls", []),
        "hold_shortfalls": decided.get("hold_shortfalls", []),
        "prices": [],
    }
    return files.dump(plans.Plan.model_validate(content))


def accept(request: Any, *racks: Any, start: dt.date, gpus: int | None = None) -> dict[str, Any]:
    """The request's block on these racks, each used in full or by the block's few GPUs."""
    size = gpus or request.gpus
    return {
        "request": request.public_id,
        "gpus": size,
        "start": start,
        "end": start + dt.timedelta(request.days),
        "racks": {rack.code: min(size, 72) for rack in racks},
    }


def move(block: Any, *segments: tuple[dt.date, dt.date, list[Any]], forced: bool = False) -> dict[str, Any]:
    """A new placement for a reservation or an offer over its whole interval."""
    placement = [
        {"start": start, "end": end, "racks": {rack.code: min(block.gpus, 72) for rack in racks}}
        for start, end, racks in segments
    ]
    return {"reservation": block.public_id, "forced": forced, "placement": placement}


def _declined(name: str) -> dict[str, Any]:
    short = [{"unit": "cluster", "start": dt.date(2027, 1, 1), "end": dt.date(2027, 1, 5), "gpus": 72}]
    reason = {
        "code": "capacity",
        "text": "72 GPUs are missing: rsv-1 of a rival is in the way.",
        "start": dt.date(2027, 1, 1),
        "short": short,
        "holders": [{"kind": "reservation", "id": "rsv-1", "gpus": 72}],
        "price_to_win_usd": None,
    }
    block = {"gpus": 72, "start": dt.date(2027, 3, 1), "end": dt.date(2027, 3, 31), "scope": "any"}
    return {"request": name, "reason": reason, "counter_offers": [{"kind": "later", **block}]}


def _tiers(
    snapshot: snapshots.Snapshot, accepted: list[dict[str, Any]], recalls: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    values: dict[int, float] = defaultdict(float)
    tiers = {request.id: request.tier for request in snapshot.requests}
    for item in accepted:
        values[tiers[item["request"]]] += item["value_usd"]
    by_id = {reservation.id: reservation for reservation in snapshot.reservations}
    for recall in recalls:
        row = by_id[recall["reservation"]]
        values[row.tier] -= row.value_usd * ((row.end - recall["end"]) / (row.end - row.start))
    return [{"tier": t, "value_usd": v, "bound_usd": v, "gap": 0.0} for t, v in sorted(values.items())]
