"""Rough multipliers in a moment: a row whose best columns ask for more than it has grows dearer, another one cheaper.

What a large linear program is narrowed by: most columns are far from paying, or from being the best of their choice, at
any prices near the optimal ones. Heuristic: any multipliers prove a bound, these a looser one than the program's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solver.engine.relaxation.linear import Outcome
from solver.engine.relaxation.pricing import Pricing
from solver.engine.relaxation.problem import Duals, Floats, Indices, Meter
from solver.engine.relaxation.proof import proven

STEPS = 150
STEP, SLOWER_AFTER = 0.5, 20
"""How much dearer, as a power of e, a row becomes at first that is asked for twice what it has; and how this calms."""
LEAST_PRICE, OTHER_ROWS = 1e-6, 1e-3
"""Of the mean price of a GPU-day: what a row costs at least, and what all but the first one cost at the beginning."""


def rough(pricing: Pricing) -> Outcome:
    """Multipliers found by adjusting prices to demand: of the last ones and the mean of the later ones the better.

    The fractions are the share of the later steps in which a column was the best of its choice.
    """
    problem, asked = pricing.problem, _Asked(pricing)
    price: Floats = _mean_price(pricing) * problem.lengths.astype(np.float64)
    limits = np.repeat(OTHER_ROWS * price[None, :], len(problem.limits), axis=0)
    limits[:1] = price
    duals = Duals(limits, pricing.hold_costs(limits), dict.fromkeys(problem.reached, 1.0))
    later: list[Duals] = []
    fractions = np.zeros(len(problem.columns.choice))
    for number in range(STEPS):
        taken = asked.taken(duals)
        duals = asked.adjusted(duals, taken, (STEP / (1 + number / SLOWER_AFTER), LEAST_PRICE * price))
        if 2 * number >= STEPS:
            later.append(duals)
            fractions[taken] += pricing.share[problem.columns.choice[taken]]
    duals = min((duals, _mean(later)), key=lambda tried: proven(problem, tried, pricing))
    left_over = np.where(duals.limits > OTHER_ROWS * price, 0.0, np.inf)
    return Outcome(fractions / len(later), left_over, duals, is_rough=True)


def _mean_price(pricing: Pricing) -> float:
    """USD per GPU-day that all columns together would pay."""
    columns, spans = pricing.problem.columns, pricing.problem.spans
    gpu_days = np.abs(pricing.gpus[columns.choice]) * (spans[columns.last] - spans[columns.first])
    return float(np.abs(columns.value).sum() / max(1.0, float(gpu_days.sum())))


def _mean(tried: list[Duals]) -> Duals:
    return Duals(
        limits=np.mean([duals.limits for duals in tried], axis=0),
        holds=np.mean([duals.holds for duals in tried], axis=0),
        reached={tier: float(np.mean([duals.reached[tier] for duals in tried])) for tier in tried[0].reached},
    )


@dataclass(frozen=True, slots=True)
class _Loads:
    """What the best columns ask for: GPUs by limit, those booked by hold, number x spans; values of the tiers above."""

    limits: Floats
    booked: Floats
    reached: dict[int, float]


class _Asked:
    """What a problem's best columns ask of its rows at given multipliers."""

    def __init__(self, pricing: Pricing) -> None:
        self._problem, self._pricing = pricing.problem, pricing
        problem, spans = pricing.problem, len(pricing.problem.lengths)
        self._right = np.array([limit.right for limit in problem.limits]).reshape(len(problem.limits), spans)
        self._due = np.array([hold.due for hold in problem.holds]).reshape(len(problem.holds), spans)
        self._most = pricing.share * pricing.gpus

    def taken(self, duals: Duals) -> Indices:
        """The first of the best columns of each choice that has one that pays."""
        choice, worth = self._problem.columns.choice, self._pricing.worth(duals)
        at_best = np.flatnonzero((worth >= self._pricing.best(worth)[choice]) & (worth > 0))
        _, once = np.unique(choice[at_best], return_index=True)
        taken: Indices = at_best[once]
        return taken

    def adjusted(self, duals: Duals, taken: Indices, pace: tuple[float, Floats]) -> Duals:
        """The multipliers after one step: dearer by the share by which a row is asked for too much, and vice versa.

        ``pace``: the step, and the least multiplier by span.
        """
        pricing, loads = self._pricing, self._loads(taken)
        step, least = pace
        excess = np.clip((loads.limits - self._right) / np.maximum(self._right, 1.0), -1.0, 1.0)
        limits = np.where(np.isfinite(self._right), np.maximum(duals.limits * np.exp(step * excess), least), 0.0)
        before, cost = pricing.hold_costs(duals.limits), pricing.hold_costs(limits)
        share = np.divide(duals.holds, before, out=np.zeros_like(cost), where=before > 0)
        lacking = (self._due - loads.booked) / np.maximum(self._due, 1.0)
        reached = {tier: worth * self._dearer(loads, tier, step) for tier, worth in duals.reached.items()}
        return Duals(limits, cost * np.clip(share + step * lacking, 0.0, 1.0), reached)

    def _dearer(self, loads: _Loads, tier: int, step: float) -> float:
        least = max(self._problem.reached[tier], 1.0)
        return float(np.exp(step * np.clip(1 - loads.reached[tier] / least, -1.0, 1.0)))

    def _loads(self, taken: Indices) -> _Loads:
        problem = self._problem
        none = np.zeros(len(problem.lengths))
        by_meter = self._by_meter(taken)
        booked = np.array([by_meter.get(hold.booked, none) for hold in problem.holds]).reshape(self._due.shape)
        held = np.maximum(self._due - booked, 0.0)
        limits = np.zeros_like(self._right)
        for number, limit in enumerate(problem.limits):
            limits[number] = sum((by_meter[meter] for meter in limit.meters if meter in by_meter), none)
            limits[number] += held[list(limit.holds)].sum(axis=0)
        choice = problem.columns.choice[taken]
        worth = self._pricing.share[choice] * problem.columns.value[taken]
        own = self._pricing.tier[choice]
        return _Loads(limits, booked, {tier: float(worth[own == tier].sum()) for tier in problem.reached})

    def _by_meter(self, taken: Indices) -> dict[Meter, Floats]:
        columns, kinds = self._problem.columns, self._pricing.kinds
        choice = columns.choice[taken]
        change = np.zeros((len(kinds), len(self._problem.spans)))
        np.add.at(change, (self._pricing.kind[choice], columns.first[taken]), self._most[choice])
        np.add.at(change, (self._pricing.kind[choice], columns.last[taken]), -self._most[choice])
        loads = np.cumsum(change, axis=1)[:, :-1]
        by_meter: dict[Meter, Floats] = {}
        for meters, number in kinds.items():
            for meter in meters:
                by_meter[meter] = by_meter.get(meter, 0.0) + loads[number]
        return by_meter
