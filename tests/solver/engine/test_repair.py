"""What becomes of reservations when racks are lost (R1, R10, R11), with every request declined.

Each case is small enough to see the best answer; `repaired` checks every rule of the plan with `solver.verify`.
"""

from __future__ import annotations

from tests.solver.engine.repairs import Repaired, one_site, repaired, two_sites
from tests.solver.reference import build
from tests.solver.reference.build import outage, reservation, segment

FAR = 9999 * 365  # no day, only a number larger than any that a case has


def test_nothing_is_decided_where_nothing_is_lost() -> None:
    result = repaired(reservations=[reservation()], outages=[outage("r2", 1, None), outage("r1", 6, None)])

    assert result.decisions == type(result.decisions)()


class TestDeadRacks:
    def test_a_dead_rack_is_replaced_and_the_others_are_kept(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3"]}),
            outages=[outage("r1", 2, None)],
            reservations=[reservation(end=5, racks={"r1": 72, "r2": 72}, scope="pod")],
        )

        assert result.moves == {"v1": [(0, 2, {"r1", "r2"}), (2, 5, {"r2", "r3"})]}
        assert (result.forced, result.short) == ({"v1": True}, [])

    def test_history_stays_as_it_was(self) -> None:
        result = repaired(outages=[outage("r1", -3, None)], reservations=[reservation(start=-5, end=5)])

        assert result.decisions.moves[0].placement[0].model_dump(mode="json") == segment(-5, 0, {"r1": 72})

    def test_the_rack_is_taken_to_the_end_of_the_block_even_if_the_outage_ends_earlier(self) -> None:
        result = repaired(outages=[outage("r1", 1, 2)], reservations=[reservation(end=5)])

        assert result.moves == {"v1": [(0, 1, {"r1"}), (1, 5, {"r2"})]}

    def test_a_replacement_that_is_taken_in_turn_is_replaced_too(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3"]}),
            outages=[outage("r1", 0, None), outage("r2", 2, None), outage("r3", 0, 2)],
            reservations=[reservation(end=5)],
        )

        assert result.moves == {"v1": [(0, 2, {"r2"}), (2, 5, {"r3"})]}

    def test_the_same_rack_serves_again_when_it_is_healthy_and_no_other_is(self) -> None:
        result = repaired(outages=[outage("r1", 1, 3), outage("r2", 0, None)], reservations=[reservation(end=5)])

        assert result.moves == {"v1": [(0, 1, {"r1"}), (1, 3, set()), (3, 5, {"r1"})]}
        assert result.short == [("v1", 1, 3, 72)]

    def test_a_replacement_gives_way_to_who_has_the_rack_later(self) -> None:
        result = repaired(
            outages=[outage("r1", 0, None)],
            reservations=[reservation(end=5), reservation("v2", start=3, end=8, racks={"r2": 72})],
        )

        assert result.moves == {"v1": [(0, 3, {"r2"}), (3, 5, set())]}
        assert result.short == [("v1", 3, 5, 72)]

    def test_there_is_no_second_replacement_for_one_that_nothing_took(self) -> None:
        """r2 is free on [0, 3), r3 from day 2 on. Whoever stands in for r1 as soon as it can, the other would be idle
        beside what is short (R11); from day 4 on r3 may, for nobody is free on all of [0, 4).
        """
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3"]}),
            outages=[outage("r1", 0, None), outage("r3", 0, 2)],
            reservations=[reservation(end=6), reservation("v2", start=3, end=8, racks={"r2": 72})],
        )

        assert result.moves == {"v1": [(0, 4, set()), (4, 6, {"r3"})]}
        assert result.short == [("v1", 0, 4, 72)]

    def test_all_racks_of_a_block_that_is_lost_move_to_one_unit_with_room_for_them(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2"], "p2": ["r3"], "p3": ["r4", "r5"]}),
            outages=[outage("r1", 1, None), outage("r2", 1, None)],
            reservations=[reservation(end=5, racks={"r1": 72, "r2": 72}, scope="pod")],
        )

        assert result.moves == {"v1": [(0, 1, {"r1", "r2"}), (1, 5, {"r4", "r5"})]}

    def test_a_replacement_outside_the_scope_is_better_than_none(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2"], "p2": ["r3"]}),
            outages=[outage("r1", 0, None)],
            reservations=[reservation(end=5, racks={"r1": 72, "r2": 72}, scope="pod")],
        )

        assert (result.moves, result.short) == ({"v1": [(0, 5, {"r2", "r3"})]}, [])

    def test_a_healthy_rack_is_kept_even_if_the_whole_block_would_fit_elsewhere(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2"], "p2": ["r3", "r4"]}),
            outages=[outage("r1", 6, None), outage("r2", 0, 2)],
            reservations=[reservation(start=4, end=9, racks={"r1": 72, "r2": 72}, scope="pod")],
        )

        ((before, after),) = result.moves.values()
        assert (before, after[:2]) == ((4, 6, {"r1", "r2"}), (6, 9))
        assert after[2] in ({"r2", "r3"}, {"r2", "r4"})

    def test_a_replacement_stays_when_the_scope_asks_for_another_later(self) -> None:
        """An earlier plan left the other rack in p1 first, then in p2; the dead one is replaced once, not twice."""
        earlier = [segment(1, 3, {"r1": 72, "r2": 72}), segment(3, 6, {"r1": 72, "r4": 72})]
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3"], "p2": ["r4", "r5"]}),
            outages=[outage("r1", 0, None), outage("r5", 0, 2)],
            reservations=[reservation(start=1, end=6, gpus=144, placement=earlier, scope="pod")],
        )

        assert result.moves == {"v1": [(1, 3, {"r2", "r3"}), (3, 6, {"r3", "r4"})]}

    def test_a_replacement_outside_the_site_is_not(self) -> None:
        result = repaired(
            sites=two_sites(["r1"], ["r2"]), outages=[outage("r1", 0, None)], reservations=[reservation(site="s1")]
        )

        assert result.moves == {"v1": [(0, 5, set())]}
        assert result.short == [("v1", 0, 5, 72)]

    def test_spare_racks_are_there_for_promises(self) -> None:
        result = repaired(
            sites=[build.site(halls=[build.hall(spare_racks=2)])],
            outages=[outage("r1", 0, None)],
            reservations=[reservation(end=5)],
        )

        assert (result.moves, result.short) == ({"v1": [(0, 5, {"r2"})]}, [])

    def test_a_higher_tier_is_served_first_and_a_firm_block_before_an_interruptible_one(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3", "r4"]}),
            outages=[outage("r1", 0, None), outage("r2", 0, None), outage("r4", 0, None)],
            reservations=[
                reservation("v1", racks={"r1": 72}, interruptible=True, recall_notice_days=9),
                reservation("v2", racks={"r2": 72}, tier=1),
            ],
        )

        assert (result.moves["v2"], result.short) == ([(0, 5, {"r3"})], [("v1", 0, 5, 72)])


