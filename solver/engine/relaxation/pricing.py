"""What each column is worth at given multipliers. The arrays that this takes are made once for a problem."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from solver.engine.relaxation.problem import Duals, Floats, Indices, Meter, Problem


class Pricing:
    """Prices the columns of one problem; a multiplier of the wrong sign, or none, counts as 0."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.kinds: dict[frozenset[Meter], int] = {}
        """The sets of meters that choices load, numbered."""
        numbers = [self.kinds.setdefault(choice.meters, len(self.kinds)) for choice in problem.choices]
        self.kind: Indices = np.array(numbers, dtype=np.int64)
        self.gpus: Floats = np.array([choice.gpus for choice in problem.choices], dtype=np.float64)
        self.share: Floats = np.array([choice.share for choice in problem.choices], dtype=np.float64)
        self.tier: Indices = np.array([choice.tier for choice in problem.choices], dtype=np.int64)
        loaded: frozenset[Meter] = frozenset().union(*self.kinds)
        self._fixed = np.array([hold.booked not in loaded for hold in problem.holds], dtype=np.bool_)

    def worth(self, duals: Duals) -> Floats:
        """Each column's value less what its GPUs cost on its days, in USD."""
        columns, choice = self.problem.columns, self.problem.columns.choice
        weight = self._weight_by_choice(duals)
        if not len(choice):
            return np.zeros(0)
        limits = multipliers(duals.limits)
        until = self._until(limits, self.holds(multipliers(duals.holds), limits))
        asked = until[self.kind[choice], columns.last] - until[self.kind[choice], columns.first]
        worth: Floats = weight[choice] * columns.value - self.gpus[choice] * asked
        return worth

    def best(self, worth: Floats) -> Floats:
        """Each choice at its best column; 0 where no column pays."""
        best = np.zeros(len(self.problem.choices))
        np.maximum.at(best, self.problem.columns.choice, worth)
        return best

    def holds(self, holds: Floats, limits: Floats) -> Floats:
        """A held GPU costs what the limits ask that count it; a larger multiplier would make holding more worth while.

        Where nothing can be booked on the contract, all that is due is held: the full cost is the best multiplier.
        """
        cost = self.hold_costs(limits)
        return np.where(self._fixed[:, None], cost, np.minimum(holds, cost))

    def hold_costs(self, limits: Floats) -> Floats:
        """What a held GPU costs, holds x spans: the sum over the limits that count it."""
        cost = np.zeros((len(self.problem.holds), len(self.problem.lengths)))
        for number, limit in enumerate(self.problem.limits):
            for hold in limit.holds:
                cost[hold] += limits[number]
        return cost

    def weights(self, duals: Duals) -> dict[int, float]:
        """What a dollar of each tier above counts."""
        return {tier: float(multipliers(np.array(duals.reached.get(tier, 0.0)))) for tier in self.problem.reached}

    def _weight_by_choice(self, duals: Duals) -> Floats:
        weight = np.zeros(len(self.tier))
        for tier, counts in {**self.weights(duals), self.problem.tier: 1.0}.items():
            weight[self.tier == tier] = counts
        return weight

    def _until(self, limits: Floats, holds: Floats) -> Floats:
        """USD per GPU from today up to each span, for a block that loads each kind of meters."""
        prices = self._meter_prices(limits, holds)
        until = np.zeros((len(self.kinds), len(self.problem.spans)))
        for meters, number in self.kinds.items():
            ordered = sorted((m for m in meters if m in prices), key=Meter.order)
            total: Floats = sum((prices[meter] for meter in ordered), np.zeros(len(self.problem.lengths)))
            until[number, 1:] = np.cumsum(total)
        return until

    def _meter_prices(self, limits: Floats, holds: Floats) -> Mapping[Meter, Floats]:
        """USD per GPU and span for each meter: what its limits ask, less what booking gives back of a hold."""
        prices: dict[Meter, Floats] = {}
        for number, limit in enumerate(self.problem.limits):
            for meter in limit.meters:
                prices[meter] = prices.get(meter, 0.0) + limits[number]
        for number, hold in enumerate(self.problem.holds):
            prices[hold.booked] = prices.get(hold.booked, 0.0) - holds[number]
        return prices


def multipliers(values: Floats) -> Floats:
    """Negative, infinite and missing ones as 0."""
    return np.maximum(np.where(np.isfinite(values), values, 0.0), 0.0)
