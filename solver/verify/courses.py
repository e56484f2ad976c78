"""What becomes of a reservation from today on: the racks the snapshot gives it beside those the plan gives it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from solver.plan import Move
from solver.snapshot import Reservation, Segment
from solver.terms import GPUS_PER_RACK
from solver.verify import blocks
from solver.verify.case import Case
from solver.verify.ground import Ints
from solver.verify.stretches import Flags


@dataclass(frozen=True, slots=True)
class Course:
    """A reservation during the stretches ``[first, last)`` (to its recall, if any): one row per stretch.

    Columns are ``racks``, those that it has or had: ``own`` is its GPUs there in the snapshot, ``new`` in the plan.
    ``lost`` marks the days from which on an outage has taken a rack; ``missing`` is GPUs by which the snapshot's
    placement is too small: they count as taken too.
    """

    reservation: Reservation
    move: Move | None
    first: int
    last: int
    racks: Ints
    own: Ints
    new: Ints
    lost: Flags
    missing: Ints

    @property
    def span(self) -> slice:
        return slice(self.first, self.last)

    @property
    def whole(self) -> bool:
        """Whether it uses whole racks."""
        return self.reservation.gpus >= GPUS_PER_RACK

    @property
    def short(self) -> Ints:
        """GPUs that it lacks under the plan, by stretch."""
        gpus: Ints = np.maximum(0, self.reservation.gpus - self.new.sum(axis=1))
        return gpus

    @property
    def given_up(self) -> Flags:
        """Racks of its own that no outage took and that it doesn't have all the same: only power may take them."""
        flags: Flags = (self.new < self.own) & ~self.lost
        return flags

    @property
    def replacements(self) -> Flags:
        """Racks that are not its own at the time, or that it has again after an outage took them."""
        flags: Flags = (self.new > 0) & ((self.own == 0) | self.lost)
        return flags

    @property
    def is_moved(self) -> bool:
        return bool((self.own != self.new).any())


def courses(case: Case) -> Iterator[Course]:
    """The course of every reservation that has a day left under the plan."""
    moves = {move.reservation: move for move in case.plan.moves}
    for reservation in case.snapshot.reservations:
        span = case.stretches.span(reservation.start, case.ends[reservation.id])
        if span.start < span.stop:
            yield _course(case, reservation, moves.get(reservation.id), span)


def history(placement: Iterable[Segment], today: dt.date) -> list[tuple[dt.date, dt.date, dict[str, int]]]:
    """The part of a placement before today, with equal neighbours joined."""
    result: list[tuple[dt.date, dt.date, dict[str, int]]] = []
    for segment in sorted(placement, key=lambda segment: segment.start):
        start, end = segment.start, min(segment.end, today)
        if start >= end or not segment.racks:
            continue
        if result and result[-1][1] == start and result[-1][2] == segment.racks:
            start = result.pop()[0]
        result.append((start, end, segment.racks))
    return result


def _course(case: Case, reservation: Reservation, move: Move | None, span: slice) -> Course:
    before = [*blocks.parts_of(reservation.placement, span, case.ground, case.stretches)]
    after = before if move is None else [*blocks.parts_of(move.placement, span, case.ground, case.stretches)]
    racks = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(part.racks for part in (*before, *after))]))
    own, new = _gpus(before, racks, span), _gpus(after, racks, span)
    lost = np.logical_or.accumulate(~case.ground.healthy[: span.stop, racks], axis=0)[span.start :]
    missing: Ints = np.maximum(0, reservation.gpus - own.sum(axis=1))
    if reservation.gpus < GPUS_PER_RACK:  # it lies on one rack: where GPUs are missing there, the rack counts as taken
        lost = lost | (missing > 0)[:, np.newaxis]
    return Course(reservation, move, span.start, span.stop, racks, own, new, lost, missing)


def _gpus(parts: Iterable[blocks.Part], racks: Ints, span: slice) -> Ints:
    gpus = np.zeros((span.stop - span.start, len(racks)), dtype=np.int64)
    for part in parts:
        gpus[part.first - span.start : part.last - span.start, np.searchsorted(racks, part.racks)] += part.gpus
    return gpus
