"""R13 for requests that are worth nothing: no value accepts them, and none may be declined while it still fits.

A solution that leaves one out though it fits from some day on is cut off, with all that leave as much room there: the
request is accepted, or some block is on those days where this one has none. Taking blocks away never breaks a rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from solver import offers
from solver import standing as standings
from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine.exact.courses import Course
from solver.engine.exact.model import Model, Var
from solver.engine.exact.rules import Rules
from solver.engine.exact.wants import Field, Want
from solver.snapshot import Snapshot
from solver.standing import Standing


class Leftover:
    """The cuts of R13; every group is a single rack where there are such requests."""

    def __init__(self, model: Model, ground: Field, courses: Sequence[Course], rules: Rules) -> None:
        self.model = model
        self.ground = ground
        self.courses = courses
        self.rules = rules
        self._changes: dict[tuple[int, int, bool], Var] = {}

    def cut(
        self, snapshot: Snapshot, cluster: Cluster, decisions: Decisions, wants: Sequence[Want], values: Sequence[int]
    ) -> bool:
        """Cut the solution off if it leaves a worthless request out that fits; whether it does."""
        standing: Standing | None = None
        is_cut = False
        for want in wants:
            if want.request.value_usd or want.accepted.at(values):
                continue
            standing = standing or standings.of(snapshot, cluster, decisions)
            for start in _fitting(standing, want):
                self._cut(want, start, values)
                is_cut = True
        return is_cut

    def _cut(self, want: Want, start: int, values: Sequence[int]) -> None:
        window = self.ground.pieces.span(start, start + want.request.days)
        self.model.some([var for _, var in want.chosen] + list(self._more(window, values)))

    def _more(self, window: range, values: Sequence[int]) -> Iterator[Var]:
        """Variables of which one is 1 in each solution that leaves less room on some of these days."""
        grown: dict[int, Var] = {}
        for use in self.model.uses:
            if use.pieces.start < window.stop and use.pieces.stop > window.start:
                grown |= {var.index: var for var in (use.amount, use.present) if var is not None}
        for course in self.courses:
            kept = [course.keeps[piece] for piece in window if piece in course.keeps]
            grown |= {var.index: var for var in kept if var is not None}
        for var in grown.values():
            if values[var.index] < self.model.upper[var.index]:
                yield self._change(var, values[var.index], above=True)
        for (_, piece), var in self.rules.shortfalls.items():
            if piece in window and values[var.index]:
                yield self._change(var, values[var.index], above=False)

    def _change(self, var: Var, value: int, *, above: bool) -> Var:
        """A variable that is 1 only if ``var`` is above (or below) ``value``."""
        if above and self.model.upper[var.index] == 1:
            return var
        key = (var.index, value, above)
        if key not in self._changes:
            changed = self._changes[key] = self.model.boolean()
            row = var >= value + 1 if above else var <= value - 1
            self.model.cp.add(row).only_enforce_if(changed)
        return self._changes[key]


def _fitting(standing: Standing, want: Want) -> list[int]:
    """The starts at which the request fits on top of what stands."""
    first, last = offers.window(standing, want.request)
    sizes = offers.largest(standing, offers.ask_of(want.request), first, last)
    return [first + i for i, gpus in enumerate(sizes.tolist()) if gpus >= want.request.min_gpus]
