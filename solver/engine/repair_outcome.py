"""What a repair comes to: the decisions that it means."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from solver.decisions import Decisions, stands
from solver.engine import holds
from solver.engine.repair_ground import Ground, Part
from solver.engine.repair_timeline import Mask, lowest, runs
from solver.engine.repair_yard import Fate, Problem
from solver.plan import HoldShortfall, Move, Recall, Shortfall
from solver.snapshot import Segment


def decisions(problem: Problem, fates: Sequence[Fate]) -> Decisions:
    """Moves, recalls, shortfalls and hold shortfalls, in the order of the snapshot."""
    changed = moves_and_recalls(problem, fates)
    ground = ground_under(problem, fates)
    shortfalls = tuple(short for fate in fates for short in _shortfalls(problem, ground, fate))
    return replace(changed, shortfalls=shortfalls, hold_shortfalls=hold_shortfalls(problem, changed))


def moves_and_recalls(problem: Problem, fates: Sequence[Fate]) -> Decisions:
    """What changes where reservations stand, and until when."""
    moves = tuple(_move(problem, fate) for fate in fates if _is_moved(fate))
    return Decisions(moves=moves, recalls=tuple(_recalls(problem, fates)))


def hold_shortfalls(problem: Problem, changed: Decisions) -> tuple[HoldShortfall, ...]:
    """R12, beside reservations as these decisions leave them."""
    return holds.hold_shortfalls(problem.snapshot, problem.cluster, stands(problem.snapshot, changed))


def ground_under(problem: Problem, fates: Sequence[Fate]) -> Ground:
    """The ground with every lot where its fate puts it."""
    ground = problem.ground.copy()
    for fate in fates:
        for rack, mask, gpus in fate.standing():
            ground.put(rack, gpus, mask)
    return ground


def ranges_apart(short: Sequence[tuple[Mask, int]]) -> Iterator[tuple[Mask, int]]:
    """The runs on which the same number of GPUs is missing, with that number."""
    edges = sorted({edge for mask, _ in short for edge in (lowest(mask), mask.bit_length())})
    missing = ((first, last, sum(gpus for mask, gpus in short if mask >> first & 1)) for first, last in pairwise(edges))
    for gpus, group in groupby(missing, key=lambda run: run[2]):
        run = list(group)
        if gpus:
            yield ((1 << (run[-1][1] - run[0][0])) - 1) << run[0][0], gpus


def _is_moved(fate: Fate) -> bool:
    before = [*((rack, mask, fate.lot.gpus) for rack, mask in fate.lot.own.items()), *fate.lot.parts]
    return _gpus_by_piece(before, fate.span) != _gpus_by_piece(fate.standing(), fate.span)


def _gpus_by_piece(standing: Sequence[Part], span: Mask) -> dict[tuple[int, int], Mask]:
    """The pieces for each rack and number of GPUs on it."""
    result: dict[tuple[int, int], Mask] = {}
    for rack, mask, gpus in standing:
        if mask & span:
            result[rack, gpus] = result.get((rack, gpus), 0) | mask & span
    return result


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
    standing = sorted(fate.standing())
    for first, last in stable_runs(fate):
        racks = {names[rack]: gpus for rack, mask, gpus in standing if mask >> first & 1}
        yield Segment(start=timeline.date(first), end=timeline.date(last), racks=racks)


def stable_runs(fate: Fate) -> Iterator[tuple[int, int]]:
    """The runs of pieces on which the lot uses the same racks."""
    edges: set[int] = set()
    for mask in (fate.span, *(mask for _, mask, _ in fate.standing())):
        edges.update(edge for run in runs(mask) for edge in run)
    for first, last in pairwise(sorted(edges)):
        if fate.span >> first & 1:
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
    short = list(ranges_apart(fate.short))
    if any(ground.has_idle_rack(problem.sites(fate.lot), mask) for mask, _ in short):
        short = fate.short
    for mask, gpus in short:
        start, end = problem.timeline.date(lowest(mask)), problem.timeline.date(mask.bit_length())
        yield Shortfall(reservation=fate.lot.reservation.id, start=start, end=end, gpus=gpus)
