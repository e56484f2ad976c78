"""When interruptible reservations are recalled (R8, R11), and which holds are short (R7, R12), everything declined."""

from __future__ import annotations

from tests.solver.engine.repairs import one_site, repaired, two_sites
from tests.solver.reference.build import contract, outage, power_limit, reservation


def interruptible(name: str = "v9", *, notice: int = 2, **fields: object) -> dict[str, object]:
    return reservation(name, interruptible=True, recall_notice_days=notice, **fields)  # type: ignore[arg-type]


class TestRecalls:
    def test_one_is_recalled_before_a_firm_block_is_short_but_not_before_its_notice(self) -> None:
        result = repaired(
            outages=[outage("r1", 1, None)],
            reservations=[reservation("v1", end=6), interruptible(end=6, racks={"r2": 72}, notice=3)],
        )

        assert result.recalls == {"v9": 3}
        assert result.moves == {"v1": [(0, 1, {"r1"}), (1, 3, set()), (3, 6, {"r2"})]}
        assert result.short == [("v1", 1, 3, 72)]

    def test_not_earlier_than_the_rack_is_needed(self) -> None:
        result = repaired(
            outages=[outage("r1", 4, None)],
            reservations=[reservation("v1", end=6), interruptible(end=6, racks={"r2": 72}, notice=0)],
        )

        assert (result.recalls, result.short) == ({"v9": 4}, [])

    def test_not_where_another_rack_is_free(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3"]}),
            outages=[outage("r1", 4, None)],
            reservations=[reservation("v1", end=6), interruptible(end=6, racks={"r2": 72}, notice=0)],
        )

        assert (result.recalls, result.short) == ({}, [])

    def test_the_least_value_of_the_last_tier_goes(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2", "r3", "r4"]}),
            outages=[outage("r1", 0, None)],
            reservations=[
                reservation("v1", end=6),
                interruptible("v2", end=6, racks={"r2": 72}, notice=0, value_usd=500.0, tier=0),
                interruptible("v3", end=6, racks={"r3": 72}, notice=0, value_usd=900.0, tier=1),
                interruptible("v4", end=6, racks={"r4": 72}, notice=0, value_usd=800.0, tier=1),
            ],
        )

        assert (result.recalls, result.moves) == ({"v4": 0}, {"v1": [(0, 6, {"r4"})]})

    def test_one_in_the_way_of_a_hold_goes_in_time_even_if_a_firm_block_is_short_for_longer(self) -> None:
        """With v9 on r1 to the end, v1 could have r2 until v2 comes and be short for four days. As the hold wants v9
        gone by then, r1 would be idle all that time: v1 waits for r1, and until r2 is not idle all the while either.
        """
        result = repaired(
            contracts=[contract(steps=[(0, 10, 72)])],
            reservations=[
                reservation("v1", gpus=72, end=8, racks={}),
                interruptible(end=8, notice=3),
                reservation("v2", start=4, end=8, racks={"r2": 72}),
            ],
        )

        assert result.recalls == {"v9": 4}
        assert result.short == [("v1", 0, 5, 72)]

    def test_one_that_has_not_begun_is_recalled_to_its_start(self) -> None:
        result = repaired(
            outages=[outage("r1", 1, None)],
            reservations=[reservation("v1", end=9), interruptible(start=4, end=9, racks={"r2": 72}, notice=0)],
        )

        assert (result.recalls, result.short) == ({"v9": 4}, [])

    def test_one_that_would_be_short_itself_ends_as_soon_as_its_notice_allows(self) -> None:
        result = repaired(
            outages=[outage("r1", 1, None), outage("r2", 0, None)],
            reservations=[interruptible(end=6, racks={"r1": 72}, notice=3)],
        )

        assert (result.recalls, result.short) == ({"v9": 3}, [("v9", 1, 3, 72)])

    def test_one_is_recalled_where_power_would_leave_it_short(self) -> None:
        result = repaired(
            sites=one_site({"p1": ["r1", "r2"]}, power_limits=[power_limit(4, 6, 140.0)]),
            reservations=[reservation("v1", end=8), interruptible(end=8, racks={"r2": 72}, notice=0)],
        )

        assert (result.recalls, result.moves, result.short) == ({"v9": 4}, {}, [])


