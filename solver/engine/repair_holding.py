"""R7, R8 and R12 in the program: what contracts hold beside the lots, and what is short of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from ortools.sat.python import cp_model

from solver.decisions import Decisions, stands
from solver.engine import holds
from solver.engine.holds import Holds
from solver.engine.repair_program import Course, Literal, Program
from solver.terms import GPUS_PER_TRAY

Short = dict[int, cp_model.IntVar]
Rooms = list[cp_model.IntVar]


def hold_shortfall(program: Program) -> cp_model.LinearExprT:
    """GPU-days by which holds are short, but for days after the last reservation; R7 and R8 bind the lots from now on.

    R12: where somebody may be recalled, no more is short than without them. The order of costs does not see to that:
    who is recalled late may keep a rack from being idle, so that R11 lets another be short.
    """
    problem = program.problem
    if not problem.snapshot.contracts:
        return 0
    unchanged = stands(problem.snapshot, Decisions())
    return _Holding(program, holds.measure(problem.snapshot, problem.cluster, unchanged)).run()


class _Holding:
    def __init__(self, program: Program, measured: Holds) -> None:
        self.program, self.model, self.measured = program, program.model, measured
        self.notices = sorted({n for c in program.courses if (n := c.lot.reservation.recall_notice_days) is not None})
        self.used = self._used()
        self.fixed = self._fixed()

    def run(self) -> cp_model.LinearExprT:
        terms = []
        bounds = self.program.problem.timeline.bounds
        for piece in range(self.program.problem.timeline.horizon):
            held = self.measured.held[:, bounds[piece]]
            short = {int(k): self.model.new_int_var(0, int(held[k]), "") for k in np.flatnonzero(held)}
            if short:
                self._bind_all(piece, short)
            terms += [(bounds[piece + 1] - bounds[piece]) * variable for variable in short.values()]
        return cp_model.LinearExpr.sum(terms)

    def _bind_all(self, piece: int, short: Short) -> None:
        """R7, R8 and R12 on a piece."""
        may_go = False
        for notice in (None, *self.notices):
            if counted := self._counted(notice, short):
                self._bind(counted, self._rooms(notice, piece), piece, short)
                may_go |= notice is not None and any(
                    _counts(course, notice) and course.lot.earliest_end <= piece for course in self.program.courses
                )
        if may_go:
            self._limit(piece, short)

    def _limit(self, piece: int, short: Short) -> None:
        """R12: in all no more than one row of R7, or of R8 with those who can't be recalled by then, lacks."""
        options: list[Literal] = []
        for notice in (None, *self.notices):
            if counted := self._counted(notice, short):
                rooms = self._rooms(notice, piece, beyond_recall=True)
                for lacks in self._lacks(counted, rooms, piece):
                    options.append(self.program.literal())
                    total = cp_model.LinearExpr.sum(list(short.values()))
                    self.model.add(total <= lacks).only_enforce_if(options[-1])
        nothing = self.program.literal()
        for variable in short.values():
            self.model.add(variable == 0).only_enforce_if(nothing)
        self.model.add_bool_or(nothing, *options)

    def _lacks(self, contracts: list[int], rooms: Rooms, piece: int) -> Iterator[cp_model.LinearExprT]:
        """No more than what a row lacks over the cluster, and than what it lacks in its sites together."""
        held = {k: int(self.measured.held[k, self.program.problem.timeline.bounds[piece]]) for k in contracts}
        yield sum(held.values()) - cp_model.LinearExpr.sum(rooms)
        by_site = []
        for site, room in enumerate(rooms):
            if bound := sum(gpus for k, gpus in held.items() if self.measured.site_of[k] == site):
                lacks, is_missing = self.model.new_int_var(0, bound, ""), self.program.literal()
                self.model.add(lacks <= bound - room).only_enforce_if(is_missing)
                self.model.add(lacks == 0).only_enforce_if(~is_missing)
                by_site.append(lacks)
        if by_site:
            yield cp_model.LinearExpr.sum(by_site)

    def _counted(self, notice: int | None, short: Short) -> list[int]:
        """The contracts whose holds R7 (``notice`` null) or R8 counts."""
        return [k for k in short if notice is None or self.measured.lead[k] < notice]

    def _used(self) -> dict[tuple[int, int], list[tuple[Course, cp_model.LinearExprT]]]:
        """Trays by site and piece, with whose they are."""
        used: dict[tuple[int, int], list[tuple[Course, cp_model.LinearExprT]]] = defaultdict(list)
        for course in self.program.courses:
            for (rack, piece), trays in course.trays.items():
                used[self.program.problem.ground.site_of[rack], piece].append((course, trays))
        return used

    def _fixed(self) -> dict[tuple[int, int], int]:
        """GPUs of lots that are not in the program, all of them firm, by site and piece."""
        fixed: dict[tuple[int, int], int] = defaultdict(int)
        for (rack, piece), trays in self.program.fixed.items():
            fixed[self.program.problem.ground.site_of[rack], piece] += GPUS_PER_TRAY * trays
        return fixed

    def _bind(self, contracts: list[int], rooms: Rooms, piece: int, short: Short) -> None:
        """Holds less what is short of them find room, per site and over the cluster."""
        for site, room in enumerate(rooms):
            if bound := [k for k in contracts if self.measured.site_of[k] == site]:
                self.model.add(self._held(bound, piece, short) <= room)
        self.model.add(self._held(contracts, piece, short) <= cp_model.LinearExpr.sum(rooms))

    def _rooms(self, notice: int | None, piece: int, *, beyond_recall: bool = False) -> Rooms:
        """By site; ``beyond_recall``: beside those only who can't be recalled by the piece."""
        counted = [course for course in self.program.courses if _counts(course, notice)]
        if beyond_recall:
            counted = [course for course in counted if piece < course.lot.earliest_end]
        lots = {course.lot.number for course in counted}
        return [self._room(lots, site, piece) for site in range(len(self.program.problem.snapshot.sites))]

    def _held(self, contracts: list[int], piece: int, short: Short) -> cp_model.LinearExprT:
        day = self.program.problem.timeline.bounds[piece]
        total = sum(int(self.measured.held[k, day]) for k in contracts)
        return total - cp_model.LinearExpr.sum([short[k] for k in contracts])

    def _room(self, lots: set[int], site: int, piece: int) -> cp_model.IntVar:
        """What a site's capacity has beyond the blocks that count; 0 where they use more."""
        day = self.program.problem.timeline.bounds[piece]
        capacity = int(self.measured.capacity[site, day])
        room, is_over = self.model.new_int_var(0, max(capacity, 0), ""), self.program.literal()
        trays = [trays for course, trays in self.used[site, piece] if course.lot.number in lots]
        used = GPUS_PER_TRAY * cp_model.LinearExpr.sum(trays) + self.fixed[site, piece]
        self.model.add(room + used <= capacity).only_enforce_if(~is_over)
        self.model.add(room == 0).only_enforce_if(is_over)
        if self.notices:
            self.model.add(room + used >= capacity)
        return room


def _counts(course: Course, notice: int | None) -> bool:
    own = course.lot.reservation.recall_notice_days
    return own is None or (notice is not None and own >= notice)
