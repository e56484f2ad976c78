"""R11: a reservation has its GPUs, or is recalled in time, or is short by what was taken and can't be replaced."""

from __future__ import annotations

from typing import Any

import pytest

from tests.solver.reference.build import (
    Content,
    hall,
    outage,
    power_limit,
    request,
    segment,
    site,
    snapshot,
)
from tests.solver.verify.build import accept, frozen, judge, move, pod_racks, pods, recall, rules, shortfall


class TestShortfall:
    """Only on days and by GPUs of taken racks, listed exactly."""

    def full(self, *more: Content, **fields: Any) -> Content:
        """One pod of two racks; a1 is out on the days [4, 6), a2 is reserved by v2."""
        stands = [frozen(), frozen("v2", racks={"a2": 72}), *more]
        return snapshot(**({"sites": pods(a=2), "reservations": stands, "outages": [outage("a1", 4, 6)]} | fields))

    def test_a_taken_rack_that_nothing_can_replace(self) -> None:
        """It could stand on its own rack again; but that is taken to its end, and not healthy over all of the range."""
        gone = move("v1", (0, 4, {"a1": 72}))
        assert rules(self.full(), moves=[gone], shortfalls=[shortfall("v1", 4, 10)]) == []
        assert rules(self.full(), moves=[gone], shortfalls=[shortfall("v1", 4, 6), shortfall("v1", 6, 10)]) == ["R11"]
        back = move("v1", (0, 4, {"a1": 72}), (6, 10, {"a1": 72}))
        assert rules(self.full(), moves=[back], shortfalls=[shortfall("v1", 4, 6)]) == []

    @pytest.mark.parametrize(
        "ranges",
        [
            [],
            [(4, 5, 72)],
            [(4, 7, 72)],
            [(3, 6, 72)],
            [(4, 6, 144)],
            [(4, 6, 36)],
            [(4, 6, 36), (4, 6, 36)],
            [(4, 6, 72), (4, 6, 72)],
            [(4, 6, 72), (5, 5, 72)],
            [(4, 6, 72), (4, 6, 0)],
            [(4, 6, 72), (4, 6, -72), (4, 6, 72)],
            [(4, 6, 72), (-3, -1, 72)],
            [(4, 6, 72), (10, 12, 72)],
            [(4, 6, 72), (6, 4, 72)],
        ],
    )
    def test_the_list_is_exact(self, ranges: list[tuple[int, int, int]]) -> None:
        back = move("v1", (0, 4, {"a1": 72}), (6, 10, {"a1": 72}))

        broken = rules(self.full(), moves=[back], shortfalls=[shortfall("v1", *entry) for entry in ranges])

        assert broken == ["R11"]

    def test_range_by_range(self) -> None:
        back = move("v1", (0, 4, {"a1": 72}), (6, 10, {"a1": 72}))

        assert rules(self.full(), moves=[back], shortfalls=[shortfall("v1", 4, 5), shortfall("v1", 5, 6)]) == []

    def test_the_shortfall_of_another_reservation_does_not_help(self) -> None:
        back = move("v1", (0, 4, {"a1": 72}), (6, 10, {"a1": 72}))

        names = {b.ids[0] for b in judge(self.full(), moves=[back], shortfalls=[shortfall("v2", 4, 6)])}

        assert names == {"v1", "v2"}

    def test_a_shortfall_without_a_missing_gpu(self) -> None:
        healthy = self.full(outages=[])

        assert rules(healthy, shortfalls=[shortfall("v1", 4, 6)]) == ["R11"]

    def test_a_move_that_drops_a_rack_that_nothing_took(self) -> None:
        healthy = self.full(outages=[])
        back = move("v1", (0, 4, {"a1": 72}), (6, 10, {"a1": 72}))

        broken = rules(healthy, moves=[back], shortfalls=[shortfall("v1", 4, 6)])

        assert broken == ["R10", "R11"]

    def test_two_racks_lost_one_replaced(self) -> None:
        stands = frozen(racks={"a1": 72, "a2": 72})
        dead = snapshot(sites=pods(a=3), reservations=[stands], outages=[outage("a1", 0, None), outage("a2", 0, None)])
        moved = move("v1", (0, 10, {"a3": 72}))

        assert rules(dead, moves=[moved], shortfalls=[shortfall("v1", 0, 10)]) == []
        assert rules(dead, moves=[move("v1")], shortfalls=[shortfall("v1", 0, 10, 144)]) == ["R11"]

    def test_beyond_the_horizon_too(self) -> None:
        dead = snapshot(days=10, sites=pods(a=1), reservations=[frozen(end=30)], outages=[outage("a1", 8, None)])
        moved = move("v1", (0, 8, {"a1": 72}))

        assert rules(dead, moves=[moved], shortfalls=[shortfall("v1", 8, 30)]) == []
        assert rules(dead, moves=[moved], shortfalls=[shortfall("v1", 8, 10)]) == ["R11"]

    def test_what_an_earlier_plan_published_as_missing(self) -> None:
        stands = frozen(gpus=144, racks={"a1": 72}, start=-5)

        lacking = snapshot(sites=pods(a=1), reservations=[stands])

        assert rules(lacking) == ["R11"]
        assert rules(lacking, shortfalls=[shortfall("v1", 0, 10)]) == []
        assert rules(lacking, shortfalls=[shortfall("v1", -5, 10)]) == ["R11"]

    def test_a_small_block_may_be_short_of_a_part(self) -> None:
        """The only other rack has room for 20 of its 36 GPUs."""
        others = frozen("v2", racks={"a2": 52})
        dead = snapshot(
            sites=pods(a=2), reservations=[frozen(racks={"a1": 36}), others], outages=[outage("a1", 0, None)]
        )

        moved = [move("v1", (0, 10, {"a2": 20}))]

        assert rules(dead, moves=moved, shortfalls=[shortfall("v1", 0, 10, 16)]) == []
        assert rules(dead, moves=moved, shortfalls=[shortfall("v1", 0, 10, 18)]) == ["R11"]

    def test_no_more_gpus_than_promised(self) -> None:
        twice = move("v1", (0, 10, {"a1": 72, "a2": 72}), forced=False)

        assert "R11" in rules(snapshot(sites=pods(a=2), reservations=[frozen()]), moves=[twice])


