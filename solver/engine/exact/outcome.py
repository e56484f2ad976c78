"""What an exact solve comes to."""

from __future__ import annotations

from dataclasses import dataclass

from solver.decisions import Decisions
from solver.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best solution found. ``is_proven``: no valid plan is better in any step of § 5.

    ``values`` and ``bounds`` are USD by tier. A tier is bounded if everything before it was proven; its bound holds for
    plans of least shortfall in which the tiers above reach their bounds. What is not proven may
    leave out requests that fit.
    """

    decisions: Decisions
    values: dict[int, float]
    bounds: dict[int, float]
    is_proven: bool

    def is_shorter(self, snapshot: Snapshot, other: Decisions) -> bool:
        """Whether more GPU-days are short than in other decisions: firm ones, else interruptible ones, else holds."""
        return _short(snapshot, self.decisions) > _short(snapshot, other)


def values_of(snapshot: Snapshot, decisions: Decisions) -> dict[int, float]:
    """§ 5 step 2: what is accepted by tier, less the share of what is recalled."""
    requests = {request.id: request for request in snapshot.requests}
    reservations = {reservation.id: reservation for reservation in snapshot.reservations}
    tiers = {request.tier for request in snapshot.requests} | {r.tier for r in snapshot.reservations}
    values = dict.fromkeys(sorted(tiers), 0.0)
    for accepted in decisions.accepted:
        values[requests[accepted.request].tier] += accepted.value_usd
    for recall in decisions.recalls:
        reservation = reservations[recall.reservation]
        lost = (reservation.end - recall.end) / (reservation.end - reservation.start)
        values[reservation.tier] -= reservation.value_usd * lost
    return values


def _short(snapshot: Snapshot, decisions: Decisions) -> tuple[int, int, int]:
    """GPU-days of firm reservations, of interruptible ones, of holds."""
    short = {True: 0, False: 0}
    is_firm = {reservation.id: not reservation.interruptible for reservation in snapshot.reservations}
    for item in decisions.shortfalls:
        short[is_firm[item.reservation]] += item.gpus * (item.end - item.start).days
    return (
        short[True],
        short[False],
        sum(item.gpus * (item.end - item.start).days for item in decisions.hold_shortfalls),
    )
