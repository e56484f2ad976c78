"""R1 to R3: what a rack, a hall and a site can carry."""

from __future__ import annotations

import pytest

from tests.solver.reference.build import Content, hall, outage, power_limit, request, reservation, site, snapshot
from tests.solver.verify.build import accept, judge, move, rules, shortfall


def test_an_empty_plan_for_an_empty_cluster_breaks_nothing() -> None:
    assert rules(snapshot()) == []


@pytest.mark.parametrize(
    "sites", [[], [site(halls=[])], [site(halls=[hall(pods={})])], [site(halls=[hall(pods={"p1": []})])]]
)
@pytest.mark.parametrize(("gpus", "scope"), [(4, "pod"), (72, "hall"), (144, "any"), (72, "site")])
def test_a_cluster_without_racks_takes_nothing(sites: list[Content], gpus: int, scope: str) -> None:
    assert rules(snapshot(sites=sites, requests=[request(gpus=gpus, scope=scope)])) == []


def test_an_empty_pod_among_others() -> None:
    pods = {"p0": [], "p1": ["r1"], "p2": [], "p3": ["r2"], "p4": []}
    land = snapshot(sites=[site(halls=[hall("h0", pods={}), hall(pods=pods)])], requests=[request(gpus=144)])

    assert rules(land) == ["R13"]
    assert rules(land, accepted=[accept(racks={"r1": 72, "r2": 72})]) == []
    assert rules(land | {"requests": [request(gpus=144, scope="pod")]}) == []


class TestR1:
    """At most 72 GPUs of a rack on a day, none in an outage; whole racks from 72 on, one rack below."""

    def test_one_block_after_another_on_one_rack(self) -> None:
        asked = [request("q1"), request("q2", earliest=2)]

        assert rules(snapshot(requests=asked), accepted=[accept("q1", 0, 2), accept("q2", 2, 4)]) == []

    def test_two_small_blocks_fill_a_rack(self) -> None:
        asked = [request("q1", gpus=40), request("q2", gpus=32)]

        assert (
            rules(snapshot(requests=asked), accepted=[accept("q1", racks={"r1": 40}), accept("q2", racks={"r1": 32})])
            == []
        )

    @pytest.mark.parametrize(("first", "second"), [(72, 72), (72, 4), (40, 36)])
    def test_two_blocks_on_one_rack_use_more_than_it_has(self, first: int, second: int) -> None:
        asked = [request("q1", gpus=first), request("q2", gpus=second)]

        accepted = [accept("q1", racks={"r1": first}), accept("q2", racks={"r1": second})]

        (broken,) = judge(snapshot(requests=asked), accepted=accepted)
        assert broken.rule == "R1"
        assert {"q1", "q2", "r1"} <= set(broken.ids)

    def test_two_blocks_that_share_one_day(self) -> None:
        asked = [request("q1", days=3), request("q2", earliest=2)]

        (broken,) = judge(snapshot(requests=asked), accepted=[accept("q1", 0, 3), accept("q2", 2, 4)])

        assert (broken.rule, "[2027-03-03, 2027-03-04)" in broken.text) == ("R1", True)

    def test_an_accepted_block_on_a_reservation(self) -> None:
        land = snapshot(requests=[request()], reservations=[reservation()])

        assert rules(land, accepted=[accept()]) == ["R1"]

    @pytest.mark.parametrize("kind", ["failure", "maintenance", "absent"])
    def test_a_block_on_a_rack_in_its_outage(self, kind: str) -> None:
        land = snapshot(requests=[request()], outages=[outage("r1", 1, 2, kind)])

        assert rules(land, accepted=[accept()]) == ["R1"]

    @pytest.mark.parametrize(("start", "end"), [(-5, 0), (2, 9), (2, None)])
    def test_an_outage_on_other_days_is_none_of_its(self, start: int, end: int | None) -> None:
        land = snapshot(requests=[request()], outages=[outage("r1", start, end)])

        assert rules(land, accepted=[accept()]) == []

    @pytest.mark.parametrize(
        ("gpus", "racks"),
        [
            (144, {"r1": 36, "r2": 108}),
            (72, {"r1": 36, "r2": 36}),
            (8, {"r1": 4, "r2": 4}),
            (72, {"r1": 72, "r2": 0}),
        ],
    )
    def test_a_block_that_does_not_lie_as_its_size_says(self, gpus: int, racks: dict[str, int]) -> None:
        land = snapshot(requests=[request(gpus=gpus)])

        assert "R1" in rules(land, accepted=[accept(racks=racks)])

    def test_a_part_of_a_rack_that_is_no_multiple_of_4(self) -> None:
        land = snapshot(requests=[request(gpus=8)])

        assert rules(land, accepted=[accept(racks={"r1": 6}, gpus=8)]) == ["R1", "R4"]

    def test_a_reservation_left_on_a_dead_rack(self) -> None:
        land = snapshot(reservations=[reservation()], outages=[outage("r1", 2, 4)])

        assert rules(land) == ["R1"]

    def test_two_reservations_meet_on_a_rack_beyond_the_horizon(self) -> None:
        stands = [
            reservation("v1", start=20, end=30),
            reservation("v2", start=20, end=30, racks={"r2": 72}, move_notice_days=0),
        ]

        land = snapshot(days=10, reservations=stands)

        assert rules(land) == []
        assert rules(land, moves=[move("v2", (20, 30, {"r1": 72}), forced=False)]) == ["R1"]

    @pytest.mark.parametrize(("start", "end", "broken"), [(20, 40, ["R1"]), (29, 30, ["R1"]), (30, 50, [])])
    def test_an_outage_beyond_the_horizon_counts_for_reservations(
        self, start: int, end: int, broken: list[str]
    ) -> None:
        land = snapshot(days=10, reservations=[reservation(end=30)], outages=[outage("r1", start, end)])

        assert rules(land) == broken

    def test_an_outage_without_an_end_lasts_to_the_horizon(self) -> None:
        """Beyond it such a rack is neither called dead (R1) nor free for others (R11)."""
        land = snapshot(days=10, reservations=[reservation(start=10, end=30)], outages=[outage("r1", 0, None)])

        assert rules(land) == []

    def test_a_moved_reservation_of_72_uses_whole_racks(self) -> None:
        stands = reservation(start=3, end=5, move_notice_days=0)
        halves = move("v1", (3, 5, {"r1": 36, "r2": 36}), forced=False)

        assert "R1" in rules(snapshot(reservations=[stands]), moves=[halves])


