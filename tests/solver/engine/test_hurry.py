"""A plan that is wanted at once still says why each request was declined, in fewer words."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from solver import cluster
from solver.decisions import Decisions
from solver.engine import crew, explain
from solver.engine.complete import complete
from solver.engine.parameters import SolveParameters
from solver.engine.solve import solve
from solver.engine.watch import Event, Watch
from solver.engine.wishes import Wish
from solver.plan import Accepted
from solver.snapshot import Loaded, Snapshot
from solver.standing import Standing
from tests.solver.engine.markets import market
from tests.solver.reference import build


def planned(loaded: Loaded) -> Decisions:
    plan = solve(loaded, SolveParameters(None, work_limit=0))
    return Decisions(tuple(plan.accepted), tuple(plan.moves), tuple(plan.recalls), tuple(plan.shortfalls), ())


@pytest.mark.parametrize("numbers_seconds", [0.0, 60.0])
@pytest.mark.parametrize("seed", range(3))
def test_codes_and_starts_are_the_same_in_a_hurry(
    seed: int, numbers_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = build.load(market(seed))
    decisions, whole = planned(loaded), cluster.build(loaded.snapshot)
    taken = {accepted.request for accepted in decisions.accepted}
    declined = [request for request in loaded.snapshot.requests if request.id not in taken]
    monkeypatch.setattr(explain, "_NUMBERS_SECONDS", numbers_seconds)

    asked = iter([False])
    hurried = explain.explain(loaded.snapshot, whole, decisions, declined, stop=lambda: next(asked, True))
    calm = explain.explain(loaded.snapshot, whole, decisions, declined)

    assert declined
    assert [(d.request, d.reason.code, d.reason.start) for d in hurried] == [
        (d.request, d.reason.code, d.reason.start) for d in calm
    ]
    assert all(item.counter_offers == [] and item.reason.price_to_win_usd is None for item in hurried)
    assert not any("higher tier" in item.reason.text for item in hurried)
    if numbers_seconds:
        assert [d.reason.holders for d in hurried] == [d.reason.holders for d in calm]


def test_a_limit_that_is_over_before_the_end_still_leaves_time_for_counter_offers() -> None:
    busy = build.reservation("v1", start=0, end=4, racks={"r1": 72, "r2": 72})
    loaded = build.load(build.snapshot(reservations=[busy], requests=[build.request("q1", earliest=1, days=2)]))

    plan = solve(loaded, SolveParameters(time_limit_seconds=0.001))

    assert [[offer.kind for offer in declined.counter_offers] for declined in plan.declined] == [["later"]]


def slowly_complete(snapshot: Snapshot, standing: Standing, wishes: list[Wish]) -> list[Accepted]:
    time.sleep(0.5)
    return complete(snapshot, standing, wishes)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("stage", ["admission", "improvement", "contest", "settling"])
def test_whenever_somebody_interrupts_each_code_and_start_is_that_of_the_plan(
    stage: str, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "_SMALL_PROBLEM", 0)  # workers are processes
    monkeypatch.setattr("solver.engine.solve.complete", slowly_complete)  # workers have all the time that they want
    loaded, watch = build.load(market(1)), Watch(None)

    def interrupt(event: Event) -> None:
        if event.stage == stage:
            watch.interrupt()

    watch.listener = interrupt
    plan = solve(loaded, SolveParameters(None, work_limit=4, workers=workers), watch)
    decisions = Decisions(tuple(plan.accepted), tuple(plan.moves), tuple(plan.recalls), tuple(plan.shortfalls), ())
    whole = cluster.build(loaded.snapshot)
    declined = {item.request for item in plan.declined}
    requests = [request for request in loaded.snapshot.requests if request.id in declined]
    calm = explain.explain(loaded.snapshot, whole, decisions, requests)

    assert watch.interrupted
    assert declined
    assert [(d.request, d.reason.code, d.reason.start) for d in plan.declined] == [
        (d.request, d.reason.code, d.reason.start) for d in calm
    ]
    assert all(d.counter_offers == [] and d.reason.holders == [] for d in plan.declined)


def test_a_plan_that_is_wanted_at_once_does_not_wait_for_or_tools() -> None:
    """It takes most of a second to load, so it is loaded where it is needed and not where a solve begins."""
    loads = "import sys; import solver.engine.solve; print('ortools' in sys.modules)"

    ended = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "False"
