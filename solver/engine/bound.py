"""The proven upper bound of a tier, by weak duality: any multipliers of the rows give one, the LP's give a tight one.

Only `proven` decides the number; the linear program proposes multipliers and fractions, CP-SAT tightens where the tier
is small. See ``docs/model.md``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine.relaxation import build, integral, linear
from solver.engine.relaxation.integral import Effort
from solver.engine.relaxation.linear import Duals
from solver.engine.relaxation.problem import Floats, Meter, Missing, Problem
from solver.plan import Price
from solver.snapshot import Snapshot

SAFETY = 1e-9  # of every sum of money: far above the rounding of sums of some ten thousand doubles
LEFT_OVER_GPUS = 1e-4
SMALLEST_FRACTION = 1e-6
DEFAULT_EFFORT = Effort()


@dataclass(frozen=True, slots=True)
class Relaxation:
    """``bound_usd``: no valid plan with no more shortfall that keeps the tiers above is worth more in ``tier``.

    For guidance only: ``fractions`` is the relaxation's own optimum, request to (start index, fraction); ``whole`` is
    the best admission in whole blocks that CP-SAT found, request to (start index, GPUs), where it was asked.
    ``day_prices`` is the dual of R7's cluster row, USD per GPU-day over the horizon; 0 where capacity is left over.
    """

    tier: int
    bound_usd: float
    fractions: dict[str, list[tuple[int, float]]]
    day_prices: NDArray[np.float64]
    whole: dict[str, tuple[int, int]]
    problem: Problem
    duals: Duals


def relax(
    snapshot: Snapshot,
    cluster: Cluster,
    decisions: Decisions,
    *,
    tier: int,
    reached: Mapping[int, float],
    deadline_seconds: float | None,
) -> Relaxation:
    """Bound ``tier`` with the tiers above at their ``reached`` value (USD); the decisions tell how much is short.

    ``deadline_seconds`` None: no clock is read, the same arguments give the same answer.
    """
    started = time.monotonic()
    problem = build.build(snapshot, cluster, decisions, tier=tier, reached=reached)
    relaxation = relax_linearly(problem, deadline_seconds)
    left = None if deadline_seconds is None else deadline_seconds - (time.monotonic() - started)
    return tighten(relaxation, DEFAULT_EFFORT, left)


def relax_linearly(problem: Problem, deadline_seconds: float | None) -> Relaxation:
    """The bound of the linear program alone; the trivial one where no solver ends in time."""
    outcome, none = linear.solve(problem, deadline_seconds), no_duals(problem)
    if outcome is None:
        no_prices = np.zeros(int(problem.spans[-1]))
        return Relaxation(problem.tier, proven(problem, none), {}, no_prices, {}, problem, none)
    bound = min(proven(problem, outcome.duals), proven(problem, none))
    fractions, prices = _by_request(problem, outcome.fractions), _day_prices(problem, outcome)
    return Relaxation(problem.tier, bound, fractions, prices, {}, problem, outcome.duals)


def tighten(relaxation: Relaxation, effort: Effort, deadline_seconds: float | None) -> Relaxation:
    """What whole blocks add: nothing below the least of them, and CP-SAT's bound where this effort suits the size."""
    problem = relaxation.problem
    found = integral.solve(problem, effort, deadline_seconds) if effort.suits(problem) else None
    if found is None:
        return replace(relaxation, bound_usd=_none_or_some(problem, relaxation.bound_usd))
    bound = _none_or_some(problem, min(relaxation.bound_usd, found.bound_usd))
    return replace(relaxation, bound_usd=bound, whole=_whole(problem, found.fractions))


def again(relaxation: Relaxation, reached: Mapping[int, float]) -> Relaxation:
    """The same multipliers with other values ``reached`` above: a bound in no time, tight while the values are near."""
    problem = replace(relaxation.problem, reached=build.kept_above(reached, relaxation.tier))
    return replace(relaxation, bound_usd=proven(problem, relaxation.duals), problem=problem)


def prices(relaxation: Relaxation, cluster: Cluster) -> list[Price]:
    """What one more GPU on each day would have been worth, as day ranges over the whole horizon."""
    changes = np.flatnonzero(np.diff(relaxation.day_prices)) + 1
    edges = [0, *changes.tolist(), cluster.days]
    return [
        Price(start=cluster.date(a), end=cluster.date(b), usd_per_gpu_day=float(relaxation.day_prices[a]))
        for a, b in pairwise(edges)
    ]


