"""A tier's relaxation with the blocks of the tiers above given. For guidance only: with others it may be worth more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from solver.engine.relaxation.problem import Columns, Floats, Problem


@dataclass(frozen=True, slots=True)
class Block:
    """GPUs of an accepted request on the days ``[start, end)``, counted from today."""

    start: int
    end: int
    gpus: int


def given(problem: Problem, blocks: Mapping[str, Block]) -> Problem:
    """The problem without its tiers above; their ``blocks`` (by request) have taken what they need of every row."""
    rights = [limit.right.copy() for limit in problem.limits]
    dues = [hold.due.copy() for hold in problem.holds]
    for choice in problem.choices:
        block = blocks.get(choice.request or "")
        if block is None or choice.tier == problem.tier:
            continue
        first, last = np.searchsorted(problem.spans, [block.start, block.end])
        for limit, right in zip(problem.limits, rights, strict=True):
            right[first:last] -= block.gpus * len(limit.meters & choice.meters)
        for hold, due in zip(problem.holds, dues, strict=True):
            due[first:last] -= block.gpus * (hold.booked in choice.meters)
    own = np.array([choice.tier == problem.tier for choice in problem.choices], dtype=np.bool_)
    return replace(
        problem,
        choices=tuple(choice for choice in problem.choices if choice.tier == problem.tier),
        columns=_columns_of(problem.columns, own),
        holds=tuple(replace(hold, due=np.maximum(due, 0.0)) for hold, due in zip(problem.holds, dues, strict=True)),
        limits=tuple(replace(lim, right=_not_negative(r)) for lim, r in zip(problem.limits, rights, strict=True)),
        reached={},
    )


def _columns_of(columns: Columns, own: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Columns:
    """The columns of the choices that are ``own``, numbered anew."""
    kept = own[columns.choice] if len(columns.choice) else np.zeros(0, dtype=np.bool_)
    number = np.cumsum(own) - 1
    return Columns(
        number[columns.choice[kept]],
        columns.start[kept],
        columns.first[kept],
        columns.last[kept],
        columns.value[kept],
    )


def _not_negative(right: Floats) -> Floats:
    floored: Floats = np.maximum(right, 0.0)
    return floored
