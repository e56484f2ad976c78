"""R4, R5, R6 and R9: what an accepted request asks for, and what its contract and its tenant's quota allow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.solver.reference.build import Content, contract, day, hall, request, reservation, site, snapshot, tenant
from tests.solver.verify.build import accept, judge, move, pods, rules

TWO_SITES = [
    site("s1", halls=[hall("h1", pods={"p1": ["r1", "r2"], "p2": ["r3", "r4"]}), hall("h2", pods={"p3": ["r5"]})]),
    site("s2", halls=[hall("h3", pods={"p4": ["r6"]})]),
]


class TestR4:
    """Window, days, horizon, size and one placement."""

    @pytest.mark.parametrize(("start", "broken"), [(1, ["R4"]), (2, []), (3, []), (4, []), (5, ["R4"])])
    def test_the_start_lies_in_the_window_both_ends_included(self, start: int, broken: list[str]) -> None:
        land = snapshot(requests=[request(earliest=2, latest=4)])

        assert rules(land, accepted=[accept(start=start, end=start + 2)]) == broken

    def test_a_window_that_opened_before_today_lets_nothing_start_before_today(self) -> None:
        land = snapshot(requests=[request(earliest=-3, latest=3)])

        assert rules(land, accepted=[accept(start=0, end=2)]) == []
        assert rules(land, accepted=[accept(start=-1, end=1)]) == ["R4"]

    @pytest.mark.parametrize("end", [1, 3])
    def test_it_lasts_exactly_its_days(self, end: int) -> None:
        assert rules(snapshot(requests=[request(days=2)]), accepted=[accept(end=end)]) == ["R4"]

    @pytest.mark.parametrize("end", [0, -1])
    def test_an_interval_without_a_day(self, end: int) -> None:
        assert "R4" in rules(snapshot(requests=[request(days=2)]), accepted=[accept(end=end)])

    @pytest.mark.parametrize(("start", "broken"), [(8, []), (9, ["R4"])])
    def test_it_ends_by_the_horizon(self, start: int, broken: list[str]) -> None:
        land = snapshot(days=10, requests=[request(earliest=0, latest=20)])

        assert rules(land, accepted=[accept(start=start, end=start + 2)]) == broken

    @pytest.mark.parametrize(("gpus", "broken"), [(72, ["R4"]), (144, []), (216, []), (288, ["R4"])])
    def test_it_has_between_its_smallest_size_and_what_it_asks_for(self, gpus: int, broken: list[str]) -> None:
        land = snapshot(sites=pods(a=4), requests=[request(gpus=216, min_gpus=144)])
        racks = {f"a{n + 1}": 72 for n in range(gpus // 72)}

        assert rules(land, accepted=[accept(racks=racks)]) == broken

    def test_a_request_of_a_rack_or_more_shrinks_by_whole_racks_only(self) -> None:
        land = snapshot(requests=[request(gpus=144, min_gpus=72)])

        assert rules(land, accepted=[accept(racks={"r1": 72}, gpus=76)]) == ["R4"]

    @pytest.mark.parametrize("racks", [{"r1": 72}, {}])
    def test_its_racks_hold_all_of_its_gpus(self, racks: dict[str, int]) -> None:
        land = snapshot(requests=[request(gpus=144)])

        (broken,) = judge(land, accepted=[accept(racks=racks, gpus=144)])

        assert (broken.rule, broken.ids) == ("R4", ("q1",))

    def test_every_fault_of_a_block_is_named(self) -> None:
        land = snapshot(requests=[request(earliest=2, days=3)])

        texts = [broken.text for broken in judge(land, accepted=[accept(start=1, end=3, gpus=144)])]

        assert len(texts) == 4


class TestR5:
    """Scope and site, the contract's site included."""

    def land(self, **fields: Any) -> Content:
        return snapshot(sites=TWO_SITES, requests=[request(gpus=144, **fields)])

    @pytest.mark.parametrize(
        ("scope", "other", "broken"),
        [
            ("pod", "r2", []),
            ("pod", "r3", ["R5"]),
            ("pod", "r6", ["R5"]),
            ("hall", "r3", []),
            ("hall", "r5", ["R5"]),
            ("site", "r5", []),
            ("site", "r6", ["R5"]),
            ("any", "r6", []),
        ],
    )
    def test_all_racks_lie_in_one_unit_of_the_scope(self, scope: str, other: str, broken: list[str]) -> None:
        assert rules(self.land(scope=scope), accepted=[accept(racks={"r1": 72, other: 72})]) == broken

    @pytest.mark.parametrize(("site_id", "broken"), [(None, []), ("s1", []), ("s2", ["R5"])])
    def test_it_stands_in_the_site_it_asks_for(self, site_id: str | None, broken: list[str]) -> None:
        assert rules(self.land(site=site_id), accepted=[accept(racks={"r1": 72, "r5": 72})]) == broken

    @pytest.mark.parametrize(("rack", "broken"), [("r1", ["R5"]), ("r6", [])])
    def test_it_stands_in_the_site_of_its_contract(self, rack: str, broken: list[str]) -> None:
        bound = contract(steps=[(0, 100, 72)], site="s2")
        land = snapshot(sites=TWO_SITES, contracts=[bound], requests=[request(contract="k1", days=10)])

        assert rules(land, accepted=[accept(end=10, racks={rack: 72})])[:1] == broken

    def test_both_scope_and_site_are_named(self) -> None:
        land = self.land(scope="pod", site="s2")

        assert [b.rule for b in judge(land, accepted=[accept(racks={"r1": 72, "r3": 72})])] == ["R5", "R5"]

    @pytest.mark.parametrize(
        ("fields", "racks"),
        [({"scope": "pod"}, {"r2": 72, "r3": 72}), ({"site": "s1"}, {"r5": 72, "r6": 72})],
    )
    def test_a_reservation_is_not_placed_anew_outside_scope_or_site(
        self, fields: Content, racks: dict[str, int]
    ) -> None:
        stands = reservation(racks={"r1": 72, "r2": 72}, start=3, move_notice_days=0, **fields)
        land = snapshot(sites=TWO_SITES, reservations=[stands])

        assert rules(land, moves=[move("v1", (3, 5, racks), forced=False)]) == ["R5", "R10"]


