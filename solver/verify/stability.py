"""R10: reservations stay where they are, unless racks are taken from them or they may still be moved."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise

import numpy as np

from solver.plan import Move
from solver.terms import GPUS_PER_RACK
from solver.verify.broken import Broken, racks_text
from solver.verify.case import Case
from solver.verify.courses import Course, courses, history
from solver.verify.ground import Ints
from solver.verify.stretches import Flags, runs
from solver.verify.vacancy import has_room, units_with, vacancy


def r10(case: Case) -> Iterator[Broken]:
    """R10: a frozen reservation keeps its racks but for those that are taken; others keep theirs or get one new
    placement for their whole interval, in scope and site; where none exists they are treated like frozen ones.

    Where the page leaves two readings, the lenient one holds:

    - An outage takes a rack of a block even if it ends before the block stands there: it may stay or be replaced.
    - A replacement may begin later than the loss (short until then) and may be given up for being short; a *different*
      second replacement needs the first one to be taken. The rack itself, healthy again, may be the one replacement.
    - What power may take is counted against the racks that reservations stand on in the snapshot, those in an outage or
      recalled included. It may take other racks on other days.
    - A replacement outside the scope is refused only where the whole block could be in one unit: all racks that it
      keeps lie there, and the unit has enough racks, healthy, within power and without another reservation, as long as
      the replacement stands in. Likewise "where none exists": accepted blocks give way, other reservations don't.
    - A movable reservation that lost racks and gets one new placement may be marked ``forced`` or not.
    """
    for move in case.plan.moves:
        yield from _placement_faults(case, move)
    every = [*courses(case)]
    bound = [course for course in every if is_bound(case, course)]
    yield from _given_up(case, bound)
    for course in bound:
        yield from _replaced_again(case, course)
        yield from _outside_site(case, course)
        yield from _outside_scope(case, course)
        yield from _could_be_placed_anew(case, course)
    for course in every:
        yield from _forced(case, course)


def is_bound(case: Case, course: Course) -> bool:
    """Whether R10 treats the reservation as a frozen one: it is, or it has neither its own racks nor one new placement,
    or it is short.
    """
    if course.reservation.frozen(case.snapshot.today):
        return True
    return bool(course.short.any()) or (course.is_moved and not _is_placed_anew(case, course))


def power_excess(case: Case) -> Ints:
    """By how many racks reservations where they stand need more than a site's power, stretches x sites."""
    excess: Ints = np.maximum(0, case.stood.racks_in_site - case.ground.power)
    return excess


def taken_gpus(case: Case, course: Course) -> Ints:
    """R11: the GPUs that a reservation may be short of by stretch, because their racks are taken."""
    sites = case.ground.sites.of_rack[course.racks]
    by_power = course.given_up & (power_excess(case)[course.span][:, sites] > 0)
    taken: Ints = (course.own * (course.lost | by_power)).sum(axis=1) + course.missing
    return taken


def _placement_faults(case: Case, move: Move) -> Iterator[Broken]:
    reservation, today = case.reservations[move.reservation], case.snapshot.today
    ids = (move.reservation,)
    for segment in move.placement:
        if not reservation.start <= segment.start < segment.end <= reservation.end:
            days = f"[{segment.start}, {segment.end})"
            text = f"{move.reservation} is placed on {days}, outside [{reservation.start}, {reservation.end})."
            yield Broken("R10", text, ids)
    order = sorted(move.placement, key=lambda segment: segment.start)
    for before, after in pairwise(order):
        if after.start < before.end:
            yield Broken("R10", f"{move.reservation} is placed twice on {after.start}.", ids)
    if history(move.placement, today) != history(reservation.placement, today):
        yield Broken("R10", f"{move.reservation} has other racks before today than it had: history stays.", ids)


def _given_up(case: Case, bound: Collection[Course]) -> Iterator[Broken]:
    """Racks that no outage took are kept, but for those that power takes: no more of them than the excess."""
    given_up = np.zeros(case.ground.healthy.shape, dtype=np.bool_)
    for course in bound:
        given_up[course.span, course.racks] |= course.given_up
    excess = power_excess(case)
    too_many = case.ground.sites.counts(given_up) > excess
    for course in bound:
        sites = case.ground.sites.of_rack[course.racks]
        flags = course.given_up & too_many[course.span][:, sites]
        if not flags.any():
            continue
        days = _days(case, course, np.logical_or.reduce(flags, axis=1))
        racks = case.ground.names(course.racks[flags.any(axis=0)])
        power = racks_text(int(excess[course.span][:, sites][flags].max()))
        text = f"{course.reservation.id} gives up {', '.join(racks)} on {days}: no outage took them, power {power}."
        yield Broken("R10", text, (course.reservation.id, *racks))


def _replaced_again(case: Case, course: Course) -> Iterator[Broken]:
    """Each taking of a rack allows one replacement: by any day, no more different racks than were taken."""
    replacements = course.replacements
    if not replacements.any():
        return
    first_use = _beginnings(np.logical_or.accumulate(replacements, axis=0)).sum(axis=1)
    takings = _beginnings((course.own > 0) & course.lost).sum(axis=1) + _beginnings(course.given_up).sum(axis=1)
    takings = takings + _rises(_empty_places(course)) + _taken_in_turn(case, course)
    flags = np.cumsum(first_use) > np.cumsum(takings)
    if flags.any():
        day = case.stretches.cuts[course.first + int(flags.argmax())]
        racks = case.ground.names(course.racks[replacements.any(axis=0)])
        text = f"{course.reservation.id} is replaced on {', '.join(racks)}: by {day} more often than racks were taken."
        yield Broken("R10", text, (course.reservation.id, *racks))


