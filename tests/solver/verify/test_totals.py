"""The plan's own keys and totals, and what `broken_rules` answers for a plan that is no plan of this snapshot."""

from __future__ import annotations

from typing import Any

import pytest

from solver.verify.check import RULES
from tests.solver.reference.build import Content, contract, day, request, reservation, snapshot
from tests.solver.verify.build import accept, decline, hold_shortfall, judge, move, pods, recall, rules, shortfall


def land(**fields: Any) -> Content:
    """One rack, q1 in tier 0 and q2 in tier 1 one after the other."""
    asked = [request("q1", value_usd=100.0), request("q2", earliest=2, tier=1, value_usd=50.0)]
    return snapshot(**({"sites": pods(a=1), "requests": asked} | fields))


BOTH = [accept("q1", 0, 2, {"a1": 72}), accept("q2", 2, 4, {"a1": 72})]


def tier(number: int, value: float, bound: float | None = None, gap: float = 0.0) -> Content:
    return {"tier": number, "value_usd": value, "bound_usd": value if bound is None else bound, "gap": gap}


def test_the_list_of_rules_is_complete_and_in_order() -> None:
    assert [rule.__name__ for rule in RULES] == [f"r{n}" for n in range(1, 14)]
    assert all((rule.__doc__ or "").startswith(f"R{n}: ") for n, rule in enumerate(RULES, start=1))


def test_a_plan_with_right_totals() -> None:
    assert rules(land(), accepted=BOTH, tiers=[tier(0, 100.0), tier(1, 50.0)]) == []


class TestDecidedOnce:
    """Every request is accepted or declined, once; at most one move and one recall for a reservation."""

    @pytest.mark.parametrize(
        "declined",
        [[decline("q1")], [decline("q1"), decline("q2"), decline("q2")], [decline("q2"), decline("q2")]],
    )
    def test_a_request_decided_twice(self, declined: list[Content]) -> None:
        assert rules(land(), accepted=BOTH, declined=declined) == ["value"]

    def test_a_request_accepted_twice(self) -> None:
        twice = [*BOTH, accept("q1", 0, 2, {"a1": 72})]

        assert {"R1", "value"} <= set(rules(land(), accepted=twice))

    def test_a_reservation_moved_twice(self) -> None:
        stands = reservation(racks={"a1": 72})
        same = move("v1", (0, 5, {"a1": 72}), forced=False)

        assert rules(snapshot(sites=pods(a=1), reservations=[stands]), moves=[same, same]) == ["value"]

    def test_a_reservation_recalled_twice(self) -> None:
        stands = reservation(racks={"a1": 72}, interruptible=True, recall_notice_days=0, value_usd=0.0)

        recalls = [recall("v1", 2), recall("v1", 2)]

        assert rules(snapshot(sites=pods(a=1), reservations=[stands]), recalls=recalls) == ["value"]

    def test_a_plan_of_another_day(self) -> None:
        assert rules(land(), accepted=BOTH, today=day(1)) == ["value"]


