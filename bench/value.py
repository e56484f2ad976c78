"""Value against the proven bound over time, beside two baselines on the same snapshot."""

from __future__ import annotations

import time
from typing import Any

from bench import baselines
from bench.instances import Instance
from bench.run import Point, Run, run
from solver.plan import Plan
from solver.snapshot import Loaded
from solver.verify.check import broken_rules

Row = dict[str, Any]
_PEERS = ("by_price", "first_come")


def measure(instance: Instance, *, time_limit: float, workers: int, peers: dict[str, Row] | None = None) -> Row:
    """A row of the results: ratios, course, memory, and every rule that the plan breaks (there should be none).

    ``peers``: the baselines of this instance, where they were measured before.
    """
    loaded = instance.loaded()
    done = run(instance.data, seed=instance.seed, time_limit=time_limit, workers=workers)
    bounds = {tier.tier: tier.bound_usd for tier in done.plan.tiers}
    return {
        "instance": instance.name,
        "group": instance.group,
        "seed": instance.seed,
        "time_limit": time_limit,
        "workers": workers,
        **_extent(loaded),
        **_outcome(done),
        "broken": [broken.text for broken in broken_rules(loaded.snapshot, done.plan)],
        "baselines": baselines_of(loaded) if peers is None else peers,
        "course": [_point(point, bounds) for point in done.course],
    }


def baselines_of(loaded: Loaded) -> dict[str, Row]:
    """What each baseline is worth by tier, and the seconds it took."""
    result = {}
    for name, order in (("first_come", baselines.by_arrival), ("by_price", baselines.by_price)):
        began = time.monotonic()
        plan = baselines.plan(loaded, order)
        result[name] = {"values": _values(plan), "seconds": round(time.monotonic() - began, 2)}
    return result


def ratio(value: float, bound: float) -> float:
    """``value / bound``; 1 where there is nothing to be had."""
    return value / bound if bound else 1.0


def line(row: Row) -> str:
    """The row in one line: ours, by price and first come, of the bound, tier by tier."""
    told = []
    for tier, result in row["tiers"].items():
        peers = [row["baselines"][name]["values"].get(tier, 0.0) for name in _PEERS if name in row["baselines"]]
        shares = [ratio(value, result["bound"]) for value in (result["value"], *peers)]
        told.append(f"tier {tier} " + " / ".join(f"{share:.3f}" for share in shares))
    state = f"BROKEN: {row['broken'][0]}" if row["broken"] else row["status"]
    return (
        f"{row['instance']:18} seed {row['seed']} {row['time_limit']:4.0f} s: {'; '.join(told)}"
        f"  {row['seconds']:.0f} s, {row['peak_mib']:,} MiB, {state}"
    )


def _extent(loaded: Loaded) -> Row:
    snapshot = loaded.snapshot
    return {
        "requests": len(snapshot.requests),
        "racks": sum(len(pod.racks) for site in snapshot.sites for hall in site.halls for pod in hall.pods),
        "days": (snapshot.horizon_end - snapshot.today).days,
    }


def _outcome(done: Run) -> Row:
    return {
        "status": done.plan.status,
        "tiers": {str(tier.tier): {"value": tier.value_usd, "bound": tier.bound_usd} for tier in done.plan.tiers},
        "accepted": len(done.plan.accepted),
        "seconds": round(done.seconds, 2),
        "peak_mib": done.peak_bytes // 2**20,
    }


def _point(point: Point, bounds: dict[int, float]) -> Row:
    ratios = {str(tier): round(ratio(value, bounds[tier]), 5) for tier, value in point.values.items() if tier in bounds}
    return {"seconds": point.seconds, "ratios": ratios}


def _values(plan: Plan) -> dict[str, float]:
    return {str(tier.tier): tier.value_usd for tier in plan.tiers}
