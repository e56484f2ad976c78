"""From a snapshot and a plan for it to the next snapshot: what the portal does when a plan is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from solver.plan import Accepted, Plan
from solver.snapshot import Loaded, Request, Reservation, Segment, Snapshot
from solver.snapshot import parse as parse_snapshot

MOVE_NOTICE_DAYS = 14


def published(snapshot: Snapshot, plan: Plan) -> Loaded:
    """The same day again: accepted blocks are reservations, moves and recalls are carried out, the rest stays open."""
    reservations = [*_kept(snapshot, plan), *_promised(snapshot, plan)]
    taken = {accepted.request for accepted in plan.accepted}
    names = {reservation.id for reservation in reservations}
    still_open = [
        request if request.extends in names else request.model_copy(update={"extends": None})
        for request in snapshot.requests
        if request.id not in taken
    ]
    following = snapshot.model_copy(update={"reservations": reservations, "requests": still_open})
    return parse_snapshot(following.model_dump_json().encode())


def _kept(snapshot: Snapshot, plan: Plan) -> Iterator[Reservation]:
    moved = {move.reservation: move.placement for move in plan.moves}
    ends = {recall.reservation: recall.end for recall in plan.recalls}
    for reservation in snapshot.reservations:
        end = ends.get(reservation.id, reservation.end)
        placement = [*_until(moved.get(reservation.id, reservation.placement), end)]
        share = (end - reservation.start) / (reservation.end - reservation.start)
        if end > reservation.start:
            changes = {"end": end, "placement": placement, "value_usd": reservation.value_usd * share}
            yield reservation.model_copy(update=changes)


def _until(placement: list[Segment], end: dt.date) -> Iterator[Segment]:
    for segment in placement:
        if segment.start < end:
            yield Segment(start=segment.start, end=min(segment.end, end), racks=segment.racks)


def _promised(snapshot: Snapshot, plan: Plan) -> Iterator[Reservation]:
    requests = {request.id: request for request in snapshot.requests}
    return (_reservation(requests[accepted.request], accepted) for accepted in plan.accepted)


def _reservation(request: Request, accepted: Accepted) -> Reservation:
    return Reservation(
        id=f"of-{request.id}",
        tenant=request.tenant,
        contract=request.contract,
        gpus=accepted.gpus,
        start=accepted.start,
        end=accepted.end,
        scope=request.scope,
        site=request.site,
        tier=request.tier,
        value_usd=accepted.value_usd,
        move_notice_days=MOVE_NOTICE_DAYS,
        interruptible=request.interruptible,
        recall_notice_days=request.recall_notice_days,
        placement=[Segment(start=accepted.start, end=accepted.end, racks=accepted.racks)],
    )
