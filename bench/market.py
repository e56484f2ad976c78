"""Oversubscribed markets of any size from a seed: lognormal sizes, half with flexible starts, two tiers, holds."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

TODAY = dt.date(2027, 1, 4)
_RACKS_PER_POD, _PODS_PER_HALL = 8, 8


def market(*, racks: int, requests: int, seed: int, days: int = 180) -> dict[str, Any]:
    """A snapshot as JSON content: ``racks`` racks in halls of 64, one contract, ``requests`` requests."""
    chance = random.Random(seed)  # noqa: S311  # chance for a benchmark, no secret
    halls = [_hall(number) for number in range(max(1, racks // (_RACKS_PER_POD * _PODS_PER_HALL)))]
    held = 72 * (racks // 4)
    return {
        "format": "berth.snapshot/1",
        "today": TODAY.isoformat(),
        "horizon_end": _day(days),
        "product": "gb300-nvl72",
        "gpus_per_rack": 72,
        "gpus_per_tray": 4,
        "rack_kw": 140.0,
        "sites": [{"id": "s1", "power_limits": [], "halls": halls}],
        "outages": [],
        "tenants": [{"id": "t1", "name": "T1", "max_gpus": None}],
        "contracts": [_contract(held, days)],
        "reservations": [],
        "requests": [_request(chance, number, racks, days) for number in range(requests)],
    }


def _hall(number: int) -> dict[str, Any]:
    name = f"h{number:02}"
    pods = [
        {"id": f"{name}p{pod}", "racks": [f"{name}p{pod}r{rack}" for rack in range(_RACKS_PER_POD)]}
        for pod in range(_PODS_PER_HALL)
    ]
    return {"id": name, "spare_racks": 1, "pods": pods}


def _contract(gpus: int, days: int) -> dict[str, Any]:
    return {
        "id": "k1",
        "tenant": "t1",
        "start": TODAY.isoformat(),
        "end": _day(days),
        "lock_in_until": TODAY.isoformat(),
        "notice_days": 30,
        "notice_given_on": None,
        "booking_lead_days": 14,
        "overage": True,
        "site": None,
        "commitments": [{"start": TODAY.isoformat(), "end": _day(days), "gpus": gpus}],
    }


def _request(chance: random.Random, number: int, racks: int, days: int) -> dict[str, Any]:
    size = max(1, min(racks // 6, round(chance.lognormvariate(1.2, 1.1))))
    duration = chance.randint(5, 60)
    earliest = chance.randint(0, days - duration)
    drawdown = chance.random() < 0.2
    gpus = 72 * size
    return {
        "id": f"q{number}",
        "tenant": "t1",
        "contract": "k1" if drawdown else None,
        "tier": 0 if drawdown else 1,
        "value_usd": round(gpus * duration * chance.uniform(60, 140), 2),
        "gpus": gpus,
        "min_gpus": gpus,
        "earliest_start": _day(earliest),
        "latest_start": _day(min(earliest + chance.choice((0, 0, 7, 14)), days - duration)),
        "days": duration,
        "scope": "pod" if size <= _RACKS_PER_POD and chance.random() < 0.5 else chance.choice(("hall", "any")),
        "site": None,
        "interruptible": False,
        "recall_notice_days": None,
        "extends": None,
        "submitted_at": "2027-01-02T09:00:00Z",
    }


def _day(offset: int) -> str:
    return (TODAY + dt.timedelta(offset)).isoformat()
