"""The proven upper bound of a tier, by weak duality: any multipliers of the rows give one, the LP's give a tight one.

Only `proof` decides the number; the linear program proposes multipliers and fractions. Whole blocks tighten it: CP-SAT
where the tier is small, HiGHS where it is large and there is time. See ``docs/model.md``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solver.cluster import Cluster, unchanged
from solver.decisions import Decisions
from solver.engine.relaxation import build, integral, mixed, narrowing
from solver.engine.relaxation.borrowed import borrowed
from solver.engine.relaxation.contested import contested
from solver.engine.relaxation.integral import Effort
from solver.engine.relaxation.linear import Outcome
from solver.engine.relaxation.problem import Duals, Floats, Meter, Problem
from solver.engine.relaxation.proof import no_duals, none_or_some, proven
from solver.plan import Price
from solver.snapshot import Snapshot

LEFT_OVER_GPUS = 1e-4
SMALLEST_FRACTION = 1e-6
DEFAULT_EFFORT = Effort()
LAST_EFFORT = Effort(work=6.0, bound_only=True)
ENDLESS_EFFORT = replace(LAST_EFFORT, work=float("inf"))


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
    is_solved: bool = True
    """Whether a linear program told fractions and prices; else they are rough, or there are none."""


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
    ends = None if deadline_seconds is None else time.monotonic() + deadline_seconds
    problem = build.build(snapshot, cluster, decisions, tier=tier, reached=reached)
    relaxation = relax_linearly(problem, _until(ends))
    return tighten(relaxation, DEFAULT_EFFORT, _until(ends))


def relax_linearly(problem: Problem, deadline_seconds: float | None) -> Relaxation:
    """The bound of the linear program alone; the trivial one where no solver ends in time."""
    outcome, none = narrowing.solve(problem, deadline_seconds), no_duals(problem)
    if outcome is None:
        no_prices = np.zeros(int(problem.spans[-1]))
        return Relaxation(problem.tier, proven(problem, none), {}, no_prices, {}, problem, none, is_solved=False)
    bound = min(proven(problem, outcome.duals), proven(problem, none))
    fractions, prices = _by_request(problem, outcome.fractions), _day_prices(problem, outcome)
    return Relaxation(
        problem.tier, bound, fractions, prices, {}, problem, outcome.duals, is_solved=not outcome.is_rough
    )


def tighten(relaxation: Relaxation, effort: Effort, deadline_seconds: float | None) -> Relaxation:
    """What whole blocks add: nothing below the least of them, and CP-SAT's bound where this effort suits the size."""
    problem, part = relaxation.problem, contested(relaxation.problem)
    found = integral.solve(part.problem, effort, deadline_seconds) if effort.suits(part.problem) else None
    if found is None:
        return replace(relaxation, bound_usd=none_or_some(problem, relaxation.bound_usd))
    bound = none_or_some(problem, min(relaxation.bound_usd, found.bound_usd + part.free_usd))
    whole = {} if found.fractions is None else {**part.free, **_whole(part.problem, found.fractions)}
    return replace(relaxation, bound_usd=bound, whole=whole)


def again(relaxation: Relaxation, reached: Mapping[int, float]) -> Relaxation:
    """The same multipliers with other values ``reached`` above: a bound in no time, tight while the values are near."""
    problem = replace(relaxation.problem, reached=build.kept_above(reached, relaxation.tier))
    return replace(relaxation, bound_usd=proven(problem, relaxation.duals), problem=problem)


def sharpen(
    relaxation: Relaxation, reached: Mapping[int, float], deadline_seconds: float | None, effort: Effort = LAST_EFFORT
) -> Relaxation:
    """`again`, and where the relaxation is small enough for whole blocks, all of it anew and with more work.

    It needs nothing but its arguments, so it may run in another process beside the search.
    """
    started = time.monotonic()
    known = again(relaxation, reached)
    if not effort.suits(contested(known.problem).problem):
        return known
    solved = relax_linearly(known.problem, deadline_seconds)
    if not solved.is_solved:  # there was no time for it
        solved = known
    left = None if deadline_seconds is None else deadline_seconds - (time.monotonic() - started)
    result = tighten(solved, effort, left)
    return replace(result, bound_usd=min(result.bound_usd, known.bound_usd), whole=result.whole or relaxation.whole)


def cut(relaxation: Relaxation, seconds: float) -> Relaxation:
    """What whole blocks add where a relaxation is too large for `tighten`, as far as these seconds go."""
    problem, part = relaxation.problem, contested(relaxation.problem)
    found = mixed.bound_usd(part.problem, seconds) if part.problem.choices else None
    if found is None:
        return relaxation
    return replace(relaxation, bound_usd=none_or_some(problem, min(relaxation.bound_usd, found + part.free_usd)))


def below(
    above: Relaxation,
    snapshot: Snapshot,
    cluster: Cluster,
    decisions: Decisions,
    *,
    tier: int,
    reached: Mapping[int, float],
) -> Relaxation:
    """A bound of the next ``tier`` from the multipliers of the one ``above``, where there is no time to `relax` it."""
    problem = build.build(snapshot, cluster, decisions, tier=tier, reached=reached)
    duals = borrowed(problem, above.problem, above.duals)
    bound = none_or_some(problem, proven(problem, duals))
    return Relaxation(tier, bound, {}, np.zeros(cluster.days), {}, problem, duals, is_solved=False)


def prices(relaxation: Relaxation, cluster: Cluster) -> list[Price]:
    """What one more GPU on each day would have been worth, as day ranges over the whole horizon; none where no linear
    program told: 0 would say that capacity is left over.
    """
    if not relaxation.is_solved:
        return []
    return [
        Price(start=cluster.date(a), end=cluster.date(b), usd_per_gpu_day=float(relaxation.day_prices[a]))
        for a, b in unchanged(cluster.days, relaxation.day_prices)
    ]


def _until(ends: float | None) -> float | None:
    """Seconds until then; None: no clock is read."""
    return None if ends is None else ends - time.monotonic()


def _whole(problem: Problem, fractions: Floats) -> dict[str, tuple[int, int]]:
    gpus = {choice.request: choice.gpus for choice in problem.choices}
    taken = {request: ways[0] for request, ways in _by_request(problem, fractions).items()}
    return {request: (start, round(share * gpus[request])) for request, (start, share) in taken.items()}


def _by_request(problem: Problem, fractions: Floats) -> dict[str, list[tuple[int, float]]]:
    result: dict[str, list[tuple[int, float]]] = {}
    for column in np.flatnonzero(fractions > SMALLEST_FRACTION):
        request = problem.choices[problem.columns.choice[column]].request
        if request is not None:
            result.setdefault(request, []).append((int(problem.columns.start[column]), float(fractions[column])))
    return result


def _day_prices(problem: Problem, outcome: Outcome) -> Floats:
    """R7's cluster row is the one limit of that rule that reads all firm blocks."""
    everywhere = Meter("firm")
    result = np.zeros(len(problem.lengths))
    for number, limit in enumerate(problem.limits):
        if limit.rule == "R7" and everywhere in limit.meters:
            tight = outcome.left_over[number] <= LEFT_OVER_GPUS
            result = np.where(tight, np.maximum(outcome.duals.limits[number], 0.0), 0.0) / problem.lengths
    return np.repeat(result, problem.lengths)