def _outside_site(case: Case, course: Course) -> Iterator[Broken]:
    """A replacement stays in the block's site."""
    site = case.snapshot.site_of(course.reservation)
    if site is None:
        return
    new = ((course.new > 0) & (course.own == 0)).any(axis=0)
    outside = case.ground.sites.of_rack[course.racks] != case.ground.site_number[site]
    racks = case.ground.names(course.racks[new & outside])
    if racks:
        text = f"{course.reservation.id} is replaced on {', '.join(racks)}, outside its site {site}."
        yield Broken("R10", text, (course.reservation.id, *racks))


def _outside_scope(case: Case, course: Course) -> Iterator[Broken]:
    """A replacement stays in the block's scope where that is possible for as long as it stands in."""
    units = case.ground.units(course.reservation.scope)
    replaced = course.replacements & (course.own == 0)  # its own racks, healthy again, need not leave
    if not course.whole or not replaced.any():
        return
    unit_of = units.of_rack[course.racks]
    spread = np.array([len(np.unique(unit_of[row])) > 1 for row in course.new > 0])
    for first, last in runs(spread & replaced.any(axis=1)):
        standing_in = np.flatnonzero(replaced[:, replaced[first:last].any(axis=0)].any(axis=1))
        begin, end = int(standing_in[0]), int(standing_in[-1]) + 1
        used = course.new[begin:end] > 0
        kept = np.unique(unit_of[(used & ~replaced[begin:end]).any(axis=0)])
        if len(kept) > 1:
            continue
        room = vacancy(case, slice(course.first + begin, course.first + end), without=course)
        possible = units_with(case, room, course.reservation, int(used.sum(axis=1).max()))
        candidates = [u for u in np.flatnonzero(possible) if not len(kept) or u == kept[0]]
        if candidates:
            days = case.stretches.text(course.first + first, course.first + last)
            unit = f"{course.reservation.scope} {units.ids[candidates[0]]}"
            text = f"{course.reservation.id} is replaced outside its scope on {days}, though {unit} has room."
            yield Broken("R10", text, (course.reservation.id, units.ids[candidates[0]]))


def _could_be_placed_anew(case: Case, course: Course) -> Iterator[Broken]:
    """A movable reservation is treated like a frozen one only where no placement for its whole interval exists."""
    reservation = course.reservation
    if reservation.frozen(case.snapshot.today):
        return
    room = vacancy(case, case.stretches.span(reservation.start, reservation.end), without=course)
    if has_room(case, room, reservation):
        text = f"{reservation.id} is not frozen and a placement for its whole interval exists, but it does not get one."
        yield Broken("R10", text, (reservation.id,))


def _forced(case: Case, course: Course) -> Iterator[Broken]:
    """``forced`` marks the moves that are allowed only because racks were taken."""
    if course.move is None:
        return
    name = course.reservation.id
    sites = case.ground.sites.of_rack[course.racks]
    by_power = (course.own > 0) & (power_excess(case)[course.span][:, sites] > 0)
    taken = ((course.own > 0) & course.lost).any() or course.missing.any() or by_power.any()
    if course.move.forced and not taken:
        yield Broken("R10", f"the move of {name} is marked as forced, but none of its racks is taken.", (name,))
    if not course.move.forced and course.is_moved and is_bound(case, course):
        yield Broken("R10", f"the move of {name} is not marked as forced, but only taken racks allow it.", (name,))


def _is_placed_anew(case: Case, course: Course) -> bool:
    """Whether it has all its GPUs on the same racks throughout, in its scope and site."""
    reservation, ground = course.reservation, case.ground
    if (course.new != course.new[0]).any() or course.new[0].sum() != reservation.gpus:
        return False
    racks = course.racks[course.new[0] > 0]
    units, site = ground.units(reservation.scope), case.snapshot.site_of(reservation)
    in_scope = len(np.unique(units.of_rack[racks])) == 1
    return in_scope and (site is None or bool((ground.sites.of_rack[racks] == ground.site_number[site]).all()))


def _beginnings(flags: Flags) -> Flags:
    """Where a column becomes true, the first row included."""
    return flags & ~np.vstack([np.zeros((1, flags.shape[1]), dtype=np.bool_), flags[:-1]])


def _rises(counts: Ints) -> Ints:
    """By how much ``counts`` rises from row to row, from 0 before the first."""
    rises: Ints = np.maximum(0, np.diff(counts, prepend=0))
    return rises


def _empty_places(course: Course) -> Ints:
    """Racks that the snapshot's placement lacks, by stretch."""
    racks = course.reservation.gpus // GPUS_PER_RACK if course.whole else 1
    places: Ints = racks - (course.own > 0).sum(axis=1)
    return places


def _taken_in_turn(case: Case, course: Course) -> Ints:
    """How many replacements an outage takes or power may take, by stretch."""
    replacements = course.replacements
    earlier = np.vstack([np.zeros((1, len(course.racks)), dtype=np.bool_), replacements[:-1]])
    healthy = case.ground.healthy[course.span][:, course.racks]
    by_outage = _beginnings(np.logical_or.accumulate(earlier, axis=0) & ~healthy)
    sites = case.ground.sites.of_rack[course.racks]
    full = (case.reserved.racks_in_site >= case.ground.power)[course.span][:, sites]
    by_power = earlier & (course.new == 0) & full & ~by_outage
    takings: Ints = (by_outage.sum(axis=1) + by_power.sum(axis=1)).astype(np.int64)
    return takings


def _days(case: Case, course: Course, flags: Flags) -> str:
    every = np.zeros(len(case.stretches), dtype=np.bool_)
    every[course.span] = flags
    return case.stretches.text_of(every)
