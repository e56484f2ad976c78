"""Publishing a plan and planning again with nothing changed moves nobody; after one change only what must move does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from solver.engine.parameters import SolveParameters
from solver.engine.solve import solve
from solver.plan import HoldShortfall, Plan, Shortfall
from solver.snapshot import Loaded
from solver.verify.check import broken_rules
from tests.solver.engine.markets import market
from tests.solver.engine.storms import storm
from tests.solver.publishing import published
from tests.solver.reference import build
from tests.solver.reference.build import Content, outage
from tests.solver.reference.disasters import disaster

WORK = 5


def planned(loaded: Loaded) -> Plan:
    """A plan that keeps every rule."""
    plan = solve(loaded, SolveParameters(time_limit_seconds=None, work_limit=WORK))
    assert broken_rules(loaded.snapshot, plan) == []
    return plan


def wanted(content: Content) -> Content:
    """The same with a request in each tier."""
    requests = [build.request(f"q{tier}", tier=tier, earliest=1, latest=3, days=2) for tier in (0, 1)]
    return content | {"requests": requests}


def gpus_by_day(shortfalls: Iterable[Shortfall | HoldShortfall]) -> Counter[int]:
    """GPUs that are short in all on each day."""
    short: Counter[int] = Counter()
    for shortfall in shortfalls:
        for day in range(shortfall.start.toordinal(), shortfall.end.toordinal()):
            short[day] += shortfall.gpus
    return short


PUBLISHED = [
    *[pytest.param(market(seed, requests=25), id=f"market {seed}") for seed in (0,)],
    *[pytest.param(wanted(storm(seed)), id=f"storm {seed}") for seed in (1, 2, 5)],
    *[pytest.param(wanted(disaster(seed)), id=f"disaster {seed}") for seed in (0, 1, 2, 3, 4, 5)],
]


@pytest.mark.parametrize("content", PUBLISHED)
def test_planning_again_with_nothing_changed_moves_nobody(content: Content) -> None:
    loaded = build.load(content)
    plan = planned(loaded)

    again = planned(published(loaded.snapshot, plan))

    assert (again.moves, again.recalls) == ([], [])
    assert gpus_by_day(again.shortfalls) == gpus_by_day(plan.shortfalls)
    assert gpus_by_day(again.hold_shortfalls) == gpus_by_day(plan.hold_shortfalls)


def test_after_an_outage_only_who_lost_a_rack_moves_and_only_that_rack() -> None:
    loaded = build.load(market(0, requests=12))
    following = published(loaded.snapshot, planned(loaded)).snapshot
    dead = "B0p0r0"
    content = following.model_dump(mode="json")
    content["outages"].append(outage(dead, 0, None))

    plan = planned(build.load(content))

    harmed = {
        r.id for r in following.reservations if any(dead in s.racks and s.end > following.today for s in r.placement)
    }
    before = {r.id: r for r in following.reservations}
    assert harmed
    assert {move.reservation for move in plan.moves if move.forced} <= harmed
    for move in plan.moves:
        own = {rack for segment in before[move.reservation].placement for rack in segment.racks}
        assert own - {rack for segment in move.placement for rack in segment.racks} <= {dead}