class TestBeyondTheHorizon:
    def test_a_block_to_the_end_of_the_calendar_is_replaced_to_its_end(self) -> None:
        last = build.dt.date.max.isoformat()
        forever = reservation() | {"end": last}
        forever["placement"][0]["end"] = last
        result = repaired(outages=[outage("r1", 4, None)], reservations=[forever])

        ((first, second),) = result.moves.values()
        assert (first, second[0], second[2]) == ((0, 4, {"r1"}), 4, {"r2"})
        assert second[1] > FAR / 2

    def test_two_reservations_never_share_a_rack_there_either(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3"]}),
            outages=[outage("r1", 0, None)],
            reservations=[reservation(end=30), reservation("v2", start=20, end=40, racks={"r2": 72})],
        )

        assert result.moves == {"v1": [(0, 30, {"r3"})]}

    def test_a_rack_that_dies_there_is_replaced(self) -> None:
        result = repaired(outages=[outage("r1", 15, 16)], reservations=[reservation(end=20)])

        assert result.moves == {"v1": [(0, 15, {"r1"}), (15, 20, {"r2"})]}


class TestMissingGpus:
    """What an earlier plan left short counts as taken."""

    def test_they_are_filled_where_that_is_possible(self) -> None:
        earlier = reservation(gpus=144, placement=[segment(0, 2, {"r1": 72, "r2": 72}), segment(2, 5, {"r1": 72})])
        result = repaired(reservations=[earlier])

        assert result.moves == {"v1": [(0, 5, {"r1", "r2"})]}
        assert (result.forced, result.short) == ({"v1": True}, [])

    def test_else_they_are_listed_as_short_and_nothing_moves(self) -> None:
        earlier = reservation(gpus=144, end=9, placement=[segment(0, 9, {"r1": 72})])
        result = repaired(outages=[outage("r2", 0, None)], reservations=[earlier])

        assert (result.moves, result.short) == ({}, [("v1", 0, 9, 72)])


