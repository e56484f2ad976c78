"""R13: no declined request would fit on top of the plan as it stands."""

from __future__ import annotations

import pytest

from tests.solver.reference.build import (
    contract,
    day,
    hall,
    outage,
    power_limit,
    request,
    reservation,
    site,
    snapshot,
)
from tests.solver.verify.build import accept, halls_and_pods, judge, pod_racks, pods, rules

FITS = ["R13"]


class TestRacks:
    """Free racks, outages and what others use (R1)."""

    def test_an_empty_cluster(self) -> None:
        (broken,) = judge(snapshot(requests=[request()]))

        assert (broken.rule, broken.ids) == ("R13", ("q1",))

    def test_nothing_declined(self) -> None:
        assert rules(snapshot(requests=[request()]), accepted=[accept()]) == []

    def test_at_any_start_of_its_window(self) -> None:
        full = [reservation(racks={"r1": 72, "r2": 72}, end=5)]

        assert rules(snapshot(reservations=full, requests=[request(earliest=0, latest=4)])) == []
        assert rules(snapshot(reservations=full, requests=[request(earliest=0, latest=5)])) == FITS

    def test_in_a_gap_of_exactly_its_days(self) -> None:
        full = [
            reservation(racks={"r1": 72, "r2": 72}, end=3),
            reservation("v2", racks={"r1": 72, "r2": 72}, start=5, end=9),
        ]

        assert rules(snapshot(days=9, reservations=full, requests=[request(latest=9, days=2)])) == FITS
        assert rules(snapshot(days=9, reservations=full, requests=[request(latest=9, days=3)])) == []

    def test_the_gap_may_open_long_after_the_last_change(self) -> None:
        """A gap of ten days in the middle of nothing: a start that is no cut."""
        full = reservation(racks={"r1": 72, "r2": 72}, end=20)

        assert (
            rules(snapshot(days=60, reservations=[full], requests=[request(earliest=37, latest=38, days=10)])) == FITS
        )

    def test_at_its_smallest_size(self) -> None:
        land = snapshot(reservations=[reservation()], requests=[request(gpus=144, min_gpus=72)])

        assert rules(land) == FITS
        assert rules(snapshot(reservations=[reservation()], requests=[request(gpus=144)])) == []

    def test_no_rack_is_free_throughout(self) -> None:
        """One of the two is always free, but a block does not change racks."""
        turns = [reservation("v1", end=5), reservation("v2", racks={"r2": 72}, start=5, end=10)]

        assert rules(snapshot(reservations=turns, requests=[request(earliest=4)])) == []
        assert rules(snapshot(reservations=turns, requests=[request(earliest=4, latest=5)])) == FITS

    @pytest.mark.parametrize(
        ("start", "end", "broken"), [(1, 2, []), (2, 3, FITS), (-4, 1, []), (-4, 0, FITS), (0, None, [])]
    )
    def test_an_outage_in_its_days(self, start: int, end: int | None, broken: list[str]) -> None:
        land = snapshot(sites=pods(a=1), requests=[request()], outages=[outage("a1", start, end)])

        assert rules(land) == broken

    def test_a_small_block_beside_others_on_a_rack(self) -> None:
        others = [reservation(racks={"r1": 72}), reservation("v2", racks={"r2": 40})]

        assert rules(snapshot(reservations=others, requests=[request(gpus=32)])) == FITS
        assert rules(snapshot(reservations=others, requests=[request(gpus=36)])) == []

    def test_a_small_block_on_a_rack_that_fills_up_later(self) -> None:
        others = [
            reservation(racks={"r1": 72}),
            reservation("v2", racks={"r2": 40}),
            reservation("v3", racks={"r2": 32}, start=1),
        ]

        assert rules(snapshot(reservations=others, requests=[request(gpus=4, days=1)])) == FITS
        assert rules(snapshot(reservations=others, requests=[request(gpus=4, days=2)])) == []

    def test_a_small_block_needs_its_room_on_all_of_its_days(self) -> None:
        """Twelve GPUs are left on three racks together, eight on none of them; b1 has 32 left on its first day."""
        nearly = [reservation(f"v{n}", racks={f"a{n}": 68}) for n in (1, 2, 3)]
        fills = [reservation("v4", racks={"b1": 40}), reservation("v5", racks={"b1": 32}, start=1)]
        land = snapshot(sites=pods(a=3, b=1), reservations=[*nearly, *fills], requests=[request(gpus=8, days=2)])

        assert rules(land) == []
        assert rules(land | {"requests": [request(gpus=8, days=1)]}) == FITS
        assert rules(land | {"requests": [request(gpus=4, days=2)]}) == FITS

    def test_an_accepted_block_takes_room_too(self) -> None:
        land = snapshot(sites=pods(a=1), requests=[request("q1"), request("q2", latest=1)])

        assert rules(land, accepted=[accept("q1", racks={"a1": 72})]) == []