class TestHeldCapacity:
    """R8: on whose hold an interruptible block may stand, and what happens where it may not."""

    def test_one_stays_on_the_hold_of_a_contract_that_books_no_later_than_its_notice(self) -> None:
        result = repaired(
            contracts=[contract(steps=[(0, 10, 144)], booking_lead_days=2)],
            reservations=[interruptible(end=8, notice=2)],
        )

        assert (result.recalls, result.hold_short) == ({}, [])

    def test_one_is_recalled_from_the_hold_of_a_contract_that_may_book_sooner(self) -> None:
        """The hold begins after the lead of one day; on [1, 2) nobody can be recalled yet: there the hold is short."""
        result = repaired(
            contracts=[contract(steps=[(0, 10, 144)], booking_lead_days=1)],
            reservations=[interruptible(end=8, notice=2)],
        )

        assert (result.recalls, result.hold_short) == ({"v9": 2}, [("k1", 1, 2, 72)])

    def test_only_from_the_day_on_which_the_hold_needs_it(self) -> None:
        result = repaired(
            contracts=[contract(steps=[(0, 5, 72), (5, 10, 144)])], reservations=[interruptible(end=8, notice=2)]
        )

        assert (result.recalls, result.hold_short) == ({"v9": 5}, [])

    def test_a_hold_in_another_site_does_not_mind(self) -> None:
        result = repaired(
            sites=two_sites(["r1"], ["r2"]),
            contracts=[contract(steps=[(0, 10, 72)], site="s2")],
            reservations=[interruptible(end=8, notice=2)],
        )

        assert (result.recalls, result.hold_short) == ({}, [])

    def test_a_hold_in_the_same_site_does(self) -> None:
        result = repaired(
            sites=two_sites(["r1"], ["r2"]),
            contracts=[contract(steps=[(3, 10, 72)], site="s1")],
            reservations=[interruptible(end=8, notice=2)],
        )

        assert (result.recalls, result.hold_short) == ({"v9": 3}, [])


class TestHoldShortfalls:
    def test_none_is_declared_where_the_commitment_just_fits(self) -> None:
        result = repaired(contracts=[contract(steps=[(0, 10, 72)])], reservations=[reservation(racks={"r2": 72})])

        assert result.hold_short == []

    def test_what_the_cluster_lacks_is_declared_day_range_by_day_range(self) -> None:
        result = repaired(
            outages=[outage("r1", 6, None)],
            contracts=[contract(steps=[(0, 4, 72), (4, 10, 144)])],
            reservations=[reservation(end=5, racks={"r2": 72})],
        )

        assert result.hold_short == [("k1", 4, 5, 72), ("k1", 6, 10, 72)]

    def test_what_is_booked_needs_no_hold(self) -> None:
        result = repaired(
            contracts=[contract(steps=[(0, 5, 144)])],
            reservations=[reservation(contract="k1", racks={"r1": 72, "r2": 72})],
        )

        assert result.hold_short == []

    def test_nothing_is_held_within_the_booking_lead(self) -> None:
        result = repaired(contracts=[contract(steps=[(0, 10, 216)], booking_lead_days=8)])

        assert result.hold_short == [("k1", 8, 10, 72)]

    def test_spare_racks_hold_nothing(self) -> None:
        sites = one_site({"p1": ["r1", "r2"]})
        sites[0]["halls"][0]["spare_racks"] = 1
        result = repaired(sites=sites, contracts=[contract(steps=[(0, 10, 144)])])

        assert result.hold_short == [("k1", 0, 10, 72)]

    def test_in_all_no_more_is_declared_than_the_cluster_or_the_sites_together_lack(self) -> None:
        """Site s1 lacks 72 for k1; the cluster lacks 72 in all: k1's shortfall is enough for both."""
        result = repaired(
            sites=two_sites(["r1"], ["r2"]),
            contracts=[contract("k1", steps=[(0, 10, 144)], site="s1"), contract("k2", steps=[(0, 10, 72)])],
        )

        assert result.hold_short == [("k1", 0, 10, 72)]

    def test_a_site_over_its_capacity_lends_the_cluster_no_room(self) -> None:
        """The reservations in s1 use its spare racks: its right side is what they use, s2's is its capacity."""
        sites = two_sites(["r1", "r3"], ["r2"])
        sites[0]["halls"][0]["spare_racks"] = 1
        result = repaired(
            sites=sites,
            contracts=[contract(steps=[(0, 5, 144)])],
            reservations=[reservation(racks={"r1": 72, "r3": 72})],
        )

        assert result.hold_short == [("k1", 0, 5, 72)]

    def test_a_block_that_may_be_moved_leaves_a_site_whose_hold_it_crowds(self) -> None:
        result = repaired(
            sites=two_sites(["r1"], ["r2"]),
            contracts=[contract(steps=[(0, 10, 72)], site="s1")],
            reservations=[reservation(start=1, end=5, move_notice_days=0)],
        )

        assert (result.moves, result.hold_short) == ({"v1": [(1, 5, {"r2"})]}, [])
