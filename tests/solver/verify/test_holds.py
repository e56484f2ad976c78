"""R7, R8 and R12: what must stay free for contracts, what interruptible blocks may stand on, and what can't be held."""

from __future__ import annotations

from typing import Any

import pytest

from tests.solver.reference.build import Content, contract, outage, power_limit, request, reservation, site, snapshot
from tests.solver.verify.build import accept, hold_shortfall, judge, pod_racks, pods, recall, rules


def two_sites(a: int = 2, b: int = 2, **power: list[Content]) -> list[Content]:
    """Site s1 with racks a1, a2, ... and site s2 with racks b1, b2, ..."""
    sites = [site("s1", power_limits=power.get("s1")), site("s2", power_limits=power.get("s2"))]
    for content, (pod, count) in zip(sites, (("a", a), ("b", b)), strict=True):
        content["halls"] = [
            {"id": f"h{pod}", "spare_racks": 0, "pods": [{"id": pod, "racks": pod_racks(**{pod: count})[pod]}]}
        ]
    return sites


def interruptible(name: str, notice: int, **fields: Any) -> Content:
    return request(name, interruptible=True, recall_notice_days=notice, **fields)


class TestR7:
    """Firm blocks and holds fit into the capacity, per site and over the cluster."""

    def land(self, gpus: int = 72, *, asked: list[Content] | None = None, **fields: Any) -> Content:
        """Three racks for 20 days; the contract k1 commits ``gpus`` on all of them."""
        requests = [request(gpus=144, latest=18)] if asked is None else asked
        return snapshot(
            sites=pods(r=3),
            days=20,
            contracts=[contract(steps=[(0, 20, gpus)], **fields)],
            requests=requests,
        )

    @pytest.mark.parametrize(("gpus", "broken"), [(72, []), (73, ["R7"]), (216, ["R7"])])
    def test_what_is_committed_and_not_booked_stays_free(self, gpus: int, broken: list[str]) -> None:
        assert rules(self.land(gpus), accepted=[accept(racks={"r1": 72, "r2": 72})]) == broken

    @pytest.mark.parametrize(("start", "broken"), [(0, []), (3, []), (4, ["R7"]), (5, ["R7"])])
    def test_a_hold_is_released_inside_the_booking_lead(self, start: int, broken: list[str]) -> None:
        land = self.land(144, booking_lead_days=5)

        accepted = [accept(start=start, end=start + 2, racks={"r1": 72, "r2": 72})]

        assert rules(land, accepted=accepted) == broken

    def test_the_days_and_the_excess_are_named(self) -> None:
        (broken,) = judge(
            self.land(144, booking_lead_days=5), accepted=[accept(start=4, end=6, racks={"r1": 72, "r2": 72})]
        )

        assert "72 GPUs are missing in the cluster on [2027-03-06, 2027-03-07)" in broken.text
        assert broken.ids == ("q1",)

    def test_a_drawdown_uses_its_own_hold(self) -> None:
        asked = [request("q1", contract="k1", days=20), request("q2", gpus=144, days=20)]
        accepted = [accept("q1", end=20), accept("q2", end=20, racks={"r2": 72, "r3": 72})]

        assert rules(self.land(72, asked=asked), accepted=accepted) == []

    def test_a_booking_over_the_commitment_uses_free_capacity(self) -> None:
        """overage: 144 booked on a commitment of 72 leave one rack, not two."""
        asked = [request("q1", contract="k1", gpus=144), request("q2", gpus=72)]
        accepted = [accept("q1", racks={"r1": 72, "r2": 72}), accept("q2", racks={"r3": 72})]

        assert rules(self.land(72, asked=asked, overage=True), accepted=accepted) == []

    def test_a_booked_reservation_counts_for_the_hold(self) -> None:
        land = self.land(72) | {"reservations": [reservation(contract="k1", end=20)]}

        assert rules(land, accepted=[accept(racks={"r2": 72, "r3": 72})]) == []

    def test_no_hold_outside_the_schedule(self) -> None:
        land = self.land() | {"contracts": [contract(steps=[(0, 5, 216), (7, 20, 216)])]}

        assert rules(land, accepted=[accept(start=5, end=7, racks={"r1": 72, "r2": 72})]) == []
        assert rules(land, accepted=[accept(start=6, end=8, racks={"r1": 72, "r2": 72})]) == ["R7"]

    def test_no_hold_after_a_notice_has_run_out(self) -> None:
        land = self.land(216, notice_given_on="2027-03-01", notice_days=4)

        assert rules(land, accepted=[accept(start=4, end=6, racks={"r1": 72, "r2": 72})]) == []
        assert rules(land, accepted=[accept(start=3, end=5, racks={"r1": 72, "r2": 72})]) == ["R7"]

    def test_the_holds_of_two_contracts_add_up(self) -> None:
        land = self.land() | {"contracts": [contract(name, steps=[(0, 20, 72)]) for name in ("k1", "k2")]}

        assert rules(land, accepted=[accept(racks={"r1": 72, "r2": 72})]) == ["R7"]

    @pytest.mark.parametrize(("bound", "rack", "broken"), [("s1", "a1", ["R7"]), ("s1", "b1", []), ("s2", "b1", [])])
    def test_the_hold_of_a_contract_bound_to_a_site_is_there(self, bound: str, rack: str, broken: list[str]) -> None:
        """Two racks in s1, three in s2; 144 GPUs are held in one of them."""
        land = snapshot(
            sites=two_sites(2, 3), contracts=[contract(steps=[(0, 20, 144)], site=bound)], requests=[request()]
        )

        assert rules(land, accepted=[accept(racks={rack: 72})]) == broken

    def test_a_hold_bound_to_no_site_counts_over_the_cluster_alone(self) -> None:
        land = snapshot(sites=two_sites(2, 2), contracts=[contract(steps=[(0, 20, 144)])], requests=[request(gpus=144)])

        assert rules(land, accepted=[accept(racks={"a1": 72, "a2": 72})]) == []

    def test_spare_and_absent_racks_hold_nothing(self) -> None:
        land = self.land(72) | {"outages": [outage("r3", 0, None, "absent")]}

        assert rules(land, accepted=[accept(racks={"r1": 72, "r2": 72})]) == ["R7"]

    def test_a_power_limit_lowers_what_can_be_held(self) -> None:
        limited = [power_limit(0, 10, 280.0)]
        land = snapshot(
            sites=two_sites(3, 1, s1=limited),
            contracts=[contract(steps=[(0, 20, 72)], site="s1")],
            requests=[request(gpus=144)],
        )

        assert rules(land, accepted=[accept(racks={"a1": 72, "b1": 72})]) == []
        assert "R7" in rules(land, accepted=[accept(racks={"a1": 72, "a2": 72})])

    def test_reservations_above_the_capacity_break_nothing_by_themselves(self) -> None:
        """They may use the spare rack, which is no capacity: the right side rises to what they use."""
        stands = [reservation(racks={"r1": 72, "r2": 72})]
        land = snapshot(reservations=stands, requests=[request(latest=8)])
        land["sites"][0]["halls"][0]["spare_racks"] = 1

        assert rules(land, accepted=[accept(start=5, end=7)]) == []

    def test_such_a_day_is_closed_to_new_blocks(self) -> None:
        """s1 uses 144 of 72 GPUs of capacity, s2 nothing of 72: there is room for one rack in s2, none in s1."""
        land = snapshot(
            sites=two_sites(3, 1),
            reservations=[reservation(racks={"a1": 72, "a2": 72})],
            requests=[request("q1", gpus=4), request("q2")],
        )
        land["sites"][0]["halls"][0]["spare_racks"] = 2

        assert rules(land, accepted=[accept("q2", racks={"b1": 72})]) == []
        assert rules(land, accepted=[accept("q2", racks={"b1": 72}), accept("q1", racks={"a3": 4})]) == ["R2", "R7"]

    def test_interruptible_blocks_do_not_count(self) -> None:
        land = self.land(216, booking_lead_days=9, asked=[interruptible("q1", 9, earliest=10)])

        assert rules(land, accepted=[accept(start=10, end=12)]) == []


