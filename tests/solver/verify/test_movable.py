"""R10: a reservation that may still be moved keeps its racks or gets one new placement."""

from __future__ import annotations

import pytest

from tests.solver.reference.build import (
    hall,
    outage,
    power_limit,
    request,
    site,
    snapshot,
)
from tests.solver.verify.build import (
    accept,
    frozen,
    judge,
    land,
    movable,
    move,
    pod_racks,
    pods,
    recall,
    rules,
    shortfall,
)


class TestMovable:
    """A reservation that is not frozen keeps its racks or gets one new placement for its whole interval."""

    @pytest.mark.parametrize(("scope", "racks"), [("pod", {"b1": 72, "b2": 72}), ("hall", {"b1": 72, "c2": 72})])
    def test_one_new_placement(self, scope: str, racks: dict[str, int]) -> None:
        stands = movable(racks={"a1": 72, "a2": 72}, scope=scope)

        assert rules(land(stands), moves=[move("v1", (3, 8, racks), forced=False)]) == []

    @pytest.mark.parametrize(("rack", "broken"), [("a2", []), ("b1", ["R5", "R10"])])
    def test_in_its_site(self, rack: str, broken: list[str]) -> None:
        sites = [
            site(name, halls=[hall(f"h{name}", pods=pod_racks(**{pod: 2}))]) for name, pod in (("s1", "a"), ("s2", "b"))
        ]
        stands = land(movable(site="s1"), sites=sites)

        assert rules(stands, moves=[move("v1", (3, 8, {rack: 72}), forced=False)]) == broken

    def test_not_in_two_pieces(self) -> None:
        pieces = move("v1", (3, 5, {"a1": 72}), (5, 8, {"b1": 72}), forced=False)

        assert rules(land(movable()), moves=[pieces]) == ["R10"]

    def test_not_with_fewer_gpus(self) -> None:
        stands = movable(racks={"a1": 72, "a2": 72})
        fewer = move("v1", (3, 8, {"b1": 72}), forced=False)

        assert rules(land(stands), moves=[fewer], shortfalls=[shortfall("v1", 3, 8)]) == ["R10", "R11"]

    def test_it_is_not_marked_as_forced(self) -> None:
        assert rules(land(movable()), moves=[move("v1", (3, 8, {"b1": 72}), forced=True)]) == ["R10"]

    @pytest.mark.parametrize("forced", [True, False])
    def test_racks_are_taken_and_it_moves_as_a_whole(self, forced: bool) -> None:
        dead = land(movable(), outages=[outage("a1", 4, 5)])

        assert rules(dead, moves=[move("v1", (3, 8, {"b1": 72}), forced=forced)]) == []

    def test_racks_are_taken_but_it_could_move_as_a_whole(self) -> None:
        dead = land(movable(), outages=[outage("a1", 4, 5)])

        (broken,) = judge(dead, moves=[move("v1", (3, 4, {"a1": 72}), (4, 8, {"b1": 72}))])

        assert (broken.rule, broken.ids) == ("R10", ("v1",))

    def test_where_no_placement_exists_it_is_treated_like_a_frozen_one(self) -> None:
        """b1 is free only from day 4 on."""
        dead = land(
            movable(), frozen("v2", racks={"b1": 72}, end=4), sites=pods(a=1, b=1), outages=[outage("a1", 4, 5)]
        )

        pieces = move("v1", (3, 4, {"a1": 72}), (4, 8, {"b1": 72}))
        assert rules(dead, moves=[pieces]) == []
        assert rules(dead, moves=[pieces | {"forced": False}]) == ["R10"]

    def test_a_placement_outside_its_scope_does_not_count(self) -> None:
        """a3 and b1 are free, but no pod has two free racks."""
        others = [frozen("v2", racks={"b2": 72}), frozen("v3", racks={"a3": 72}, start=5)]
        stands = movable(racks={"a1": 72, "a2": 72}, scope="pod")
        dead = land(stands, *others, sites=pods(a=3, b=2), outages=[outage("a1", 4, None)])

        pieces = move("v1", (3, 4, {"a1": 72, "a2": 72}), (4, 8, {"a2": 72, "b1": 72}))

        assert rules(dead, moves=[pieces]) == []

    def test_a_placement_in_one_unit_of_its_scope_does(self) -> None:
        """Pod b has two free racks, pod c one."""
        stands = movable(racks={"a1": 72, "a2": 72}, scope="pod")
        dead = land(stands, sites=pods(a=2, b=2, c=1), outages=[outage("a1", 4, None)])

        pieces = move("v1", (3, 4, {"a1": 72, "a2": 72}), (4, 8, {"a2": 72, "c1": 72}))

        assert rules(dead, moves=[pieces]) == ["R10"]
        assert rules(dead, moves=[move("v1", (3, 8, {"b1": 72, "b2": 72}), forced=False)]) == []

    def test_where_none_exists_a_replacement_from_its_first_day_on_may_lie_outside_its_scope(self) -> None:
        """It looks like one new placement, but it is a kept rack and a forced replacement."""
        stands = movable(racks={"a1": 72, "a2": 72}, scope="pod")
        dead = land(stands, sites=pods(a=2, b=1), outages=[outage("a1", 0, None)])

        assert rules(dead, moves=[move("v1", (3, 8, {"a2": 72, "b1": 72}))]) == []
        assert rules(dead, moves=[move("v1", (3, 8, {"a2": 72, "b1": 72}), forced=False)]) == ["R5", "R10"]

    def test_a_placement_outside_its_site_does_not_count(self) -> None:
        sites = [
            site("s1", halls=[hall("h1", pods=pod_racks(a=2))]),
            site("s2", halls=[hall("h2", pods=pod_racks(b=1))]),
        ]
        stands = [movable(site="s1"), frozen("v2", racks={"a2": 72}, end=4)]
        dead = snapshot(sites=sites, reservations=stands, outages=[outage("a1", 4, 5)])

        assert rules(dead, moves=[move("v1", (3, 4, {"a1": 72}), (4, 8, {"a2": 72}))]) == []

    def test_an_accepted_block_in_the_way_does_not_count_either(self) -> None:
        dead = land(movable(), sites=pods(a=2), outages=[outage("a1", 4, 5)], requests=[request(earliest=3, days=1)])

        pieces = move("v1", (3, 4, {"a1": 72}), (4, 8, {"a2": 72}))

        assert rules(dead, moves=[pieces], accepted=[accept("q1", 3, 4, {"a2": 72})]) == ["R10"]

    def test_a_small_one_finds_a_place_on_a_rack_that_others_use(self) -> None:
        others = frozen("v2", racks={"a2": 40})
        dead = land(movable(racks={"a1": 32}), others, sites=pods(a=2), outages=[outage("a1", 4, 5)])

        assert rules(dead, moves=[move("v1", (3, 8, {"a2": 32}), forced=False)]) == []
        pieces = move("v1", (3, 4, {"a1": 32}), (4, 8, {"a2": 32}))
        assert rules(dead, moves=[pieces]) == ["R10"]

    def test_a_small_one_finds_none_where_there_is_too_little_room(self) -> None:
        others = [frozen("v2", racks={"a2": 40}), frozen("v3", racks={"a2": 4}, start=0, end=4)]
        dead = land(movable(racks={"a1": 32}), *others, sites=pods(a=2), outages=[outage("a1", 4, 5)])

        assert rules(dead, moves=[move("v1", (3, 4, {"a1": 32}), (4, 8, {"a2": 32}))]) == []

    def test_what_is_missing_in_the_snapshot_is_placed_anew_where_that_is_possible(self) -> None:
        stands = movable(gpus=144, racks={"a1": 72}, scope="pod")

        assert rules(land(stands), shortfalls=[shortfall("v1", 3, 8)]) == ["R10", "R11"]
        assert rules(land(stands), moves=[move("v1", (3, 8, {"b1": 72, "b2": 72}), forced=False)]) == []

    def test_power_counts_for_where_it_could_stand(self) -> None:
        """s1 can power one rack, and v2 has it; so v1 lies in s2 on the days of the limit only."""
        sites = [
            site("s1", halls=[hall("h1", pods=pod_racks(a=3))], power_limits=[power_limit(4, 6, 140.0)]),
            site("s2", halls=[hall("h2", pods=pod_racks(b=1))]),
        ]
        stands = [movable(), frozen("v2", racks={"a2": 72}), frozen("v3", racks={"b1": 72}, end=4)]
        limited = snapshot(sites=sites, reservations=stands)

        moved = move("v1", (3, 4, {"a1": 72}), (4, 6, {"b1": 72}), (6, 8, {"a1": 72}))

        assert rules(limited, moves=[moved]) == []

    def test_power_counts_for_where_a_small_one_could_stand(self) -> None:
        """On day 6 there is power for v2's rack only, so that no rack is a place for all of v1's days."""
        dead = snapshot(
            sites=[site(halls=[hall(pods=pod_racks(a=3))], power_limits=[power_limit(6, 7, 140.0)])],
            reservations=[movable(racks={"a1": 8}), frozen("v2", racks={"a3": 72})],
            outages=[outage("a1", 4, 5)],
        )
        pieces = move("v1", (3, 4, {"a1": 8}), (4, 6, {"a2": 8}), (7, 8, {"a2": 8}))

        assert rules(dead, moves=[pieces], shortfalls=[shortfall("v1", 6, 7, 8)]) == []
        dead["sites"][0]["power_limits"] = [power_limit(6, 7, 280.0)]
        assert "R10" in rules(dead, moves=[pieces], shortfalls=[shortfall("v1", 6, 7, 8)])

    @pytest.mark.parametrize(("kw", "last", "broken"), [(420.0, "a3", ["R10"]), (419.0, "b1", [])])
    def test_power_counts_for_the_unit_that_it_could_stand_in(self, kw: float, last: str, broken: list[str]) -> None:
        """On day 6 v2 needs the power of one rack; s1 is a place for all of v1's days only with that of three."""
        sites = [
            site("s1", halls=[hall("h1", pods=pod_racks(a=3, c=1))], power_limits=[power_limit(6, 7, kw)]),
            site("s2", halls=[hall("h2", pods=pod_racks(b=1))]),
        ]
        stands = [movable(racks={"a1": 72, "a2": 72}, scope="pod"), frozen("v2", racks={"c1": 72})]
        dead = snapshot(sites=sites, reservations=stands, outages=[outage("a1", 4, 5)])
        pieces = [(3, 4, {"a1": 72, "a2": 72}), (4, 6, {"a2": 72, "a3": 72}), (6, 8, {"a2": 72, last: 72})]

        assert rules(dead, moves=[move("v1", *pieces)]) == broken

    def test_a_recalled_one_need_not_be_placed_after_its_end(self) -> None:
        stands = movable(interruptible=True, recall_notice_days=4)
        moved = move("v1", (3, 4, {"b1": 72}), forced=False)

        assert rules(land(stands), moves=[moved], recalls=[recall("v1", 4)]) == []
