"""R8 in a repair: interruptible lots that stand on holds which are not theirs to stand on are recalled."""

from __future__ import annotations

import numpy as np

from solver.decisions import stands
from solver.engine import holds
from solver.engine.repair_outcome import moves_and_recalls
from solver.engine.repair_yard import Fate, Problem


def next_recall(problem: Problem, fates: list[Fate]) -> dict[int, int]:
    """The cheapest recall on the first day on which one helps, as lot and piece; empty: none is needed or possible.

    Cheapest: of the last tier, then of the least value.
    """
    if not any(fate.span for fate in fates if not fate.lot.firm):
        return {}
    standing = stands(problem.snapshot, moves_and_recalls(problem, fates))
    measured = holds.measure(problem.snapshot, problem.cluster, standing)
    for gap in holds.recalls_needed(measured):
        for day in np.flatnonzero(gap.gpus):
            piece = problem.timeline.piece(problem.cluster.date(int(day)))
            can_go = [fate for fate in fates if _narrows(problem, fate, gap, piece)]
            if can_go:
                cheapest = min(can_go, key=lambda fate: (-fate.lot.reservation.tier, fate.lot.reservation.value_usd))
                return {cheapest.lot.number: piece}
    return {}


def _narrows(problem: Problem, fate: Fate, gap: holds.Gap, piece: int) -> bool:
    """Whether recalling the lot from ``piece`` on is allowed and narrows the gap."""
    notice = fate.lot.reservation.recall_notice_days
    if notice is None or gap.notice is None or notice < gap.notice or piece < fate.lot.earliest_end:
        return False
    sites = problem.ground.site_of
    here = (rack for rack, mask, _ in fate.standing() if mask >> piece & 1)
    return any(gap.site is None or sites[rack] == gap.site for rack in here)
