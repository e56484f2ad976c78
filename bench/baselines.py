"""What others do, on the same snapshot: first come, first served, and the dearest GPU-day first.

Reservations are first repaired as the solver does it. Then each request, in its order, takes the first start at which
it fits and is bound to racks for good. Both are whole plans, but for reasons: valid, and complete in the sense of R13.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import numpy as np

from solver import cluster as clusters
from solver import offers
from solver import standing as standings
from solver.decisions import Decisions
from solver.engine.repair import repair
from solver.plan import FORMAT, Accepted, Declined, Plan, Reason, Tier
from solver.snapshot import Loaded, Request, Snapshot
from solver.standing import Standing

Order = Callable[[Request], tuple[object, ...]]


def by_arrival(request: Request) -> tuple[object, ...]:
    """In the order in which requests were submitted, whatever their tier: what booking systems do."""
    return (request.submitted_at,)


def by_price(request: Request) -> tuple[object, ...]:
    """Tier by tier, dearest GPU-day first."""
    return (request.tier, -request.value_usd / request.gpus / request.days)


def plan(loaded: Loaded, order: Order) -> Plan:
    """The plan that comes of taking requests in this order. A tier's bound is what all its requests are worth."""
    began = time.monotonic()
    snapshot = loaded.snapshot
    cluster = clusters.build(snapshot)
    decisions = repair(snapshot, cluster, seed=0, deadline=lambda: False)
    standing = standings.of(snapshot, cluster, decisions)
    accepted = {}
    for request in sorted(snapshot.requests, key=order):
        block = _first_fit(standing, request)
        if block is not None:
            standing.add_accepted(block)
            accepted[request.id] = block
    return Plan(
        format=FORMAT,
        snapshot_sha256=loaded.sha256,
        today=snapshot.today,
        status="feasible",
        seconds=round(time.monotonic() - began, 3),
        seed=0,
        tiers=_tiers(snapshot, accepted, decisions),
        accepted=[accepted[request.id] for request in snapshot.requests if request.id in accepted],
        declined=[_declined(request) for request in snapshot.requests if request.id not in accepted],
        moves=list(decisions.moves),
        recalls=list(decisions.recalls),
        shortfalls=list(decisions.shortfalls),
        hold_shortfalls=list(decisions.hold_shortfalls),
        prices=[],
    )


def _first_fit(standing: Standing, request: Request) -> Accepted | None:
    """The largest block that fits at the first start of the window at which one fits."""
    ask = offers.ask_of(request)
    first, last = offers.window(standing, request)
    sizes = offers.largest(standing, ask, first, last)
    fitting = np.flatnonzero(sizes >= request.min_gpus)
    if not len(fitting):
        return None
    start, gpus = first + int(fitting[0]), int(sizes[fitting[0]])
    racks = offers.place(standing, ask, start, gpus)
    if racks is None:
        return None
    day = standing.cluster.date(start)
    return Accepted(
        request=request.id,
        gpus=gpus,
        start=day,
        end=day + dt.timedelta(request.days),
        value_usd=request.value_usd * gpus / request.gpus,
        racks=racks,
    )


def _tiers(snapshot: Snapshot, accepted: dict[str, Accepted], decisions: Decisions) -> list[Tier]:
    """The value of what is accepted, less the share by days of what is recalled."""
    asked: dict[int, float] = {}
    values: dict[int, float] = {}
    for request in snapshot.requests:
        asked[request.tier] = asked.get(request.tier, 0.0) + request.value_usd
        value = accepted[request.id].value_usd if request.id in accepted else 0.0
        values[request.tier] = values.get(request.tier, 0.0) + value
    reservations = {reservation.id: reservation for reservation in snapshot.reservations}
    for recall in decisions.recalls:
        recalled = reservations[recall.reservation]
        lost = recalled.value_usd * ((recalled.end - recall.end) / (recalled.end - recalled.start))
        values[recalled.tier] = values.get(recalled.tier, 0.0) - lost
    return [_tier(tier, values[tier], asked.get(tier, 0.0)) for tier in sorted(values)]


def _tier(number: int, value: float, asked: float) -> Tier:
    bound = max(value, asked)
    return Tier(tier=number, value_usd=value, bound_usd=bound, gap=(bound - value) / bound if bound else 0.0)


def _declined(request: Request) -> Declined:
    """Baselines give no reasons."""
    reason = Reason(code="outbid", text="It came too late.", start=None, short=[], holders=[], price_to_win_usd=None)
    return Declined(request=request.id, reason=reason, counter_offers=[])