class TestWindow:
    """Window, today, horizon (R4) and the days in force (R6)."""

    @pytest.mark.parametrize(
        ("earliest", "latest", "days", "broken"),
        [(-5, -1, 2, []), (-5, 0, 2, FITS), (8, 20, 2, FITS), (9, 20, 2, []), (0, 0, 10, FITS), (0, 0, 11, [])],
    )
    def test_today_and_the_horizon(self, earliest: int, latest: int, days: int, broken: list[str]) -> None:
        land = snapshot(days=10, requests=[request(earliest=earliest, latest=latest, days=days)])

        assert rules(land) == broken

    def test_a_length_beyond_the_calendar(self) -> None:
        assert rules(snapshot(requests=[request(days=10**7)])) == []

    @pytest.mark.parametrize(("earliest", "latest", "broken"), [(0, 1, []), (0, 2, FITS), (8, 9, FITS), (9, 9, [])])
    def test_a_drawdown_needs_its_contract_in_force(self, earliest: int, latest: int, broken: list[str]) -> None:
        terms = contract(start=2, end=10, overage=True)
        asked = request(contract="k1", earliest=earliest, latest=latest)

        assert rules(snapshot(days=20, contracts=[terms], requests=[asked])) == broken

    def test_a_notice_ends_it(self) -> None:
        terms = contract(notice_given_on=day(0), notice_days=3, overage=True)

        assert rules(snapshot(contracts=[terms], requests=[request(contract="k1", earliest=1)])) == FITS
        assert rules(snapshot(contracts=[terms], requests=[request(contract="k1", earliest=2)])) == []


