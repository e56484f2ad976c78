"""From a snapshot and a plan for it to the next snapshot: what the portal does when a plan is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from solver.plan import Accepted, Plan
from solver.snapshot import Loaded, Request, Reservation, Segment, Snapshot
from solver.snapshot import parse as parse_snapshot

MOVE_NOTICE_DAYS = 14
_SAME_TERMS = ("contract", "scope", "site", "tier", "interruptible", "recall_notice_days")


def published(snapshot: Snapshot, plan: Plan, *, move_notice_days: int = MOVE_NOTICE_DAYS) -> Loaded:
    """The same day again: accepted blocks are reservations, moves and recalls are carried out, the rest stays open.

    ``move_notice_days`` is the notice of new reservations (the portal has it from the contract or its settings).
    """
    following = _Following(snapshot, plan, move_notice_days)
    reservations = following.reservations()
    names = {reservation.id for reservation in reservations}
    still_open = [
        request if request.extends in names else request.model_copy(update={"extends": None})
        for request in snapshot.requests
        if request.id not in following.accepted
    ]
    content = snapshot.model_copy(update={"reservations": reservations, "requests": still_open})
    return parse_snapshot(content.model_dump_json().encode())


@dataclass(frozen=True)
class _Following:
    snapshot: Snapshot
    plan: Plan
    move_notice_days: int

    @property
    def accepted(self) -> dict[str, Accepted]:
        return {item.request: item for item in self.plan.accepted}

    def reservations(self) -> list[Reservation]:
        """What is left of those that stood, lengthened where a block goes on on the same racks; then new ones."""
        asked = {request.id: request for request in self.snapshot.requests}
        kept = {reservation.id: reservation for reservation in self._kept()}
        new = []
        for item in self.plan.accepted:
            request = asked[item.request]
            before = kept.get(request.extends or "")
            if before is not None and before.id not in self._recalled and _goes_on(before, request, item):
                kept[before.id] = _lengthened(before, item)
            else:
                new.append(_reservation(request, item, self.move_notice_days))
        return [*kept.values(), *new]

    @property
    def _recalled(self) -> dict[str, dt.date]:
        return {recall.reservation: recall.end for recall in self.plan.recalls}

    def _kept(self) -> Iterator[Reservation]:
        moved = {move.reservation: move.placement for move in self.plan.moves}
        for reservation in self.snapshot.reservations:
            end = self._recalled.get(reservation.id, reservation.end)
            placement = [*_until(moved.get(reservation.id, reservation.placement), end)]
            share = (end - reservation.start) / (reservation.end - reservation.start)
            if end > reservation.start:
                changes = {"end": end, "placement": placement, "value_usd": reservation.value_usd * share}
                yield reservation.model_copy(update=changes)


def _until(placement: list[Segment], end: dt.date) -> Iterator[Segment]:
    for segment in placement:
        if segment.start < end:
            yield Segment(start=segment.start, end=min(segment.end, end), racks=segment.racks)


def _goes_on(before: Reservation, request: Request, item: Accepted) -> bool:
    """Whether the block follows the reservation that it extends without a gap, on the same racks and terms."""
    if before.end != item.start or before.gpus != item.gpus:
        return False
    same = all(getattr(before, name) == getattr(request, name) for name in _SAME_TERMS)
    at_end = {rack: gpus for s in before.placement if s.end == before.end for rack, gpus in s.racks.items()}
    return same and at_end == item.racks


def _lengthened(before: Reservation, item: Accepted) -> Reservation:
    *earlier, last = before.placement
    placement = [*earlier, last.model_copy(update={"end": item.end})]
    changes = {"end": item.end, "placement": placement, "value_usd": before.value_usd + item.value_usd}
    return before.model_copy(update=changes)


def _reservation(request: Request, accepted: Accepted, move_notice_days: int) -> Reservation:
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
        move_notice_days=move_notice_days,
        interruptible=request.interruptible,
        recall_notice_days=request.recall_notice_days,
        placement=[Segment(start=accepted.start, end=accepted.end, racks=accepted.racks)],
    )
