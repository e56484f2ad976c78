"""The part of a relaxation that any row is about; all other requests of its tiers are accepted at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from solver.engine.relaxation.problem import Columns, Meter, Problem
from solver.engine.relaxation.proof import SAFETY


@dataclass(frozen=True, slots=True)
class Contested:
    """The program of the choices in a row. ``free_usd`` is what the others add to the tier; ``free`` are those that are
    requests, each with its first start and the GPUs of its largest size.
    """

    problem: Problem
    free_usd: float
    free: Mapping[str, tuple[int, int]]


def contested(problem: Problem) -> Contested:
    """Set apart what is in no row: a request in full, at its first start; a recall only costs, so none."""
    inside = np.array([bool(choice.meters & _read(problem)) for choice in problem.choices], dtype=np.bool_)
    numbers = np.flatnonzero(inside)
    columns, kept = problem.columns, inside[problem.columns.choice]
    narrowed = Columns(
        choice=np.searchsorted(numbers, columns.choice[kept]),
        start=columns.start[kept],
        first=columns.first[kept],
        last=columns.last[kept],
        value=columns.value[kept],
    )
    free = {number: first for number, first in _first_columns(problem).items() if not inside[number]}
    worth = _worth_by_tier(problem, free)
    return Contested(
        problem=replace(
            problem,
            choices=tuple(problem.choices[number] for number in numbers),
            columns=narrowed,
            reached={tier: least - worth.get(tier, 0.0) for tier, least in problem.reached.items()},
        ),
        free_usd=worth.get(problem.tier, 0.0),
        free={
            choice.request: (int(columns.start[first]), choice.most * choice.unit)
            for number, first in free.items()
            if (choice := problem.choices[number]).request is not None
        },
    )


def _read(problem: Problem) -> frozenset[Meter]:
    """The meters in the rows, and those whose bookings make a hold in a row smaller."""
    booked = {problem.holds[number].booked for limit in problem.limits for number in limit.holds}
    return frozenset(booked).union(*(limit.meters for limit in problem.limits))


def _first_columns(problem: Problem) -> dict[int, int]:
    numbers, firsts = np.unique(problem.columns.choice, return_index=True)
    return dict(zip(numbers.tolist(), firsts.tolist(), strict=True))


def _worth_by_tier(problem: Problem, free: Mapping[int, int]) -> dict[int, float]:
    """What the free requests are worth in USD, rounded upwards. All starts of a request are worth the same."""
    worth: dict[int, list[float]] = {}
    for number, first in free.items():
        choice = problem.choices[number]
        if choice.request is not None:
            worth.setdefault(choice.tier, []).append(choice.share * float(problem.columns.value[first]))
    return {tier: math.fsum(values) * (1 + SAFETY) for tier, values in worth.items()}