class TestR6:
    """Days in force, and no booking beyond the commitment without overage."""

    def land(self, *, steps: list[tuple[int, int, int]], asked: list[Content] | None = None, **fields: Any) -> Content:
        requests = [request("q1", contract="k1", latest=20)] if asked is None else asked
        reservations = fields.pop("reservations", [])
        return snapshot(
            sites=pods(r=6),
            days=20,
            contracts=[contract(steps=steps, **fields)],
            requests=requests,
            reservations=reservations,
        )

    @pytest.mark.parametrize(("start", "broken"), [(1, ["R6"]), (2, []), (8, []), (9, ["R6"])])
    def test_a_drawdown_lies_within_the_days_in_force(self, start: int, broken: list[str]) -> None:
        land = self.land(start=2, end=10, steps=[(2, 10, 72)], overage=True)

        assert rules(land, accepted=[accept(start=start, end=start + 2)]) == broken

    @pytest.mark.parametrize(("start", "broken"), [(3, []), (4, ["R6"])])
    def test_a_notice_ends_the_days_in_force(self, start: int, broken: list[str]) -> None:
        land = self.land(start=-10, steps=[(-10, 90, 72)], notice_given_on=day(0), notice_days=5, overage=True)

        assert rules(land, accepted=[accept(start=start, end=start + 2)]) == broken

    @pytest.mark.parametrize(("gpus", "overage", "broken"), [(72, False, []), (144, False, ["R6"]), (144, True, [])])
    def test_without_overage_it_stays_within_the_commitment(self, gpus: int, overage: bool, broken: list[str]) -> None:
        asked = [request(contract="k1", gpus=gpus)]
        racks = {f"r{n + 1}": 72 for n in range(gpus // 72)}

        assert (
            rules(self.land(steps=[(0, 20, 72)], asked=asked, overage=overage), accepted=[accept(racks=racks)])
            == broken
        )

    def test_two_blocks_add_up(self) -> None:
        asked = [request("q1", contract="k1"), request("q2", contract="k1")]
        land = self.land(steps=[(0, 20, 72)], asked=asked)

        (broken,) = judge(land, accepted=[accept("q1"), accept("q2", racks={"r2": 72})])

        assert (broken.rule, set(broken.ids)) == ("R6", {"k1", "q1", "q2"})

    @pytest.mark.parametrize(("start", "broken"), [(3, []), (4, ["R6"]), (5, ["R6"])])
    def test_a_gap_in_the_schedule_commits_nothing(self, start: int, broken: list[str]) -> None:
        land = self.land(steps=[(0, 5, 72), (7, 20, 72)])

        assert rules(land, accepted=[accept(start=start, end=start + 2)]) == broken

    def test_reservations_that_exceed_the_commitment_break_nothing(self) -> None:
        stands = reservation(contract="k1", racks={"r1": 72, "r2": 72})

        assert rules(self.land(steps=[(0, 20, 72)], asked=[], reservations=[stands])) == []

    @pytest.mark.parametrize(("start", "broken"), [(4, ["R6"]), (5, [])])
    def test_but_nothing_may_make_it_worse(self, start: int, broken: list[str]) -> None:
        stands = reservation(contract="k1", racks={"r1": 72, "r2": 72}, end=5)
        land = self.land(steps=[(0, 20, 72)], reservations=[stands])

        assert rules(land, accepted=[accept(start=start, end=start + 2, racks={"r3": 72})]) == broken

    def test_a_short_reservation_is_booked_with_all_it_was_promised(self) -> None:
        """Promised, not delivered: its missing rack is no room for a drawdown."""
        stands = reservation(contract="k1", racks={"r1": 72}, gpus=144, end=20)
        land = self.land(steps=[(0, 20, 144)], asked=[request(contract="k1")], reservations=[stands])
        replaced = move("v1", (0, 20, {"r1": 72, "r2": 72}))

        assert rules(land, moves=[replaced]) == []
        assert rules(land, moves=[replaced], accepted=[accept(racks={"r3": 72})]) == ["R6"]


class TestR9:
    """GPUs promised to a tenant stay within its quota."""

    def land(self, quota: int | None, *asked: Content, reservations: list[Content] | None = None) -> Content:
        return snapshot(
            sites=pods(r=6),
            tenants=[tenant(max_gpus=quota), tenant("t2")],
            requests=[*asked],
            reservations=reservations or [],
        )

    @pytest.mark.parametrize(("quota", "broken"), [(None, []), (144, []), (143, ["R9"]), (0, ["R9"])])
    def test_accepted_blocks_stay_within_the_quota(self, quota: int | None, broken: list[str]) -> None:
        land = self.land(quota, request("q1"), request("q2"))

        assert rules(land, accepted=[accept("q1"), accept("q2", racks={"r2": 72})]) == broken

    def test_other_tenants_do_not_count(self) -> None:
        land = self.land(72, request("q1"), request("q2", tenant="t2"))

        assert rules(land, accepted=[accept("q1"), accept("q2", racks={"r2": 72})]) == []

    def test_reservations_count_with_them(self) -> None:
        land = self.land(72, request("q1"), reservations=[reservation()])

        (broken,) = judge(land, accepted=[accept("q1", racks={"r2": 72})])

        assert (broken.rule, set(broken.ids)) == ("R9", {"t1", "q1"})

    def test_only_on_the_days_on_which_they_stand(self) -> None:
        land = self.land(72, request("q1", earliest=5), reservations=[reservation(end=5)])

        assert rules(land, accepted=[accept("q1", 5, 7, racks={"r2": 72})]) == []

    def test_reservations_alone_may_exceed_it(self) -> None:
        assert rules(self.land(0, reservations=[reservation()])) == []

    def test_interruptible_blocks_count_too(self) -> None:
        land = self.land(72, request("q1"), request("q2", interruptible=True, recall_notice_days=3))

        assert rules(land, accepted=[accept("q1"), accept("q2", racks={"r2": 72})]) == ["R9"]
