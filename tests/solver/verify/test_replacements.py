"""R10: racks that an outage or a power limit takes, and where their replacements stand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.solver.reference.build import (
    Content,
    contract,
    hall,
    outage,
    power_limit,
    request,
    segment,
    site,
    snapshot,
)
from tests.solver.verify.build import (
    accept,
    frozen,
    judge,
    land,
    move,
    pod_racks,
    pods,
    rules,
    shortfall,
)


class TestOutage:
    """An outage takes a rack from the later of today and its first day on, to the block's end; replaced once."""

    @pytest.mark.parametrize(
        ("start", "end", "segments"),
        [
            (-3, 4, [(0, 10, {"b1": 72})]),
            (4, 6, [(0, 4, {"a1": 72}), (4, 10, {"b1": 72})]),
            (4, None, [(0, 4, {"a1": 72}), (4, 10, {"b1": 72})]),
        ],
    )
    def test_a_taken_rack_is_replaced(
        self, start: int, end: int | None, segments: list[tuple[int, int, dict[str, int]]]
    ) -> None:
        dead = land(frozen(), outages=[outage("a1", start, end)])

        assert rules(dead, moves=[move("v1", *segments)]) == []

    def test_it_is_not_taken_before_the_outage(self) -> None:
        dead = land(frozen(), outages=[outage("a1", 4, None)])

        assert rules(dead, moves=[move("v1", (0, 3, {"a1": 72}), (3, 10, {"b1": 72}))]) == ["R10"]

    def test_an_outage_of_the_past_takes_nothing(self) -> None:
        healthy = land(frozen(start=-5), outages=[outage("a1", -3, 0)])

        assert rules(healthy, moves=[move("v1", (-5, 0, {"a1": 72}), (0, 10, {"b1": 72}))]) == ["R10"]

    def test_the_other_racks_are_kept(self) -> None:
        dead = land(frozen(racks={"a1": 72, "a2": 72}), outages=[outage("a1", 0, None)])

        assert rules(dead, moves=[move("v1", (0, 10, {"a2": 72, "a3": 72}))]) == []
        assert rules(dead, moves=[move("v1", (0, 10, {"b1": 72, "b2": 72}))]) == ["R10"]

    def test_a_replacement_is_kept_when_the_rack_is_back(self) -> None:
        dead = land(frozen(), outages=[outage("a1", 2, 5)])
        back = move("v1", (0, 2, {"a1": 72}), (2, 5, {"b1": 72}), (5, 10, {"a1": 72}))

        assert rules(dead, moves=[back]) == ["R10"]

    def test_the_rack_itself_may_be_the_replacement(self) -> None:
        """Nothing else is free while it is out: short, then back on its own rack."""
        dead = land(frozen(), sites=pods(a=1), outages=[outage("a1", 2, 5)])
        back = move("v1", (0, 2, {"a1": 72}), (5, 10, {"a1": 72}))

        assert rules(dead, moves=[back], shortfalls=[shortfall("v1", 2, 5)]) == []

    def test_a_replacement_does_not_wander(self) -> None:
        dead = land(frozen(), outages=[outage("a1", 2, None)])
        wandering = move("v1", (0, 2, {"a1": 72}), (2, 5, {"b1": 72}), (5, 10, {"b2": 72}))

        (broken,) = judge(dead, moves=[wandering])

        assert (broken.rule, set(broken.ids)) == ("R10", {"v1", "b1", "b2"})

    def test_a_replacement_that_is_taken_in_turn_is_replaced(self) -> None:
        dead = land(frozen(), outages=[outage("a1", 2, None), outage("b1", 5, None)])
        turns = move("v1", (0, 2, {"a1": 72}), (2, 5, {"b1": 72}), (5, 10, {"b2": 72}))

        assert rules(dead, moves=[turns]) == []

    def test_a_replacement_is_not_given_up_before_it_is_taken(self) -> None:
        dead = land(frozen(), outages=[outage("a1", 2, None), outage("b1", 5, None)])
        early = move("v1", (0, 2, {"a1": 72}), (2, 4, {"b1": 72}), (4, 10, {"b2": 72}))

        assert rules(dead, moves=[early]) == ["R10"]

    def test_a_replacement_that_had_to_go_is_taken_when_it_dies(self) -> None:
        """b1 stands in for a1 until v2 needs it; only when b1 dies as well may another rack take its place."""
        others = [frozen("v2", racks={"b1": 72}, start=4, end=6), frozen("v3", racks={"c1": 72}, end=6)]
        cluster = land(
            frozen(), *others, sites=pods(a=1, b=1, c=1), outages=[outage("a1", 2, None), outage("b1", 6, None)]
        )
        turns = [move("v1", (0, 2, {"a1": 72}), (2, 4, {"b1": 72}), (6, 10, {"c1": 72}))]

        assert rules(cluster, moves=turns, shortfalls=[shortfall("v1", 4, 6)]) == []
        assert rules(
            cluster | {"outages": [outage("a1", 2, None)]}, moves=turns, shortfalls=[shortfall("v1", 4, 6)]
        ) == ["R10"]

    def test_the_outage_of_a_rack_that_it_does_not_use_takes_nothing(self) -> None:
        """a2 is its own later on only, a3 never; both die while b1 stands in for a1."""
        stands = frozen(placement=[segment(0, 8, {"a1": 72}), segment(8, 10, {"a2": 72})])
        outages = [outage("a1", 2, None), outage("a2", 5, 6), outage("a3", 5, None)]
        wandering = move("v1", (0, 2, {"a1": 72}), (2, 5, {"b1": 72}), (5, 8, {"b2": 72}), (8, 10, {"a2": 72}))

        assert rules(land(stands, outages=outages), moves=[wandering]) == ["R10"]

    def test_two_taken_racks_have_two_replacements(self) -> None:
        outages = [outage("a1", 2, None), outage("a2", 4, None)]
        dead = land(frozen(racks={"a1": 72, "a2": 72}), outages=outages)
        twice = move("v1", (0, 2, {"a1": 72, "a2": 72}), (2, 4, {"a2": 72, "b1": 72}), (4, 10, {"b1": 72, "b2": 72}))

        assert rules(dead, moves=[twice]) == []

    def test_one_taken_rack_does_not_have_two(self) -> None:
        """The other one is taken only later."""
        outages = [outage("a1", 2, None), outage("a2", 6, None)]
        dead = land(frozen(racks={"a1": 72, "a2": 72}), outages=outages)
        early = move(
            "v1",
            (0, 2, {"a1": 72, "a2": 72}),
            (2, 4, {"a2": 72, "b1": 72}),
            (4, 6, {"a2": 72, "b2": 72}),
            (6, 10, {"b2": 72, "b3": 72}),
        )

        assert rules(dead, moves=[early]) == ["R10"]

    def test_a_small_block_is_replaced_on_a_rack_with_room(self) -> None:
        others = frozen("v2", racks={"b1": 40})
        dead = land(frozen(racks={"a1": 32}), others, outages=[outage("a1", 0, None)])

        assert rules(dead, moves=[move("v1", (0, 10, {"b1": 32}))]) == []

    def test_an_earlier_plans_replacement_is_kept(self) -> None:
        """a1 died for good on day -2; since then the snapshot shows b1 in its place."""
        history = [segment(-5, -2, {"a1": 72}), segment(-2, 10, {"b1": 72})]
        stands = frozen(start=-5, placement=history)
        dead = land(stands, outages=[outage("a1", -2, None)])

        assert rules(dead) == []
        away = move("v1", (-5, -2, {"a1": 72}), (-2, 0, {"b1": 72}), (0, 10, {"b2": 72}))
        assert rules(dead, moves=[away]) == ["R10"]

    def test_what_the_snapshot_lacks_counts_as_taken(self) -> None:
        stands = frozen(gpus=144, racks={"a1": 72})

        assert rules(land(stands), moves=[move("v1", (0, 10, {"a1": 72, "a2": 72}))]) == []
        assert rules(land(stands), moves=[move("v1", (0, 10, {"a2": 72, "a3": 72}))]) == ["R10"]

    def test_days_without_any_placement_count_as_taken(self) -> None:
        stands = frozen(placement=[segment(0, 4, {"a1": 72}), segment(6, 10, {"a1": 72})])
        filled = move("v1", (0, 4, {"a1": 72}), (4, 6, {"b1": 72}), (6, 10, {"a1": 72}))

        assert rules(land(stands), moves=[filled]) == []

    def test_what_a_small_block_lacks_lets_it_move_as_one(self) -> None:
        """16 of its 36 GPUs are missing on a1; on one rack it can only have all 36 elsewhere."""
        stands = frozen(gpus=36, racks={"a1": 20})
        other = frozen("v2", racks={"a1": 52})

        assert rules(land(stands, other), moves=[move("v1", (0, 10, {"a2": 36}))]) == []


