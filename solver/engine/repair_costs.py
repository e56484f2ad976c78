"""What a repair costs in the program, step by step as section 5 of the planning problem orders them."""

from __future__ import annotations

from collections import defaultdict

from ortools.sat.python import cp_model

from solver.engine.repair_program import TRAYS, Course, Literal, Program
from solver.engine.repair_timeline import pieces_of
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY

MONEY_STEPS = 10_000_000
"""Recalled values are told apart down to this part of all that may be recalled in a tier."""
Cost = cp_model.LinearExprT
_DARK = 100
"""A rack that power takes beside how far one is moved."""


def shortfall(program: Program, *, firm: bool) -> Cost:
    """GPU-days short of firm, or of interruptible lots."""
    terms: list[Cost] = []
    for course in program.courses:
        if course.lot.firm == firm:
            terms += [
                GPUS_PER_TRAY * _days(program, piece) * course.missing(piece) for piece in pieces_of(course.lot.span)
            ]
    return cp_model.LinearExpr.sum(terms)


def outside(program: Program) -> Cost:
    """GPU-days on days on which a lot's racks lie in more than one unit of its scope."""
    terms = []
    for course in program.courses:
        if course.lot.racks > 1 and course.lot.reservation.scope != "any":
            terms += [_days(program, piece) * _outside(program, course, piece) for piece in pieces_of(course.lot.span)]
    return cp_model.LinearExpr.sum(terms)


def recalled_values(program: Program) -> list[Cost]:
    """Value recalled, tier by tier, in steps of money."""
    tiers: dict[int, list[tuple[float, Literal]]] = {lot.reservation.tier: [] for lot in program.problem.lots}
    for course in program.courses:
        reservation = course.lot.reservation
        tiers[reservation.tier] += [
            (reservation.value_usd * _days(program, piece) / (reservation.end - reservation.start).days, alive)
            for piece, alive in course.alive.items()
            if alive is not program.one
        ]
    return [_money(terms) for _, terms in sorted(tiers.items())]


def recalled_gpu_days(program: Program) -> Cost:
    return cp_model.LinearExpr.sum(
        [
            course.lot.reservation.gpus * _days(program, piece) * (1 - alive)
            for course in program.courses
            for piece, alive in course.alive.items()
            if alive is not program.one
        ]
    )


def moved(program: Program) -> tuple[Cost, Cost]:
    """GPUs on racks that the snapshot's placement does not have; and what decides between equals: how many racks power
    takes, then who is short, low tiers before high ones, then how far the new racks are.
    """
    gpus: list[Cost] = []
    far: list[Cost] = []
    for course in program.courses:
        known = {*course.lot.own, *(rack for rack, _, _ in course.lot.parts)}
        by_rack: dict[int, list[int]] = defaultdict(list)
        for rack, piece in course.use:
            if rack not in known:
                by_rack[rack].append(piece)
        for rack, pieces in by_rack.items():
            is_new = _is_new(program, course, rack, pieces)
            far.append((2 * program.problem.distance(course.lot, rack) + _is_fresh(program, course, rack)) * is_new)
            gpus.append(_most(program, course, rack, pieces, is_new))
    dark = [literal for course in program.courses for literal in course.given_up.values()]
    equal = [_DARK * literal for literal in dark] + _short_by_tier(program) + far
    return cp_model.LinearExpr.sum(gpus), cp_model.LinearExpr.sum(equal)


def _short_by_tier(program: Program) -> list[Cost]:
    """Trays that are missing on some piece, in a high tier more than in a low one."""
    lowest = max(course.lot.reservation.tier for course in program.courses)
    terms: list[Cost] = []
    for course in program.courses:
        weight = lowest - course.lot.reservation.tier
        terms += [weight * course.missing(piece) for piece in course.alive] if weight else []
    return terms


def _is_new(program: Program, course: Course, rack: int, pieces: list[int]) -> Literal:
    is_new = program.literal()
    for piece in pieces:
        program.model.add_implication(course.use[rack, piece], is_new)
    return is_new


def _most(program: Program, course: Course, rack: int, pieces: list[int], is_new: Literal) -> Cost:
    """The most GPUs of the lot on a rack that is new to it."""
    if course.full == TRAYS:
        return GPUS_PER_RACK * is_new
    most = program.model.new_int_var(0, course.full, "")
    for piece in pieces:
        program.model.add(most >= course.trays[rack, piece])
    return GPUS_PER_TRAY * most


def _is_fresh(program: Program, course: Course, rack: int) -> bool:
    """Whether a lot that shares racks would be the first on this one."""
    shares = any(program.load(rack, piece) for piece in course.alive)
    return course.full < TRAYS and rack not in program.owned and not shares


def _days(program: Program, piece: int) -> int:
    bounds = program.problem.timeline.bounds
    return bounds[piece + 1] - bounds[piece]


def _outside(program: Program, course: Course, piece: int) -> Cost:
    """GPUs of the lot on the piece where its racks lie in more than one unit of its scope, else 0."""
    of_rack = program.problem.units(course.lot).of_rack
    units: dict[int, list[Literal]] = defaultdict(list)
    for rack, use in course.on(piece):
        units[int(of_rack[rack])].append(use)
    if len(units) < 2:
        return 0
    model, is_outside = program.model, program.literal()
    chosen = [program.literal() for _ in units]
    model.add_exactly_one(chosen)
    for unit, uses in zip(chosen, units.values(), strict=True):
        for use in uses:
            model.add_bool_or(~use, unit, is_outside)
    gpus = model.new_int_var(0, course.lot.reservation.gpus, "")
    has = GPUS_PER_RACK * cp_model.LinearExpr.sum([use for uses in units.values() for use in uses])
    model.add(gpus >= has).only_enforce_if(is_outside)
    return gpus


def _money(terms: list[tuple[float, Literal]]) -> Cost:
    total = sum(value for value, _ in terms)
    if not total:
        return 0
    step = MONEY_STEPS / total
    return cp_model.LinearExpr.sum([round(value * step) * (1 - alive) for value, alive in terms])