class TestUnits:
    """Spare racks, power, scope and site (R2, R3, R5)."""

    @pytest.mark.parametrize(
        ("scope", "gpus", "broken"),
        [
            ("pod", 144, FITS),
            ("pod", 216, []),
            ("hall", 216, FITS),
            ("hall", 288, []),
            ("site", 288, FITS),
            ("site", 360, []),
            ("any", 432, FITS),
            ("any", 504, []),
        ],
    )
    def test_the_largest_unit_of_its_scope(self, scope: str, gpus: int, broken: list[str]) -> None:
        assert rules(snapshot(sites=halls_and_pods(), requests=[request(gpus=gpus, scope=scope)])) == broken

    @pytest.mark.parametrize(
        ("scope", "gpus", "broken"), [("any", 144, FITS), ("any", 216, []), ("pod", 144, FITS), ("hall", 216, [])]
    )
    def test_within_its_site(self, scope: str, gpus: int, broken: list[str]) -> None:
        assert rules(snapshot(sites=halls_and_pods(), requests=[request(gpus=gpus, scope=scope, site="s2")])) == broken

    def test_within_its_contracts_site(self) -> None:
        terms = contract(site="s2", overage=True)
        land = snapshot(sites=halls_and_pods(), contracts=[terms], requests=[request(gpus=216, contract="k1")])

        assert rules(land) == []

    @pytest.mark.parametrize(
        ("spare", "gpus", "broken"), [(0, 144, FITS), (1, 144, []), (1, 72, FITS), (2, 72, []), (2, 4, [])]
    )
    def test_spare_racks_are_not_for_sale(self, spare: int, gpus: int, broken: list[str]) -> None:
        land = snapshot(sites=[site(halls=[hall(spare_racks=spare)])], requests=[request(gpus=gpus)])

        assert rules(land) == broken

    def test_the_spare_racks_of_one_hall_do_not_close_another(self) -> None:
        halls = [hall("h1", spare_racks=2), hall("h2", pods=pod_racks(b=1))]

        assert rules(snapshot(sites=[site(halls=halls)], requests=[request()])) == FITS
        assert rules(snapshot(sites=[site(halls=halls)], requests=[request(gpus=144)])) == []

    def test_a_small_block_on_a_rack_in_use_needs_no_other_rack(self) -> None:
        """One rack is for sale, and it carries 40 GPUs: 32 more fit there and nothing fits on the spare one."""
        land = snapshot(
            sites=[site(halls=[hall(spare_racks=1)])],
            reservations=[reservation(racks={"r1": 40})],
            requests=[request(gpus=32)],
        )

        assert rules(land) == FITS
        assert rules(land | {"requests": [request(gpus=36)]}) == []

    @pytest.mark.parametrize(("days", "broken"), [(2, FITS), (3, [])])
    def test_a_rack_in_use_on_some_of_the_days_only(self, days: int, broken: list[str]) -> None:
        """From day 3 on r2 is the one rack in use instead of r1, and a block does not change racks."""
        land = snapshot(
            sites=[site(halls=[hall(spare_racks=1)])],
            reservations=[reservation(racks={"r1": 40}, end=3), reservation("v2", racks={"r2": 8}, start=3)],
            requests=[request(gpus=4, earliest=1, days=days)],
        )

        assert rules(land) == broken

    def test_but_not_where_reservations_stand_on_spare_racks_already(self) -> None:
        stands = [reservation(racks={"r1": 40}), reservation("v2", racks={"r2": 4})]
        land = snapshot(sites=[site(halls=[hall(spare_racks=1)])], reservations=stands, requests=[request(gpus=4)])

        assert rules(land) == []

    @pytest.mark.parametrize(("kw", "gpus", "broken"), [(140.0, 72, FITS), (140.0, 144, []), (0.0, 4, [])])
    def test_power(self, kw: float, gpus: int, broken: list[str]) -> None:
        land = snapshot(sites=[site(power_limits=[power_limit(1, 2, kw)])], requests=[request(gpus=gpus)])

        assert rules(land) == broken

    def test_power_of_one_site_is_none_of_another(self) -> None:
        limits = halls_and_pods(s1=[power_limit(0, 10, 0.0)])

        assert rules(snapshot(sites=limits, requests=[request(gpus=144)])) == FITS
        assert rules(snapshot(sites=limits, requests=[request(gpus=216)])) == []
        assert rules(snapshot(sites=limits, requests=[request(gpus=72, site="s1")])) == []

    def test_power_that_others_use(self) -> None:
        """Two of three racks are powered, and carry 4 GPUs each: many GPUs are left, but no rack."""
        stands = [reservation("v1", racks={"a1": 4}), reservation("v2", racks={"a2": 4})]
        land = snapshot(
            sites=[site(halls=[hall(pods=pod_racks(a=3))], power_limits=[power_limit(0, 10, 280.0)])],
            reservations=stands,
            requests=[request()],
        )

        assert rules(land) == []
        assert rules(land | {"requests": [request(gpus=68)]}) == FITS

    @pytest.mark.parametrize(("spare", "kw"), [(1, 420.0), (0, 280.0)])
    def test_a_small_block_on_a_rack_that_is_spare_or_dark(self, spare: int, kw: float) -> None:
        """Two racks carry 8 GPUs each, the third is not for sale or has no power."""
        stands = [reservation("v1", racks={"a1": 8}), reservation("v2", racks={"a2": 8})]
        land = snapshot(
            sites=[site(halls=[hall(pods=pod_racks(a=3), spare_racks=spare)], power_limits=[power_limit(0, 10, kw)])],
            reservations=stands,
            requests=[request(gpus=68)],
        )

        assert rules(land) == []
        assert rules(land | {"requests": [request(gpus=64)]}) == FITS

    def test_power_on_a_rack_that_is_powered_already(self) -> None:
        land = snapshot(
            sites=[site(power_limits=[power_limit(0, 10, 140.0)])],
            reservations=[reservation(racks={"r1": 40})],
            requests=[request(gpus=32)],
        )

        assert rules(land) == FITS

    def test_each_site_gives_its_least_share_over_all_days(self) -> None:
        """On each day four racks are powered, but never the same ones: a block does not move from site to site."""
        limits = halls_and_pods(s1=[power_limit(0, 1, 280.0)], s2=[power_limit(1, 2, 0.0)])
        land = snapshot(sites=limits, requests=[request(gpus=216, days=2)])

        assert rules(land) == []
        assert rules(land | {"requests": [request(gpus=144, days=2)]}) == FITS


class TestUndecided:
    """A request that the plan forgets is treated like a declined one."""

    def test_it_is_named_for_both(self) -> None:
        assert rules(snapshot(requests=[request()]), declined=[]) == ["R13", "value"]


def test_a_long_horizon_costs_no_more_than_a_short_one() -> None:
    """Two thousand years of days are three stretches."""
    far = snapshot(days=2_000 * 365, requests=[request(latest=1_900 * 365, days=10 * 365)])

    assert rules(far) == FITS
