"""A whole solve: valid, repeatable, never below greedy, and ended when it is asked to end."""

from __future__ import annotations

import pytest

from solver import cluster
from solver.engine import admission
from solver.engine.board import Board
from solver.engine.parameters import SolveParameters
from solver.engine.repair import repair
from solver.engine.solve import solve
from solver.engine.watch import Event, Watch
from solver.plan import Plan
from solver.snapshot import Loaded
from solver.verify.check import broken_rules
from tests.solver.engine.markets import market
from tests.solver.engine.storms import storm
from tests.solver.reference import build

QUICK = SolveParameters(time_limit_seconds=None, work_limit=40)


def text(plan: Plan) -> str:
    return plan.model_copy(update={"seconds": 0.0}).model_dump_json()


def greedy(loaded: Loaded) -> list[float]:
    """Value by tier of dearest GPU-day first, each request at its earliest start that fits."""
    whole = cluster.build(loaded.snapshot)
    board = Board(loaded.snapshot, whole, repair(loaded.snapshot, whole, seed=0, deadline=lambda: False))
    for tier in board.values():
        admission.fill(board, tier, admission.by_price, admission.earliest)
    return list(board.values().values())


@pytest.mark.parametrize("seed", range(25))
def test_the_plan_of_a_market_keeps_every_rule_and_is_worth_no_less_than_greedy(seed: int) -> None:
    loaded = build.load(market(seed))

    plan = solve(loaded, QUICK)

    assert broken_rules(loaded.snapshot, plan) == []
    assert [tier.value_usd for tier in plan.tiers] >= greedy(loaded)
    assert all(tier.value_usd <= tier.bound_usd for tier in plan.tiers)


@pytest.mark.parametrize("seed", range(40))
def test_the_plan_of_a_disaster_keeps_every_rule(seed: int) -> None:
    content = storm(seed)
    content["requests"] = [
        build.request(f"q{i}", gpus=72 * (1 + i % 3), earliest=i % 7, latest=i % 7 + 2, days=3) for i in range(8)
    ]
    content["horizon_end"] = max(content["horizon_end"], build.day(12))
    loaded = build.load(content)

    assert broken_rules(loaded.snapshot, solve(loaded, QUICK)) == []


def test_same_seed_and_work_give_the_same_plan() -> None:
    loaded = build.load(market(1))

    assert text(solve(loaded, QUICK)) == text(solve(loaded, QUICK))


def test_an_empty_snapshot_has_an_optimal_empty_plan() -> None:
    plan = solve(build.load(build.snapshot()), QUICK)

    assert plan.status == "optimal"
    assert (plan.tiers, plan.accepted, plan.declined) == ([], [], [])


def test_everything_is_accepted_where_everything_fits_and_that_is_called_optimal() -> None:
    loaded = build.load(build.snapshot(requests=[build.request("q1"), build.request("q2", earliest=2)]))

    plan = solve(loaded, QUICK)

    assert plan.status == "optimal"
    assert [accepted.request for accepted in plan.accepted] == ["q1", "q2"]


def test_a_higher_tier_goes_first_however_little_it_is_worth() -> None:
    requests = [
        build.request("cheap", gpus=144, tier=0, value_usd=1.0),
        build.request("dear", gpus=144, tier=1, value_usd=10**6),
    ]

    plan = solve(build.load(build.snapshot(requests=requests)), QUICK)

    assert [accepted.request for accepted in plan.accepted] == ["cheap"]
    assert [declined.reason.code for declined in plan.declined] == ["outbid"]


def test_an_interrupted_solve_returns_a_valid_plan() -> None:
    loaded = build.load(market(2))
    watch = Watch(60.0)
    watch.listener = lambda event: watch.interrupt()

    plan = solve(loaded, SolveParameters(60.0), watch)

    assert watch.interrupted
    assert broken_rules(loaded.snapshot, plan) == []


def test_every_stage_tells_what_it_reached() -> None:
    events: list[Event] = []

    plan = solve(build.load(market(3)), QUICK, Watch(None, events.append))

    stages = [event.stage for event in events]
    assert stages[0] == "repair"
    assert stages[-1] == "explanation"
    assert list(events[-1].values.values()) == [tier.value_usd for tier in plan.tiers]


def test_nobody_waits_for_a_better_plan_than_one_that_accepts_everything() -> None:
    """More than the exact stage looks at: else a search goes on to the limit, as the last tiers have no bound yet."""
    requests = [build.request(f"q{number}", gpus=72, days=2, tier=number % 4) for number in range(120)]
    halls = [build.hall(pods={f"p{pod}": [f"p{pod}r{rack}" for rack in range(16)] for pod in range(16)})]
    loaded = build.load(build.snapshot(sites=[build.site(halls=halls)], requests=requests))
    events: list[Event] = []

    plan = solve(loaded, SolveParameters(60.0), Watch(60.0, events.append))

    assert (plan.status, plan.declined) == ("optimal", [])
    assert {tier.tier: tier.bound_usd for tier in plan.tiers} == {tier.tier: tier.value_usd for tier in plan.tiers}
    admitted = next(event for event in events if event.stage == "admission")
    assert admitted.gaps == dict.fromkeys(range(4), 0.0)  # nothing is sought from there on


def test_a_stage_that_takes_its_time_tells_now_and_then_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Event] = []
    watch = Watch(None, events.append)
    watch.stage("admission")

    watch.under_way = "improvement"
    watch.beat()  # so soon after the last one: nothing
    monkeypatch.setattr("solver.engine.watch._BEAT_SECONDS", 0.0)
    watch.beat()
    watch.under_way = ""
    watch.beat()

    assert [event.stage for event in events] == ["admission", "improvement"]
    assert len(watch.stages) == 1  # the receipt counts stages that have ended


def test_two_workers_give_the_same_plan_each_time_and_one_that_keeps_every_rule() -> None:
    loaded = build.load(market(4, requests=60))
    parameters = SolveParameters(None, work_limit=40, workers=2)

    first, second = solve(loaded, parameters), solve(loaded, parameters)

    assert text(first) == text(second)
    assert broken_rules(loaded.snapshot, first) == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"time_limit_seconds": None}, "needs a time limit or a work limit"),
        ({"time_limit_seconds": 0.0}, "must be positive"),
        ({"work_limit": -1}, "must not be negative"),
        ({"workers": 0}, "at least one worker"),
    ],
)
def test_impossible_parameters_are_refused(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SolveParameters(**fields)  # type: ignore[arg-type]


def test_a_tier_that_only_a_forced_recall_has_is_worth_what_was_lost() -> None:
    """The hall goes dark under an interruptible reservation of tier 0; all requests are of tier 1."""
    content = build.snapshot(
        sites=[build.site(power_limits=[build.power_limit(2, 10, 0.0)])],
        reservations=[build.reservation(end=8, interruptible=True, recall_notice_days=2)],
        requests=[build.request(tier=1, days=1), build.request("q2", tier=1, gpus=144, days=1, latest=1)],
    )
    loaded = build.load(content)

    plan = solve(loaded, QUICK)

    assert broken_rules(loaded.snapshot, plan) == []
    assert [recall.reservation for recall in plan.recalls] == ["v1"]
    assert plan.tiers[0].value_usd < 0


@pytest.mark.parametrize("seed", [2**31 - 1, 2**31, 2**70])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    loaded = build.load(build.snapshot(requests=[build.request("q1"), build.request("q2")]))
    plan = solve(loaded, SolveParameters(seed=seed, work_limit=1, workers=1))
    assert plan.seed == seed
    assert plan.status == "optimal"
