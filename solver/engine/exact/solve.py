"""The whole of § 4 and § 5 for snapshots that are small enough: one model, solved step by step, each step proven."""

from __future__ import annotations

from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine.exact import pieces, search
from solver.engine.exact.desk import Desk
from solver.engine.exact.goals import Goal
from solver.engine.exact.lots import Unsuitable
from solver.engine.exact.outcome import Outcome, values_of
from solver.engine.exact.search import Limits
from solver.snapshot import Snapshot

MOST_STARTS, MOST_RACKS = 3000, 200
"""Starts of all requests, and racks, up to which a snapshot is laid out in pieces."""


def solve(snapshot: Snapshot, cluster: Cluster, repaired: Decisions, limits: Limits) -> Outcome | None:
    """The best plan; None where the snapshot is too large, nothing was found in time, or ``repaired`` is less short.

    Racks that stand in are used wherever there is room. Only where repair is less short by giving one up for a while,
    which R10 can be read to allow, that may be done here too.
    """
    if not suits(snapshot, cluster):
        return None
    for may_give_up in (False, True):
        outcome = _solve(snapshot, cluster, limits, may_give_up=may_give_up)
        if outcome is None or not outcome.is_shorter(snapshot, repaired):
            return outcome
    return None


def _solve(snapshot: Snapshot, cluster: Cluster, limits: Limits, *, may_give_up: bool) -> Outcome | None:
    try:
        desk = Desk(snapshot, cluster, may_give_up=may_give_up)
    except Unsuitable:
        return None
    found = search.search(desk.model, desk.goals, limits, desk.refine)
    if found.values is None:
        return None
    decisions = desk.decisions(found.values)
    return Outcome(decisions, values_of(snapshot, decisions), _bounds(desk.goals, found), found.is_proven)


def suits(snapshot: Snapshot, cluster: Cluster) -> bool:
    """Whether the snapshot is small enough to be laid out in pieces."""
    starts = sum(len(pieces.starts(snapshot, request)) for request in snapshot.requests)
    return starts <= MOST_STARTS and len(cluster.rack_ids) <= MOST_RACKS


def _bounds(goals: tuple[Goal, ...], found: search.Found) -> dict[int, float]:
    return {
        goal.tier: float(-found.bounds[goal.name] / goal.per_usd)
        for goal in goals
        if goal.tier is not None and goal.name in found.bounds
    }
