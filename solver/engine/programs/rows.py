"""A whole-number program as plain rows, which CP-SAT and the linear solver both read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Terms = Mapping[int, int]
"""Coefficients by variable."""


@dataclass(frozen=True, slots=True)
class Row:
    """``sum of factors * variables <= right``, or ``=`` where it is ``exact``. No variable twice."""

    variables: Sequence[int]
    factors: Sequence[int]
    right: int
    exact: bool = False


@dataclass(slots=True)
class Rows:
    """Most of ``objective`` with each variable a whole number in ``[0, upper]``, and the rows."""

    upper: list[int] = field(default_factory=list)
    objective: dict[int, int] = field(default_factory=dict)
    every: list[Row] = field(default_factory=list)

    def variable(self, upper: int) -> int:
        """A new variable's number."""
        self.upper.append(upper)
        return len(self.upper) - 1

    def at_most(self, terms: Terms, right: int) -> None:
        """A row."""
        self.every.append(Row(list(terms.keys()), list(terms.values()), right))

    def exactly(self, terms: Terms, right: int) -> None:
        """A row that has to be met exactly."""
        self.every.append(Row(list(terms.keys()), list(terms.values()), right, exact=True))


@dataclass(frozen=True, slots=True)
class Load:
    """What variables load a limit with: each with its factor on the spans ``[first, last)``."""

    variables: Indices
    factors: Indices
    first: Indices
    last: Indices

    def peaks(self, right: Indices) -> list[int]:
        """The spans whose row says more than those of the spans before and after."""
        spans = len(right)
        starts = np.bincount(self.first, minlength=spans + 1).tolist()
        ends = np.bincount(self.last, minlength=spans + 1).tolist()
        kept: list[int] = []
        began = ended = 0  # since the last one that is kept
        for span, room in enumerate(right.tolist()):
            began, ended = began + starts[span], ended + ends[span]
            if kept and not began and room >= right[kept[-1]]:
                continue
            if kept and not ended and room <= right[kept[-1]]:
                kept.pop()
            kept.append(span)
            began = ended = 0
        return kept

    def on(self, span: int) -> tuple[list[int], list[int]]:
        """Variables and factors on one span."""
        here = (self.first <= span) & (span < self.last)
        return self.variables[here].tolist(), self.factors[here].tolist()