class TestNoShortfallBesideAFreeRack:
    """Never while a rack in its site is, over that range, healthy, within power and carries no reservation."""

    def cluster(self, *reservations: Content, **fields: Any) -> Content:
        """s1 with a1 and a2, s2 with b1; v1 stands on a1, which is dead for good."""
        sites = [
            site("s1", halls=[hall("h1", pods=pod_racks(a=2))], power_limits=fields.pop("power", [])),
            site("s2", halls=[hall("h2", pods=pod_racks(b=1))]),
        ]
        outages = [outage("a1", 0, None), *fields.pop("outages", [])]
        return snapshot(sites=sites, reservations=[*reservations], outages=outages, **fields)

    def short(self, cluster: Content, *ranges: tuple[int, int], **fields: Any) -> list[str]:
        listed = [shortfall("v1", first, last) for first, last in ranges or [(0, 10)]]
        return rules(cluster, moves=[move("v1")], shortfalls=listed, **fields)

    def test_a_free_rack(self) -> None:
        broken = judge(self.cluster(frozen()), moves=[move("v1")], shortfalls=[shortfall("v1", 0, 10)])

        assert [(b.rule, b.ids) for b in broken] == [("R11", ("v1", "a2"))]

    def test_a_free_rack_outside_its_scope(self) -> None:
        """Outside is better than short: the block of scope pod has a2 left, b1 is free."""
        stands = frozen(racks={"a1": 72, "a2": 72}, scope="pod")
        listed = [shortfall("v1", 0, 10)]

        assert rules(self.cluster(stands), moves=[move("v1", (0, 10, {"a2": 72}))], shortfalls=listed) == ["R11"]

    def test_a_free_rack_outside_its_site(self) -> None:
        others = frozen("v2", racks={"a2": 72})

        assert self.short(self.cluster(frozen(site="s1"), others)) == []
        assert self.short(self.cluster(frozen(), others)) == ["R11"]

    def test_a_rack_that_is_out_itself(self) -> None:
        assert self.short(self.cluster(frozen(site="s1"), outages=[outage("a2", 3, 4)])) == []

    def test_a_rack_that_carries_a_reservation_on_one_of_the_days(self) -> None:
        assert self.short(self.cluster(frozen(site="s1"), frozen("v2", racks={"a2": 72}, start=9))) == []

    def test_over_each_listed_range(self) -> None:
        """The same shortfall in two ranges: over the first of them a2 is free."""
        cluster = self.cluster(frozen(site="s1"), frozen("v2", racks={"a2": 72}, start=9))

        assert self.short(cluster, (0, 9), (9, 10)) == ["R11"]

    def test_a_small_reservation_occupies_the_rack(self) -> None:
        assert self.short(self.cluster(frozen(site="s1"), frozen("v2", racks={"a2": 4}))) == []

    @pytest.mark.parametrize(("kw", "broken"), [(140.0, ["R11"]), (139.0, [])])
    def test_a_rack_without_power(self, kw: float, broken: list[str]) -> None:
        assert self.short(self.cluster(frozen(site="s1"), power=[power_limit(0, 10, kw)])) == broken

    def test_power_that_other_reservations_use(self) -> None:
        cluster = self.cluster(frozen(site="s1"), frozen("v2", racks={"a3": 72}), power=[power_limit(0, 10, 140.0)])
        cluster["sites"][0]["halls"][0]["pods"][0]["racks"].append("a3")

        assert self.short(cluster) == []

    def test_a_rack_with_an_accepted_block_gives_way(self) -> None:
        cluster = self.cluster(frozen(site="s1"), requests=[request(days=10)])

        assert self.short(cluster, accepted=[accept("q1", 0, 10, {"a2": 72})]) == ["R11"]

    def test_an_interruptible_reservation_is_no_free_rack(self) -> None:
        other = frozen("v2", racks={"a2": 72}, interruptible=True, recall_notice_days=3)

        assert self.short(self.cluster(frozen(site="s1"), other)) == []

    def test_its_own_rack_once_power_is_there(self) -> None:
        """Power takes one of two racks on the days [4, 6): short on these days, and on no other."""
        sites = [site("s1", halls=[hall("h1", pods=pod_racks(a=2))], power_limits=[power_limit(4, 6, 140.0)])]
        both = {"a1": 72, "a2": 72}
        limited = snapshot(sites=sites, reservations=[frozen(racks=both)])
        dark = move("v1", (0, 4, both), (4, 6, {"a1": 72}), (6, 10, both))
        longer = move("v1", (0, 4, both), (4, 7, {"a1": 72}), (7, 10, both))

        assert rules(limited, moves=[dark], shortfalls=[shortfall("v1", 4, 6)]) == []
        assert rules(limited, moves=[longer], shortfalls=[shortfall("v1", 4, 7)]) == ["R10", "R11"]


