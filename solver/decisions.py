"""What a plan decides, without its explanations: the part that changes where blocks stand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from solver.plan import Accepted, HoldShortfall, Move, Plan, Recall, Shortfall
from solver.snapshot import Reservation, Segment, Snapshot


@dataclass(frozen=True, slots=True)
class Decisions:
    """Accepted blocks and what happens to reservations. Empty: everything declined, every reservation as it stands."""

    accepted: tuple[Accepted, ...] = ()
    moves: tuple[Move, ...] = ()
    recalls: tuple[Recall, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()
    hold_shortfalls: tuple[HoldShortfall, ...] = ()


@dataclass(frozen=True, slots=True)
class Stand:
    """A reservation as a plan leaves it: it ends on ``end`` (exclusive; earlier than its own where recalled), and
    ``segments`` say which racks it has, cut to ``[today, end)``; beyond the horizon too.
    """

    reservation: Reservation
    end: dt.date
    segments: tuple[Segment, ...]


def of_plan(plan: Plan) -> Decisions:
    """The decisions of a plan file."""
    return Decisions(
        accepted=tuple(plan.accepted),
        moves=tuple(plan.moves),
        recalls=tuple(plan.recalls),
        shortfalls=tuple(plan.shortfalls),
        hold_shortfalls=tuple(plan.hold_shortfalls),
    )


def stands(snapshot: Snapshot, decisions: Decisions) -> Iterator[Stand]:
    """Every reservation that has a day left, as the decisions leave it, in the order of the snapshot."""
    moved = {move.reservation: move.placement for move in decisions.moves}
    recalled = {recall.reservation: recall.end for recall in decisions.recalls}
    for reservation in snapshot.reservations:
        end = min(reservation.end, recalled.get(reservation.id, reservation.end))
        placement = moved.get(reservation.id, reservation.placement)
        if end > max(snapshot.today, reservation.start):
            yield Stand(reservation, end, tuple(_cut(placement, snapshot.today, end)))


def _cut(placement: list[Segment], start: dt.date, end: dt.date) -> Iterator[Segment]:
    for segment in placement:
        first, last = max(segment.start, start), min(segment.end, end)
        if first < last:
            yield Segment(start=first, end=last, racks=segment.racks)
