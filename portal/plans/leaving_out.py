"""A plan without some of its requests: what is left must pass the second opinion again, or it is not published."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from portal.plans.proposals import UnsoundPlan, broken_sentence
from portal.plans.stored import Files
from solver.plan import Tier
from solver.verify.check import broken_rules

_COMPLETE = "R13"


@dataclass(frozen=True, slots=True)
class Rest:
    """A sound plan of the requests that are not ``left_out``."""

    files: Files
    left_out: frozenset[str]


def without(files: Files, left_out: Collection[str]) -> Rest:
    """The plan without these requests, checked by the second opinion even where nothing is left out.

    A declined request that would fit into the room of one left out is left out as well: its refusal would no longer
    be true, so it waits for the next run. Raises `UnsoundPlan` where the rest breaks any other rule.
    """
    out = frozenset(left_out)
    while True:
        rest = _cut(files, out)
        broken = broken_rules(rest.snapshot, rest.plan)
        fitting = {name for fault in broken if fault.rule == _COMPLETE for name in fault.ids}
        if not broken:
            return Rest(rest, out)
        if not out or not fitting or any(fault.rule != _COMPLETE for fault in broken):
            raise UnsoundPlan(broken_sentence(broken))
        out |= fitting


def _cut(files: Files, out: frozenset[str]) -> Files:
    if not out:
        return files
    snapshot, plan = files.snapshot, files.plan
    return Files(
        snapshot.model_copy(update={"requests": [r for r in snapshot.requests if r.id not in out]}),
        plan.model_copy(
            update={
                "status": "feasible",  # the bounds were proven for all requests together
                "accepted": [item for item in plan.accepted if item.request not in out],
                "declined": [item for item in plan.declined if item.request not in out],
                "tiers": _tiers(files, out),
            }
        ),
    )


def _tiers(files: Files, out: frozenset[str]) -> list[Tier]:
    tier_of = {request.id: request.tier for request in files.snapshot.requests}
    lost: dict[int, float] = {}
    for item in files.plan.accepted:
        if item.request in out:
            lost[tier_of[item.request]] = lost.get(tier_of[item.request], 0.0) + item.value_usd
    return [_less(tier, lost.get(tier.tier, 0.0)) for tier in files.plan.tiers]


def _less(tier: Tier, lost: float) -> Tier:
    value = tier.value_usd - lost
    gap = (tier.bound_usd - value) / tier.bound_usd if tier.bound_usd else 0.0
    return tier.model_copy(update={"value_usd": value, "gap": gap})
