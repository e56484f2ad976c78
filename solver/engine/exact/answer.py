"""A solution of the model as the decisions that it means; counts in a group become racks in order of start."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from solver.decisions import Decisions
from solver.engine.exact.courses import Course
from solver.engine.exact.model import Var
from solver.engine.exact.wants import Field, Want
from solver.plan import Accepted, HoldShortfall, Move, Recall, Shortfall
from solver.snapshot import Segment, Snapshot
from solver.terms import GPUS_PER_RACK

Racks = dict[int, int]  # GPUs by rack
T = TypeVar("T")
Shortfalls = dict[tuple[str, int], Var]  # of holds, by contract and piece


class Answer:
    """One solution. ``values``: of every variable, by its index."""

    def __init__(self, ground: Field, courses: Sequence[Course], wants: Sequence[Want], values: Sequence[int]) -> None:
        self.ground = ground
        self.courses = courses
        self.wants = wants
        self.values = values
        self._bound: dict[str, Racks] = defaultdict(dict)
        self._bind()

    def decisions(self, snapshot: Snapshot, shortfalls: Shortfalls) -> Decisions:
        """Everything that the solution decides."""
        return Decisions(
            accepted=tuple(self._accepted(snapshot)),
            moves=tuple(self._moves()),
            recalls=tuple(self._recalls()),
            shortfalls=tuple(self._shortfalls()),
            hold_shortfalls=tuple(self._hold_shortfalls(snapshot, shortfalls)),
        )

    def _accepted(self, snapshot: Snapshot) -> Iterator[Accepted]:
        for want in self.wants:
            start = next((start for start, var in want.chosen if self._on(var)), None)
            if start is not None:
                request, first = want.request, snapshot.today + dt.timedelta(start)
                gpus = want.units.at(self.values) * want.multiple
                yield Accepted(
                    request=request.id,
                    gpus=gpus,
                    start=first,
                    end=first + dt.timedelta(request.days),
                    value_usd=request.value_usd if gpus == request.gpus else request.value_usd * gpus / request.gpus,
                    racks=self._named(self._bound[request.id]),
                )

    def _moves(self) -> Iterator[Move]:
        for course in self.courses:
            kept = self._kept(course)
            standing = {piece: self._standing(course, piece) for piece in kept}
            if any(set(standing[piece]) != _own(course, piece) for piece in kept):
                placement = [*self._history(course), *self._segments(kept, standing)]
                forced = course.goes is None or not self._on(course.goes)
                yield Move(reservation=course.lot.reservation.id, forced=forced, placement=placement)

    def _recalls(self) -> Iterator[Recall]:
        for course in self.courses:
            lot, kept = course.lot, self._kept(course)
            if len(kept) < len(lot.span):
                yield Recall(reservation=lot.reservation.id, end=self.ground.pieces.date(kept.stop))

    def _shortfalls(self) -> Iterator[Shortfall]:
        """R11: range by range, each of days on which as many GPUs are missing."""
        for course in self.courses:
            short = {piece: course.short(piece).at(self.values) * course.lot.gpus for piece in course.lot.span}
            for gpus, first, last in _runs(course.lot.span, short.__getitem__):
                if gpus:
                    start, end = self.ground.pieces.date(first), self.ground.pieces.date(last)
                    yield Shortfall(reservation=course.lot.reservation.id, start=start, end=end, gpus=gpus)

    def _hold_shortfalls(self, snapshot: Snapshot, shortfalls: Shortfalls) -> Iterator[HoldShortfall]:
        gpus = {key: self.values[var.index] for key, var in shortfalls.items()}
        decided = range(self.ground.pieces.decided)
        for contract in snapshot.contracts:
            short = {piece: gpus.get((contract.id, piece), 0) for piece in decided}
            for missing, first, last in _runs(decided, short.__getitem__):
                if missing:
                    start, end = self.ground.pieces.date(first), self.ground.pieces.date(last)
                    yield HoldShortfall(contract=contract.id, start=start, end=end, gpus=missing)

    def _kept(self, course: Course) -> range:
        """The pieces on which the reservation is not recalled."""
        span = course.lot.span
        return range(span.start, span.start + sum(self._on(course.keeps[piece]) for piece in span))

    def _standing(self, course: Course, piece: int) -> Racks:
        lot = course.lot
        if course.goes is not None and self._on(course.goes):
            return self._bound[lot.reservation.id]
        if course.stands is not None and self._on(course.stands[piece]):
            return dict.fromkeys(_own(course, piece), lot.gpus)
        return {rack: lot.gpus for (_, _, rack), var in course.served(piece) if self._on(var)}

    def _history(self, course: Course) -> Iterator[Segment]:
        """R10: days before today stay as they are."""
        for segment in course.lot.reservation.placement:
            if segment.start < self.ground.pieces.today:
                end = min(segment.end, self.ground.pieces.today)
                yield Segment(start=segment.start, end=end, racks=segment.racks)

    def _segments(self, kept: range, standing: dict[int, Racks]) -> Iterator[Segment]:
        for racks, first, last in _runs(kept, standing.__getitem__):
            if racks:
                start, end = self.ground.pieces.date(first), self.ground.pieces.date(last)
                yield Segment(start=start, end=end, racks=self._named(racks))

    def _named(self, racks: Racks) -> dict[str, int]:
        return {self.ground.land.names[rack]: gpus for rack, gpus in sorted(racks.items())}

    def _bind(self) -> None:
        """Counts become racks: in order of start, each block takes any that are free by then (binding racks last)."""
        free_from: dict[int, int] = defaultdict(int)
        for first, last, name, group, count, gpus in sorted(self._counts()):
            racks = self.ground.groups[group].racks
            if len(racks) > 1:
                racks = tuple(rack for rack in racks if free_from[rack] <= first)
            for rack in racks[:count]:
                free_from[rack] = last
                self._bound[name][rack] = gpus

    def _counts(self) -> Iterator[tuple[int, int, str, int, int, int]]:
        """Blocks that stand on as many racks of a group: pieces, id, group, racks, GPUs on each."""
        pieces = self.ground.pieces
        for want in self.wants:
            for take in want.takes:
                racks, units = self.values[take.racks.index], self.values[take.units.index]
                if units:
                    span = pieces.span(take.start, take.start + want.request.days)
                    gpus = min(units * want.multiple, GPUS_PER_RACK)
                    yield span.start, span.stop, want.request.id, take.group, racks, gpus
        for course in self.courses:
            kept = self._kept(course)
            for group, var in course.anew.items():
                if self.values[var.index] and kept:
                    name = course.lot.reservation.id
                    yield kept.start, kept.stop, name, group, self.values[var.index], course.lot.gpus

    def _on(self, var: Var | None) -> bool:
        return var is None or bool(self.values[var.index])


def _own(course: Course, piece: int) -> set[int]:
    """The racks that the snapshot gives it."""
    i = piece - course.lot.span.start
    return {rack for slot in course.lot.slots if (rack := slot[i]) is not None}


def _runs(pieces: range, value: Callable[[int], T]) -> Iterator[tuple[T, int, int]]:
    """The runs of pieces of equal value, as value, first piece and the one behind the last."""
    for each, group in groupby(pieces, key=value):
        run = list(group)
        yield each, run[0], run[-1] + 1
