"""Of repairs that cost as little which one is chosen: as few GPUs moved as can be, and not far (R10, section 5)."""

from __future__ import annotations

import pytest

from tests.solver.engine.repairs import repaired
from tests.solver.reference import build
from tests.solver.reference.build import Content, outage, reservation

ALL = ("r2", "r3", "r4", "r5")


def sites() -> list[Content]:
    """r1 has r2 in its pod, r3 in its hall, r4 in its site and r5 in another one."""
    first = [build.hall("h1", pods={"p1": ["r1", "r2"], "p2": ["r3"]}), build.hall("h2", pods={"p3": ["r4"]})]
    return [build.site("s1", halls=first), build.site("s2", halls=[build.hall("h3", pods={"p4": ["r5"]})])]


@pytest.mark.parametrize("nearest", ALL)
@pytest.mark.parametrize("move_notice_days", [0, 1000])
def test_a_replacement_stays_in_its_pod_then_in_its_hall_then_in_its_site(nearest: str, move_notice_days: int) -> None:
    nearer = ALL[: ALL.index(nearest)]
    result = repaired(
        sites=sites(),
        outages=[outage(rack, 0, None) for rack in ("r1", *nearer)],
        reservations=[reservation(start=1, end=6, move_notice_days=move_notice_days)],
    )

    assert result.moves == {"v1": [(1, 6, {nearest})]}


def test_a_rack_that_it_has_is_better_than_another_one() -> None:
    """On [2, 4) both racks are dead; whichever serves from day 4 on, r1 is its own."""
    result = repaired(outages=[outage("r1", 2, 4), outage("r2", 0, 4)], reservations=[reservation(end=6)])

    assert result.moves == {"v1": [(0, 2, {"r1"}), (2, 4, set()), (4, 6, {"r1"})]}


def test_the_smallest_of_those_that_may_be_moved_makes_room() -> None:
    pods = {"p1": ["r1"], "p2": ["r2"], "p3": ["r3", "r4"]}
    room = build.site("s2", halls=[build.hall("h2", pods={"p4": ["r5", "r6"]})])
    result = repaired(
        sites=[build.site("s1", halls=[build.hall(pods=pods)]), room],
        outages=[outage("r1", 0, None)],
        reservations=[
            reservation("v1", start=1, end=6, site="s1"),
            reservation("v2", start=1, end=6, racks={"r3": 72, "r4": 72}, move_notice_days=0),
            reservation("v3", start=1, end=6, racks={"r2": 72}, move_notice_days=0),
        ],
    )

    assert result.moves["v1"] == [(1, 6, {"r2"})]
    assert result.moves.keys() == {"v1", "v3"}
    assert result.short == []


def test_nobody_makes_room_where_a_rack_is_free() -> None:
    result = repaired(
        sites=sites(),
        outages=[outage("r1", 0, None)],
        reservations=[
            reservation("v1", start=1, end=6),
            reservation("v2", start=1, end=6, racks={"r2": 72}, move_notice_days=0),
        ],
    )

    assert result.moves == {"v1": [(1, 6, {"r3"})]}


def test_a_whole_block_that_is_lost_stays_in_its_hall_where_another_pod_has_room() -> None:
    halls = [build.hall("h1", pods={"p1": ["r1", "r2"], "p2": ["r5", "r6", "r7"]})]
    halls.insert(0, build.hall("h0", pods={"p0": ["r3", "r4"]}))
    result = repaired(
        sites=[build.site(halls=halls)],
        outages=[outage("r1", 0, None), outage("r2", 0, None)],
        reservations=[reservation(end=5, racks={"r1": 72, "r2": 72}, scope="pod")],
    )

    ((placed,),) = result.moves.values()
    assert placed[2] < {"r5", "r6", "r7"}


def test_of_two_that_are_equally_short_it_is_the_lower_tier() -> None:
    result = repaired(
        sites=[build.site(power_limits=[build.power_limit(2, 4, 140.0)])],
        reservations=[reservation("v1", end=6, tier=1), reservation("v2", end=6, racks={"r2": 72}, tier=0)],
    )

    assert result.short == [("v1", 2, 4, 72)]
