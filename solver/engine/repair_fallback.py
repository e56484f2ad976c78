"""R10 in the program: one that is not frozen is treated as frozen only where no placement for its whole interval exists
beside the others.
"""

from __future__ import annotations

from collections import defaultdict

from ortools.sat.python import cp_model

from solver.engine.repair_program import TRAYS, Course, Literal, Program
from solver.engine.repair_timeline import pieces_of


def bind_fallback(program: Program, course: Course) -> None:
    """Bound but not kept: then everything is in the way of a new placement."""
    if course.lot.movable:
        _Fallback(program, course).run()


class _Fallback:
    def __init__(self, program: Program, course: Course) -> None:
        self.program, self.model, self.course, self.lot = program, program.model, course, course.lot
        self.is_on = program.literal()
        self.model.add_bool_or(~course.bound, course.kept, self.is_on)
        self.spare: dict[tuple[int, int], cp_model.LinearExprT] = {}

    def run(self) -> None:
        problem, ground = self.program.problem, self.program.problem.ground
        every = self.lot.reservation.scope == "any"
        of_rack = ground.site_of if every else problem.units(self.lot).of_rack.tolist()
        units: dict[int, list[int]] = defaultdict(list)
        for site in problem.sites(self.lot):
            for rack in ground.racks_of[site]:
                units[of_rack[rack]].append(rack)
        rooms = [self._room(racks) for racks in units.values()]
        fitting = self.lot.racks - 1
        if every:
            self.model.add(cp_model.LinearExpr.sum(rooms) <= fitting).only_enforce_if(self.is_on)
            return
        for room in rooms:
            self.model.add(room <= fitting).only_enforce_if(self.is_on)

    def _room(self, racks: list[int]) -> cp_model.IntVar:
        """At least as many of these racks of one site as could be used throughout."""
        room = self.model.new_int_var(0, len(racks), "")
        blocked = [self._blocked(rack) for rack in racks]
        reasons = [self.program.literal()]
        self.model.add(room >= len(racks) - cp_model.LinearExpr.sum(blocked)).only_enforce_if(reasons[0])
        site = self.program.problem.ground.site_of[racks[0]]
        for piece in pieces_of(self.lot.span) if self.course.full == TRAYS else ():
            if (site, piece) in self.program.power:
                reason = self.program.literal()
                self.model.add_implication(reason, self.course.alive[piece])
                self.model.add(room >= self._spare(site, piece)).only_enforce_if(reason)
                reasons.append(reason)
        self.model.add_bool_or(reasons)
        return room

    def _blocked(self, rack: int) -> Literal:
        """Whether the rack cannot take the lot on some piece."""
        reasons = []
        for piece in pieces_of(self.lot.span):
            if self._is_shut(rack, piece):
                reasons.append(self.course.alive[piece])
                continue
            for reason in self._reasons(rack, piece):
                self.model.add_implication(reason, self.course.alive[piece])
                reasons.append(reason)
        blocked = self.program.literal()
        self.model.add_bool_or(~blocked, *reasons)
        return blocked

    def _is_shut(self, rack: int, piece: int) -> bool:
        return self.program.is_dead(rack, piece) or self.program.load(rack, piece) + self.course.full > TRAYS

    def _reasons(self, rack: int, piece: int) -> list[Literal]:
        others = self.program.others(self.course, (rack, piece))
        reasons = [self.program.crowded(self.course, (rack, piece))] if others else []
        site = self.program.problem.ground.site_of[rack]
        if (site, piece) in self.program.power and self.course.full < TRAYS and not self.program.load(rack, piece):
            dark = self.program.literal()
            self.model.add(self._spare(site, piece) <= 0).only_enforce_if(dark)
            for _, use in others:
                self.model.add_implication(dark, ~use)
            reasons.append(dark)
        return reasons

    def _spare(self, site: int, piece: int) -> cp_model.LinearExprT:
        """No fewer racks than the site has power for beside the others."""
        if (site, piece) not in self.spare:
            terms = []
            for rack in self.program.problem.ground.racks_of[site]:
                if self.program.load(rack, piece):
                    terms.append(self.program.one)
                elif others := self.program.others(self.course, (rack, piece)):
                    carried = self.program.literal()
                    self.model.add_bool_or(~carried, *(use for _, use in others))
                    terms.append(carried)
            self.spare[site, piece] = self.program.power[site, piece] - cp_model.LinearExpr.sum(terms)
        return self.spare[site, piece]