class TestMovable:
    """Reservations that are not frozen."""

    def test_one_with_a_dead_rack_gets_a_new_placement_and_keeps_its_healthy_racks(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3"]}),
            outages=[outage("r1", 4, None)],
            reservations=[reservation(start=2, end=6, racks={"r1": 72, "r2": 72}, move_notice_days=0)],
        )

        assert result.moves == {"v1": [(2, 6, {"r2", "r3"})]}
        assert result.forced == {"v1": False}

    def test_the_new_placement_is_in_its_scope_even_if_all_racks_change(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2"], "p2": ["r3", "r4"]}),
            outages=[outage("r1", 4, None)],
            reservations=[reservation(start=2, end=6, racks={"r1": 72, "r2": 72}, move_notice_days=0, scope="pod")],
        )

        assert result.moves == {"v1": [(2, 6, {"r3", "r4"})]}

    def test_where_there_is_none_it_is_treated_like_a_frozen_one(self) -> None:
        result = repaired(
            outages=[outage("r1", 4, None), outage("r2", 0, 3)],
            reservations=[reservation(start=2, end=6, move_notice_days=0)],
        )

        assert result.moves == {"v1": [(2, 4, {"r1"}), (4, 6, {"r2"})]}
        assert result.forced == {"v1": True}

    def test_one_that_lost_nothing_makes_room_where_that_spares_another_a_shortfall(self) -> None:
        result = repaired(
            sites=two_sites(["r1", "r2"], ["r3"]),
            outages=[outage("r1", 0, None)],
            reservations=[
                reservation("v1", site="s1", end=5),
                reservation("v2", start=1, end=5, racks={"r2": 72}, move_notice_days=0),
            ],
        )

        assert result.moves == {"v1": [(0, 5, {"r2"})], "v2": [(1, 5, {"r3"})]}
        assert (result.forced, result.short) == ({"v1": True, "v2": False}, [])

    def test_two_swap_racks_where_that_is_what_it_takes(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3"], "p2": ["r4"]}),
            outages=[outage("r1", 2, None)],
            reservations=[
                reservation("v1", start=3, end=8, racks={"r3": 72}, move_notice_days=0),
                reservation("v2", start=1, end=8, racks={"r4": 72, "r1": 72}, move_notice_days=0, scope="pod"),
            ],
        )

        assert result.moves == {"v1": [(3, 8, {"r4"})], "v2": [(1, 8, {"r2", "r3"})]}

    def test_a_frozen_one_that_lost_nothing_stays(self) -> None:
        result = repaired(
            sites=two_sites(["r1", "r2"], ["r3"]),
            outages=[outage("r1", 0, None)],
            reservations=[reservation("v1", site="s1", end=5), reservation("v2", start=1, end=5, racks={"r2": 72})],
        )

        assert result.moves == {"v1": [(0, 1, {"r2"}), (1, 5, set())]}
        assert result.short == [("v1", 1, 5, 72)]


class TestSharedRacks:
    def test_a_small_block_joins_a_rack_that_carries_others(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3"]}),
            outages=[outage("r1", 0, None)],
            reservations=[reservation(racks={"r1": 36}), reservation("v2", racks={"r3": 36})],
        )

        assert result.moves == {"v1": [(0, 5, {"r3"})]}

    def test_all_blocks_of_a_dead_rack_are_replaced_where_they_fit(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3"]}),
            outages=[outage("r1", 0, None)],
            reservations=[reservation(f"v{i}", racks={"r1": 24}) for i in range(3)]
            + [reservation("w", racks={"r2": 36})],
        )

        racks = [placed[0][2] for placed in result.moves.values()]
        assert sorted(racks, key=sorted) == [{"r2"}, {"r3"}, {"r3"}]
        assert result.short == []

    def test_where_no_rack_has_all_its_gpus_it_gets_what_there_is(self) -> None:
        result = repaired(
            outages=[outage("r1", 1, None)],
            reservations=[reservation(racks={"r1": 36}), reservation("v2", racks={"r2": 52})],
        )

        assert result.decisions.moves[0].placement[1].racks == {"r2": 20}
        assert result.short == [("v1", 1, 5, 16)]

    def test_gpus_that_an_earlier_plan_left_out_are_filled_up_on_the_same_rack(self) -> None:
        result = repaired(reservations=[reservation(gpus=36, racks={"r1": 20})], outages=[outage("r2", 0, None)])

        assert result.decisions.moves[0].placement[0].racks == {"r1": 36}

    def test_else_it_keeps_those_that_it_has(self) -> None:
        result = repaired(
            reservations=[reservation(gpus=36, racks={"r1": 20}), reservation("v2", racks={"r1": 52})],
            outages=[outage("r2", 0, None)],
        )

        assert (result.moves, result.short) == ({}, [("v1", 0, 5, 16)])


def test_the_same_seed_gives_the_same_repair() -> None:
    sites = one_site({"p1": ["r1", "r2", "r3"], "p2": ["r4", "r5"]})
    blocks = [reservation(f"v{i}", racks={f"r{i}": 72}, scope="pod", tier=i % 2) for i in range(1, 5)]
    snapshot = build.load(
        build.snapshot(sites=sites, reservations=blocks, outages=[outage("r1", 0, None), outage("r4", 1, 3)])
    ).snapshot

    assert Repaired(snapshot, seed=7).decisions == Repaired(snapshot, seed=7).decisions


def test_a_repair_without_time_for_a_search_keeps_every_rule_too() -> None:
    blocks = [reservation("v1", site="s1"), reservation("v2", racks={"r2": 72}, start=1, move_notice_days=0)]
    snapshot = build.load(
        build.snapshot(sites=two_sites(["r1", "r2"], ["r3"]), reservations=blocks, outages=[outage("r1", 0, None)])
    ).snapshot

    assert Repaired(snapshot, late=True).broken() == []