class TestR8:
    """An interruptible block stands on the hold of a contract with at least its recall notice as booking lead."""

    def land(self, *asked: Content, lead: int = 7, gpus: int = 144) -> Content:
        return snapshot(
            sites=pods(r=2),
            days=20,
            contracts=[contract(steps=[(0, 20, gpus)], booking_lead_days=lead)],
            requests=[*asked],
        )

    @pytest.mark.parametrize(("lead", "notice", "broken"), [(7, 7, []), (7, 3, []), (7, 8, ["R8"])])
    def test_the_lead_is_at_least_the_notice(self, lead: int, notice: int, broken: list[str]) -> None:
        land = self.land(interruptible("q1", notice, earliest=10), lead=lead)

        assert rules(land, accepted=[accept(start=10, end=12)]) == broken

    def test_free_capacity_takes_any_notice(self) -> None:
        land = self.land(interruptible("q1", 30, earliest=10), gpus=72)

        assert rules(land, accepted=[accept(start=10, end=12)]) == []

    def test_within_the_lead_nothing_is_held(self) -> None:
        land = self.land(interruptible("q1", 30, earliest=5))

        assert rules(land, accepted=[accept(start=5, end=7)]) == []

    def test_firm_and_interruptible_blocks_share_the_capacity(self) -> None:
        asked = [request("q1", earliest=10), interruptible("q2", 8, earliest=10)]
        accepted = [accept("q1", 10, 12), accept("q2", 10, 12, racks={"r2": 72})]

        assert rules(self.land(*asked, gpus=0), accepted=accepted) == []
        assert rules(self.land(*asked, gpus=72), accepted=accepted) == ["R8"]

    def test_each_notice_has_its_own_inequality(self) -> None:
        """A block with 3 days' notice may stand on the hold that one with 8 may not."""
        asked = [interruptible("q1", 3, earliest=10), interruptible("q2", 8, earliest=10)]
        accepted = [accept("q1", 10, 12), accept("q2", 10, 12, racks={"r2": 72})]

        assert rules(self.land(*asked, gpus=72), accepted=accepted) == []
        assert rules(self.land(*asked, gpus=76), accepted=accepted) == ["R8"]

    def test_a_site_has_its_own_inequality(self) -> None:
        land = snapshot(
            sites=two_sites(1, 1),
            days=20,
            contracts=[contract(steps=[(0, 20, 72)], booking_lead_days=2, site="s1")],
            requests=[interruptible("q1", 5, earliest=10)],
        )

        assert rules(land, accepted=[accept(start=10, end=12, racks={"b1": 72})]) == []
        assert rules(land, accepted=[accept(start=10, end=12, racks={"a1": 72})]) == ["R8"]

    def test_a_reservation_on_a_hold_has_to_be_recalled(self) -> None:
        stands = reservation("v1", end=15, interruptible=True, recall_notice_days=8)
        land = self.land() | {"reservations": [stands]}

        assert rules(land) == ["R8"]
        assert rules(land, recalls=[recall("v1", 8)]) == []
        assert rules(land, recalls=[recall("v1", 9)]) == ["R8"]

    def test_where_no_interruptible_block_stands_r7_says_it_alone(self) -> None:
        asked = [interruptible("q1", 8, earliest=15), request("q2", earliest=10)]
        accepted = [accept("q1", 15, 17), accept("q2", 10, 12)]

        assert rules(self.land(*asked, gpus=0), accepted=accepted) == []
        held = [contract("k1", steps=[(0, 13, 144)], booking_lead_days=7)]
        assert rules(self.land(*asked) | {"contracts": held}, accepted=accepted) == ["R7"]

    def test_days_that_no_recall_can_reach_are_not_broken(self) -> None:
        """Held from day 7 on, recalled from day 8 on: day 7 can't be helped; nor may anything make it worse."""
        stands = reservation("v1", end=15, interruptible=True, recall_notice_days=8)
        land = self.land(interruptible("q1", 8, earliest=7, days=1)) | {"reservations": [stands]}

        assert rules(land, recalls=[recall("v1", 8)]) == []
        assert rules(land, recalls=[recall("v1", 8)], accepted=[accept("q1", 7, 8, racks={"r2": 72})]) == ["R8"]