class TestPower:
    """Power takes racks on the days of the excess, no more of them than the excess; own racks come back."""

    def cluster(self, start: int = 4, end: int = 6, kw: float = 140.0, **fields: Any) -> Content:
        """s1 with a1 to a3 and power for one rack on the days [4, 6); s2 with b1 to b3."""
        sites = [
            site("s1", halls=[hall("h1", pods=pod_racks(a=3))], power_limits=[power_limit(start, end, kw)]),
            site("s2", halls=[hall("h2", pods=pod_racks(b=3))]),
        ]
        return snapshot(**({"sites": sites, "reservations": [frozen(racks={"a1": 72, "a2": 72})]} | fields))

    def test_a_rack_is_replaced_on_the_days_of_the_excess(self) -> None:
        both, away = {"a1": 72, "a2": 72}, {"a1": 72, "b1": 72}

        assert rules(self.cluster(), moves=[move("v1", (0, 4, both), (4, 6, away), (6, 10, both))]) == []

    @pytest.mark.parametrize(("first", "last"), [(3, 6), (4, 7), (4, 10)])
    def test_on_other_days_it_has_its_own_racks(self, first: int, last: int) -> None:
        both, away = {"a1": 72, "a2": 72}, {"a1": 72, "b1": 72}
        moved = move("v1", (0, first, both), (first, last, away), (last, 10, both))

        assert rules(self.cluster(), moves=[moved]) == ["R10"]

    def test_no_more_than_the_excess(self) -> None:
        both, away = {"a1": 72, "a2": 72}, {"b1": 72, "b2": 72}

        assert rules(self.cluster(), moves=[move("v1", (0, 4, both), (4, 6, away), (6, 10, both))]) == ["R10"]

    def test_power_that_suffices_takes_nothing(self) -> None:
        both, away = {"a1": 72, "a2": 72}, {"a1": 72, "b1": 72}

        assert rules(self.cluster(kw=280.0), moves=[move("v1", (0, 4, both), (4, 6, away), (6, 10, both))]) == ["R10"]

    def test_the_excess_is_that_of_all_reservations_together(self) -> None:
        stands = [frozen("v1"), frozen("v2", racks={"a2": 72})]
        one = [move("v1", (0, 4, {"a1": 72}), (4, 6, {"b1": 72}), (6, 10, {"a1": 72}))]
        both = [*one, move("v2", (0, 4, {"a2": 72}), (4, 6, {"b2": 72}), (6, 10, {"a2": 72}))]

        assert rules(self.cluster(reservations=stands), moves=one) == []
        assert rules(self.cluster(reservations=stands), moves=both) == ["R10"]

    def test_small_blocks_on_one_rack_count_as_one_rack(self) -> None:
        stands = [frozen("v1", racks={"a1": 8}), frozen("v2", racks={"a1": 8}), frozen("v3", racks={"a2": 72})]
        moves = [
            move("v1", (0, 4, {"a1": 8}), (4, 6, {"b1": 8}), (6, 10, {"a1": 8})),
            move("v2", (0, 4, {"a1": 8}), (4, 6, {"b1": 8}), (6, 10, {"a1": 8})),
        ]

        assert rules(self.cluster(reservations=stands), moves=moves) == []

    def test_the_replacement_stays_while_the_excess_lasts(self) -> None:
        both = {"a1": 72, "a2": 72}
        moved = move("v1", (0, 4, both), (4, 5, {"a1": 72, "b1": 72}), (5, 6, {"a1": 72, "b2": 72}), (6, 10, both))

        assert rules(self.cluster(), moves=[moved]) == ["R10"]

    def test_each_excess_takes_anew(self) -> None:
        both = {"a1": 72, "a2": 72}
        cluster = self.cluster()
        cluster["sites"][0]["power_limits"].append(power_limit(7, 8, 140.0))
        moved = move(
            "v1", (0, 4, both), (4, 6, {"a1": 72, "b1": 72}), (6, 7, both), (7, 8, {"a1": 72, "b2": 72}), (8, 10, both)
        )

        assert rules(cluster, moves=[moved]) == []

    def test_a_replacement_that_loses_its_power_is_replaced(self) -> None:
        """a1 is dead; its replacement b1 has no power from day 6 on."""
        cluster = self.cluster(start=8, end=9, kw=0.0, reservations=[frozen(end=8)], outages=[outage("a1", 4, None)])
        cluster["sites"][1]["power_limits"].append(power_limit(6, 8, 0.0))
        moved = move("v1", (0, 4, {"a1": 72}), (4, 6, {"b1": 72}), (6, 8, {"a2": 72}))

        assert rules(cluster, moves=[moved]) == []


