"""Small landlords for tests of one rule each: two sites of four racks, ten days, and what a test puts on them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from solver import cluster, standing
from solver.decisions import Decisions
from solver.snapshot import Snapshot
from solver.standing import Standing
from tests.solver.naive import on

DAYS = 10


def landlord(**changes: Any) -> Snapshot:
    """Two sites of one hall with one pod of four racks each, ten days, and nothing else."""
    content: dict[str, Any] = {
        "format": "berth.snapshot/1",
        "today": on(0),
        "horizon_end": on(DAYS),
        "product": "gb300-nvl72",
        "gpus_per_rack": 72,
        "gpus_per_tray": 4,
        "rack_kw": 140.0,
        "sites": [site("a"), site("b")],
        "outages": [],
        "tenants": [{"id": "tess", "name": "Tess", "max_gpus": None}],
        "contracts": [],
        "reservations": [],
        "requests": [],
    }
    return Snapshot.model_validate(content | changes)


def site(name: str, **changes: Any) -> dict[str, Any]:
    pods = [{"id": f"{name}-p", "racks": [f"{name}{i}" for i in range(4)]}]
    hall = {"id": f"{name}-h", "spare_racks": changes.pop("spare_racks", 0), "pods": pods}
    return {"id": name, "power_limits": [], "halls": [hall]} | changes


def reservation(name: str, racks: dict[str, int], start: int = 0, end: int = DAYS, **changes: Any) -> dict[str, Any]:
    block = {
        "id": name,
        "tenant": "tess",
        "contract": None,
        "gpus": sum(racks.values()),
        "start": on(start),
        "end": on(end),
        "scope": "any",
        "site": None,
        "tier": 0,
        "value_usd": 1.0,
        "move_notice_days": 0,
        "interruptible": False,
        "recall_notice_days": None,
        "placement": [{"start": on(start), "end": on(end), "racks": racks}],
    }
    return block | changes


def contract(name: str = "k", gpus: int = 288, **changes: Any) -> dict[str, Any]:
    terms = {
        "id": name,
        "tenant": "tess",
        "start": on(-5),
        "end": on(50),
        "lock_in_until": on(-5),
        "notice_days": 7,
        "notice_given_on": None,
        "booking_lead_days": 3,
        "overage": False,
        "site": None,
        "commitments": [{"start": on(-5), "end": on(50), "gpus": gpus}],
    }
    return terms | changes


def request(**changes: Any) -> dict[str, Any]:
    wish = {
        "id": "q",
        "tenant": "tess",
        "contract": None,
        "tier": 0,
        "value_usd": 1.0,
        "gpus": 144,
        "min_gpus": 144,
        "earliest_start": on(2),
        "latest_start": on(2),
        "days": 3,
        "scope": "any",
        "site": None,
        "interruptible": False,
        "recall_notice_days": None,
        "extends": None,
        "submitted_at": dt.datetime(2026, 11, 20, tzinfo=dt.UTC),
    }
    return wish | changes


def stands(snapshot: Snapshot, decisions: Decisions | None = None) -> Standing:
    return standing.of(snapshot, cluster.build(snapshot), decisions)