class TestShare:
    """A smaller accepted block is worth its share of the full one."""

    @pytest.mark.parametrize(("gpus", "value", "broken"), [(216, 90.0, []), (144, 60.0, []), (144, 90.0, ["value"])])
    def test_by_gpus(self, gpus: int, value: float, broken: list[str]) -> None:
        asked = request(gpus=216, min_gpus=72, value_usd=90.0)
        accepted = accept(racks={f"a{n + 1}": 72 for n in range(gpus // 72)}, value_usd=value)

        broken_rules = rules(snapshot(sites=pods(a=3), requests=[asked]), accepted=[accepted])

        assert broken_rules == broken

    def test_a_cent_of_rounding_is_allowed(self) -> None:
        asked = request(gpus=216, min_gpus=72, value_usd=100.0)
        accepted = accept(racks={"a1": 72}, value_usd=33.33)

        assert rules(snapshot(sites=pods(a=3), requests=[asked]), accepted=[accepted]) == []


class TestTiers:
    """Value, bound and gap of each tier, and the status."""

    @pytest.mark.parametrize(
        "tiers",
        [
            [tier(0, 150.0)],
            [tier(0, 100.0)],
            [tier(0, 100.0), tier(1, 51.0)],
            [tier(0, 99.0), tier(1, 50.0)],
            [tier(0, 100.0), tier(1, 50.0), tier(2, 1.0)],
            [tier(0, 100.0), tier(1, 50.0), tier(1, 50.0)],
            [tier(0, 100.0, bound=90.0, gap=-10 / 90), tier(1, 50.0)],
            [tier(0, 100.0, bound=200.0, gap=0.4), tier(1, 50.0)],
            [tier(0, 100.0, bound=200.0, gap=1.0), tier(1, 50.0)],
            [tier(0, 100.0, bound=200.0), tier(1, 50.0)],
        ],
    )
    def test_wrong_totals(self, tiers: list[Content]) -> None:
        assert rules(land(), accepted=BOTH, tiers=tiers) == ["value"]

    @pytest.mark.parametrize(
        ("status", "bound", "gap", "broken"),
        [
            ("optimal", 100.0, 0.0, []),
            ("feasible", 100.0, 0.0, []),
            ("feasible", 200.0, 0.5, []),
            ("optimal", 200.0, 0.5, ["value"]),
        ],
    )
    def test_optimal_means_no_gap(self, status: str, bound: float, gap: float, broken: list[str]) -> None:
        tiers = [tier(0, 100.0, bound, gap), tier(1, 50.0)]

        assert rules(land(), accepted=BOTH, tiers=tiers, status=status) == broken

    def test_a_tier_worth_nothing(self) -> None:
        """Its bound may be 0, its gap is 0 then; it may be left out too."""
        nothing = land(requests=[request("q1", value_usd=0.0)])
        accepted = [accept("q1", 0, 2, {"a1": 72})]

        assert rules(nothing, accepted=accepted, tiers=[tier(0, 0.0)]) == []
        assert rules(nothing, accepted=accepted, tiers=[]) == []
        assert rules(nothing, accepted=accepted, tiers=[tier(0, 0.0, 0.0, 1.0)]) == ["value"]

    @pytest.mark.parametrize(("value", "broken"), [(-30.0, []), (0.0, ["value"]), (-50.0, ["value"])])
    def test_recalled_days_lessen_their_tier(self, value: float, broken: list[str]) -> None:
        """Ten days worth 50, recalled after four: 30 less in tier 1."""
        stands = reservation(racks={"a1": 72}, end=10, tier=1, value_usd=50.0, interruptible=True, recall_notice_days=4)
        recalled = snapshot(sites=pods(a=1), reservations=[stands])

        assert rules(recalled, recalls=[recall("v1", 4)], tiers=[tier(1, value, max(value, 0.0))]) == broken


class TestUnknownIds:
    """A plan that names what the snapshot does not have is judged for that alone."""

    @pytest.mark.parametrize(
        ("fields", "name"),
        [
            ({"accepted": [accept("q9")]}, "q9"),
            ({"accepted": [accept("q1", racks={"r9": 72})]}, "r9"),
            ({"declined": [decline("q9")]}, "q9"),
            ({"moves": [move("v9")]}, "v9"),
            ({"moves": [move("v1", (0, 5, {"r9": 72}))]}, "r9"),
            ({"recalls": [recall("v9", 2)]}, "v9"),
            ({"shortfalls": [shortfall("v9", 0, 1)]}, "v9"),
            ({"hold_shortfalls": [hold_shortfall("k9", 0, 1, 4)]}, "k9"),
        ],
    )
    def test_the_id_is_named(self, fields: Content, name: str) -> None:
        known = snapshot(requests=[request()], reservations=[reservation()], contracts=[contract()])

        broken = judge(known, **fields)

        assert [(b.rule, b.ids) for b in broken] == [("value", (name,))]
