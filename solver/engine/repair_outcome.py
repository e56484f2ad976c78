"""What a repair comes to: the decisions that it means, and how good they are (section 5, steps 1 to 3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from solver.decisions import Decisions, stands
from solver.engine import holds
from solver.engine.repair_ground import Ground, Racks
from solver.engine.repair_timeline import Mask, Timeline, lowest, runs
from solver.engine.repair_yard import Fate, Problem
from solver.plan import HoldShortfall, Move, Recall, Shortfall
from solver.snapshot import Segment

Score = tuple[float, ...]


def decisions(problem: Problem, fates: Sequence[Fate]) -> Decisions:
    """Moves, recalls, shortfalls and hold shortfalls, in the order of the snapshot."""
    changed = moves_and_recalls(problem, fates)
    ground = _ground_under(problem, fates)
    shortfalls = tuple(short for fate in fates for short in _shortfalls(problem, ground, fate))
    return replace(changed, shortfalls=shortfalls, hold_shortfalls=_hold_shortfalls(problem, changed))


def moves_and_recalls(problem: Problem, fates: Sequence[Fate]) -> Decisions:
    """What changes where reservations stand, and until when."""
    moves = tuple(_move(problem, fate) for fate in fates if _is_moved(fate))
    return Decisions(moves=moves, recalls=tuple(_recalls(problem, fates)))


def score(problem: Problem, fates: Sequence[Fate]) -> Score:
    """The less the better: GPU-days short of firm, then of interruptible reservations, then outside scope, then short
    of holds; value recalled, tier by tier; GPU-days recalled; GPUs moved.
    """
    firm = sum(_short_days(problem, fate) for fate in fates if fate.lot.firm)
    interruptible = sum(_short_days(problem, fate) for fate in fates if not fate.lot.firm)
    outside = sum(_outside_days(problem, fate) for fate in fates)
    holds_short = _hold_shortfalls(problem, moves_and_recalls(problem, fates))
    held = sum(short.gpus * (short.end - short.start).days for short in holds_short)
    moved = sum(fate.lot.gpus for fate in fates for rack in fate.racks if rack not in fate.lot.own)
    return (firm, interruptible, outside, held, *_recalled(problem, fates), moved)


def _hold_shortfalls(problem: Problem, changed: Decisions) -> tuple[HoldShortfall, ...]:
    return holds.hold_shortfalls(problem.snapshot, problem.cluster, stands(problem.snapshot, changed))


def _ground_under(problem: Problem, fates: Sequence[Fate]) -> Ground:
    ground = problem.ground.copy()
    for fate in fates:
        for rack, mask in fate.racks.items():
            ground.put(rack, fate.lot.gpus, mask)
    return ground


def _is_moved(fate: Fate) -> bool:
    before = {rack: kept for rack, mask in fate.lot.own.items() if (kept := mask & fate.span)}
    return before != fate.racks


def _move(problem: Problem, fate: Fate) -> Move:
    reservation, timeline = fate.lot.reservation, problem.timeline
    placement = [*_history(reservation.placement, timeline.today), *_segments(problem, fate)]
    return Move(reservation=reservation.id, forced=not fate.moved, placement=_joined(placement))


def _history(placement: Sequence[Segment], today: dt.date) -> Iterator[Segment]:
    """Days before today are history and stay as they are (R10)."""
    for segment in placement:
        if segment.start < today:
            yield Segment(start=segment.start, end=min(segment.end, today), racks=segment.racks)


def _segments(problem: Problem, fate: Fate) -> Iterator[Segment]:
    names, timeline = problem.cluster.rack_ids, problem.timeline
    for first, last in _stable_runs(timeline, fate.span, fate.racks):
        racks = {names[rack]: fate.lot.gpus for rack in sorted(fate.racks) if fate.racks[rack] >> first & 1}
        yield Segment(start=timeline.date(first), end=timeline.date(last), racks=racks)


def _stable_runs(timeline: Timeline, span: Mask, racks: Racks) -> Iterator[tuple[int, int]]:
    """The runs of ``span`` on which the same racks are used."""
    edges = {lowest(span), span.bit_length()}
    for mask in (span, *racks.values()):
        edges.update(edge for run in runs(mask) for edge in run)
    order = sorted(edges)
    for first, last in pairwise(order):
        if span >> first & 1:
            yield first, last


def _joined(placement: Sequence[Segment]) -> list[Segment]:
    """The same placement with neighbours of equal racks as one segment."""
    result: list[Segment] = []
    for segment in placement:
        if result and result[-1].end == segment.start and result[-1].racks == segment.racks:
            segment = Segment(start=result.pop().start, end=segment.end, racks=segment.racks)
        result.append(segment)
    return result


def _recalls(problem: Problem, fates: Sequence[Fate]) -> Iterator[Recall]:
    for fate in fates:
        if fate.span != fate.lot.span:
            first = lowest(fate.lot.span & ~fate.span)
            end = max(problem.timeline.date(first), fate.lot.reservation.start)
            yield Recall(reservation=fate.lot.reservation.id, end=end)


def _shortfalls(problem: Problem, ground: Ground, fate: Fate) -> Iterator[Shortfall]:
    """R11, range by range: one after the other where no free rack speaks against it, else one for each rack."""
    short = list(_ranges_apart(fate.short))
    if any(ground.has_idle_rack(problem.sites(fate.lot), mask) for mask, _ in short):
        short = [(mask, 1) for mask in fate.short]
    for mask, racks in short:
        start, end = problem.timeline.date(lowest(mask)), problem.timeline.date(mask.bit_length())
        yield Shortfall(reservation=fate.lot.reservation.id, start=start, end=end, gpus=racks * fate.lot.gpus)


def _ranges_apart(short: Sequence[Mask]) -> Iterator[tuple[Mask, int]]:
    """The runs on which the same number of racks is missing, with that number."""
    edges = sorted({edge for mask in short for edge in (lowest(mask), mask.bit_length())})
    pairs = [(first, last, sum(mask >> first & 1 for mask in short)) for first, last in pairwise(edges)]
    for racks, group in groupby(pairs, key=lambda pair: pair[2]):
        run = list(group)
        if racks:
            yield ((1 << (run[-1][1] - run[0][0])) - 1) << run[0][0], racks


def _short_days(problem: Problem, fate: Fate) -> int:
    return fate.lot.gpus * sum(problem.timeline.days(mask) for mask in fate.short)


def _outside_days(problem: Problem, fate: Fate) -> int:
    """GPU-days on days on which the lot's racks lie in more than one unit of its scope."""
    of_rack = problem.cluster.units(fate.lot.reservation.scope).of_rack
    if len({of_rack[rack] for rack in fate.racks}) < 2:
        return 0
    total = 0
    for first, last in _stable_runs(problem.timeline, fate.span, fate.racks):
        units = [of_rack[rack] for rack, mask in fate.racks.items() if mask >> first & 1]
        if len(set(units)) > 1:
            total += len(units) * problem.timeline.days(problem.timeline.between(first, last))
    return total * fate.lot.gpus


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
