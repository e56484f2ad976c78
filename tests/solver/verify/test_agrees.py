"""`verify` beside the slow day-by-day reading of R1 to R9 in `tests.solver.naive`, on small snapshots of every kind."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace

import pytest

from solver.decisions import Decisions
from solver.plan import Accepted, Plan
from solver.snapshot import Request, Snapshot
from solver.verify.check import broken_rules
from tests.solver.naive import Landlord, is_sound, span
from tests.solver.random_landlords import random_landlord

SLOW_RULES = {"R1", "R2", "R3", "R6", "R7", "R8", "R9"}
SEEDS = range(60)


def plan_of(snapshot: Snapshot, decisions: Decisions) -> Plan:
    """The decisions as a plan; its totals are of no interest here."""
    return Plan.model_validate(
        {
            "format": "berth.plan/1",
            "snapshot_sha256": "0" * 64,
            "today": snapshot.today,
            "status": "feasible",
            "seconds": 0.0,
            "seed": 0,
            "tiers": [],
            "accepted": list(decisions.accepted),
            "declined": [],
            "moves": [],
            "recalls": [],
            "shortfalls": [],
            "hold_shortfalls": list(decisions.hold_shortfalls),
            "prices": [],
        }
    )


def incomplete(snapshot: Snapshot, decisions: Decisions) -> set[str]:
    """The requests that R13 names."""
    return {b.ids[0] for b in broken_rules(snapshot, plan_of(snapshot, decisions)) if b.rule == "R13"}


def days_of(snapshot: Snapshot) -> tuple[dt.date, ...]:
    return tuple(span(snapshot.today, snapshot.horizon_end))


def careless(seed: int, snapshot: Snapshot, decisions: Decisions) -> Decisions:
    """The decisions with some more requests accepted on any racks, whatever stands there."""
    rng = random.Random(seed)  # a repeatable test, no secret
    racks = list(Landlord(snapshot).site_of)
    for request in snapshot.requests:
        count, start = max(1, request.gpus // 72), max(snapshot.today, request.earliest_start)
        end = start + dt.timedelta(request.days)
        if is_accepted(decisions, request) or count > len(racks) or end > snapshot.horizon_end or rng.random() < 0.7:
            continue
        block = Accepted(
            request=request.id,
            gpus=request.gpus,
            start=start,
            end=end,
            value_usd=request.value_usd,
            racks=dict.fromkeys(rng.sample(racks, count), min(request.gpus, 72)),
        )
        decisions = replace(decisions, accepted=(*decisions.accepted, block))
    return decisions


def is_accepted(decisions: Decisions, request: Request) -> bool:
    return any(accepted.request == request.id for accepted in decisions.accepted)


def test_the_same_rules_are_broken_by_careless_plans() -> None:
    """R8 alone differs, as its docstring says: it is silent where R7 has spoken, and where no recall could help."""
    seen = set()
    for seed in SEEDS:
        snapshot, careful = random_landlord(seed)
        decisions = careless(seed, snapshot, careful)
        landlord, alone = Landlord(snapshot, decisions), Landlord(snapshot)

        slow = landlord.broken(landlord.blocks, days_of(snapshot))
        fast = {b.rule for b in broken_rules(snapshot, plan_of(snapshot, decisions))} & SLOW_RULES

        forgiven = {"R8"} if "R7" in slow or "R8" in alone.broken(alone.blocks, days_of(snapshot)) else set()
        assert slow - forgiven <= fast <= slow, seed
        seen |= slow
    assert seen == SLOW_RULES


@pytest.mark.parametrize("part", range(3))
def test_the_same_requests_would_fit(part: int) -> None:
    """R13 against every start of every window and every choice of racks."""
    answers = set()
    for seed in range(100 + part, 130, 3):
        snapshot, decisions = random_landlord(seed)
        if not is_sound(snapshot, decisions):
            continue
        landlord, named = Landlord(snapshot, decisions), incomplete(snapshot, decisions)
        for request in snapshot.requests:
            if is_accepted(decisions, request):
                continue
            window = span(request.earliest_start, request.latest_start + dt.timedelta(1))
            fits = any(landlord.fits_somewhere(request, day, request.min_gpus) for day in window)
            assert (request.id in named) == fits, (seed, request.id)
            answers.add(fits)
    assert answers == {True, False}


def test_what_stands_would_fit_if_it_were_declined() -> None:
    """Take any accepted block out of a sound plan: R13 names its request."""
    taken_out = 0
    for seed in SEEDS:
        snapshot, decisions = random_landlord(seed)
        if not is_sound(snapshot, decisions):
            continue
        for block in decisions.accepted:
            without = tuple(other for other in decisions.accepted if other is not block)
            assert block.request in incomplete(snapshot, replace(decisions, accepted=without)), (seed, block.request)
            taken_out += 1
    assert taken_out > 30
