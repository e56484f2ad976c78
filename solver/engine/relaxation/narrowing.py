"""Solves a relaxation with many columns on those that matter near the optimum, and adds others that would have paid.

Many requests or long windows make columns: a start a day. Rough multipliers tell most of them from those that matter.
The proof looks at all of them, so a column left out never makes a bound wrong. It makes the multipliers worse, and each
round mends that.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solver.engine.relaxation import linear
from solver.engine.relaxation.linear import Outcome
from solver.engine.relaxation.pricing import Pricing
from solver.engine.relaxation.problem import Columns, Duals, Floats, Problem
from solver.engine.relaxation.proof import proven
from solver.engine.relaxation.rough import rough

MOST_COLUMNS, MOST_IN_ONE_ROW = 60_000, 20_000
"""Columns up to which a problem is solved as it is; fewer where a single row is all that matters: there rough
multipliers are nearly the optimal ones (Philly: 0.03 % off, and 4 seconds instead of 18)."""
ROUNDS = 4
OPEN = 1e-5  # of the bound: by how much it may exceed the value of the narrowed optimum, which the whole one's exceeds
_PROGRAM_SHARE = 0.8  # of the time: the rough answer is to arrive while somebody waits for it
NEAR = 0.03  # of a column's value: what it may lack to pay, or to be the best of its choice, at rough multipliers
PAYS = 1e-9  # of the largest value

Flags = NDArray[np.bool_]


def solve(problem: Problem, deadline_seconds: float | None) -> Outcome | None:
    """The optimum; of a larger problem the outcome with the best bound, the rough one where no other is in time."""
    if len(problem.columns.choice) <= (MOST_IN_ONE_ROW if len(problem.limits) == 1 else MOST_COLUMNS):
        return linear.solve(problem, deadline_seconds)
    ends = None if deadline_seconds is None else time.monotonic() + _PROGRAM_SHARE * deadline_seconds
    pricing = Pricing(problem)
    found = [rough(pricing)]
    best, active = proven(problem, found[0].duals, pricing), _near(pricing, found[0].duals)
    for _ in range(ROUNDS):
        outcome = linear.solve(_narrowed(problem, active), None if ends is None else ends - time.monotonic())
        if outcome is None:
            break
        found.append(replace(outcome, fractions=_spread(outcome.fractions, active)))
        missed = _missed(pricing, active, outcome.duals)
        best = min(best, proven(problem, outcome.duals, pricing))
        if not missed.any() or best - _value(pricing, found[-1].fractions) <= OPEN * abs(best):
            break
        active |= missed
    return min(found, key=lambda outcome: proven(problem, outcome.duals, pricing))


def _near(pricing: Pricing, duals: Duals) -> Flags:
    """The columns that nearly pay, and are nearly the best of their choice."""
    columns, worth = pricing.problem.columns, pricing.worth(duals)
    near: Flags = worth >= pricing.best(worth)[columns.choice] - NEAR * np.abs(columns.value)
    return near


def _narrowed(problem: Problem, active: Flags) -> Problem:
    columns = problem.columns
    kept = Columns(
        choice=columns.choice[active],
        start=columns.start[active],
        first=columns.first[active],
        last=columns.last[active],
        value=columns.value[active],
    )
    return replace(problem, columns=kept)


def _spread(fractions: Floats, active: Flags) -> Floats:
    spread = np.zeros(len(active))
    spread[active] = fractions
    return spread


def _value(pricing: Pricing, fractions: Floats) -> float:
    own = pricing.tier[pricing.problem.columns.choice] == pricing.problem.tier
    return float((fractions * pricing.problem.columns.value)[own].sum())


def _missed(pricing: Pricing, active: Flags, duals: Duals) -> Flags:
    """The best column of each choice where it pays more than all that were there."""
    choice, worth = pricing.problem.columns.choice, pricing.worth(duals)
    known, best = pricing.best(np.where(active, worth, -np.inf)), pricing.best(worth)
    least = PAYS * float(np.abs(pricing.problem.columns.value).max(initial=0.0))
    missed: Flags = (worth >= best[choice]) & (worth > known[choice] + least)
    return missed
