"""A plan that is wanted at once still says why each request was declined, in fewer words."""

from __future__ import annotations

import pytest

from solver import cluster
from solver.decisions import Decisions
from solver.engine import explain
from solver.engine.parameters import SolveParameters
from solver.engine.solve import solve
from solver.snapshot import Loaded
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
