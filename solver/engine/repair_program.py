"""The repair as a program for CP-SAT: every lot on every rack and piece of time, bound by R1, R3 and R10.

Exact for the pieces that time is cut into, and for the lots that are in it: the others stand where they stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

from solver.cluster import UNLIMITED
from solver.engine.repair_ground import Lot
from solver.engine.repair_timeline import Mask, pieces_of
from solver.engine.repair_yard import Problem
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY

Cell = tuple[int, int]
"""A rack and a piece."""
Literal = cp_model.IntVar
TRAYS = GPUS_PER_RACK // GPUS_PER_TRAY


@dataclass(slots=True)
class Course:
    """One lot in the program.

    ``use``: whether it stands on a rack on a piece; ``trays``: with how many trays. ``alive``: whether it is not
    recalled before the piece. ``bound``: it is frozen or treated so; else ``anew`` says on which racks it stands.
    ``given_up`` are its own racks that power takes; ``kept``: it stands as the snapshot has it.
    """

    lot: Lot
    bound: Literal
    kept: Literal
    alive: dict[int, Literal] = field(default_factory=dict)
    use: dict[Cell, Literal] = field(default_factory=dict)
    trays: dict[Cell, cp_model.LinearExprT] = field(default_factory=dict)
    given_up: dict[Cell, Literal] = field(default_factory=dict)
    anew: dict[int, Literal] = field(default_factory=dict)

    @property
    def full(self) -> int:
        """The trays that it needs of one rack."""
        return self.lot.gpus // GPUS_PER_TRAY

    def on(self, piece: int) -> Iterator[tuple[int, Literal]]:
        """The racks on which it may stand on a piece."""
        return ((rack, use) for (rack, other), use in self.use.items() if other == piece)

    def missing(self, piece: int) -> cp_model.LinearExprT:
        """Trays that it lacks on a piece."""
        has = cp_model.LinearExpr.sum([self.trays[rack, piece] for rack, _ in self.on(piece)])
        return self.lot.racks * self.full * self.alive[piece] - has


class Program:
    """Variables and the rules that bind lots to one another; `repair_courses` adds each lot."""

    def __init__(self, problem: Problem, lots: Iterable[Lot]) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.one = self.model.new_constant(1)
        self.zero = self.model.new_constant(0)
        self.courses: list[Course] = []
        self.free = tuple(lots)
        self.fixed = _fixed_load(problem, self.free)
        self.power = _power(problem)
        self.excess = _excess(problem)
        self.dark = dark_sites(self.excess)
        self.owned = {rack for lot in self.free for rack in _own_racks(lot)}
        self.needed = sum(lot.racks for lot in self.free)
        self.taken_in_turn: list[tuple[Literal, int, int]] = []
        self.on_duty: list[tuple[Course, Cell, Literal]] = []
        self._full: dict[Cell, Literal] = {}
        self._at: dict[Cell, list[tuple[Course, Literal]]] | None = None
        self._carrying: dict[Cell, Literal] = {}

    def literal(self) -> Literal:
        """A new variable of 0 or 1."""
        return self.model.new_bool_var("")

    def load(self, rack: int, piece: int) -> int:
        """Trays of a rack under lots that are not in the program."""
        return self.fixed.get((rack, piece), 0)

    def is_dead(self, rack: int, piece: int) -> bool:
        return bool(self.problem.ground.dead[rack] >> piece & 1)

    def has_limit(self, rack: int, piece: int) -> bool:
        """Whether power is limited there and then."""
        return (self.problem.ground.site_of[rack], piece) in self.power

    def standing(self, cell: Cell) -> list[tuple[Course, Literal]]:
        """The courses that may stand on a rack on a piece; to be asked when all courses are known."""
        if self._at is None:
            self._at = defaultdict(list)
            for course in self.courses:
                for other, use in course.use.items():
                    self._at[other].append((course, use))
        return self._at.get(cell, [])

    def carrying(self, cell: Cell) -> Literal:
        """Whether a rack carries a block on a piece."""
        if self.load(*cell):
            return self.one
        if cell not in self._carrying:
            uses = [use for _, use in self.standing(cell)]
            self._carrying[cell] = self.zero if not uses else uses[0] if len(uses) == 1 else self._any(uses)
        return self._carrying[cell]

    def _any(self, literals: list[Literal]) -> Literal:
        result = self.literal()
        self.model.add_max_equality(result, literals)
        return result

    def racks_carrying(self, site: int, piece: int) -> list[Literal]:
        """One literal for each rack of a site: whether it carries a block."""
        every = (self.carrying((rack, piece)) for rack in self.problem.ground.racks_of[site])
        return [literal for literal in every if literal is not self.zero]

    def full(self, site: int, piece: int) -> Literal:
        """Implies that a site has no power for one rack more."""
        if (site, piece) not in self._full:
            full = self._full[site, piece] = self.literal()
            carrying = cp_model.LinearExpr.sum(self.racks_carrying(site, piece))
            self.model.add(carrying >= self.power[site, piece]).only_enforce_if(full)
        return self._full[site, piece]

    def others(self, course: Course, cell: Cell) -> list[tuple[Course, Literal]]:
        """The other courses that may stand on a rack on a piece."""
        return [(other, use) for other, use in self.standing(cell) if other is not course]

    def crowded(self, course: Course, cell: Cell) -> Literal:
        """Implies that the others leave no room for the course's GPUs on a rack on a piece."""
        crowded = self.literal()
        load = cp_model.LinearExpr.sum([other.trays[cell] for other, _ in self.others(course, cell)])
        self.model.add(load + self.load(*cell) + course.full > TRAYS).only_enforce_if(crowded)
        return crowded

    def bind(self) -> None:
        """R1, R3, and R10's limit on what power may take."""
        for cell in {cell for course in self.courses for cell in course.use}:
            trays = [course.trays[cell] for course, _ in self.standing(cell)]
            self.model.add(cp_model.LinearExpr.sum(trays) <= TRAYS - self.load(*cell))
        for taken, site, piece in self.taken_in_turn:
            self.model.add_implication(taken, self.full(site, piece))
        for (site, piece), limit in self.power.items():
            self.model.add(cp_model.LinearExpr.sum(self.racks_carrying(site, piece)) <= limit)
            self._bind_given_up(site, piece)

    def _bind_given_up(self, site: int, piece: int) -> None:
        given_up: dict[int, list[Literal]] = defaultdict(list)
        for course in self.courses:
            for (rack, other), literal in course.given_up.items():
                if other == piece and self.problem.ground.site_of[rack] == site:
                    given_up[rack].append(literal)
        racks = [literals[0] if len(literals) == 1 else self._any(literals) for literals in given_up.values()]
        if racks:
            self.model.add(cp_model.LinearExpr.sum(racks) <= self.excess.get((site, piece), 0))


