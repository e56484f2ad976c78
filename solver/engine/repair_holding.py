"""R7, R8 and R12 in the program: what contracts hold beside the lots, and what is short of it."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from ortools.sat.python import cp_model

from solver.decisions import Decisions, stands
from solver.engine import holds
from solver.engine.holds import Holds
from solver.engine.repair_program import Course, Program
from solver.terms import GPUS_PER_TRAY

Short = dict[int, cp_model.IntVar]


def hold_shortfall(program: Program) -> cp_model.LinearExprT:
    """GPU-days by which holds are short, but for days after the last reservation; R7 and R8 bind the lots from now on.

    That nobody is recalled too late for R8 without need follows from the order of costs.
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
            for notice in (None, *self.notices) if short else ():
                self._bind(notice, piece, short)
            terms += [(bounds[piece + 1] - bounds[piece]) * variable for variable in short.values()]
        return cp_model.LinearExpr.sum(terms)

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

    def _bind(self, notice: int | None, piece: int, short: Short) -> None:
        """R7 (``notice`` null) or R8 on a piece, per site and over the cluster."""
        counted = [k for k in short if notice is None or self.measured.lead[k] < notice]
        rooms = []
        for site in range(len(self.program.problem.snapshot.sites)) if counted else ():
            rooms.append(self._room(notice, site, piece))
            bound = [k for k in counted if self.measured.site_of[k] == site]
            if bound:
                self.model.add(self._held(bound, piece, short) <= rooms[-1])
        if counted:
            self.model.add(self._held(counted, piece, short) <= cp_model.LinearExpr.sum(rooms))

    def _held(self, contracts: list[int], piece: int, short: Short) -> cp_model.LinearExprT:
        day = self.program.problem.timeline.bounds[piece]
        total = sum(int(self.measured.held[k, day]) for k in contracts)
        return total - cp_model.LinearExpr.sum([short[k] for k in contracts])

    def _room(self, notice: int | None, site: int, piece: int) -> cp_model.IntVar:
        """What a site's capacity has beyond the blocks that count; 0 where they use more."""
        day = self.program.problem.timeline.bounds[piece]
        capacity = int(self.measured.capacity[site, day])
        room, is_over = self.model.new_int_var(0, max(capacity, 0), ""), self.program.literal()
        trays = [trays for course, trays in self.used[site, piece] if _counts(course, notice)]
        used = GPUS_PER_TRAY * cp_model.LinearExpr.sum(trays) + self.fixed[site, piece]
        self.model.add(room + used <= capacity).only_enforce_if(~is_over)
        self.model.add(room == 0).only_enforce_if(is_over)
        return room


def _counts(course: Course, notice: int | None) -> bool:
    own = course.lot.reservation.recall_notice_days
    return own is None or (notice is not None and own >= notice)
