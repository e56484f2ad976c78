"""R10 and R11 in the program, about racks that are idle while a lot is short."""

from __future__ import annotations

from solver.engine.repair_program import TRAYS, Course, Literal, Program
from solver.engine.repair_reading import Open
from solver.engine.repair_timeline import lowest, pieces_of
from solver.terms import GPUS_PER_TRAY


def bind_duties(program: Program) -> None:
    """R10: who has begun to stand in does so wherever it can, until it is taken in turn."""
    enough: dict[tuple[int, int], Literal] = {}
    for course, cell, on_duty in program.on_duty:
        number, piece = course.lot.number, cell[1]
        if program.load(*cell) + course.full > TRAYS:
            continue
        if (number, piece) not in enough:
            most = 0 if course.full == TRAYS else course.full - 1
            enough[number, piece] = _lacks(program, course, piece, most=most)
        reasons = [course.use[cell], enough[number, piece], ~course.bound]
        if program.others(course, cell):
            reasons.append(program.crowded(course, cell))
        if program.has_limit(*cell):
            reasons.append(program.full(program.problem.ground.site_of[cell[0]], piece))
        program.model.add_bool_or(~on_duty, *reasons)


def forbid(program: Program, shut: Open) -> None:
    """R11, where a solution has broken it: short on fewer pieces, or on more, or the rack has no power or is in use."""
    (course,) = (course for course in program.courses if course.lot.number == shut.number)
    trays = shut.gpus // GPUS_PER_TRAY
    reasons = []
    for piece in pieces_of(shut.mask):
        reasons += [_lacks(program, course, piece, most=trays - 1), program.carrying((shut.rack, piece))]
        if program.has_limit(shut.rack, piece):
            reasons.append(program.full(program.problem.ground.site_of[shut.rack], piece))
    for piece in (lowest(shut.mask) - 1, shut.mask.bit_length()):
        if piece in course.alive:
            reasons.append(_lacks(program, course, piece, least=trays))
    program.model.add_bool_or(reasons)


def _lacks(program: Program, course: Course, piece: int, *, least: int = 0, most: int | None = None) -> Literal:
    literal = program.literal()
    program.model.add(course.missing(piece) >= least).only_enforce_if(literal)
    if most is not None:
        program.model.add(course.missing(piece) <= most).only_enforce_if(literal)
    return literal
