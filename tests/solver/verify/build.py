"""Plans by hand, beside the snapshots of `tests.solver.reference.build`: right in every key unless told otherwise."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from solver.plan import Plan
from solver.snapshot import Snapshot
from solver.verify.check import Broken, broken_rules
from tests.solver.reference import build
from tests.solver.reference.build import Content, day


def accept(
    name: str = "q1", start: int = 0, end: int = 2, racks: dict[str, int] | None = None, **fields: Any
) -> Content:
    """An accepted request; its value is filled in by `plan_content`."""
    racks = {"r1": 72} if racks is None else racks
    gpus = sum(racks.values())
    return {"request": name, "gpus": gpus, "start": day(start), "end": day(end), "racks": racks} | fields


def decline(name: str) -> Content:
    reason = {"code": "capacity", "text": "", "start": None, "short": [], "holders": [], "price_to_win_usd": None}
    return {"request": name, "reason": reason, "counter_offers": []}


def move(name: str, *segments: tuple[int, int, dict[str, int]], forced: bool = True) -> Content:
    """``segments``: the whole placement as (start, end, GPUs by rack), days counted from today."""
    return {"reservation": name, "forced": forced, "placement": [build.segment(*segment) for segment in segments]}


def recall(name: str, end: int) -> Content:
    return {"reservation": name, "end": day(end)}


def shortfall(name: str, start: int, end: int, gpus: int = 72) -> Content:
    return {"reservation": name, "start": day(start), "end": day(end), "gpus": gpus}


def hold_shortfall(name: str, start: int, end: int, gpus: int) -> Content:
    return {"contract": name, "start": day(start), "end": day(end), "gpus": gpus}


def plan_content(snapshot: Content, **fields: Any) -> Content:
    """A plan that declines whatever it does not accept, with values as they should be."""
    accepted = [{"value_usd": _worth(snapshot, item)} | item for item in fields.pop("accepted", [])]
    taken = {item["request"] for item in accepted}
    return {
        "format": "berth.plan/1",
        "snapshot_sha256": "0" * 64,
        "today": snapshot["today"],
        "status": "feasible",
        "seconds": 0.1,
        "seed": 0,
        "tiers": _tiers(snapshot, accepted, fields.get("recalls", [])),
        "accepted": accepted,
        "declined": [decline(item["id"]) for item in snapshot["requests"] if item["id"] not in taken],
        "moves": [],
        "recalls": [],
        "shortfalls": [],
        "hold_shortfalls": [],
        "prices": [],
    } | fields


def judge(snapshot: Content, **fields: Any) -> list[Broken]:
    """What `broken_rules` says of a plan with these fields."""
    return broken_rules(read(snapshot), read_plan(plan_content(snapshot, **fields)))


def rules(snapshot: Content, **fields: Any) -> list[str]:
    """The rules that a plan with these fields breaks, each once, in their order."""
    return [*dict.fromkeys(broken.rule for broken in judge(snapshot, **fields))]


def read(snapshot: Content) -> Snapshot:
    return build.load(snapshot).snapshot


def read_plan(content: Content) -> Plan:
    return Plan.model_validate_json(build.encode(content))


def pods(**racks: int) -> list[Content]:
    """One site with one hall; ``pods(a=2, b=1)``: pod a with racks a1 and a2, pod b with b1."""
    return [build.site(halls=[build.hall(pods=pod_racks(**racks))])]


def pod_racks(**racks: int) -> dict[str, list[str]]:
    return {pod: [f"{pod}{n + 1}" for n in range(count)] for pod, count in racks.items()}


def halls_and_pods(**power: list[Content]) -> list[Content]:
    """s1: hall h1 with the pods a (2 racks) and b (1), hall h2 with c (1); s2: hall h3 with d (2)."""
    return [
        build.site(
            "s1",
            halls=[build.hall("h1", pods=pod_racks(a=2, b=1)), build.hall("h2", pods=pod_racks(c=1))],
            power_limits=power.get("s1"),
        ),
        build.site("s2", halls=[build.hall("h3", pods=pod_racks(d=2))], power_limits=power.get("s2")),
    ]


def land(*reservations: Content, **fields: Any) -> Content:
    """One hall with the pods a, b and c of three racks each, ten days, and these reservations."""
    return build.snapshot(**({"sites": pods(a=3, b=3, c=3), "reservations": [*reservations]} | fields))


def frozen(name: str = "v1", **fields: Any) -> Content:
    """A frozen reservation that stands on a1 from today on, for ten days."""
    return build.reservation(name, **({"racks": {"a1": 72}, "end": 10, "move_notice_days": 5} | fields))


def movable(name: str = "v1", **fields: Any) -> Content:
    """A reservation that stands on a1 from day 3 to 8 and may be moved."""
    return frozen(name, **({"start": 3, "end": 8, "move_notice_days": 3} | fields))


def _worth(snapshot: Content, item: Content) -> float:
    for request in snapshot["requests"]:
        if request["id"] == item["request"]:
            return float(request["value_usd"] * item["gpus"] / request["gpus"])
    return 0.0


def _tiers(snapshot: Content, accepted: list[Content], recalls: list[Content]) -> list[Content]:
    tier_of = {item["id"]: item["tier"] for item in (*snapshot["requests"], *snapshot["reservations"])}
    values: dict[int, float] = defaultdict(float)
    for item in snapshot["requests"]:
        values[item["tier"]] += 0.0
    for item in accepted:
        values[tier_of.get(item["request"], 0)] += item["value_usd"]
    for item in recalls:
        reservation = next((r for r in snapshot["reservations"] if r["id"] == item["reservation"]), None)
        if reservation is None:
            continue
        start, end, cut = (dt.date.fromisoformat(d) for d in (reservation["start"], reservation["end"], item["end"]))
        values[reservation["tier"]] -= reservation["value_usd"] * (end - cut).days / (end - start).days
    return [{"tier": tier, "value_usd": v, "bound_usd": v, "gap": 0.0} for tier, v in sorted(values.items())]
