"""Help for tests of refused files: one valid example of each format, edits at a path, and what loading answers."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

from solver import plan as plans
from solver import snapshot as snapshots
from solver.files import BadFile
from tests.solver.reference import build
from tests.solver.reference.build import Content, day

SHA256 = "0" * 64


def example_snapshot() -> Content:
    """A valid snapshot in which every list has an entry and every field that may be null is set somewhere."""
    return build.snapshot(
        sites=[
            build.site(power_limits=[build.power_limit(2, 4, 300.0)]),
            build.site("s2", halls=[build.hall("h2", pods={"p2": ["r3", "r4"], "p3": ["r5"]}, spare_racks=1)]),
        ],
        outages=[build.outage("r5", 1, 3), build.outage("r5", 4, None, "absent")],
        tenants=[build.tenant(max_gpus=720), build.tenant("t2")],
        contracts=[
            build.contract(steps=[(0, 5, 72), (5, 9, 144)], site="s1", notice_given_on=day(1)),
            build.contract("k2", tenant="t2"),
        ],
        reservations=[
            build.reservation(contract="k1", site="s1"),
            build.reservation("v2", tenant="t2", racks={"r3": 8}, interruptible=True, recall_notice_days=3),
        ],
        requests=[
            build.request(contract="k1", site="s1", extends="v1"),
            build.request("q2", gpus=144, min_gpus=72, earliest=1, latest=4),
            build.request("q3", gpus=8, min_gpus=4, interruptible=True, recall_notice_days=2),
        ],
    )


def example_plan() -> Content:
    """A plan file of the right shape for `example_snapshot`, every list filled; no good plan."""
    short = {"unit": "cluster", "start": day(1), "end": day(2), "gpus": 72}
    reason = {
        "code": "hold",
        "text": "72 GPUs are missing.",
        "start": day(1),
        "short": [short],
        "holders": [{"kind": "hold", "id": "k1", "gpus": 72}],
        "price_to_win_usd": 1.5,
    }
    offer = {"kind": "later", "gpus": 72, "start": day(5), "end": day(7), "scope": "any"}
    return {
        "format": "berth.plan/1",
        "snapshot_sha256": SHA256,
        "today": day(0),
        "status": "feasible",
        "seconds": 0.5,
        "seed": 0,
        "tiers": [{"tier": 0, "value_usd": 1.0, "bound_usd": 2.0, "gap": 0.5}],
        "accepted": [
            {"request": "q1", "gpus": 72, "start": day(0), "end": day(2), "value_usd": 1.0, "racks": {"r1": 72}}
        ],
        "declined": [{"request": "q2", "reason": reason, "counter_offers": [offer]}],
        "moves": [{"reservation": "v1", "forced": True, "placement": [build.segment(0, 5, {"r2": 72})]}],
        "recalls": [{"reservation": "v2", "end": day(4)}],
        "shortfalls": [{"reservation": "v1", "start": day(0), "end": day(1), "gpus": 72}],
        "hold_shortfalls": [{"contract": "k1", "start": day(0), "end": day(1), "gpus": 72}],
        "prices": [{"start": day(0), "end": day(1), "usd_per_gpu_day": 1.5}],
    }


def steps(path: str) -> list[str | int]:
    """``requests[3].gpus`` as keys and indices."""
    return [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]


def at(content: Any, path: str) -> Any:
    for step in steps(path):
        content = content[step]
    return content


def with_value(content: Content, path: str, value: Any) -> Content:
    """A copy with ``value`` at ``path``."""
    changed = copy.deepcopy(content)
    *parents, last = steps(path)
    parent = changed
    for step in parents:
        parent = parent[step]
    parent[last] = value
    return changed


def without(content: Content, path: str) -> Content:
    """A copy in which the key or entry at ``path`` is left out."""
    changed = copy.deepcopy(content)
    *parents, last = steps(path)
    parent = changed
    for step in parents:
        parent = parent[step]
    del parent[last]
    return changed


def fields(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of every field of every object; the racks of a placement are no fields but data."""
    if isinstance(content, list):
        for index, item in enumerate(content):
            yield from fields(item, f"{path}[{index}]")
    elif isinstance(content, dict) and not path.endswith("racks"):
        for key, value in content.items():
            here = f"{path}.{key}" if path else key
            yield here, value
            yield from fields(value, here)


def snapshot_faults(content: Any) -> tuple[str, ...]:
    """The faults for which the snapshot is refused; none: it loads."""
    return faults_of(snapshots.parse, build.encode(content))


def plan_faults(content: Any) -> tuple[str, ...]:
    """The faults for which the plan is refused; none: it loads."""
    return faults_of(plans.parse, build.encode(content))


def foreign_faults(plan: Content, snapshot: Content, sha256: str = SHA256) -> tuple[str, ...]:
    """The faults of a plan of the right shape beside this snapshot."""
    loaded = build.load(snapshot)
    return faults_of(lambda data: plans.belongs_to(plans.parse(data), loaded.snapshot, sha256), build.encode(plan))


def faults_of(load: Callable[[bytes], object], data: bytes) -> tuple[str, ...]:
    """The faults for which the bytes are refused; none: they load."""
    try:
        load(data)
    except BadFile as refused:
        return refused.faults
    return ()
