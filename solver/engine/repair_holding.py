"""R7, R8 and R12 in the program: what contracts hold beside the lots, and what is short of it."""

from __future__ import annotations

from collections import defaultdict

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

    R12: where somebody who may be recalled is in the way of R8, only what R7 lacks counts as short. The order of costs
    does not see to that: who is recalled late may keep a rack from being idle, so that R11 lets another be short.
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
        rooms = self._rooms(None, piece)
        self._bind(list(short), rooms, piece, short)
        by_firm: Short = {}
        for notice in self.notices:
            if not (counted := [k for k in short if self.measured.lead[k] < notice]):
                continue
            beside = self._rooms(notice, piece)
            self._bind(counted, beside, piece, short)
            if can_go := self._can_go(notice, piece):
                by_firm = by_firm or self._by_firm(piece, short, rooms)
                self._bind(counted, beside, piece, by_firm, can_go)

    def _by_firm(self, piece: int, short: Short, rooms: Rooms) -> Short:
        """What of each hold's shortfall R7 asks for: in all no more than the cluster lacks, or its sites together."""
        most = {k: int(self.measured.held[k, self.program.problem.timeline.bounds[piece]]) for k in short}
        by_firm = {k: self.model.new_int_var(0, gpus, "") for k, gpus in most.items()}
        for k, part in by_firm.items():
            self.model.add(part <= short[k])
        total, by_site = cp_model.LinearExpr.sum(list(by_firm.values())), []
        for site, room in enumerate(rooms):
            if held := sum(gpus for k, gpus in most.items() if self.measured.site_of[k] == site):
                lacks, is_missing = self.model.new_int_var(0, held, ""), self.program.literal()
                self.model.add(lacks <= held - room).only_enforce_if(is_missing)
                self.model.add(lacks == 0).only_enforce_if(~is_missing)
                by_site.append(lacks)
        in_cluster = self.program.literal()
        self.model.add(total <= sum(most.values()) - cp_model.LinearExpr.sum(rooms)).only_enforce_if(in_cluster)
        self.model.add(total <= cp_model.LinearExpr.sum(by_site)).only_enforce_if(~in_cluster)
        return by_firm

    def _can_go(self, notice: int, piece: int) -> dict[int, Literal]:
        """By site whether a lot stands there that R8 counts for ``notice`` and that may be recalled by the piece."""
        can_go: dict[int, Literal] = {}
        for course in self.program.courses:
            if course.lot.firm or not _counts(course, notice) or piece < course.lot.earliest_end:
                continue
            for rack, use in course.on(piece):
                site = self.program.problem.ground.site_of[rack]
                can_go.setdefault(site, self.program.literal())
                self.model.add_implication(use, can_go[site])
        return can_go

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

    def _bind(
        self, contracts: list[int], rooms: Rooms, piece: int, short: Short, only_if: dict[int, Literal] | None = None
    ) -> None:
        """Holds less what is short of them find room, per site and over the cluster; ``only_if``: in the sites in which
        this is true, and over the cluster where it is in any.
        """
        every = dict.fromkeys(range(len(rooms)), self.program.one) if only_if is None else only_if
        for site, reason in every.items():
            if bound := [k for k in contracts if self.measured.site_of[k] == site]:
                row = self.model.add(self._held(bound, piece, short) <= rooms[site])
                row.only_enforce_if(reason)
        for reason in {literal.index: literal for literal in every.values()}.values():
            row = self.model.add(self._held(contracts, piece, short) <= cp_model.LinearExpr.sum(rooms))
            row.only_enforce_if(reason)

    def _rooms(self, notice: int | None, piece: int) -> Rooms:
        return [self._room(notice, site, piece) for site in range(len(self.program.problem.snapshot.sites))]

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
        if self.notices:
            self.model.add(room + used >= capacity)
        return room


def _counts(course: Course, notice: int | None) -> bool:
    own = course.lot.reservation.recall_notice_days
    return own is None or (notice is not None and own >= notice)