def no_duals(problem: Problem) -> Duals:
    """All zero: their bound is the value of all requests that could be accepted at all."""
    spans = len(problem.spans) - 1
    return Duals(np.zeros((len(problem.limits), spans)), np.zeros((len(problem.holds), spans)), {})


def proven(problem: Problem, duals: Duals) -> float:
    """The bound that these multipliers prove, in USD, rounded upwards; a multiplier of the wrong sign counts as 0."""
    rights = np.array([limit.right for limit in problem.limits]).reshape(duals.limits.shape)
    limits = _multipliers(duals.limits)
    holds = _hold_duals(problem, _multipliers(duals.holds), limits)
    reached = {tier: float(_multipliers(np.array(duals.reached.get(tier, 0.0)))) for tier in problem.reached}
    dues = np.array([hold.due for hold in problem.holds]).reshape(holds.shape)
    parts = np.concatenate(
        [
            (limits * rights).ravel(),
            -(holds * dues).ravel(),
            np.array([-reached[tier] * least for tier, least in problem.reached.items()]),
            np.array([_missing_worth(problem, missing, limits) for missing in problem.missing]),
            _choice_worth(problem, limits, holds, reached),
        ]
    )
    return float(parts.sum() + SAFETY * np.abs(parts).sum())


def _none_or_some(problem: Problem, bound: float) -> float:
    """A tier without recalls is worth nothing or at least its least block, so a bound between the two is 0."""
    own = [(number, choice) for number, choice in enumerate(problem.choices) if choice.tier == problem.tier]
    if any(choice.request is None for _, choice in own):
        return bound
    value = dict(zip(problem.columns.choice.tolist(), problem.columns.value.tolist(), strict=True))
    least = min((value[number] * choice.fewest * choice.unit / choice.gpus for number, choice in own), default=np.inf)
    return bound if bound > least * (1 - SAFETY) else min(bound, 0.0)


def _whole(problem: Problem, fractions: Floats | None) -> dict[str, tuple[int, int]]:
    if fractions is None:
        return {}
    gpus = {choice.request: choice.gpus for choice in problem.choices}
    taken = {request: ways[0] for request, ways in _by_request(problem, fractions).items()}
    return {request: (start, round(share * gpus[request])) for request, (start, share) in taken.items()}


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


def _choice_worth(problem: Problem, limits: Floats, holds: Floats, reached: Mapping[int, float]) -> Floats:
    """Each choice at its best column: its value less what its GPUs cost on its days; 0 where no column pays."""
    if not problem.choices:
        return np.zeros(0)
    columns = problem.columns
    weights = {**reached, problem.tier: 1.0}
    worth = np.array([weights[choice.tier] for choice in problem.choices])[columns.choice] * columns.value
    gpus = np.array([float(choice.gpus) for choice in problem.choices])
    meters = _meter_prices(problem, limits, holds)
    profiles: dict[frozenset[Meter], Floats] = {}
    for number, choice in enumerate(problem.choices):
        until = profiles.setdefault(choice.meters, _until(choice.meters, meters, len(problem.lengths)))
        own = slice(*np.searchsorted(columns.choice, [number, number + 1]))
        worth[own] -= gpus[number] * (until[columns.last[own]] - until[columns.first[own]])
    most = np.array([choice.share for choice in problem.choices])
    firsts = np.searchsorted(columns.choice, np.arange(len(problem.choices)))
    return most * np.maximum(np.maximum.reduceat(worth, firsts), 0.0)


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


def _by_request(problem: Problem, fractions: Floats) -> dict[str, list[tuple[int, float]]]:
    result: dict[str, list[tuple[int, float]]] = {}
    for column in np.flatnonzero(fractions > SMALLEST_FRACTION):
        request = problem.choices[problem.columns.choice[column]].request
        if request is not None:
            result.setdefault(request, []).append((int(problem.columns.start[column]), float(fractions[column])))
    return result


def _day_prices(problem: Problem, outcome: linear.Outcome) -> Floats:
    """R7's cluster row is the one limit of that rule that reads all firm blocks."""
    everywhere = Meter("firm")
    result = np.zeros(len(problem.lengths))
    for number, limit in enumerate(problem.limits):
        if limit.rule == "R7" and everywhere in limit.meters:
            tight = outcome.left_over[number] <= LEFT_OVER_GPUS
            result = np.where(tight, np.maximum(outcome.duals.limits[number], 0.0), 0.0) / problem.lengths
    return np.repeat(result, problem.lengths)