class TestR2:
    """Where an accepted block stands, no more racks carry a block than are for sale beside the spares."""

    def land(self, spare: int, **fields: object) -> Content:
        return snapshot(sites=[site(halls=[hall(spare_racks=spare)])], **fields)

    def test_the_last_rack_that_is_for_sale(self) -> None:
        assert rules(self.land(1, requests=[request()]), accepted=[accept()]) == []

    def test_a_spare_rack_is_not_for_sale(self) -> None:
        """The cluster has room in the other hall, so that nothing but R2 is broken; q3 and q4 have no part in it."""
        halls = [hall(spare_racks=1), hall("h2", pods={"p2": ["s1", "s2"]})]
        asked = [request("q1"), request("q2"), request("q3"), request("q4", earliest=5)]
        accepted = [
            accept("q1"),
            accept("q2", racks={"r2": 72}),
            accept("q3", racks={"s1": 72}),
            accept("q4", 5, 7, {"r1": 72}),
        ]

        (broken,) = judge(snapshot(sites=[site(halls=halls)], requests=asked), accepted=accepted)

        assert broken.rule == "R2"
        assert set(broken.ids) == {"h1", "q1", "q2"}
        assert "1 rack more" in broken.text

    def test_reservations_alone_may_use_every_rack(self) -> None:
        assert rules(self.land(2, reservations=[reservation(racks={"r1": 72, "r2": 72})])) == []

    def test_an_accepted_block_beside_reservations_on_spare_racks(self) -> None:
        """Even on a rack that carries one already, and on no more GPUs than one more rack has (R7)."""
        stands = [reservation("v1", racks={"r1": 36}), reservation("v2", racks={"r2": 32})]
        land = self.land(1, reservations=stands, requests=[request(gpus=4)])

        assert rules(land, accepted=[accept(racks={"r1": 4})]) == ["R2"]

    def test_reservations_on_spare_racks_on_other_days_do_not_matter(self) -> None:
        land = self.land(
            1, reservations=[reservation(racks={"r1": 72, "r2": 72}, end=3)], requests=[request(earliest=3)]
        )

        assert rules(land, accepted=[accept("q1", 3, 5)]) == []

    def test_a_rack_shared_by_two_blocks_counts_once(self) -> None:
        asked = [request("q1", gpus=36), request("q2", gpus=36)]
        accepted = [accept("q1", racks={"r1": 36}), accept("q2", racks={"r1": 36})]

        assert rules(self.land(1, requests=asked), accepted=accepted) == []

    def test_a_failed_rack_counts_as_the_spare_one(self) -> None:
        """sale = min(healthy, present - spare): a hall of two with one spare and one failed sells one."""
        land = self.land(1, requests=[request()], outages=[outage("r2", 0, 9)])

        assert rules(land, accepted=[accept()]) == []

    def test_an_absent_rack_does_not(self) -> None:
        land = self.land(1, requests=[request()], outages=[outage("r2", 0, 9, "absent")])

        assert rules(land, accepted=[accept()]) == ["R2", "R7"]

    def test_a_promise_may_use_the_spare_rack_for_a_dead_one(self) -> None:
        land = self.land(1, reservations=[reservation()], outages=[outage("r1", 0, None)])

        assert rules(land, moves=[move("v1", (0, 5, {"r2": 72}))]) == []


