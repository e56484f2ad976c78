"""R13 where contracts, holds, interruptible blocks and quotas decide what still fits."""

from __future__ import annotations

import pytest

from tests.solver.reference.build import (
    contract,
    hall,
    outage,
    request,
    reservation,
    site,
    snapshot,
    tenant,
)
from tests.solver.verify.build import accept, halls_and_pods, hold_shortfall, pods, rules

FITS = ["R13"]


class TestContractsAndQuotas:
    """Commitment, holds, interruptible blocks and quotas (R6 to R9)."""

    @pytest.mark.parametrize(("quota", "broken"), [(72, FITS), (71, []), (None, FITS)])
    def test_the_tenants_quota(self, quota: int | None, broken: list[str]) -> None:
        assert rules(snapshot(tenants=[tenant(max_gpus=quota)], requests=[request()])) == broken

    def test_a_quota_that_reservations_exceed(self) -> None:
        land = snapshot(
            tenants=[tenant(max_gpus=4)], reservations=[reservation(end=3)], requests=[request(gpus=4, latest=8)]
        )

        assert rules(land) == FITS
        assert rules(land | {"requests": [request(gpus=4, latest=2)]}) == []

    @pytest.mark.parametrize(("gpus", "overage", "broken"), [(72, False, FITS), (144, False, []), (144, True, FITS)])
    def test_a_commitment_without_overage(self, gpus: int, overage: bool, broken: list[str]) -> None:
        terms = contract(steps=[(0, 10, 72)], overage=overage)

        assert rules(snapshot(contracts=[terms], requests=[request(contract="k1", gpus=gpus)])) == broken

    def test_what_is_booked_already_counts(self) -> None:
        terms = contract(steps=[(0, 10, 72)])
        land = snapshot(
            contracts=[terms],
            reservations=[reservation(contract="k1", end=4)],
            requests=[request(contract="k1", latest=3)],
        )

        assert rules(land) == []
        assert rules(land | {"requests": [request(contract="k1", latest=4)]}) == FITS

    @pytest.mark.parametrize(("held", "broken"), [(72, FITS), (76, []), (144, [])])
    def test_a_hold_closes_what_it_needs(self, held: int, broken: list[str]) -> None:
        land = snapshot(contracts=[contract(steps=[(0, 10, held)])], requests=[request()])

        assert rules(land) == broken

    @pytest.mark.parametrize(("earliest", "broken"), [(1, FITS), (2, []), (3, [])])
    def test_a_hold_is_released_inside_the_booking_lead(self, earliest: int, broken: list[str]) -> None:
        terms = contract(steps=[(0, 10, 144)], booking_lead_days=3)

        assert rules(snapshot(contracts=[terms], requests=[request(earliest=earliest)])) == broken

    def test_a_drawdown_uses_its_own_hold(self) -> None:
        land = snapshot(contracts=[contract(steps=[(0, 10, 144)])], requests=[request(contract="k1", gpus=144)])

        assert rules(land) == FITS

    def test_a_drawdown_beyond_its_hold_needs_free_capacity(self) -> None:
        contracts = [contract("k1", steps=[(0, 10, 72)], overage=True), contract("k2", steps=[(0, 10, 72)])]
        land = snapshot(contracts=contracts, requests=[request(contract="k1", gpus=144)])

        assert rules(land) == []
        assert rules(land | {"requests": [request(contract="k1", gpus=72)]}) == FITS

    def test_a_drawdown_where_the_hold_fell_short(self) -> None:
        """One of two racks is dead; 72 of 144 GPUs are declared as not held. One rack can be drawn, not two."""
        land = snapshot(
            contracts=[contract(steps=[(0, 10, 144)])],
            outages=[outage("r2", 0, None)],
            requests=[request(contract="k1")],
        )
        short = [hold_shortfall("k1", 0, 10, 72)]

        assert rules(land, hold_shortfalls=short) == FITS
        assert rules(land | {"requests": [request()]}, hold_shortfalls=short) == []

    @pytest.mark.parametrize(
        ("bound", "gpus", "broken"), [("s1", 144, FITS), ("s1", 216, []), ("s2", 288, FITS), ("s2", 360, [])]
    )
    def test_a_hold_in_a_site_leaves_the_other_one(self, bound: str, gpus: int, broken: list[str]) -> None:
        """s1 has four racks, s2 two; one site is held as a whole."""
        held = {"s1": 288, "s2": 144}[bound]
        land = snapshot(
            sites=halls_and_pods(),
            contracts=[contract(steps=[(0, 10, held)], site=bound)],
            requests=[request(gpus=gpus)],
        )

        assert rules(land) == broken

    @pytest.mark.parametrize(("days", "broken"), [(1, FITS), (2, [])])
    def test_a_hold_in_its_site_on_one_of_its_days(self, days: int, broken: list[str]) -> None:
        """On day 1 all of s1 is held; the two racks of s2 are free, but the block has to stand in s1."""
        held = contract(steps=[(1, 2, 288)], site="s1")
        asked = request(gpus=144, site="s1", days=days)

        assert rules(snapshot(sites=halls_and_pods(), contracts=[held], requests=[asked])) == broken

    def test_a_drawdown_in_the_site_of_its_contract(self) -> None:
        terms = contract(steps=[(0, 10, 144)], site="s2", overage=True)
        land = snapshot(sites=halls_and_pods(), contracts=[terms], requests=[request(contract="k1", gpus=144)])

        assert rules(land) == FITS
        less = contract(steps=[(0, 10, 72)], site="s2", overage=True)
        assert rules(land | {"contracts": [less, contract("k2", steps=[(0, 10, 4)], site="s2")]}) == []

    @pytest.mark.parametrize(("lead", "notice", "broken"), [(5, 5, FITS), (5, 6, []), (0, 0, FITS)])
    def test_an_interruptible_block_on_a_hold(self, lead: int, notice: int, broken: list[str]) -> None:
        terms = contract(steps=[(0, 10, 144)], booking_lead_days=lead)
        asked = request(interruptible=True, recall_notice_days=notice, earliest=7)

        assert rules(snapshot(contracts=[terms], requests=[asked])) == broken

    def test_an_interruptible_block_in_a_site_that_is_held(self) -> None:
        terms = contract(steps=[(0, 10, 144)], site="s2")
        asked = request(interruptible=True, recall_notice_days=5, site="s2")

        assert rules(snapshot(sites=halls_and_pods(), contracts=[terms], requests=[asked])) == []
        assert rules(snapshot(sites=halls_and_pods(), contracts=[terms], requests=[asked | {"site": None}])) == FITS

    def test_a_firm_block_beside_an_interruptible_one_on_a_hold(self) -> None:
        """q1 and the hold of k1 fill both racks: its notice is too long to stand on the hold."""
        terms = contract(steps=[(0, 10, 72)], booking_lead_days=5)
        asked = [
            request("q1", interruptible=True, recall_notice_days=6, earliest=7),
            request("q2", earliest=7),
        ]
        land = snapshot(sites=pods(a=2), contracts=[terms], requests=asked)

        assert rules(land, accepted=[accept("q1", 7, 9, {"a1": 72})]) == []

    def test_a_day_on_which_reservations_need_more_than_the_capacity_is_closed(self) -> None:
        stands, small = reservation("v1", racks={"r1": 72}), reservation("v2", racks={"r2": 8})
        land = snapshot(
            sites=[site(halls=[hall(spare_racks=1)])],
            reservations=[stands, small],
            requests=[request(gpus=4, latest=4, days=1)],
        )

        assert rules(land) == []
        assert rules(land | {"requests": [request(gpus=4, latest=5, days=1)]}) == FITS
