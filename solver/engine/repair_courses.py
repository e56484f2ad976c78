"""R10, R11 for one lot in the program: it stands as it stood, gets one new placement, or loses only what is taken."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from ortools.sat.python import cp_model

from solver.engine.repair_ground import Lot
from solver.engine.repair_program import TRAYS, Cell, Course, Literal, Program, losses
from solver.engine.repair_timeline import Mask, lowest, pieces_of, runs
from solver.terms import GPUS_PER_RACK


def add_course(program: Program, lot: Lot) -> None:
    """Let the lot stand in every way that R10 and R11 allow."""
    bound = program.literal() if lot.movable else program.one
    course = Course(lot, bound, program.literal())
    _live(program, course)
    _Adding(program, course).run()
    program.courses.append(course)


def candidates(program: Program, lot: Lot) -> list[int]:
    """Racks on which the lot might stand for a while: of those that nothing tells apart no more than might be used."""
    ground, problem = program.problem.ground, program.problem
    alike: dict[tuple[int, Mask, Mask], int] = defaultdict(int)
    found = []
    for site in problem.sites(lot):
        for rack in ground.racks_of[site]:
            occupied = _occupied(program, rack, lot)
            if rack in program.owned:
                found.append(rack)
                continue
            if not lot.span & ~(ground.dead[rack] | occupied):
                continue
            key = (int(problem.cluster.pods.of_rack[rack]), ground.dead[rack], occupied)
            alike[key] += 1
            if alike[key] <= program.needed:
                found.append(rack)
    return found


def _occupied(program: Program, rack: int, lot: Lot) -> Mask:
    least = TRAYS if lot.gpus == GPUS_PER_RACK else 1
    return sum(1 << piece for piece in pieces_of(lot.span) if program.load(rack, piece) + least > TRAYS)


def _live(program: Program, course: Course) -> None:
    """R11: an interruptible lot may end on a piece on or after its earliest end."""
    lot, model = course.lot, program.model
    for piece in pieces_of(lot.span):
        course.alive[piece] = program.literal() if piece >= lot.earliest_end else program.one
    for before, after in pairwise(pieces_of(lot.span)):
        model.add_implication(course.alive[after], course.alive[before])


class _Adding:
    def __init__(self, program: Program, course: Course) -> None:
        self.program, self.model, self.course, self.lot = program, program.model, course, course.lot
        self.lost = losses(program.problem, self.lot, program.dark)
        self.racks = candidates(program, self.lot)

    def run(self) -> None:
        for rack in self.racks:
            for piece in pieces_of(self.lot.span):
                self._add_cell((rack, piece))
        for piece in pieces_of(self.lot.span):
            uses = [use for _, use in self.course.on(piece)]
            self.model.add(cp_model.LinearExpr.sum(uses) <= self.lot.racks * self.course.alive[piece])
        if self.lot.movable:
            self._place_anew()
        self._keep()
        self._replace_only_what_is_taken()

    def _is_own(self, cell: Cell) -> bool:
        """Whether it has the rack and nothing takes it but power."""
        rack, piece = cell
        return bool(self.lot.own.get(rack, 0) & ~self.lost.get(rack, 0) & 1 << piece)

    def _add_cell(self, cell: Cell) -> None:
        course, program = self.course, self.program
        is_occupied = self._whole and not self._is_own(cell) and program.load(*cell) > 0
        if program.is_dead(*cell) or is_occupied:
            return
        use = course.use[cell] = program.literal()
        if self._is_own(cell):
            self._keep_cell(cell, use)
        self._fill_cell(cell, use)

    @property
    def _whole(self) -> bool:
        return self.course.full == TRAYS

    def _keep_cell(self, cell: Cell, use: Literal) -> None:
        """R10: one that is treated as frozen keeps its rack, unless power takes it."""
        course, program = self.course, self.program
        rack, piece = cell
        if (program.problem.ground.site_of[rack], piece) in program.excess:
            given_up = course.given_up[cell] = program.literal()
            self.model.add(use == course.alive[piece] - given_up).only_enforce_if(course.bound)
            self.model.add_implication(given_up, course.bound)
        else:
            self.model.add(use == course.alive[piece]).only_enforce_if(course.bound)

    def _fill_cell(self, cell: Cell, use: Literal) -> None:
        """A lot that shares a rack may stand in with some of its GPUs."""
        course = self.course
        if self._whole or self._is_own(cell):
            course.trays[cell] = course.full * use
            return
        trays = self.model.new_int_var(0, course.full, "")
        self.model.add(trays <= course.full * use)
        self.model.add(trays >= use)
        if self.lot.movable:
            self.model.add(trays == course.full * use).only_enforce_if(~course.bound)
        course.trays[cell] = trays

    def _place_anew(self) -> None:
        """R10: the same racks throughout, in scope and site."""
        course, model = self.course, self.model
        of_rack = self.program.problem.units(self.lot).of_rack
        units: dict[int, list[Literal]] = defaultdict(list)
        for rack in self.racks:
            cells = {piece: course.use.get((rack, piece)) for piece in pieces_of(self.lot.span)}
            anew = course.anew[rack] = self.program.literal()
            model.add_implication(anew, ~course.bound)
            units[int(of_rack[rack])].append(anew)
            for piece, use in cells.items():
                if use is None:
                    model.add_bool_or(~anew, ~course.alive[piece])
                else:
                    model.add_bool_or(~anew, ~course.alive[piece], use)
                    model.add_bool_or(course.bound, anew, ~use)
        model.add(cp_model.LinearExpr.sum(list(course.anew.values())) == self.lot.racks).only_enforce_if(~course.bound)
        chosen = [self.program.literal() for _ in units]
        model.add_at_most_one(chosen)
        for unit, racks in zip(chosen, units.values(), strict=True):
            for anew in racks:
                model.add_implication(anew, unit)

    def _keep(self) -> None:
        """It is kept where it has what the snapshot gives it, and that is all it needs."""
        course, model, kept = self.course, self.model, self.course.kept
        for (rack, piece), use in course.use.items():
            has = self.lot.own.get(rack, 0) >> piece & 1
            model.add(use == (course.alive[piece] if has else 0)).only_enforce_if(kept)
            if has and not isinstance(course.trays[rack, piece], int):
                model.add(course.trays[rack, piece] == course.full * use).only_enforce_if(kept)
        bare = [*self.lot.missing, *(mask for _, mask, _ in self.lot.parts)]
        bare += [mask & self.program.problem.ground.dead[rack] for rack, mask in self.lot.own.items()]
        for piece in {piece for mask in bare for piece in pieces_of(mask & self.lot.span)}:
            model.add_implication(kept, ~course.alive[piece])

    def _replace_only_what_is_taken(self) -> None:
        """R10: by any day no more racks have begun to stand in than were taken, replacements taken in turn included."""
        takings: dict[int, list[cp_model.LinearExprT]] = defaultdict(list)
        for piece, count in self._taken_by_outage().items():
            takings[piece].append(count)
        for cell, given_up in self.course.given_up.items():
            takings[cell[1]].append(self._begins(given_up, self.course.given_up.get((cell[0], cell[1] - 1))))
        begun: dict[int, list[Literal]] = defaultdict(list)
        for rack in self.racks:
            self._stand_in(rack, takings, begun)
        budget: list[cp_model.LinearExprT] = []
        for piece in pieces_of(self.lot.span):
            budget += takings[piece]
            if begun[piece]:
                limit = cp_model.LinearExpr.sum(budget)
                self.model.add(cp_model.LinearExpr.sum(begun[piece]) <= limit).only_enforce_if(self.course.bound)

    def _taken_by_outage(self) -> dict[int, int]:
        """By piece, how many of its racks an outage takes there, or are missing from there on."""
        taken: dict[int, int] = defaultdict(int)
        for mask in self.lost.values():
            for first, _ in runs(mask & self.lot.span):
                taken[first] += 1
        if self._whole:
            for mask in self.lot.missing:
                taken[lowest(mask)] += 1
        else:
            self._small_missing(taken)
        return taken

    def _small_missing(self, taken: dict[int, int]) -> None:
        """A lot that shares a rack and has none at all for a while lacks one from then on."""
        has = 0
        for mask in (*self.lot.own.values(), *(mask for _, mask, _ in self.lot.parts)):
            has |= mask
        for first, _ in runs(self.lot.span & ~has):
            taken[first] += 1

    def _begins(self, now: Literal, before: Literal | None) -> cp_model.LinearExprT:
        if before is None:
            return now
        begins = self.program.literal()
        self.model.add_implication(begins, now)
        self.model.add_implication(begins, ~before)
        return begins

    def _stand_in(
        self, rack: int, takings: dict[int, list[cp_model.LinearExprT]], begun: dict[int, list[Literal]]
    ) -> None:
        """Count the rack from the first piece on which it stands in; it may be taken in turn."""
        has_begun: Literal | None = None
        on_duty: Literal | None = None
        before: Literal | None = None
        was_dead = True
        for piece in pieces_of(self.lot.span):
            cell = (rack, piece)
            is_dead = self.program.is_dead(*cell)
            use = None if self._is_own(cell) else self.course.use.get(cell)
            if is_dead and not was_dead and has_begun is not None:
                takings[piece].append(has_begun)
            if before is not None and not is_dead and self.program.has_limit(*cell):
                takings[piece].append(self._taken_by_power(cell, before))
            on_duty = None if is_dead else on_duty
            if use is not None:
                if on_duty is not None:
                    self.program.on_duty.append((self.course, cell, on_duty))
                has_begun, on_duty = self._begun(use, has_begun, on_duty)
            if has_begun is not None:
                begun[piece].append(has_begun)
            before, was_dead = use, is_dead

    def _begun(self, use: Literal, ever: Literal | None, since_dead: Literal | None) -> tuple[Literal, Literal]:
        """Whether it stands here or has stood before: at all, and since the rack was dead."""
        begun = self._either(use, ever)
        return begun, begun if since_dead is ever else self._either(use, since_dead)

    def _either(self, use: Literal, earlier: Literal | None) -> Literal:
        begun = self.program.literal()
        self.model.add_implication(use, begun)
        if earlier is not None:
            self.model.add_implication(earlier, begun)
        self.model.add_bool_or(~begun, use, *([] if earlier is None else [earlier]))
        return begun

    def _taken_by_power(self, cell: Cell, before: Literal) -> Literal:
        """A replacement is taken in turn where its site has no power for one rack more, and the lot leaves the rack:
        one that is its own from there on is not taken.
        """
        program, site = self.program, self.program.problem.ground.site_of[cell[0]]
        taken = program.literal()
        self.model.add_implication(taken, before)
        if (use := self.course.use.get(cell)) is not None:
            self.model.add_implication(taken, ~use)
        program.taken_in_turn.append((taken, site, cell[1]))
        return taken
