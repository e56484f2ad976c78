"""Small snapshots to ask about, drawn at random, with something of every rule at work in some of them."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from typing import Any

from solver.decisions import Decisions
from solver.plan import Accepted, HoldShortfall
from solver.snapshot import Request, Reservation, Snapshot
from tests.solver.naive import TODAY, Landlord, on, span, wish


def random_landlord(seed: int, days: int = 9) -> tuple[Snapshot, Decisions]:
    """A small snapshot and a plan for it that keeps R1 to R9; every kind of rule is at work in some of them."""
    rng = random.Random(seed)  # a repeatable test, no secret
    snapshot = random_snapshot(rng, days)
    snapshot = snapshot.model_copy(update={"reservations": _reservations(rng, snapshot, days)})
    decisions = Decisions(hold_shortfalls=tuple(_hold_shortfalls(Landlord(snapshot))))
    for request in snapshot.requests:
        if rng.random() < 0.5:
            decisions = _accept(rng, snapshot, decisions, request)
    return snapshot, decisions


def random_snapshot(rng: random.Random, days: int) -> Snapshot:
    sites = []
    for s in range(rng.choice([1, 1, 2])):
        halls = [_hall(rng, f"{'ab'[s]}{h}") for h in range(rng.choice([1, 2]))]
        limits = [_limit(rng, days) for _ in range(rng.choice([0, 0, 1, 2]))]
        sites.append({"id": "ab"[s], "power_limits": limits, "halls": halls})
    racks = [r for s in sites for h in s["halls"] for p in h["pods"] for r in p["racks"]]
    outages = [_outage(rng, racks, days) for _ in range(rng.choice([0, 0, 1, 2]))] if racks else []
    site_ids = [site["id"] for site in sites]
    contracts = [_contract(rng, k, days, site_ids) for k in range(rng.choice([0, 1, 2]))]
    snapshot = Snapshot.model_validate(
        {
            "format": "berth.snapshot/1",
            "today": TODAY,
            "horizon_end": on(days),
            "product": "gb300-nvl72",
            "gpus_per_rack": 72,
            "gpus_per_tray": 4,
            "rack_kw": 140.0,
            "sites": sites,
            "outages": outages,
            "tenants": [
                {"id": f"t{i}", "name": f"Tenant {i}", "max_gpus": rng.choice([None, None, 144, 216])} for i in range(3)
            ],
            "contracts": contracts,
            "reservations": [],
            "requests": [],
        }
    )
    requests = [random_request(rng, snapshot, f"q{i}", days) for i in range(12)]
    return snapshot.model_copy(update={"requests": requests})


def random_request(rng: random.Random, snapshot: Snapshot, request_id: str, days: int) -> Request:
    """A request that may be of any kind; windows may begin in the past and end beyond the horizon."""
    contract = rng.choice([None, None, *snapshot.contracts])
    interruptible = contract is None and rng.random() < 0.35
    whole = rng.random() < 0.7
    gpus = rng.choice([72, 144, 144, 216, 288]) if whole else rng.choice([4, 20, 40, 68])
    site = rng.choice([None, None, None, *(s.id for s in snapshot.sites)])
    if contract is not None and contract.site is not None and site is not None:
        site = contract.site
    first = rng.randint(-2, days)
    return Request(
        id=request_id,
        tenant=contract.tenant if contract else f"t{rng.randint(0, 2)}",
        contract=contract.id if contract else None,
        tier=rng.randint(0, 1),
        value_usd=float(rng.randint(1, 50) * 1000),
        gpus=gpus,
        min_gpus=gpus if rng.random() < 0.6 else (72 if whole else 4),
        earliest_start=on(first),
        latest_start=on(first + rng.choice([0, 0, 1, 3])),
        days=rng.randint(1, 5),
        scope=rng.choice(["pod", "hall", "site", "any"]),
        site=site,
        interruptible=interruptible,
        recall_notice_days=rng.choice([1, 2, 4]) if interruptible else None,
        extends=None,
        submitted_at=dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC),
    )


def _hall(rng: random.Random, name: str) -> dict[str, Any]:
    sizes = [rng.randint(0, 3) for _ in range(rng.choice([1, 2]))]
    pods = [{"id": f"{name}p{p}", "racks": [f"{name}p{p}r{r}" for r in range(n)]} for p, n in enumerate(sizes)]
    return {"id": name, "spare_racks": rng.choice([0, 0, 1]), "pods": pods}


def _limit(rng: random.Random, days: int) -> dict[str, Any]:
    start = rng.randint(-1, days - 1)
    return {"start": on(start), "end": on(start + rng.randint(1, days)), "kw": 140.0 * rng.randint(1, 6) + 1.0}


def _outage(rng: random.Random, racks: list[str], days: int) -> dict[str, Any]:
    start = rng.randint(-2, days - 1)
    end = rng.choice([None, on(start + rng.randint(1, 5))])
    return {"rack": rng.choice(racks), "start": on(start), "end": end, "kind": rng.choice(["failure", "absent"])}


def _contract(rng: random.Random, number: int, days: int, sites: list[str]) -> dict[str, Any]:
    start, middle = rng.choice([-5, 1]), rng.randint(2, days - 1)
    steps = [
        {"start": on(start), "end": on(middle), "gpus": 72 * rng.randint(0, 3)},
        {"start": on(middle), "end": on(days + 20), "gpus": 72 * rng.randint(0, 3) + rng.choice([0, 4])},
    ]
    return {
        "id": f"k{number}",
        "tenant": f"t{number}",
        "start": on(start),
        "end": on(days + 20),
        "lock_in_until": on(-20),
        "notice_days": rng.choice([3, 7]),
        "notice_given_on": rng.choice([None, None, on(-1)]),
        "booking_lead_days": rng.choice([0, 1, 3]),
        "overage": rng.random() < 0.5,
        "site": rng.choice([None, None, *sites]),
        "commitments": steps,
    }


def _reservations(rng: random.Random, snapshot: Snapshot, days: int) -> list[Reservation]:
    """Random blocks wherever R1 and R3 let them stand; spares, quotas and holds are not asked."""
    found: list[Reservation] = []
    for number in range(rng.randint(0, 5)):
        landlord = Landlord(snapshot.model_copy(update={"reservations": found}))
        request = random_request(rng, snapshot, f"r{number}", days)
        start, end = request.earliest_start, request.earliest_start + dt.timedelta(request.days + rng.choice([0, 4]))
        longer = request.model_copy(update={"days": (end - start).days, "scope": "any"})
        racks = _choose(rng, landlord, longer, start)
        if racks is not None:
            found.append(_reservation(longer, start, end, racks))
    return found


def _choose(rng: random.Random, landlord: Landlord, request: Request, start: dt.date) -> dict[str, int] | None:
    racks = list(landlord.site_of)
    count = max(1, request.gpus // 72)
    if count > len(racks):
        return None
    chosen = dict.fromkeys(rng.sample(racks, count), min(request.gpus, 72))
    new = replace(wish(request, start, request.gpus, chosen), accepted=False)
    remaining = tuple(day for day in new.days if day >= landlord.snapshot.today)
    return None if landlord.broken([*landlord.blocks, new], remaining) & {"R1", "R3"} else chosen


def _reservation(request: Request, start: dt.date, end: dt.date, racks: dict[str, int]) -> Reservation:
    return Reservation.model_validate(
        {
            "id": request.id,
            "tenant": request.tenant,
            "contract": request.contract,
            "gpus": request.gpus,
            "start": start,
            "end": end,
            "scope": "any",
            "site": None,
            "tier": 0,
            "value_usd": 1000.0,
            "move_notice_days": 14,
            "interruptible": request.interruptible,
            "recall_notice_days": request.recall_notice_days,
            "placement": [{"start": start, "end": end, "racks": racks}],
        }
    )


def _hold_shortfalls(landlord: Landlord) -> list[HoldShortfall]:
    """Gives up the whole hold of each contract on the days on which R7 fails; coarse, but it mends R7."""
    snapshot = landlord.snapshot
    return [
        HoldShortfall(contract=c.id, start=day, end=day + dt.timedelta(1), gpus=landlord.held(landlord.blocks, c, day))
        for day in span(snapshot.today, snapshot.horizon_end)
        if "R7" in landlord.broken(landlord.blocks, (day,))
        for c in snapshot.contracts
        if landlord.held(landlord.blocks, c, day)
    ]


def _accept(rng: random.Random, snapshot: Snapshot, decisions: Decisions, request: Request) -> Decisions:
    """The decisions with this request accepted on random racks, where that breaks nothing."""
    landlord = Landlord(snapshot, decisions)
    start = rng.choice(span(request.earliest_start, request.latest_start + dt.timedelta(1)))
    racks = list(landlord.site_of)
    count = max(1, request.gpus // 72)
    if count > len(racks):
        return decisions
    chosen = dict.fromkeys(rng.sample(racks, count), min(request.gpus, 72))
    if not landlord.fits(request, start, request.gpus, chosen):
        return decisions
    end = start + dt.timedelta(request.days)
    new = Accepted(
        request=request.id, gpus=request.gpus, start=start, end=end, value_usd=request.value_usd, racks=chosen
    )
    return replace(decisions, accepted=(*decisions.accepted, new))
