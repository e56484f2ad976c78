"""What a plan comes to in the five steps of § 5, read from the plan file day by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from solver.plan import HoldShortfall, Plan, Shortfall
from solver.snapshot import Reservation, Segment, Snapshot
from tests.solver.reference.exhaustive import tiers_of
from tests.solver.reference.facts import Facts
from tests.solver.reference.ground import Choice
from tests.solver.reference.steps import Steps, spread


def steps_of(snapshot: Snapshot, plan: Plan) -> Steps:
    """What the plan comes to, to be held against `tests.solver.reference.steps.best`."""
    facts, left = Facts(snapshot), _Left(snapshot, plan)
    firm = {reservation.id for reservation in snapshot.reservations if not reservation.interruptible}
    return Steps(
        shortfall=(
            _gpu_days(short for short in plan.shortfalls if short.reservation in firm),
            _gpu_days(short for short in plan.shortfalls if short.reservation not in firm),
            sum(left.outside(facts, reservation) for reservation in snapshot.reservations),
            _gpu_days(plan.hold_shortfalls),
        ),
        values=_values(snapshot, plan),
        recalled=sum(left.recalled(reservation) for reservation in snapshot.reservations),
        moved=sum(left.moved(reservation) for reservation in snapshot.reservations),
        extended=left.extended(),
        halls=sum(spread(facts, choice, facts.hall_of) for choice in _choices(facts, plan)),
        pods=sum(spread(facts, choice, facts.pod_of) for choice in _choices(facts, plan)),
        delay=sum(c.start - facts.number(c.request.earliest_start) for c in _choices(facts, plan)),
    )


class _Left:
    """The reservations as the plan leaves them."""

    def __init__(self, snapshot: Snapshot, plan: Plan) -> None:
        self.snapshot, self.plan = snapshot, plan
        self.moves = {move.reservation: move.placement for move in plan.moves}
        self.ends = {recall.reservation: recall.end for recall in plan.recalls}

    def placement(self, reservation: Reservation) -> list[Segment]:
        return self.moves.get(reservation.id, reservation.placement)

    def on(self, reservation: Reservation, day: dt.date) -> dict[str, int]:
        """GPUs by rack on a day."""
        if not reservation.start <= day < self.ends.get(reservation.id, reservation.end):
            return {}
        return next((s.racks for s in self.placement(reservation) if s.start <= day < s.end), {})

    def outside(self, facts: Facts, reservation: Reservation) -> int:
        """GPU-days from today on on which its racks lie in more than one unit of its scope."""
        total = 0
        for number in range(facts.days):
            racks = self.on(reservation, facts.date(number))
            if len({facts.unit(reservation.scope, rack) for rack in racks}) > 1:
                total += sum(racks.values())
        return total

    def recalled(self, reservation: Reservation) -> int:
        return reservation.gpus * (reservation.end - self.ends.get(reservation.id, reservation.end)).days

    def moved(self, reservation: Reservation) -> int:
        """GPUs on racks that the snapshot's placement does not have."""
        known = {rack for segment in reservation.placement for rack in segment.racks}
        gpus: dict[str, int] = {}
        for segment in self.placement(reservation):
            gpus |= {rack: max(used, gpus.get(rack, 0)) for rack, used in segment.racks.items() if rack not in known}
        return sum(gpus.values())

    def extended(self) -> int:
        """GPUs of extensions on the racks that the extended reservation has on its last day."""
        reservations = {reservation.id: reservation for reservation in self.snapshot.reservations}
        extends = {request.id: request.extends for request in self.snapshot.requests}
        total = 0
        for accepted in self.plan.accepted:
            name = extends[accepted.request]
            if name is not None:
                kept = self.on(reservations[name], reservations[name].end - dt.timedelta(1))
                total += sum(gpus for rack, gpus in accepted.racks.items() if rack in kept)
        return total


def _values(snapshot: Snapshot, plan: Plan) -> dict[int, float]:
    """USD by tier, from the accepted blocks and the recalls."""
    values = dict.fromkeys(tiers_of(snapshot), 0.0)
    requests = {request.id: request for request in snapshot.requests}
    for accepted in plan.accepted:
        request = requests[accepted.request]
        values[request.tier] += request.value_usd * accepted.gpus / request.gpus
    reservations = {reservation.id: reservation for reservation in snapshot.reservations}
    for recall in plan.recalls:
        reservation = reservations[recall.reservation]
        days = (reservation.end - reservation.start).days
        values[reservation.tier] -= reservation.value_usd * (reservation.end - recall.end).days / days
    return {tier: round(value, 6) for tier, value in values.items()}


def _choices(facts: Facts, plan: Plan) -> list[Choice]:
    requests = {request.id: request for request in facts.snapshot.requests}
    return [Choice(requests[a.request], facts.number(a.start), a.gpus, tuple(a.racks.items())) for a in plan.accepted]


def _gpu_days(items: Iterable[Shortfall | HoldShortfall]) -> int:
    return sum(item.gpus * (item.end - item.start).days for item in items)