class TestR12:
    """Hold shortfalls only where R7 can't be met with every request declined, and no more than is missing then."""

    def land(self, gpus: int = 144, **fields: Any) -> Content:
        """Two racks, one of them dead on the days [4, 8): 72 GPUs of a commitment of 144 can't be held then."""
        content = snapshot(
            contracts=[contract("k1", steps=[(0, 20, gpus)])],
            outages=[outage("r2", 4, 8)],
        )
        return content | fields

    def test_a_hold_that_cannot_be_met_has_to_be_declared(self) -> None:
        assert rules(self.land()) == ["R7"]
        assert rules(self.land(), hold_shortfalls=[hold_shortfall("k1", 4, 8, 72)]) == []

    @pytest.mark.parametrize(
        ("ranges", "broken"),
        [
            ([(4, 8, 36)], ["R7"]),
            ([(4, 7, 72)], ["R7"]),
            ([(4, 8, 76)], ["R12"]),
            ([(3, 8, 72)], ["R12"]),
            ([(4, 9, 72)], ["R12"]),
            ([(4, 6, 72), (6, 8, 72)], []),
            ([(4, 8, 36), (4, 8, 36)], []),
            ([(4, 8, 72), (5, 6, 4)], ["R12"]),
            ([(4, 8, 72), (5, 6, 0)], ["R12"]),
            ([(4, 8, 72), (6, 5, 4)], ["R12"]),
            ([(4, 8, 72), (-2, -1, 4)], ["R12"]),
            ([(4, 8, 72), (12, 13, 4)], ["R12"]),
        ],
    )
    def test_exactly_what_is_missing(self, ranges: list[tuple[int, int, int]], broken: list[str]) -> None:
        assert rules(self.land(), hold_shortfalls=[hold_shortfall("k1", *r) for r in ranges]) == broken

    def test_none_to_make_room_for_a_request(self) -> None:
        land = self.land(72, outages=[], requests=[request(gpus=144)])
        shortfalls = [hold_shortfall("k1", 0, 2, 72)]

        assert rules(land, accepted=[accept(racks={"r1": 72, "r2": 72})], hold_shortfalls=shortfalls) == ["R12"]

    def test_the_shortfalls_of_all_contracts_add_up(self) -> None:
        contracts = [contract(name, steps=[(0, 20, 72)]) for name in ("k1", "k2")]
        land = self.land(contracts=contracts)

        assert rules(land, hold_shortfalls=[hold_shortfall("k1", 4, 8, 40), hold_shortfall("k2", 4, 8, 32)]) == []
        both = [hold_shortfall("k1", 4, 8, 72), hold_shortfall("k2", 4, 8, 4)]
        assert rules(land, hold_shortfalls=both) == ["R12"]

    def test_the_gaps_of_the_sites_count_where_they_are_more_than_the_cluster(self) -> None:
        """s1 lacks 72 for its own contract while s2 has room."""
        land = snapshot(
            sites=two_sites(2, 4),
            contracts=[contract("k1", steps=[(0, 20, 144)], site="s1")],
            outages=[outage("a2", 4, 8)],
        )

        assert rules(land) == ["R7"]
        assert rules(land, hold_shortfalls=[hold_shortfall("k1", 4, 8, 72)]) == []
        assert rules(land, hold_shortfalls=[hold_shortfall("k1", 4, 8, 76)]) == ["R12"]

    def test_the_gap_of_the_cluster_counts_where_it_is_more_than_those_of_the_sites(self) -> None:
        contracts = [contract("k1", steps=[(0, 20, 144)], site="s1"), contract("k2", steps=[(0, 20, 144)])]
        land = snapshot(sites=two_sites(2, 2), contracts=contracts, outages=[outage("a2", 4, 8)])

        both = [hold_shortfall("k1", 4, 8, 72)]
        assert rules(land, hold_shortfalls=both) == []
        assert rules(land, hold_shortfalls=[*both, hold_shortfall("k2", 4, 8, 4)]) == ["R12"]

    def test_missing_beside_the_reservations_as_the_plan_leaves_them(self) -> None:
        stands = reservation("v1", start=0, end=10)
        land = self.land(144, reservations=[stands], outages=[])

        assert rules(land, hold_shortfalls=[hold_shortfall("k1", 0, 10, 72)]) == []
        assert rules(land, hold_shortfalls=[hold_shortfall("k1", 0, 10, 76)]) == ["R12"]

    def test_a_drawdown_may_use_what_is_left_of_the_hold(self) -> None:
        land = self.land(requests=[request("q1", contract="k1", earliest=4)])

        accepted, short = [accept("q1", 4, 6)], [hold_shortfall("k1", 4, 8, 72)]

        assert rules(land, accepted=accepted, hold_shortfalls=short) == []

    def test_a_block_on_demand_may_not(self) -> None:
        land = self.land(requests=[request("q1", earliest=4)])

        accepted, short = [accept("q1", 4, 6)], [hold_shortfall("k1", 4, 8, 72)]

        assert rules(land, accepted=accepted, hold_shortfalls=short) == ["R7"]

    def test_a_shortfall_for_an_interruptible_block_that_no_recall_could_have_ended(self) -> None:
        """Held from day 2 on, recalled from day 5 on: three days' holds can't be met, whatever is declined."""
        stands = reservation("v1", racks={"r1": 72, "r2": 72}, end=10, interruptible=True, recall_notice_days=5)
        held = contract("k1", steps=[(0, 20, 72)], booking_lead_days=2)
        land = snapshot(contracts=[held], reservations=[stands])

        recalled = [recall("v1", 5)]
        assert rules(land, recalls=recalled, hold_shortfalls=[hold_shortfall("k1", 2, 5, 72)]) == []
        assert rules(land, recalls=recalled, hold_shortfalls=[hold_shortfall("k1", 2, 6, 72)]) == ["R12"]
        assert rules(land, recalls=recalled, hold_shortfalls=[hold_shortfall("k1", 2, 5, 76)]) == ["R12"]
        assert rules(land, recalls=recalled) == []
