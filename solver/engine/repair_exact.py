"""The best repair by CP-SAT, proven where the program is small: each cost of section 5 in its order, one after another.

Work is limited in CP-SAT's own deterministic units, on one thread: the same answer on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from solver.engine import repair_costs
from solver.engine.repair_courses import add_course
from solver.engine.repair_cuts import bind_duties, forbid
from solver.engine.repair_effort import Effort
from solver.engine.repair_fallback import bind_fallback
from solver.engine.repair_holding import hold_shortfall
from solver.engine.repair_program import Program, touched
from solver.engine.repair_reading import fate_of, list_shortfalls
from solver.engine.repair_score import Score, score
from solver.engine.repair_timeline import Mask
from solver.engine.repair_yard import Fate, Problem

MOST_CELLS = 40_000
MOST_CUTS = 12


@dataclass(frozen=True, slots=True)
class Exact:
    """The best fates found; ``proven``: no others cost less."""

    fates: list[Fate]
    score: Score
    proven: bool


def improve(problem: Problem, fates: Sequence[Fate], effort: Effort) -> Exact | None:
    """The best that becomes of all lots, at least as good as these fates; None: too large, or nothing was found."""
    free = touched(problem)
    cells = sum(lot.span.bit_count() for lot in free) * len(problem.ground.dead)
    if not free or cells > MOST_CELLS:
        return None
    program = Program(problem, free)
    for lot in free:
        add_course(program, lot)
    program.bind()
    bind_duties(program)
    for course in program.courses:
        bind_fallback(program, course)
    return _Solving(program, list(fates), effort).run()


class _Solving:
    def __init__(self, program: Program, fates: list[Fate], effort: Effort) -> None:
        self.program, self.problem, self.model = program, program.problem, program.model
        self.fates, self.effort = fates, effort
        self.found: list[Fate] | None = None
        self.known = score(self.problem, fates)
        self.is_ahead = False

    def run(self) -> Exact | None:
        program = self.program
        costs = [
            repair_costs.shortfall(program, firm=True),
            repair_costs.shortfall(program, firm=False),
            repair_costs.outside(program),
            hold_shortfall(program),
            *repair_costs.recalled_values(program),
            repair_costs.recalled_gpu_days(program),
            *repair_costs.moved(program),
        ]
        self._hint()
        proven = True
        for number, cost in enumerate(costs):
            is_last = number == len(costs) - 1
            if self.effort.deadline():
                proven = False
                break
            if not self.is_ahead and not self.known[number] and not (is_last and self.found):
                self.model.add(cost <= 0)
            else:
                proven &= self._minimise(number, cost)
        if self.found is None:
            return Exact(self.fates, self.known, proven=True) if proven else None
        return Exact(self.found, score(self.problem, self.found), proven)

    def _minimise(self, number: int, cost: cp_model.LinearExprT) -> bool:
        """Make the cost as small as those before it allow, and keep it so; answers whether it is proven."""
        self.model.minimize(cost)
        for _ in range(MOST_CUTS):
            solver, proven = self.effort.solve(self.model)
            if proven is None:
                return False
            fates = self._read(solver)
            if shut := list_shortfalls(self.problem, fates):
                forbid(self.program, shut)
                continue
            self.found = fates
            self.is_ahead = self.is_ahead or score(self.problem, fates)[: number + 1] < self.known[: number + 1]
            self.model.add(cost <= round(solver.objective_value))
            self._hint_solution(solver)
            return proven
        return False

    def _read(self, solver: cp_model.CpSolver) -> list[Fate]:
        def value(expression: cp_model.LinearExprT) -> int:
            return int(solver.value(expression))

        fates = {course.lot.number: fate_of(course, value) for course in self.program.courses}
        return [fates.get(lot.number) or Fate(lot, lot.span, dict(lot.own)) for lot in self.problem.lots]

    def _hint(self) -> None:
        for course in self.program.courses:
            fate = self.fates[course.lot.number]
            for piece, alive in course.alive.items():
                if alive is not self.program.one:
                    self.model.add_hint(alive, fate.span >> piece & 1)
            standing: dict[int, Mask] = {}
            for rack, mask, _ in fate.standing():
                standing[rack] = standing.get(rack, 0) | mask
            for (rack, piece), use in course.use.items():
                self.model.add_hint(use, standing.get(rack, 0) >> piece & 1)

    def _hint_solution(self, solver: cp_model.CpSolver) -> None:
        hint = self.model.proto.solution_hint
        hint.vars.clear()
        hint.values.clear()
        hint.vars.extend(range(len(solver.response_proto.solution)))
        hint.values.extend(solver.response_proto.solution)
