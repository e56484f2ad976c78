"""What the commands tell a person of a plan in a terminal."""

from __future__ import annotations

from typing import Any

import pytest

from solver.commands import summary
from solver.plan import Plan
from solver.promise_text import percent
from tests.solver.naive import on


def plan(**changes: Any) -> Plan:
    empty: dict[str, Any] = {
        "format": "berth.plan/1",
        "snapshot_sha256": "0" * 64,
        "today": on(0),
        "status": "feasible",
    }
    lists = ("tiers", "accepted", "declined", "moves", "recalls", "shortfalls", "hold_shortfalls", "prices")
    return Plan.model_validate(empty | {"seconds": 12.34, "seed": 0} | {name: [] for name in lists} | changes)


def test_a_plan_is_told_in_three_lines() -> None:
    assert [*summary.lines(plan(), interrupted=False)] == [
        "feasible after 12.3 s",
        "requests: 0 accepted, 0 declined",
        "reservations: 0 moved, 0 recalled, 0 short",
    ]


def test_a_reservation_that_is_short_twice_counts_once() -> None:
    shortfalls = [{"reservation": "r", "start": on(day), "end": on(day + 1), "gpus": 72} for day in (1, 3)]

    *_, reservations = summary.lines(plan(shortfalls=shortfalls), interrupted=True)

    assert reservations == "reservations: 0 moved, 0 recalled, 1 short"


def test_contracts_whose_hold_is_short_are_named_once_each() -> None:
    days = [("k2", 1), ("k1", 1), ("k1", 4)]
    shortfalls = [{"contract": name, "start": on(day), "end": on(day + 1), "gpus": 72} for name, day in days]

    first, *_, last = summary.lines(plan(hold_shortfalls=shortfalls), interrupted=True)

    assert (first, last) == ("feasible, interrupted after 12.3 s", "holds short: k1, k2")


@pytest.mark.parametrize(("gap", "text"), [(0.0, "0.00%"), (0.38993, "38.99%"), (1.0, "100.00%"), (1.01, "over 100%")])
def test_a_gap_beyond_the_bound_itself_is_only_said_to_be(gap: float, text: str) -> None:
    assert percent(gap) == text