def losses(problem: Problem, lot: Lot, dark: Mapping[int, Mask] | None = None) -> dict[int, Mask]:
    """R10: by own rack the pieces on which it is taken: from its first day in an outage on, and where GPUs are missing.

    An outage that is over before the lot stands there takes the rack too. The lot stays all the same, but where power
    may take the rack (``dark``: when, by site): coming back would be one replacement more.
    """
    ground, dark = problem.ground, dark or {}
    taken: dict[int, Mask] = {}
    for rack, mask in lot.own.items():
        gone = ground.since_dead(rack, mask)
        stays = not gone & dark.get(ground.site_of[rack], 0)
        taken[rack] = ground.from_outage(rack, mask) if stays else gone
    for rack, mask, _ in lot.parts:
        taken[rack] = taken.get(rack, 0) | mask
    return {rack: mask for rack, mask in taken.items() if mask}


def dark_sites(excess: Iterable[tuple[int, int]]) -> dict[int, Mask]:
    """By site the pieces on which power may take racks."""
    dark: dict[int, Mask] = defaultdict(int)
    for site, piece in excess:
        dark[site] |= 1 << piece
    return dark


def touched(problem: Problem) -> list[Lot]:
    """The lots of which anything may become but that they stay where they are."""
    dark, site_of = dark_sites(_excess(problem)), problem.ground.site_of

    def is_touched(lot: Lot) -> bool:
        if not lot.firm or lot.movable or lot.missing or lot.parts or losses(problem, lot):
            return True
        return any(mask & dark.get(site_of[rack], 0) for rack, mask in lot.own.items())

    return [lot for lot in problem.lots if is_touched(lot)]


def _own_racks(lot: Lot) -> set[int]:
    return {*lot.own, *(rack for rack, _, _ in lot.parts)}


def _fixed_load(problem: Problem, free: tuple[Lot, ...]) -> dict[Cell, int]:
    numbers = {lot.number for lot in free}
    load: dict[Cell, int] = defaultdict(int)
    for lot in problem.lots:
        if lot.number not in numbers:
            for rack, mask in lot.own.items():
                for piece in pieces_of(mask):
                    load[rack, piece] += lot.gpus // GPUS_PER_TRAY
    return load


def _power(problem: Problem) -> dict[tuple[int, int], int]:
    """R3: racks by site and piece, where there is a limit at all."""
    return {
        (site, piece): limit
        for site, limits in problem.ground.limits.items()
        for piece, limit in enumerate(limits)
        if limit < UNLIMITED
    }


def _excess(problem: Problem) -> dict[tuple[int, int], int]:
    """R10: by how many racks reservations, where they stand in the snapshot, need more than a site's power."""
    standing: dict[int, Mask] = defaultdict(int)
    for lot in problem.lots:
        for rack, mask in lot.own.items():
            standing[rack] |= mask
        for rack, mask, _ in lot.parts:
            standing[rack] |= mask
    excess = {}
    for (site, piece), limit in _power(problem).items():
        count = sum(standing[rack] >> piece & 1 for rack in problem.ground.racks_of[site] if rack in standing)
        if count > limit:
            excess[site, piece] = count - limit
    return excess
