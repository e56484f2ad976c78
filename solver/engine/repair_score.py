"""How good a repair is (section 5 of the planning problem, steps 1 to 3)."""

from __future__ import annotations

from collections.abc import Sequence

from solver.engine.repair_outcome import hold_shortfalls, moves_and_recalls, stable_runs
from solver.engine.repair_yard import Fate, Problem

Score = tuple[float, ...]


def score(problem: Problem, fates: Sequence[Fate]) -> Score:
    """The less the better: GPU-days short of firm, then of interruptible reservations, then outside scope, then short
    of holds; value recalled, tier by tier; GPU-days recalled; GPUs moved; how far they are moved.
    """
    firm = sum(_short_days(problem, fate) for fate in fates if fate.lot.firm)
    interruptible = sum(_short_days(problem, fate) for fate in fates if not fate.lot.firm)
    outside = sum(outside_days(problem, fate) for fate in fates)
    holds_short = hold_shortfalls(problem, moves_and_recalls(problem, fates))
    held = sum(short.gpus * (short.end - short.start).days for short in holds_short)
    new = [(fate.lot, rack, gpus) for fate in fates for rack, gpus in _new_racks(fate).items()]
    far = sum(problem.distance(lot, rack) for lot, rack, _ in new)
    return (firm, interruptible, outside, held, *_recalled(problem, fates), sum(gpus for *_, gpus in new), far)


def _short_days(problem: Problem, fate: Fate) -> int:
    return sum(gpus * problem.timeline.days(mask) for mask, gpus in fate.short)


def outside_days(problem: Problem, fate: Fate) -> int:
    """GPU-days on days on which the lot's racks lie in more than one unit of its scope."""
    of_rack = problem.cluster.units(fate.lot.reservation.scope).of_rack
    if len({of_rack[rack] for rack in fate.racks}) < 2:
        return 0
    total = 0
    for first, last in stable_runs(fate):
        here = [(of_rack[rack], gpus) for rack, mask, gpus in fate.standing() if mask >> first & 1]
        if len({unit for unit, _ in here}) > 1:
            total += sum(gpus for _, gpus in here) * problem.timeline.days(problem.timeline.between(first, last))
    return total


def _new_racks(fate: Fate) -> dict[int, int]:
    """The racks that the snapshot's placement does not have, with the most GPUs that the lot has there."""
    known = {*fate.lot.own, *(rack for rack, _, _ in fate.lot.parts)}
    most: dict[int, int] = {}
    for rack, _, gpus in fate.standing():
        if rack not in known:
            most[rack] = max(gpus, most.get(rack, 0))
    return most


def _recalled(problem: Problem, fates: Sequence[Fate]) -> tuple[float, ...]:
    """Value recalled by tier, then GPU-days recalled."""
    tiers = {lot.reservation.tier: 0.0 for lot in problem.lots}
    gpu_days = 0
    for fate in fates:
        if fate.span == fate.lot.span:
            continue
        reservation = fate.lot.reservation
        days = problem.timeline.days(fate.lot.span & ~fate.span)
        tiers[reservation.tier] += reservation.value_usd * days / (reservation.end - reservation.start).days
        gpu_days += reservation.gpus * days
    return (*(tiers[tier] for tier in sorted(tiers)), gpu_days)