class TestRecall:
    """Interruptible only, no earlier than its start and its notice allow, before its old end."""

    def stands(self, **fields: Any) -> Content:
        interruptible = {"interruptible": True, "recall_notice_days": 4}
        return snapshot(sites=pods(a=1), reservations=[frozen(**(interruptible | fields))])

    @pytest.mark.parametrize(("end", "broken"), [(3, ["R11"]), (4, []), (9, []), (10, ["R11"]), (11, ["R11"])])
    def test_after_its_notice_and_before_its_end(self, end: int, broken: list[str]) -> None:
        assert rules(self.stands(), recalls=[recall("v1", end)]) == broken

    @pytest.mark.parametrize(("end", "broken"), [(5, ["R11"]), (6, []), (7, [])])
    def test_not_before_its_start(self, end: int, broken: list[str]) -> None:
        assert rules(self.stands(start=6), recalls=[recall("v1", end)]) == broken

    def test_at_its_start_it_needs_nothing_any_more(self) -> None:
        stands = self.stands(start=6, move_notice_days=0) | {"outages": [outage("a1", 5, None)]}

        assert rules(stands, recalls=[recall("v1", 6)]) == []
        assert rules(stands, recalls=[recall("v1", 6)], moves=[move("v1", (6, 10, {"a1": 72}))]) == []

    def test_a_firm_reservation_is_not_recalled(self) -> None:
        firm = self.stands(interruptible=False, recall_notice_days=None)

        assert rules(firm, recalls=[recall("v1", 6)]) == ["R11"]

    def test_a_recalled_reservation_leaves_its_racks(self) -> None:
        land = self.stands() | {"requests": [request("q1", earliest=4)]}

        assert rules(land, recalls=[recall("v1", 4)], accepted=[accept("q1", 4, 6, {"a1": 72})]) == []

    def test_it_has_its_gpus_until_then(self) -> None:
        dead = self.stands() | {"outages": [outage("a1", 3, None)]}
        moved = [move("v1", (0, 3, {"a1": 72}))]

        assert rules(dead, moves=moved, recalls=[recall("v1", 4)], shortfalls=[shortfall("v1", 3, 4)]) == []
        assert rules(dead, moves=moved, recalls=[recall("v1", 4)]) == ["R11"]

    def test_it_is_not_short_after_its_end(self) -> None:
        assert rules(self.stands(), recalls=[recall("v1", 4)], shortfalls=[shortfall("v1", 4, 10)]) == ["R11"]

    def test_one_that_is_over_needs_nothing(self) -> None:
        over = frozen(start=-5, end=0, placement=[segment(-5, -1, {"a1": 72})])

        assert rules(snapshot(sites=pods(a=1), reservations=[over])) == []