class TestR3:
    """No more racks of a site carry a block than its power allows."""

    def land(self, kw: float, start: int = 0, end: int = 10, **fields: object) -> Content:
        return snapshot(sites=[site(power_limits=[power_limit(start, end, kw)])], **fields)

    @pytest.mark.parametrize(
        ("kw", "broken"), [(280.0, []), (279.9999, ["R3", "R7"]), (280.0 - 1e-8, []), (0.0, ["R3", "R7"])]
    )
    def test_two_racks_need_the_power_of_two(self, kw: float, broken: list[str]) -> None:
        land = self.land(kw, requests=[request(gpus=144)])

        assert rules(land, accepted=[accept(racks={"r1": 72, "r2": 72})]) == broken

    def test_the_worst_of_its_days_is_named(self) -> None:
        land = self.land(140.0, 0, 1, reservations=[reservation(racks={"r1": 72, "r2": 72})])
        land["sites"][0]["power_limits"].append(power_limit(3, 4, 0.0))

        (broken,) = judge(land)

        assert broken.text == (
            "site s1 carries up to 2 racks more than its power allows on "
            "[2027-03-01, 2027-03-02), [2027-03-04, 2027-03-05)."
        )

    def test_a_limit_on_other_days(self) -> None:
        land = self.land(0.0, 2, 10, requests=[request(gpus=144)])

        assert rules(land, accepted=[accept(racks={"r1": 72, "r2": 72})]) == []

    def test_of_two_limits_the_lowest_holds(self) -> None:
        limits = [power_limit(0, 5, 140.0), power_limit(1, 9, 280.0)]
        land = snapshot(sites=[site(power_limits=limits)], requests=[request(gpus=144, latest=5)])

        assert rules(land, accepted=[accept(racks={"r1": 72, "r2": 72}, start=4, end=6)]) == ["R3", "R7"]
        assert rules(land, accepted=[accept(racks={"r1": 72, "r2": 72}, start=5, end=7)]) == []

    def test_small_blocks_need_power_for_a_whole_rack_each(self) -> None:
        land = self.land(140.0, requests=[request("q1", gpus=4), request("q2", gpus=4)])

        accepted = [accept("q1", racks={"r1": 4}), accept("q2", racks={"r2": 4})]

        assert rules(land, accepted=accepted) == ["R3"]

    def test_reservations_have_to_give_way_to_a_power_limit(self) -> None:
        stands = reservation(racks={"r1": 72, "r2": 72})
        land = self.land(140.0, 0, 3, reservations=[stands])

        assert rules(land) == ["R3"]
        kept = move("v1", (0, 3, {"r1": 72}), (3, 5, {"r1": 72, "r2": 72}))
        assert rules(land, moves=[kept], shortfalls=[shortfall("v1", 0, 3)]) == []
