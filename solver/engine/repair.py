"""Repair, the first stage: what becomes of reservations when capacity is lost, with every request declined (R10-R12).

Least shortfall of firm reservations, then of interruptible ones, then GPU-days outside scope, then hold shortfall; then
least value and fewest GPU-days recalled and fewest GPUs moved. A constructive attempt is improved by trying other
recalls, orders and moves, the same ones for the same seed.
"""

from __future__ import annotations

from collections.abc import Callable

from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine import repair_ground, repair_timeline
from solver.engine.repair_outcome import decisions
from solver.engine.repair_search import search
from solver.engine.repair_yard import Problem
from solver.snapshot import Snapshot


def repair(snapshot: Snapshot, cluster: Cluster, *, seed: int, deadline: Callable[[], bool]) -> Decisions:
    """The plan "everything declined" as decisions without accepted blocks; valid under every rule.

    ``deadline`` answers whether time is up; the first attempt is finished anyway.
    """
    problem = lay_out(snapshot, cluster)
    return decisions(problem, search(problem, seed=seed, deadline=deadline))


def lay_out(snapshot: Snapshot, cluster: Cluster) -> Problem:
    """The snapshot's reservations on its racks, cut into pieces of time."""
    timeline = repair_timeline.build(snapshot)
    ground = repair_ground.bare(snapshot, cluster, timeline)
    lots = tuple(repair_ground.lots(snapshot, cluster, timeline))
    return Problem(snapshot, cluster, timeline, ground, lots)
