"""Multipliers for a tier from those of the tier above, where there is no time for a linear program of its own.

Multipliers ``π`` prove a bound ``B`` of the tier above, which is to keep ``reached``. Then ``θ π``, and ``θ`` for the
value of that tier, prove for the tier below ``θ (B - reached)`` and what its own blocks are worth beyond their room at
the prices ``θ π``. One number has to be found, and a share of R7's prices that R8 asks of interruptible blocks instead.
"""

from __future__ import annotations

import numpy as np

from solver.engine.relaxation.pricing import Pricing
from solver.engine.relaxation.problem import Duals, Floats, Limit, Meter, Problem
from solver.engine.relaxation.proof import no_duals, proven

SHARES = (0.0, 0.5, 1.0)
FACTORS = np.concatenate([[0.0], np.geomspace(1 / 64, 4, 33)])


def borrowed(problem: Problem, above: Problem, duals: Duals) -> Duals:
    """The best multipliers found for ``problem`` among those made from the ``duals`` of the tier ``above``."""
    translated = [_translated(problem, above, duals, share) for share in SHARES]
    found = [_times(whole, _best_factor(problem, whole)) for whole in translated]
    return min([no_duals(problem), *found], key=lambda tried: proven(problem, tried))


def _best_factor(problem: Problem, whole: Duals) -> float:
    """A factor in `FACTORS` with the least bound: the tier's own columns pay the factor times what they cost at 1, and
    everything else grows with it.
    """
    pricing = Pricing(problem)
    is_own = pricing.tier == problem.tier
    own = is_own[problem.columns.choice]
    worth, value = pricing.worth(whole), problem.columns.value
    cost = value - worth

    def own_worth(factor: float) -> float:
        paid = np.where(own, value - factor * cost, 0.0)
        return float((pricing.share * pricing.best(paid))[is_own].sum())

    others = proven(problem, whole) - own_worth(1.0)
    return float(min(FACTORS, key=lambda factor: factor * others + own_worth(factor)))


def _times(duals: Duals, factor: float) -> Duals:
    reached = {tier: factor * worth for tier, worth in duals.reached.items()}
    return Duals(factor * duals.limits, factor * duals.holds, reached)


def _translated(problem: Problem, above: Problem, duals: Duals, share: float) -> Duals:
    """The multipliers by day of the rows that both programs have; a ``share`` of R7's over the cluster goes to the R8
    row that counts most interruptible blocks.
    """
    by_row = {_name(limit): _by_day(above, row) for limit, row in zip(above.limits, duals.limits, strict=True)}
    by_contract = {hold.contract: _by_day(above, row) for hold, row in zip(above.holds, duals.holds, strict=True)}
    none = np.zeros(int(problem.spans[-1]))
    firm = by_row.get(("R7", frozenset([Meter("firm")])), none)
    widest = _widest(problem)
    limits = [by_row.get(_name(limit), none) for limit in problem.limits]
    if widest is not None:
        for number, limit in enumerate(problem.limits):
            limits[number] = limits[number] - share * firm if _is_firm(limit) else limits[number]
        limits[widest] = limits[widest] + share * firm
    kept = 1.0 if widest is None else 1.0 - share
    holds = [kept * by_contract.get(hold.contract, none) for hold in problem.holds]
    empty = no_duals(problem)
    return Duals(
        limits=np.array([_by_span(problem, row) for row in limits]).reshape(empty.limits.shape),
        holds=np.array([_by_span(problem, row) for row in holds]).reshape(empty.holds.shape),
        reached={**duals.reached, above.tier: 1.0},
    )


def _name(limit: Limit) -> tuple[str, frozenset[Meter]]:
    return limit.rule, limit.meters


def _is_firm(limit: Limit) -> bool:
    return _name(limit) == ("R7", frozenset([Meter("firm")]))


def _widest(problem: Problem) -> int | None:
    """R8's row over the cluster for the shortest notice."""
    rows = [
        (meter.notice, number)
        for number, limit in enumerate(problem.limits)
        for meter in limit.meters
        if limit.rule == "R8" and meter.kind == "interruptible" and meter.site is None
    ]
    return min(rows)[1] if rows else None


def _by_day(problem: Problem, by_span: Floats) -> Floats:
    return np.repeat(by_span / problem.lengths, problem.lengths)


def _by_span(problem: Problem, by_day: Floats) -> Floats:
    sums: Floats = np.add.reduceat(by_day, problem.spans[:-1])
    return sums
