"""From multipliers to a bound, by weak duality: any multipliers of the rows prove one. See ``docs/model.md``."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from solver.engine.relaxation.problem import Duals, Floats, Meter, Missing, Problem

SAFETY = 1e-9  # of every sum of money: far above the rounding of sums of some ten thousand doubles


def proven(problem: Problem, duals: Duals) -> float:
    """The bound that these multipliers prove, in USD, rounded upwards; a multiplier of the wrong sign counts as 0."""
    rights = np.array([limit.right for limit in problem.limits]).reshape(duals.limits.shape)
    dues = np.array([hold.due for hold in problem.holds]).reshape(duals.holds.shape)
    limits = _multipliers(duals.limits)
    holds = _hold_duals(problem, _multipliers(duals.holds), limits)
    weights = _weights(problem, duals)
    share = np.array([choice.share for choice in problem.choices])
    parts = np.concatenate(
        [
            (limits * rights).ravel(),
            -(holds * dues).ravel(),
            np.array([-weights[tier] * least for tier, least in problem.reached.items()]),
            np.array([_missing_worth(problem, missing, limits) for missing in problem.missing]),
            share * best_of_each(problem, column_worth(problem, duals)) if len(share) else share,
        ]
    )
    return float(parts.sum() + SAFETY * np.abs(parts).sum())


def no_duals(problem: Problem) -> Duals:
    """All zero: their bound is the value of all requests that could be accepted at all."""
    spans = len(problem.spans) - 1
    return Duals(np.zeros((len(problem.limits), spans)), np.zeros((len(problem.holds), spans)), {})


def none_or_some(problem: Problem, bound: float) -> float:
    """A tier without recalls is worth nothing or at least its least block, so a bound between the two is 0."""
    own = [(number, choice) for number, choice in enumerate(problem.choices) if choice.tier == problem.tier]
    if any(choice.request is None for _, choice in own):
        return bound
    value = dict(zip(problem.columns.choice.tolist(), problem.columns.value.tolist(), strict=True))
    least = min((value[number] * choice.fewest * choice.unit / choice.gpus for number, choice in own), default=np.inf)
    return bound if bound > least * (1 - SAFETY) else min(bound, 0.0)


def column_worth(problem: Problem, duals: Duals) -> Floats:
    """Each column's value less what its GPUs cost on its days at these multipliers, in USD."""
    limits = _multipliers(duals.limits)
    holds = _hold_duals(problem, _multipliers(duals.holds), limits)
    weights = {**_weights(problem, duals), problem.tier: 1.0}
    columns = problem.columns
    worth: Floats = np.array([weights[choice.tier] for choice in problem.choices])[columns.choice] * columns.value
    meters = _meter_prices(problem, limits, holds)
    profiles: dict[frozenset[Meter], Floats] = {}
    bounds = np.searchsorted(columns.choice, np.arange(len(problem.choices) + 1)).tolist()
    for choice, (first, last) in zip(problem.choices, pairwise(bounds), strict=True):
        until = profiles.setdefault(choice.meters, _until(choice.meters, meters, len(problem.lengths)))
        own = slice(first, last)
        worth[own] -= choice.gpus * (until[columns.last[own]] - until[columns.first[own]])
    return worth


def best_of_each(problem: Problem, worth: Floats) -> Floats:
    """Each choice at its best column; 0 where no column pays."""
    best = np.zeros(len(problem.choices))
    np.maximum.at(best, problem.columns.choice, worth)
    return best


def _weights(problem: Problem, duals: Duals) -> dict[int, float]:
    """What a dollar of each tier above counts."""
    return {tier: float(_multipliers(np.array(duals.reached.get(tier, 0.0)))) for tier in problem.reached}


def _multipliers(values: Floats) -> Floats:
    return np.maximum(np.where(np.isfinite(values), values, 0.0), 0.0)


def _hold_duals(problem: Problem, holds: Floats, limits: Floats) -> Floats:
    """A held GPU costs what the limits ask that count it; a larger multiplier would make holding more worth while.

    Where nothing can be booked on the contract, all that is due is held: the full cost is the best multiplier.
    """
    cost = np.zeros_like(holds)
    for number, limit in enumerate(problem.limits):
        for hold in limit.holds:
            cost[hold] += limits[number]
    loaded: frozenset[Meter] = frozenset().union(*(choice.meters for choice in problem.choices))
    fixed = np.array([hold.booked not in loaded for hold in problem.holds], dtype=np.bool_)
    return np.where(fixed[:, None], cost, np.minimum(holds, cost))


def _meter_prices(problem: Problem, limits: Floats, holds: Floats) -> dict[Meter, Floats]:
    """USD per GPU and span for each meter: what its limits ask, less what booking gives back of a hold."""
    prices: dict[Meter, Floats] = {}
    for number, limit in enumerate(problem.limits):
        for meter in limit.meters:
            prices[meter] = prices.get(meter, 0.0) + limits[number]
    for number, hold in enumerate(problem.holds):
        prices[hold.booked] = prices.get(hold.booked, 0.0) - holds[number]
    return prices


def _until(meters: frozenset[Meter], prices: Mapping[Meter, Floats], spans: int) -> Floats:
    """USD per GPU from today up to each span, for a block that loads these meters."""
    ordered = sorted((m for m in meters if m in prices), key=Meter.order)
    total: Floats = sum((prices[meter] for meter in ordered), np.zeros(spans))
    return np.concatenate([[0.0], np.cumsum(total)])


def _missing_worth(problem: Problem, missing: Missing, limits: Floats) -> float:
    """The budget of missing GPU-days spent where the limits ask most for them."""
    asked = sum(
        (limits[n] for n, limit in enumerate(problem.limits) if limit.meters & missing.meters),
        np.zeros(len(problem.lengths)),
    )
    dearest = np.argsort(-asked / problem.lengths, kind="stable")
    room = (missing.most * problem.lengths)[dearest]
    spent = np.clip(missing.budget - (np.cumsum(room) - room), 0.0, room)
    return float((spent * (asked / problem.lengths)[dearest]).sum())
