"""R11: a reservation has its GPUs, or is recalled in time, or is short by what was taken and can't be replaced."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from solver.plan import Recall, Shortfall
from solver.terms import add_days, block_multiple
from solver.verify.broken import Broken, gpus_text
from solver.verify.case import Case
from solver.verify.courses import Course, courses
from solver.verify.ground import Ints
from solver.verify.stability import taken_gpus
from solver.verify.vacancy import free_rack, vacancy


def r11(case: Case) -> Iterator[Broken]:
    """R11: a reservation has its GPUs on every remaining day, unless it is interruptible and recalled, or is short.

    Short only on days and by GPUs of taken racks, listed exactly (entries that overlap add up), and over no listed
    range while a rack in its site is healthy, within power and carries no reservation; accepted blocks give way.

    Read leniently: each listed range is judged as a whole, however long; a rack that is free on some of its days only
    is no fault. "Within power" is beside all reservations as the plan leaves them.
    """
    for recall in case.plan.recalls:
        yield from _recall_faults(case, recall)
    standing = {course.reservation.id: course for course in courses(case)}
    for course in standing.values():
        yield from _amount_faults(case, course)
    for shortfall in case.plan.shortfalls:
        yield from _range_faults(case, shortfall, standing.get(shortfall.reservation))


def _recall_faults(case: Case, recall: Recall) -> Iterator[Broken]:
    reservation, ids = case.reservations[recall.reservation], (recall.reservation,)
    if reservation.recall_notice_days is None:
        yield Broken("R11", f"{recall.reservation} is recalled, but it is not interruptible.", ids)
        return
    earliest = max(reservation.start, add_days(case.snapshot.today, reservation.recall_notice_days))
    if recall.end < earliest:
        text = f"{recall.reservation} is recalled to {recall.end}, earlier than its notice allows: {earliest}."
        yield Broken("R11", text, ids)
    if recall.end >= reservation.end:
        text = f"{recall.reservation} is recalled to {recall.end}, not before its own end, {reservation.end}."
        yield Broken("R11", text, ids)


def _amount_faults(case: Case, course: Course) -> Iterator[Broken]:
    name = course.reservation.id
    listed, short = _listed(case, name)[course.span], course.short
    checks = (
        (listed != short, "is short of other GPUs than its shortfalls list"),
        (short > taken_gpus(case, course), "is short of GPUs that nothing took"),
        (course.new.sum(axis=1) > course.reservation.gpus, "has more GPUs than it was promised"),
    )
    for flags, fault in checks:
        if flags.any():
            row = int(flags.argmax())
            every = np.zeros(len(case.stretches), dtype=np.bool_)
            every[course.span] = flags
            has = f"it has {course.new[row].sum():,} of {gpus_text(course.reservation.gpus)}, {listed[row]:,} listed"
            yield Broken("R11", f"{name} {fault} on {case.stretches.text_of(every)}: {has}.", (name,))


def _range_faults(case: Case, shortfall: Shortfall, course: Course | None) -> Iterator[Broken]:
    name, days = shortfall.reservation, f"[{shortfall.start}, {shortfall.end})"
    ids = (name,)
    if shortfall.gpus <= 0 or shortfall.end <= shortfall.start:
        yield Broken("R11", f"the shortfall of {name} on {days} over {shortfall.gpus:,} GPUs is empty.", ids)
        return
    reservation = case.reservations[name]
    if shortfall.gpus % block_multiple(reservation.gpus):
        multiple = block_multiple(reservation.gpus)
        text = f"the shortfall of {name} on {days} is {shortfall.gpus:,} GPUs, not a multiple of {multiple}."
        yield Broken("R11", text, ids)
    first = max(reservation.start, case.snapshot.today)
    if course is None or shortfall.start < first or shortfall.end > case.ends[name]:
        yield Broken("R11", f"the shortfall of {name} on {days} is outside its remaining days.", ids)
        return
    room = vacancy(case, case.stretches.span(shortfall.start, shortfall.end))
    rack = free_rack(case, room, reservation)
    if rack is not None:
        text = f"{name} is short on {days}, though rack {rack} is healthy, within power and carries no reservation."
        yield Broken("R11", text, (name, rack))


def _listed(case: Case, name: str) -> Ints:
    gpus = np.zeros(len(case.stretches), dtype=np.int64)
    for shortfall in case.plan.shortfalls:
        if shortfall.reservation == name:
            gpus[case.stretches.span(shortfall.start, shortfall.end)] += shortfall.gpus
    return gpus
