"""Starts at which no valid plan has a request are left out: racks that are out of use or promised for certain."""

from __future__ import annotations

import pytest

from tests.solver.engine.test_bound import FOUR_RACKS, relaxed
from tests.solver.reference import build
from tests.solver.reference.build import Content, hall, outage, request, reservation, site


@pytest.mark.parametrize(("scope", "value"), [("pod", 0.0), ("hall", 100.0)])
def test_a_block_larger_than_every_unit_of_its_scope_counts_for_nothing(scope: str, value: float) -> None:
    content = build.snapshot(sites=FOUR_RACKS, requests=[request(gpus=216, scope=scope)])
    assert relaxed(content).bound_usd == pytest.approx(value)


def test_a_pod_with_a_rack_out_of_use_is_a_smaller_unit() -> None:
    """R1, R5: of two pods of two racks each has one dead rack on the only two days of the window."""
    dead = [outage("r1", 0, 1), outage("r3", 1, 2)]
    wish = request(gpus=144, scope="pod")
    assert relaxed(build.snapshot(sites=FOUR_RACKS, outages=dead, requests=[wish])).bound_usd == 0.0
    later = wish | {"latest_start": build.day(2)}
    assert relaxed(build.snapshot(sites=FOUR_RACKS, outages=dead, requests=[later])).bound_usd == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({}, 0.0),
        ({"end": 2}, 100.0),
        ({"start": 1, "move_notice_days": 0}, 100.0),
        ({"interruptible": True, "recall_notice_days": 2}, 100.0),
        ({"interruptible": True, "recall_notice_days": 3}, 0.0),
    ],
)
def test_a_pod_is_smaller_by_the_racks_that_reservations_keep_for_certain(fields: Content, value: float) -> None:
    """R5, R10: one rack of each pod is promised, and the block needs two of one pod from day 2 on."""
    promised = [reservation(f"v{i}", racks={rack: 72}, **({"end": 10} | fields)) for i, rack in enumerate(("r1", "r4"))]
    wish = request(gpus=144, scope="pod", earliest=2)
    assert relaxed(build.snapshot(sites=FOUR_RACKS, reservations=promised, requests=[wish])).bound_usd == pytest.approx(
        value
    )


@pytest.mark.parametrize(("gpus", "value"), [(72, 0.0), (36, 100.0)])
def test_a_small_block_may_share_a_rack_that_a_reservation_keeps(gpus: int, value: float) -> None:
    promised = [reservation(f"v{i}", racks={rack: 36}, end=10) for i, rack in enumerate(("r1", "r2"))]
    content = build.snapshot(reservations=promised, requests=[request(gpus=gpus)])
    assert relaxed(content).bound_usd == pytest.approx(value)


def test_a_rack_that_an_outage_takes_from_a_reservation_is_not_kept_for_certain() -> None:
    """R10: from day 2 on the reservation may stand in either pod, so the block fits the other."""
    promised = reservation(racks={"r1": 72}, end=10)
    dead = [outage("r1", 2, 3)]
    wish = request(gpus=144, scope="pod", earliest=3)
    content = build.snapshot(sites=FOUR_RACKS, outages=dead, reservations=[promised], requests=[wish])
    assert relaxed(content).bound_usd == pytest.approx(100.0)


@pytest.mark.parametrize(("spare_racks", "value"), [(0, 100.0), (1, 0.0)])
def test_a_hall_sells_no_more_racks_to_one_block_than_reservations_leave_of_those_for_sale(
    spare_racks: int, value: float
) -> None:
    """R2: of four racks one is promised; a block of three needs them all. A second hall keeps the cluster large."""
    pods = {"p1": ["r1", "r2"], "p2": ["r3", "r4"]}
    halls = [hall(pods=pods, spare_racks=spare_racks), hall("h2", pods={"p3": ["r5", "r6"]})]
    wish = request(gpus=216, scope="hall")
    content = build.snapshot(sites=[site(halls=halls)], reservations=[reservation(end=10)], requests=[wish])
    assert relaxed(content).bound_usd == pytest.approx(value)
