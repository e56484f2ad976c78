"""The exact model on cases small enough to work out by hand, step by step of § 5; and what it leaves alone.

It is held against trying everything in `tests.solver.test_engine_in_all_steps`.
"""

from __future__ import annotations

import datetime as dt
import time

from solver import cluster
from solver.decisions import Decisions
from solver.engine.exact.outcome import Outcome
from solver.engine.exact.search import Limits
from solver.engine.exact.solve import solve
from solver.plan import Plan, Shortfall
from solver.snapshot import Loaded
from solver.verify.check import broken_rules
from tests.solver.engine.markets import market
from tests.solver.reference import build, generate
from tests.solver.reference.build import Content, hall, outage, request, reservation, site

WORK = 2.0


def family(name: str, seed: int) -> Loaded:
    return build.load(generate.snapshot(name, seed))


def solved(loaded: Loaded, *, work: float = WORK, stop: bool = False) -> Outcome | None:
    """As if repair had lost everything: what it did is no limit."""
    limits = Limits(work=work, seconds=lambda: None, stop=lambda: stop, seed=0)
    snapshot, everything = loaded.snapshot, dt.timedelta(10**5)
    lost = [
        Shortfall(reservation=r.id, start=r.start, end=r.start + everything, gpus=r.gpus) for r in snapshot.reservations
    ]
    return solve(snapshot, cluster.build(snapshot), Decisions(shortfalls=tuple(lost)), limits)


def plan_of(loaded: Loaded, outcome: Outcome) -> Plan:
    """The outcome as a plan file, with reasons that say nothing."""
    decisions = outcome.decisions
    accepted = {item.request for item in decisions.accepted}
    reason = {"code": "outbid", "text": "-", "start": None, "short": [], "holders": [], "price_to_win_usd": None}
    return Plan.model_validate(
        {
            "format": "berth.plan/1",
            "snapshot_sha256": loaded.sha256,
            "today": loaded.snapshot.today,
            "status": "optimal",
            "seconds": 0.0,
            "seed": 0,
            "tiers": [
                {"tier": tier, "value_usd": value, "bound_usd": value, "gap": 0.0}
                for tier, value in outcome.values.items()
            ],
            "declined": [
                {"request": each.id, "reason": reason, "counter_offers": []}
                for each in loaded.snapshot.requests
                if each.id not in accepted
            ],
            "prices": [],
        }
        | {
            part: list(getattr(decisions, part))
            for part in ("accepted", "moves", "recalls", "shortfalls", "hold_shortfalls")
        }
    )


def best(content: Content) -> Plan:
    """The proven best plan of a snapshot; it keeps all rules."""
    loaded = build.load(content)
    outcome = solved(loaded)
    assert outcome is not None
    assert outcome.is_proven
    plan = plan_of(loaded, outcome)
    assert broken_rules(loaded.snapshot, plan) == []
    return plan


def pods(**racks: list[str]) -> list[Content]:
    return [site(halls=[hall(pods=racks)])]


def test_a_block_takes_one_pod_where_it_can_and_the_earliest_start() -> None:
    content = build.snapshot(
        sites=pods(p1=["r1"], p2=["r2"], p3=["r3", "r4"]), requests=[request(gpus=144, earliest=1, latest=3)]
    )

    (accepted,) = best(content).accepted

    assert set(accepted.racks) == {"r3", "r4"}
    assert str(accepted.start) == build.day(1)


def test_of_sizes_worth_the_same_the_one_that_spreads_least_is_taken() -> None:
    content = build.snapshot(
        sites=pods(p1=["r1", "r2"], p2=["r3"]),
        reservations=[reservation(racks={"r1": 72}, end=9)],
        requests=[request(gpus=144, min_gpus=72, earliest=0, days=3, value_usd=0.0)],
    )

    (accepted,) = best(content).accepted

    assert len(accepted.racks) == 1


def test_an_extension_keeps_its_racks_before_it_starts_early() -> None:
    content = build.snapshot(
        reservations=[reservation(start=-3, end=2, racks={"r1": 72})],
        requests=[request(earliest=1, latest=2, days=3, extends="v1")],
    )

    (accepted,) = best(content).accepted

    assert set(accepted.racks) == {"r1"}
    assert str(accepted.start) == build.day(2)


def test_nobody_moves_for_an_earlier_start() -> None:
    content = build.snapshot(
        sites=pods(p1=["r1"], p2=["r2"]),
        reservations=[reservation(start=1, end=3, racks={"r1": 72}, move_notice_days=0)],
        requests=[request(gpus=144, earliest=2, latest=5)],
    )

    plan = best(content)

    assert plan.moves == []
    assert str(plan.accepted[0].start) == build.day(3)


def test_a_reservation_moves_where_that_makes_room_for_value() -> None:
    content = build.snapshot(
        days=5,
        sites=pods(p1=["r1", "r2"], p2=["r3"]),
        reservations=[reservation(start=1, end=5, racks={"r1": 72}, move_notice_days=0)],
        requests=[request(gpus=144, earliest=2, scope="pod")],
    )

    plan = best(content)

    assert [(move.reservation, move.forced) for move in plan.moves] == [("v1", False)]
    assert [set(segment.racks) for segment in plan.moves[0].placement] == [{"r3"}]
    assert len(plan.accepted) == 1


def test_a_request_worth_nothing_is_accepted_where_it_fits() -> None:
    content = build.snapshot(requests=[request(earliest=0, latest=3, value_usd=0.0)])

    assert len(best(content).accepted) == 1


def test_of_two_requests_worth_nothing_one_may_stand_in_the_way_of_the_other() -> None:
    """Accepting both would delay one of them."""
    wide, narrow = request("q1", gpus=144, value_usd=0.0), request("q2", earliest=1, latest=2, value_usd=0.0)

    assert [accepted.request for accepted in best(build.snapshot(requests=[wide, narrow])).accepted] == ["q2"]


def test_shortfalls_count_beyond_the_horizon() -> None:
    content = build.snapshot(
        days=4,
        sites=pods(p1=["r1", "r2"]),
        outages=[outage("r1", 1, None)],
        reservations=[reservation("v1", end=8), reservation("v2", start=3, end=6, racks={"r2": 72})],
    )

    assert [(str(s.start), str(s.end)) for s in best(content).shortfalls] == [(build.day(3), build.day(6))]


def test_a_market_is_too_large() -> None:
    assert solved(build.load(market(1))) is None


def test_without_work_nothing_is_said_to_be_proven() -> None:
    outcome = solved(family("plain", 4), work=0.0)

    assert outcome is None or not outcome.is_proven


def test_asked_to_stop_it_stops() -> None:
    content = build.snapshot(
        days=40,
        sites=pods(p1=[f"r{i}" for i in range(20)]),
        requests=[
            request(f"q{i}", gpus=72 * (3 + 5 * i % 7), days=5 + 3 * i % 7, latest=33, value_usd=100.0 + 37 * i % 50)
            for i in range(30)
        ],
    )
    began = time.monotonic()

    outcome = solved(build.load(content), work=1000.0, stop=True)

    assert time.monotonic() - began < 10.0  # at once, on a busy machine too; without a stop it takes minutes
    assert outcome is None or not outcome.is_proven


def test_the_same_snapshot_gives_the_same_decisions() -> None:
    one, other = (solved(family("mixed", 3)) for _ in range(2))

    assert one is not None
    assert other is not None
    assert one.decisions == other.decisions
