"""Growth: the time to the same ratio, step by step."""

from __future__ import annotations

from typing import Any

from bench import growth, sizes


def row(extent: int, *points: tuple[float, float, float], family: str = "requests") -> dict[str, Any]:
    """Points are seconds and the shares of tiers 0 and 1."""
    course = [{"seconds": seconds, "ratios": {"0": zero, "1": one}} for seconds, zero, one in points]
    return {"family": family, "extent": extent, "course": course}


def test_a_ratio_is_reached_when_both_tiers_stand_there() -> None:
    reached = row(1, (1.0, 0.95, 0.5), (4.0, 0.95, 0.91), (9.0, 0.95, 0.93))

    assert growth.reached(reached, 0.90) == 4.0
    assert growth.reached(reached, 0.94) is None


def test_steps_compare_the_best_ratio_that_both_reached() -> None:
    rows = [row(10, (1.0, 0.99, 0.85), (2.0, 0.99, 0.93)), row(20, (3.0, 0.99, 0.86), (5.0, 0.99, 0.91))]

    assert list(growth.lines(rows)) == ["requests 10 to 20: to 0.90 in 2.0 s and 5.0 s, 2.5 times"]


def test_steps_without_a_common_ratio_say_so() -> None:
    rows = [row(10, (1.0, 0.99, 0.99)), row(20, (3.0, 0.1, 0.1))]

    assert list(growth.lines(rows)) == ["requests 10 to 20: no ratio from 0.80 on that both reached"]


def test_families_are_not_compared_with_each_other() -> None:
    rows = [row(10, (1.0, 1.0, 1.0)), row(20, (1.0, 1.0, 1.0), family="racks")]

    assert list(growth.lines(rows)) == []


def test_the_families_reach_as_far_as_is_asked_of_the_solver() -> None:
    extents = {(family, extent) for family, extent, _ in growth.families()}

    assert ("requests", 10_000) in extents
    assert ("racks", 12_288) in extents
    assert (sizes.LARGEST.requests, sizes.LARGEST.racks) == (10_000, 12_288)
