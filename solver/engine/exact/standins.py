"""Racks that stand in for taken ones (R10): one after the other, each until it is taken in turn.

A slot whose own rack is taken is assigned a healthy rack from some piece on. The assignment lasts until an outage takes
that rack, or until the own rack comes back; while somebody else has the room there, the slot is short.
"""

from __future__ import annotations

from collections import defaultdict

from solver.engine.exact.courses import Course, owner
from solver.engine.exact.model import Model, Sum, Use, Var, total
from solver.engine.exact.wants import Field

Assigned = dict[int, Var]  # by rack


def stand_in(model: Model, ground: Field, course: Course) -> None:
    """The variables of a course that may bend, and its uses while it does."""
    for slot in range(len(course.lot.slots)):
        before: Assigned = {}
        for piece in course.lot.span:
            before = _serve(model, ground, course, slot=slot, piece=piece, before=before)
    for piece in course.lot.span:
        for rack in ground.land.racks:
            keys = [(slot, piece, rack) for slot in range(len(course.lot.slots))]
            model.at_most(total((course.assigned[key], 1) for key in keys if key in course.assigned), 1)
    _use(model, ground, course)


def give_up(model: Model, ground: Field, courses: list[Course]) -> None:
    """R10: power takes no more racks of a site than reservations where they stand need too many."""
    given: dict[tuple[int, int, int], list[Sum]] = defaultdict(list)
    for course in courses:
        for slot, piece, rack in _at_risk(ground, course):
            gone = total([(course.present[piece], 1)]).plus(total([(course.serves[slot, piece, rack], 1)]), -1)
            given[ground.land.site[rack], piece, rack].append(gone)
    by_site: dict[tuple[int, int], Sum] = defaultdict(Sum)
    for (site, piece, _), blocks in given.items():
        by_site[site, piece].add(_is_dark(model, blocks))
    for (site, piece), racks in by_site.items():
        model.at_most(racks, ground.excess[site][piece])


def _at_risk(ground: Field, course: Course) -> list[tuple[int, int, int]]:
    """Slots, pieces and own racks that power may take."""
    result = []
    for slot in range(len(course.lot.slots)):
        for piece in course.present:
            rack = course.lot.own_rack(slot, piece)
            if rack is not None and ground.excess[ground.land.site[rack]][piece]:
                result.append((slot, piece, rack))
    return result


def _is_dark(model: Model, gone: list[Sum]) -> Var:
    """1 where one of the blocks on a rack gives it up."""
    result = model.boolean()
    for each in gone:
        model.at_most(each.plus(Sum([(result, 1)]), -1), 0)
    return result


def _serve(model: Model, ground: Field, course: Course, *, slot: int, piece: int, before: Assigned) -> Assigned:
    """The slot's own rack, or what is assigned to it; returns what is assigned."""
    lot, land, present = course.lot, ground.land, course.present[piece]
    own = lot.own_rack(slot, piece)
    if own is not None and not ground.excess[land.site[own]][piece]:
        course.serves[slot, piece, own] = present
        return {}
    has: list[tuple[Var | None, int]] = []
    if own is not None:
        back = model.boolean()
        _only_if(model, back, present)
        course.serves[slot, piece, own] = back
        has.append((back, 1))
    racks = [r for r in land.racks if land.healthy[r][piece] and r != own and lot.site in (None, land.site[r])]
    assigned = {rack: model.boolean() for rack in racks}
    course.assigned |= {(slot, piece, rack): var for rack, var in assigned.items()}
    for rack, var in assigned.items():
        if rack in before:  # it stays until it is taken, or until the own rack is back
            model.at_most(total([(before[rack], 1), (var, -1), *((back, -1) for back, _ in has)]), 0)
        if ground.groups[ground.group_of[rack]].room[piece] >= lot.gpus:
            served = model.boolean()
            _only_if(model, served, var)
            _only_if(model, served, present)
            course.serves[slot, piece, rack] = served
    model.at_most(total([*has, *((var, 1) for var in assigned.values())]), 1)
    return assigned


def _only_if(model: Model, var: Var, other: Var | None) -> None:
    if other is not None:
        model.cp.add_implication(var, other)


def _use(model: Model, ground: Field, course: Course) -> None:
    for (_, piece, rack), var in course.serves.items():
        model.uses.append(
            Use(owner(course.lot), ground.group_of[rack], range(piece, piece + 1), var, course.lot.gpus, var)
        )
