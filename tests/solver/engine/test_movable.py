"""R10: what is not frozen may be moved for value, and only as the rules allow whatever else is decided."""

from __future__ import annotations

import pytest

from solver import cluster
from solver.decisions import Decisions
from solver.engine.board import Board
from solver.engine.exact import stage
from solver.engine.parameters import SolveParameters
from solver.engine.solve import solve
from solver.plan import Plan
from solver.verify.check import broken_rules
from tests.solver.reference import build
from tests.solver.reference.build import Content

TWO_PODS = [build.site(halls=[build.hall(pods={"p1": ["r1", "r2"], "p2": ["r3", "r4"]})])]
LATER = build.segment(3, 6, {"r1": 72})


def movable(**fields: object) -> Content:
    """One rack of the first pod from day 3 on; it may still be moved."""
    return build.reservation("v1", start=3, end=6, racks={"r1": 72}, **({"move_notice_days": 2} | fields))


def planned(content: Content, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan that keeps every rule, by the search alone."""
    monkeypatch.setattr(stage, "prove", lambda *_: None)
    loaded = build.load(content)
    plan = solve(loaded, SolveParameters(time_limit_seconds=None, work_limit=400))
    assert broken_rules(loaded.snapshot, plan) == []
    return plan


def in_the_way(**fields: object) -> Content:
    """A pod's worth of racks for the only days on which one of each pod is out or reserved."""
    wants_a_pod = build.request("q1", gpus=144, earliest=3, days=3, scope="pod")
    return build.snapshot(
        sites=TWO_PODS, outages=[build.outage("r4", 3, 6)], reservations=[movable(**fields)], requests=[wants_a_pod]
    )


def test_a_movable_reservation_leaves_a_pod_to_the_block_that_needs_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(in_the_way(), monkeypatch)

    assert [accepted.request for accepted in plan.accepted] == ["q1"]
    assert [(move.reservation, move.forced) for move in plan.moves] == [("v1", False)]


def test_a_frozen_reservation_stays_and_the_block_is_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(in_the_way(move_notice_days=4), monkeypatch)

    assert plan.accepted == []
    assert plan.moves == []


def test_nobody_is_moved_where_that_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    fits_beside = build.request("q1", gpus=72, earliest=3, days=3)
    content = build.snapshot(sites=TWO_PODS, reservations=[movable()], requests=[fits_beside])

    plan = planned(content, monkeypatch)

    assert [accepted.request for accepted in plan.accepted] == ["q1"]
    assert plan.moves == []


@pytest.mark.parametrize(
    ("reservation", "expected"),
    [
        (movable(), ["v1"]),
        (movable(move_notice_days=3), ["v1"]),
        (movable(move_notice_days=4), []),
        (movable(gpus=36, placement=[build.segment(3, 6, {"r1": 36})]), []),
        (movable(interruptible=True, recall_notice_days=1), []),
        (movable(placement=[build.segment(3, 4, {"r1": 72}), build.segment(4, 6, {"r2": 72})]), []),
    ],
    ids=["movable", "just movable", "frozen", "below a rack", "to be recalled", "already in two pieces"],
)
def test_what_may_be_moved(reservation: Content, expected: list[str]) -> None:
    snapshot = build.load(build.snapshot(sites=TWO_PODS, reservations=[reservation])).snapshot

    board = Board(snapshot, cluster.build(snapshot), Decisions())

    assert [wish.id for wish in board.movers] == expected


def test_days_beyond_the_horizon_count_when_a_reservation_is_to_be_moved() -> None:
    """Both racks of the other pod are taken beyond the horizon, so there is no place for all of its days."""
    stays = [
        build.reservation(f"v{rack}", start=20, end=25, racks={f"r{rack}": 72}, move_notice_days=1000)
        for rack in (3, 4)
    ]
    goes_on = build.reservation("v1", start=3, end=22, racks={"r1": 72}, move_notice_days=2)
    ends_before = build.reservation("v1", start=3, end=20, racks={"r1": 72}, move_notice_days=2)

    for reservation, racks in ((goes_on, 1), (ends_before, 3)):
        snapshot = build.load(build.snapshot(sites=TWO_PODS, reservations=[reservation, *stays])).snapshot
        board = Board(snapshot, cluster.build(snapshot), Decisions())
        block = board.blocks[board.movers[0].number]
        board.remove(block)
        free = sum(len(pod.free_racks(block.mask)) for pod in board.pods) - 1  # beside its own
        assert free == racks
