"""From a solution of the program to fates, and whether R11 allows what is short in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ortools.sat.python import cp_model

from solver.engine.repair_ground import Ground
from solver.engine.repair_outcome import ground_under, ranges_apart
from solver.engine.repair_program import Course
from solver.engine.repair_timeline import Mask, pieces_of
from solver.engine.repair_yard import Fate, Problem
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY

Value = Callable[[cp_model.LinearExprT], int]


class Open(NamedTuple):
    """R11: lot ``number`` lacks at least ``gpus`` GPUs on the pieces of ``mask``, over which ``rack`` is idle."""

    number: int
    mask: Mask
    gpus: int
    rack: int


def fate_of(course: Course, value: Value) -> Fate:
    """What becomes of the lot in a solution, its shortfall not yet listed."""
    lot = course.lot
    span = sum(1 << piece for piece, alive in course.alive.items() if value(alive))
    fate = Fate(lot, span, {}, moved=not value(course.bound))
    parts: dict[tuple[int, int], Mask] = {}
    for (rack, piece), use in course.use.items():
        if not value(use):
            continue
        gpus = GPUS_PER_TRAY * value(course.trays[rack, piece])
        if gpus == lot.gpus:
            fate.racks[rack] = fate.racks.get(rack, 0) | 1 << piece
        else:
            parts[rack, gpus] = parts.get((rack, gpus), 0) | 1 << piece
    fate.parts = [(rack, mask, gpus) for (rack, gpus), mask in parts.items()]
    return fate


def list_shortfalls(problem: Problem, fates: Sequence[Fate]) -> Open | None:
    """List what each lot lacks; answers a range that R11 forbids however it is listed, if there is one."""
    ground = ground_under(problem, fates)
    for fate in fates:
        lacking = _lacking(fate)
        if not any(lacking.values()):
            continue
        if found := _list(problem, ground, fate, lacking):
            return found
    return None


def _lacking(fate: Fate) -> dict[int, int]:
    """GPUs that the lot lacks on each of its pieces."""
    lacking = dict.fromkeys(pieces_of(fate.span), fate.lot.racks * fate.lot.gpus)
    for _, mask, gpus in fate.standing():
        for piece in pieces_of(mask):
            lacking[piece] -= gpus
    return lacking


def _list(problem: Problem, ground: Ground, fate: Fate, lacking: dict[int, int]) -> Open | None:
    step = fate.lot.gpus if fate.lot.racks > 1 else GPUS_PER_TRAY
    sites = problem.sites(fate.lot)
    for oldest_first in (True, False):
        fate.short = list(_layers(lacking, step, oldest_first=oldest_first))
        for ranges in (fate.short, list(ranges_apart(fate.short))):
            if not any(ground.has_idle_rack(sites, mask) for mask, _ in ranges):
                return None
    mask = next(mask for mask, _ in fate.short if ground.has_idle_rack(sites, mask))
    rack = next(rack for rack, free in ground.openings(sites, GPUS_PER_RACK, mask) if free == mask)
    return Open(fate.lot.number, mask, min(lacking[piece] for piece in pieces_of(mask)), rack)


def _layers(lacking: dict[int, int], step: int, *, oldest_first: bool) -> Iterator[tuple[Mask, int]]:
    """Ranges of ``step`` GPUs each, as long as can be: who begins to be short first ends first, or last."""
    began: list[int] = []
    ends = [*lacking, max(lacking) + 1]
    for piece in ends:
        now = lacking.get(piece, 0) // step
        while len(began) > now:
            first = began.pop(0 if oldest_first else -1)
            yield ((1 << (piece - first)) - 1) << first, step
        began += [piece] * (now - len(began))