class TestPlaceOfAReplacement:
    """A replacement stays in the block's site, and in its scope where that is possible."""

    def cluster(self, *reservations: Content, **fields: Any) -> Content:
        """s1 with the pods a and b of three racks, s2 with pod c of three."""
        sites = [
            site("s1", halls=[hall("h1", pods=pod_racks(a=3, b=3))]),
            site("s2", halls=[hall("h2", pods=pod_racks(c=3))]),
        ]
        return snapshot(**({"sites": sites, "reservations": [*reservations]} | fields))

    @pytest.mark.parametrize(("rack", "broken"), [("a2", []), ("b1", []), ("c1", ["R5", "R10"])])
    def test_in_its_site(self, rack: str, broken: list[str]) -> None:
        dead = self.cluster(frozen(site="s1"), outages=[outage("a1", 0, None)])

        assert rules(dead, moves=[move("v1", (0, 10, {rack: 72}))]) == broken

    def test_a_rack_of_its_own_outside_its_site_is_kept(self) -> None:
        """An earlier plan published it so; of its two racks the one in its site dies."""
        dead = self.cluster(frozen(racks={"a1": 72, "c1": 72}, site="s1"), outages=[outage("a1", 0, None)])

        assert rules(dead, moves=[move("v1", (0, 10, {"a2": 72, "c1": 72}))]) == []
        assert rules(dead, moves=[move("v1", (0, 10, {"a2": 72, "a3": 72}))]) == ["R10"]

    def test_in_its_contracts_site(self) -> None:
        bound = contract(site="s1", steps=[(0, 10, 72)])
        dead = self.cluster(frozen(contract="k1"), contracts=[bound], outages=[outage("a1", 0, None)])

        assert rules(dead, moves=[move("v1", (0, 10, {"b1": 72}))]) == []
        assert rules(dead, moves=[move("v1", (0, 10, {"c1": 72}))]) == ["R5", "R10"]

    def pair(self, scope: str = "pod") -> Content:
        return frozen(racks={"a1": 72, "a2": 72}, scope=scope)

    @pytest.mark.parametrize(
        ("scope", "rack", "broken"),
        [
            ("pod", "a3", []),
            ("pod", "b1", ["R10"]),
            ("hall", "b1", []),
            ("hall", "c1", ["R10"]),
            ("site", "b1", []),
            ("site", "c1", ["R10"]),
            ("any", "c1", []),
        ],
    )
    def test_in_its_scope(self, scope: str, rack: str, broken: list[str]) -> None:
        dead = self.cluster(self.pair(scope), outages=[outage("a1", 0, None)])

        assert rules(dead, moves=[move("v1", (0, 10, {"a2": 72, rack: 72}))]) == broken

    def test_outside_is_better_than_short(self) -> None:
        other = frozen("v2", racks={"a3": 72})
        dead = self.cluster(self.pair(), other, outages=[outage("a1", 0, None)])

        assert rules(dead, moves=[move("v1", (0, 10, {"a2": 72, "b1": 72}))]) == []

    def test_outside_where_the_scope_has_room_on_some_of_the_days_only(self) -> None:
        other = frozen("v2", racks={"a3": 72}, start=9, end=10)
        dead = self.cluster(self.pair(), other, outages=[outage("a1", 0, None)])

        assert rules(dead, moves=[move("v1", (0, 10, {"a2": 72, "b1": 72}))]) == []

    def test_accepted_blocks_give_way(self) -> None:
        dead = self.cluster(self.pair(), outages=[outage("a1", 0, None)], requests=[request()])
        moves = [move("v1", (0, 10, {"a2": 72, "b1": 72}))]

        assert rules(dead, moves=moves, accepted=[accept("q1", racks={"a3": 72})]) == ["R10"]

    def test_where_all_racks_are_taken_another_unit_is_its_scope(self) -> None:
        outages = [outage("a1", 0, None), outage("a2", 0, None)]
        dead = self.cluster(self.pair(), outages=outages)

        assert rules(dead, moves=[move("v1", (0, 10, {"b1": 72, "b2": 72}))]) == []
        assert rules(dead, moves=[move("v1", (0, 10, {"a3": 72, "b2": 72}))]) == ["R10"]

    def test_a_block_that_stands_outside_already_may_be_replaced_anywhere(self) -> None:
        stands = frozen(racks={"a1": 72, "b1": 72, "b2": 72}, scope="pod")
        dead = self.cluster(stands, outages=[outage("b2", 0, None)])

        assert rules(dead, moves=[move("v1", (0, 10, {"a1": 72, "b1": 72, "c1": 72}))]) == []
