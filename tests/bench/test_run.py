"""A run of the real command: its plan, its course, its memory."""

from __future__ import annotations

import json

import pytest

from bench import run as runs
from bench import value
from bench.instances import made


def event(seconds: float, **values: float) -> str:
    return json.dumps({"stage": "s", "values": {key[1:]: usd for key, usd in values.items()}, "seconds": seconds})


def test_the_course_rises_tier_before_tier() -> None:
    """A better tier 0 counts though tier 1 is worse; what is worse than the best so far does not count."""
    lines = [event(1, t0=5, t1=9), event(2, t0=5, t1=8), event(3, t0=6, t1=0), event(4, t0=5, t1=99)]

    course = runs.course(lines)

    assert [(point.seconds, point.values) for point in course] == [(1, {0: 5, 1: 9}), (3, {0: 6, 1: 0})]


def test_lines_that_are_no_events_are_passed_over() -> None:
    assert runs.course(["tier  value, USD\n", "", event(1, t0=1)])[0].seconds == 1


def test_a_tiny_instance_is_measured_from_beginning_to_end() -> None:
    row = value.measure(made("tiny", seed=1), time_limit=2.0, workers=1)

    assert (row["instance"], row["racks"], row["days"], row["broken"]) == ("tiny-1", 6, 12, [])
    assert row["course"][-1]["ratios"].keys() == row["tiers"].keys()
    assert all(tier["value"] <= tier["bound"] for tier in row["tiers"].values())
    assert set(row["baselines"]) == {"first_come", "by_price"}
    assert row["peak_mib"] > 10
    assert "tiny-1" in value.line(row)


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(runs.Failed, match="no JSON"):
        runs.run(b"{", seed=0, time_limit=1.0, workers=1)


def test_a_share_of_nothing_is_all_of_it() -> None:
    assert (value.ratio(3.0, 4.0), value.ratio(0.0, 0.0)) == (0.75, 1.0)
