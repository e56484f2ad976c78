"""From multipliers to a bound, by weak duality: any multipliers of the rows prove one. See ``docs/model.md``."""

from __future__ import annotations

import numpy as np

from solver.engine.relaxation.pricing import Pricing, multipliers
from solver.engine.relaxation.problem import Duals, Floats, Missing, Problem

SAFETY = 1e-9  # of every sum of money: far above the rounding of sums of some ten thousand doubles


def proven(problem: Problem, duals: Duals, pricing: Pricing | None = None) -> float:
    """The bound that these multipliers prove, in USD, rounded upwards; a multiplier of the wrong sign counts as 0.

    ``pricing`` of the problem, where there is one already.
    """
    pricing = pricing or Pricing(problem)
    rights = np.array([limit.right for limit in problem.limits]).reshape(duals.limits.shape)
    dues = np.array([hold.due for hold in problem.holds]).reshape(duals.holds.shape)
    limits = multipliers(duals.limits)
    holds = pricing.holds(multipliers(duals.holds), limits)
    weights = pricing.weights(duals)
    parts = np.concatenate(
        [
            (limits * rights).ravel(),
            -(holds * dues).ravel(),
            np.array([-weights[tier] * least for tier, least in problem.reached.items()]),
            np.array([_missing_worth(problem, missing, limits) for missing in problem.missing]),
            pricing.share * pricing.best(pricing.worth(duals)),
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
