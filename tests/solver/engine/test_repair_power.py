"""What becomes of reservations when power is cut below what stands in a site (R3, R10, R11), everything declined."""

from __future__ import annotations

import pytest

from tests.solver.engine.repairs import Repaired, one_site, repaired, two_sites
from tests.solver.reference import build
from tests.solver.reference.build import outage, power_limit, reservation, segment

KW = 140.0


def test_power_takes_no_more_racks_than_the_excess_and_they_come_back() -> None:
    result = repaired(
        sites=one_site({"p1": ["r1", "r2", "r3"]}, power_limits=[power_limit(2, 4, 2 * KW)]),
        reservations=[reservation(end=6, racks={"r1": 72, "r2": 72, "r3": 72})],
    )

    ((before, during, after),) = result.moves.values()
    assert (before, during[:2], len(during[2]), after) == (
        (0, 2, {"r1", "r2", "r3"}),
        (2, 4),
        2,
        (4, 6, {"r1", "r2", "r3"}),
    )
    assert result.short == [("v1", 2, 4, 72)]


def test_nothing_happens_where_power_is_just_enough() -> None:
    result = repaired(
        sites=one_site({"p1": ["r1", "r2", "r3"]}, power_limits=[power_limit(2, 4, 2 * KW)]),
        reservations=[reservation(end=6, racks={"r1": 72, "r2": 72})],
    )

    assert (result.moves, result.short) == ({}, [])


def test_it_stands_in_another_site_meanwhile() -> None:
    result = repaired(
        sites=two_sites(["r1"], ["r2"], power_limits=[power_limit(2, 4, 0.0)]), reservations=[reservation(end=6)]
    )

    assert result.moves == {"v1": [(0, 2, {"r1"}), (2, 4, {"r2"}), (4, 6, {"r1"})]}
    assert (result.forced, result.short) == ({"v1": True}, [])


def test_not_in_another_site_where_its_own_is_agreed() -> None:
    result = repaired(
        sites=two_sites(["r1"], ["r2"], power_limits=[power_limit(2, 4, 0.0)]),
        reservations=[reservation(end=6, site="s1")],
    )

    assert (result.moves["v1"][1], result.short) == ((2, 4, set()), [("v1", 2, 4, 72)])


def test_an_interruptible_block_loses_its_rack_before_a_firm_one() -> None:
    result = repaired(
        sites=one_site({"p1": ["r1", "r2"]}, power_limits=[power_limit(2, 4, KW)]),
        reservations=[
            reservation("v1", end=6, interruptible=True, recall_notice_days=9),
            reservation("v2", end=6, racks={"r2": 72}),
        ],
    )

    assert result.short == [("v1", 2, 4, 72)]


def test_a_block_that_is_not_frozen_leaves_the_site_for_good_and_nobody_is_short() -> None:
    result = repaired(
        sites=two_sites(["r1", "r2"], ["r3"], power_limits=[power_limit(2, 4, KW)]),
        reservations=[
            reservation("v1", end=6, site="s1"),
            reservation("v2", start=1, end=6, racks={"r2": 72}, move_notice_days=0),
        ],
    )

    assert (result.moves, result.forced, result.short) == ({"v2": [(1, 6, {"r3"})]}, {"v2": False}, [])


def test_blocks_that_share_a_rack_lose_it_together_as_one_rack() -> None:
    result = repaired(
        sites=one_site({"p1": ["r1", "r2"]}, power_limits=[power_limit(2, 4, KW)]),
        reservations=[
            reservation("v1", end=6),
            reservation("v2", end=6, racks={"r2": 36}, tier=1),
            reservation("v3", end=6, racks={"r2": 24}, tier=1),
        ],
    )

    assert result.short == [("v2", 2, 4, 36), ("v3", 2, 4, 24)]


def test_a_small_block_without_power_joins_a_rack_that_has_some() -> None:
    result = repaired(
        sites=one_site({"p1": ["r1", "r2"]}, power_limits=[power_limit(2, 4, KW)]),
        reservations=[reservation("v1", end=6, racks={"r1": 36}), reservation("v2", end=6, racks={"r2": 36}, tier=1)],
    )

    assert result.moves == {"v2": [(0, 2, {"r2"}), (2, 4, {"r1"}), (4, 6, {"r2"})]}


def test_a_dead_rack_is_not_replaced_where_there_is_no_power_for_it() -> None:
    result = repaired(
        sites=one_site({"p1": ["r1", "r2", "r3"]}, power_limits=[power_limit(2, 4, KW)]),
        outages=[outage("r1", 1, None)],
        reservations=[reservation("v1", end=6), reservation("v2", end=6, racks={"r2": 72})],
    )

    assert result.moves == {"v1": [(0, 1, {"r1"}), (1, 2, {"r3"}), (2, 4, set()), (4, 6, {"r3"})]}
    assert result.short == [("v1", 2, 4, 72)]


def test_power_beyond_the_horizon_binds_nobody() -> None:
    result = repaired(
        days=3,
        sites=one_site({"p1": ["r1"]}, power_limits=[power_limit(4, 6, 0.0)]),
        reservations=[reservation(end=9)],
    )

    assert (result.moves, result.short) == ({}, [])


def test_of_limits_that_overlap_the_lowest_holds() -> None:
    limits = [power_limit(0, 4, 2 * KW), power_limit(2, 6, KW)]
    result = repaired(
        sites=[build.site(power_limits=limits)], reservations=[reservation(end=6, racks={"r1": 72, "r2": 72})]
    )

    assert result.short == [("v1", 2, 6, 72)]


@pytest.mark.parametrize("late", [False, True])
def test_power_takes_no_replacement_that_becomes_the_blocks_own_rack(late: bool) -> None:
    """v1 lacks a rack. r2 stands in until day 4 and is its own then; that the site is full lets r3 not follow."""
    placement = [segment(0, 4, {"r3": 72}), segment(4, 8, {"r2": 72})]
    fields = build.snapshot(
        sites=one_site({"p1": ["r1", "r2", "r3"]}, power_limits=[power_limit(4, 5, KW)]),
        outages=[outage("r1", 0, None)],
        reservations=[reservation(gpus=144, end=8, placement=placement)],
    )
    result = Repaired(build.load(fields).snapshot, late=late)

    assert result.broken() == []
    assert result.short == [("v1", 4, 8, 72)]


@pytest.mark.parametrize("late", [False, True])
def test_a_rack_taken_by_an_outage_before_does_not_come_back_after_its_replacement(late: bool) -> None:
    """R10 lets the outage of day 1 take r1 to the end of the block: replaced once, by r3, it is not wanted again."""
    fields = build.snapshot(
        sites=two_sites(["r1"], ["r3"], power_limits=[power_limit(0, 5, 0.0)]),
        outages=[outage("r1", 1, 2)],
        reservations=[reservation(start=2, end=8)],
    )
    result = Repaired(build.load(fields).snapshot, late=late)

    assert result.broken() == []
    assert (result.moves, result.short) == ({"v1": [(2, 8, {"r3"})]}, [])


@pytest.mark.parametrize("late", [False, True])
def test_a_rack_whose_outage_is_over_before_the_block_stands_there_is_kept(late: bool) -> None:
    fields = build.snapshot(outages=[outage("r1", 1, 2), outage("r2", 3, None)], reservations=[reservation(start=2)])

    assert Repaired(build.load(fields).snapshot, late=late).moves == {}
