"""A tier's relaxation with what is accepted of the tiers above given. For guidance only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from solver.engine.relaxation.problem import Choice, Columns, Floats, Problem

_DEARER = 6.0
"""How much more a block above counts than its value: enough that none is given up for what is below."""


def given(problem: Problem, gpus: Mapping[str, int]) -> Problem:
    """The problem with exactly these requests (to GPUs) of the tiers above, at whichever of their starts; no others.

    Its optimum is no bound: it counts the given blocks as well, and dearer than they are.
    """
    kept = np.array([c.tier == problem.tier or c.request in gpus for c in problem.choices], dtype=np.bool_)
    columns = _columns_of(problem.columns, kept)
    choices = [choice for choice, own in zip(problem.choices, kept, strict=True) if own]
    above = np.array([choice.tier != problem.tier for choice in choices], dtype=np.bool_)
    value: Floats = columns.value * np.where(above[columns.choice], _DEARER, 1.0)
    return replace(
        problem,
        choices=tuple(_as_given(choice, problem.tier, gpus) for choice in choices),
        columns=replace(columns, value=value),
        reached={},
    )


def _as_given(choice: Choice, tier: int, gpus: Mapping[str, int]) -> Choice:
    if choice.tier == tier or choice.request is None:
        return choice
    return replace(choice, tier=tier, most=min(choice.most, gpus[choice.request] // choice.unit))


def _columns_of(columns: Columns, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Columns:
    """The columns of the choices that are ``kept``, numbered anew."""
    own = kept[columns.choice] if len(columns.choice) else np.zeros(0, dtype=np.bool_)
    number = np.cumsum(kept) - 1
    arrays = columns.start[own], columns.first[own], columns.last[own], columns.value[own]
    return Columns(number[columns.choice[own]], *arrays)
