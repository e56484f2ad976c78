"""The exact solve as a stage of a solve: its share of the time, and what it says to those who wait."""

from __future__ import annotations

from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine.exact.search import Limits
from solver.engine.exact.solve import solve
from solver.engine.parameters import SolveParameters
from solver.engine.watch import Watch
from solver.snapshot import Snapshot

TIME_SHARE = 0.4
WORK, LIMITED_WORK = 8.0, 0.5
"""In CP-SAT's deterministic units, without and with a work limit; snapshots of a handful of racks need up to 0.4."""


def limits(parameters: SolveParameters, watch: Watch, *, reserve: float) -> Limits:
    """What the exact solve may take; ``reserve``: seconds before the time limit that are for others."""
    left = watch.seconds_left(reserve)
    until = None if left is None else watch.seconds + TIME_SHARE * left
    return Limits(
        work=WORK if parameters.work_limit is None else LIMITED_WORK,
        seconds=lambda: None if until is None else max(0.0, until - watch.seconds),
        stop=lambda: watch.interrupted,
        seed=parameters.seed,
    )


def prove(snapshot: Snapshot, cluster: Cluster, repaired: Decisions, limits: Limits, watch: Watch) -> Decisions | None:
    """The best plan that there is, its values told to ``watch`` as bounds; None where that is not proven."""
    outcome = solve(snapshot, cluster, repaired, limits)
    if outcome is None or not outcome.is_proven:
        return None
    watch.values = dict(outcome.values)
    for tier, value in outcome.values.items():
        watch.bounded(tier, value, {other: usd for other, usd in outcome.values.items() if other < tier})
    watch.stage("exact")
    return outcome.decisions
