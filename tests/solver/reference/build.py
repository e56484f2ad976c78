"""Snapshots as JSON content, valid unless told otherwise: name only what the test is about."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from solver import snapshot as snapshots

TODAY = dt.date(2027, 3, 1)
Content = dict[str, Any]


def day(offset: int) -> str:
    """The day ``offset`` days after today, as it stands in a file."""
    return (TODAY + dt.timedelta(offset)).isoformat()


def site(name: str = "s1", *, halls: list[Content] | None = None, power_limits: list[Content] | None = None) -> Content:
    return {"id": name, "power_limits": power_limits or [], "halls": halls if halls is not None else [hall()]}


def hall(name: str = "h1", *, pods: dict[str, list[str]] | None = None, spare_racks: int = 0) -> Content:
    pods = {"p1": ["r1", "r2"]} if pods is None else pods
    return {
        "id": name,
        "spare_racks": spare_racks,
        "pods": [{"id": pod, "racks": racks} for pod, racks in pods.items()],
    }


def power_limit(start: int, end: int, kw: float) -> Content:
    return {"start": day(start), "end": day(end), "kw": kw}


def outage(rack: str, start: int, end: int | None, kind: str = "failure") -> Content:
    return {"rack": rack, "start": day(start), "end": None if end is None else day(end), "kind": kind}


def tenant(name: str = "t1", *, max_gpus: int | None = None) -> Content:
    return {"id": name, "name": name.upper(), "max_gpus": max_gpus}


def contract(
    name: str = "k1",
    *,
    start: int = -10,
    end: int = 100,
    steps: list[tuple[int, int, int]] | None = None,
    **fields: Any,
) -> Content:
    """``steps``: the schedule as (start, end, GPUs), days counted from today."""
    return {
        "id": name,
        "tenant": "t1",
        "start": day(start),
        "end": day(end),
        "lock_in_until": day(start),
        "notice_days": 5,
        "notice_given_on": None,
        "booking_lead_days": 0,
        "overage": False,
        "site": None,
        "commitments": [{"start": day(a), "end": day(b), "gpus": gpus} for a, b, gpus in steps or []],
    } | fields


def segment(start: int, end: int, racks: dict[str, int]) -> Content:
    return {"start": day(start), "end": day(end), "racks": racks}


def reservation(
    name: str = "v1", *, start: int = 0, end: int = 5, racks: dict[str, int] | None = None, **fields: Any
) -> Content:
    """A frozen firm reservation on demand; ``racks``: its placement on all of its days."""
    racks = {"r1": 72} if racks is None else racks
    return {
        "id": name,
        "tenant": "t1",
        "contract": None,
        "gpus": sum(racks.values()),
        "start": day(start),
        "end": day(end),
        "scope": "any",
        "site": None,
        "tier": 0,
        "value_usd": 1000.0,
        "move_notice_days": 1000,
        "interruptible": False,
        "recall_notice_days": None,
        "placement": [segment(start, end, racks)],
    } | fields


def request(
    name: str = "q1", *, gpus: int = 72, earliest: int = 0, latest: int | None = None, days: int = 2, **fields: Any
) -> Content:
    """A firm wish on demand, all or nothing, that may start on each day of ``[earliest, latest]``."""
    return {
        "id": name,
        "tenant": "t1",
        "contract": None,
        "tier": 0,
        "value_usd": 100.0,
        "gpus": gpus,
        "min_gpus": gpus,
        "earliest_start": day(earliest),
        "latest_start": day(earliest if latest is None else latest),
        "days": days,
        "scope": "any",
        "site": None,
        "interruptible": False,
        "recall_notice_days": None,
        "extends": None,
        "submitted_at": "2027-02-20T09:00:00Z",
    } | fields


def snapshot(*, days: int = 10, **fields: Any) -> Content:
    """One site, one hall, one pod of two racks, one tenant, ``days`` days, nothing promised and nothing asked for."""
    return {
        "format": "berth.snapshot/1",
        "today": day(0),
        "horizon_end": day(days),
        "product": "gb300-nvl72",
        "gpus_per_rack": 72,
        "gpus_per_tray": 4,
        "rack_kw": 140.0,
        "sites": [site()],
        "outages": [],
        "tenants": [tenant()],
        "contracts": [],
        "reservations": [],
        "requests": [],
    } | fields


def encode(content: Any) -> bytes:
    return json.dumps(content).encode()


def load(content: Content) -> snapshots.Loaded:
    """The snapshot as the solver reads it."""
    return snapshots.parse(encode(content))
