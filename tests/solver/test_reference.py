"""The exhaustive reference itself: cases small enough to work out by hand, and every best plan passes `verify`."""

from __future__ import annotations

import pytest

from solver.verify.check import broken_rules
from tests.solver.reference import build, exhaustive, generate, written
from tests.solver.reference.build import (
    Content,
    contract,
    hall,
    outage,
    power_limit,
    request,
    reservation,
    site,
    tenant,
)

SEEDS = 25


def best(**fields: object) -> exhaustive.Best:
    """The best plan of the default two racks in one pod, ten days, all requests in tier 0 unless told otherwise."""
    return exhaustive.best(build.load(build.snapshot(**fields)).snapshot)  # type: ignore[arg-type]


def accepted(result: exhaustive.Best) -> dict[str, tuple[int, int]]:
    """Start and GPUs by request."""
    return {choice.request.id: (choice.start, choice.gpus) for choice in result.choices}


def pods(**racks: list[str]) -> list[Content]:
    return [site(halls=[hall(pods=racks)])]


@pytest.mark.parametrize("family", generate.FAMILIES)
def test_every_best_plan_keeps_all_rules(family: str) -> None:
    """The search and `verify` were written apart from each other: what one calls best, the other calls valid."""
    judged = 0
    for seed in range(SEEDS):
        loaded = build.load(generate.snapshot(family, seed))
        try:
            result = exhaustive.best(loaded.snapshot)
        except exhaustive.NoReference:
            continue
        judged += 1
        assert broken_rules(loaded.snapshot, written.plan_of(loaded, result)) == [], seed
    assert judged > SEEDS * 0.7


@pytest.mark.parametrize("family", generate.FAMILIES)
def test_a_family_is_neither_empty_nor_easy(family: str) -> None:
    """Of its requests many are accepted and many are not."""
    asked = taken = 0
    for seed in range(SEEDS):
        snapshot = build.load(generate.snapshot(family, seed)).snapshot
        try:
            result = exhaustive.best(snapshot)
        except exhaustive.NoReference:
            continue
        asked, taken = asked + len(snapshot.requests), taken + len(result.choices)

    assert 0.15 * asked < taken < 0.85 * asked


def test_the_same_family_and_seed_give_the_same_snapshot() -> None:
    assert all(generate.snapshot(family, 3) == generate.snapshot(family, 3) for family in generate.FAMILIES)
    assert generate.snapshot("plain", 3) != generate.snapshot("plain", 4)


def test_the_dearer_of_two_that_exclude_each_other_is_taken() -> None:
    result = best(requests=[request("q1", gpus=144), request("q2", gpus=144, earliest=1, value_usd=150.0)])

    assert (accepted(result), result.values) == ({"q2": (1, 144)}, (150.0,))


def test_two_cheap_ones_beat_a_dear_one() -> None:
    result = best(
        requests=[
            request("q1", gpus=144, value_usd=150.0),
            request("q2", value_usd=80.0),
            request("q3", earliest=1, value_usd=80.0),
        ]
    )

    assert result.values == (160.0,)


def test_a_higher_tier_comes_first_whatever_it_is_worth() -> None:
    result = best(requests=[request("q1", gpus=144, value_usd=1.0), request("q2", gpus=144, tier=1, value_usd=9000.0)])

    assert (result.tiers, result.values) == ((0, 1), (1.0, 0.0))


def test_windows_let_both_stand_one_after_the_other() -> None:
    result = best(requests=[request("q1", gpus=144), request("q2", gpus=144, latest=2)])

    assert accepted(result) == {"q1": (0, 144), "q2": (2, 144)}


def test_a_smaller_block_is_worth_its_share() -> None:
    result = best(requests=[request("q1", value_usd=80.0), request("q2", gpus=144, min_gpus=72, value_usd=150.0)])

    assert (accepted(result), result.values) == ({"q1": (0, 72), "q2": (0, 72)}, (155.0,))


def test_a_pod_block_does_not_span_pods() -> None:
    requests = [request("q1", gpus=144, scope="pod"), request("q2", gpus=144, earliest=4, scope="hall")]

    assert accepted(best(sites=pods(p1=["r1"], p2=["r2"]), requests=requests)) == {"q2": (4, 144)}


def test_trays_share_a_rack_and_a_block_lies_on_one() -> None:
    sites = pods(p1=["r1", "r2"])
    requests = [request(f"q{i}", gpus=gpus, value_usd=gpus) for i, gpus in enumerate([40, 40, 40, 32])]

    assert best(sites=sites, requests=requests).values == (112.0,)


def test_what_is_committed_is_held_from_the_booking_lead_on() -> None:
    """Both racks are held from day 2 on: a block of two days fits on days 0 and 1 only."""
    fields = {"contracts": [contract(steps=[(0, 9, 144)], booking_lead_days=2)]}

    assert accepted(best(**fields, requests=[request("q1", latest=3)])) == {"q1": (0, 72)}
    assert accepted(best(**fields, requests=[request("q1", earliest=1, latest=3)])) == {}


def test_a_drawdown_uses_its_own_hold_and_no_more() -> None:
    fields = {"contracts": [contract(steps=[(0, 9, 72)])]}
    requests = [request("q1", contract="k1"), request("q2", contract="k1", gpus=144, earliest=4)]

    assert accepted(best(**fields, requests=requests)) == {"q1": (0, 72)}


def test_overage_may_book_beyond_the_commitment() -> None:
    fields = {"contracts": [contract(steps=[(0, 9, 72)], overage=True)]}

    assert accepted(best(**fields, requests=[request("q1", contract="k1", gpus=144)])) == {"q1": (0, 144)}


def test_an_interruptible_block_stands_on_a_hold_that_can_wait_for_its_recall() -> None:
    asked = request("q1", gpus=144, earliest=5, interruptible=True, recall_notice_days=3)

    for lead, taken in ((2, {}), (3, {"q1": (5, 144)})):
        contracts = [contract(steps=[(0, 9, 144)], booking_lead_days=lead)]
        assert accepted(best(contracts=contracts, requests=[asked])) == taken


def test_spares_and_absent_racks_are_not_for_sale() -> None:
    spared = [site(halls=[hall(spare_racks=1)])]

    assert accepted(best(sites=spared, requests=[request(gpus=144)])) == {}
    assert accepted(best(sites=spared, requests=[request()])) == {"q1": (0, 72)}
    assert accepted(best(sites=spared, requests=[request()], outages=[outage("r1", 0, 2)])) == {"q1": (0, 72)}
    assert accepted(best(sites=spared, requests=[request()], outages=[outage("r1", 0, 2, "absent")])) == {}


def test_power_limits_the_racks_of_a_site() -> None:
    limited = [site(power_limits=[power_limit(0, 2, 279.9)])]

    assert accepted(best(sites=limited, requests=[request(gpus=144, latest=4)])) == {"q1": (2, 144)}


def test_a_quota_counts_reservations_too() -> None:
    fields = {"tenants": [tenant(max_gpus=72)], "reservations": [reservation(end=3)]}

    assert accepted(best(**fields, requests=[request(earliest=2, latest=5)])) == {"q1": (3, 72)}


def test_a_dead_rack_under_a_promise_is_replaced_before_anything_is_sold() -> None:
    result = best(outages=[outage("r1", 1, 2)], reservations=[reservation()], requests=[request("q1", value_usd=9e6)])

    assert (result.shortfall, accepted(result)) == ((0, 0, 0, 0), {})
    assert result.courses[0].slots == (("r1", "r2", "r2", "r2", "r2"),)


def test_what_cannot_be_replaced_is_short_until_a_rack_is_free_again() -> None:
    """r1 is out on days 1 and 2; v2 keeps r2 on all days, so v1 gets r1 itself back on day 3."""
    result = best(outages=[outage("r1", 1, 3)], reservations=[reservation(), reservation("v2", racks={"r2": 72})])

    assert result.shortfall == (2 * 72, 0, 0, 0)


def test_a_movable_reservation_makes_room_for_a_block_that_must_be_in_one_pod() -> None:
    fields = {
        "sites": pods(p1=["r1", "r2"], p2=["r3", "r4"]),
        "reservations": [
            reservation(racks={"r1": 72}, end=9),
            reservation("v2", start=2, end=9, racks={"r3": 72}, move_notice_days=2),
        ],
        "requests": [request(gpus=144, earliest=3, scope="pod")],
    }

    assert accepted(best(**fields)) == {"q1": (3, 144)}


def test_a_frozen_reservation_does_not_make_room() -> None:
    fields = {
        "sites": pods(p1=["r1", "r2"], p2=["r3", "r4"]),
        "reservations": [
            reservation(racks={"r1": 72}, end=9),
            reservation("v2", start=2, end=9, racks={"r3": 72}, move_notice_days=3),
        ],
        "requests": [request(gpus=144, earliest=3, scope="pod")],
    }

    assert accepted(best(**fields)) == {}


def test_a_recall_pays_where_what_takes_its_place_is_worth_more() -> None:
    """Recalled from day 2 on, 8 of 10 days of 1,000 USD are given up."""
    standing = reservation(end=10, racks={"r1": 72, "r2": 72}, interruptible=True, recall_notice_days=2)

    kept = best(reservations=[standing], requests=[request(earliest=1, latest=2, gpus=144, value_usd=790.0)])
    recalled = best(reservations=[standing], requests=[request(earliest=1, latest=2, gpus=144, value_usd=810.0)])

    assert kept.values == (0.0,)
    assert recalled.values == (10.0,)


def test_without_power_a_site_is_short_of_interruptible_blocks_first() -> None:
    result = best(
        sites=[site(power_limits=[power_limit(1, 3, 140.0)])],
        reservations=[reservation(), reservation("v2", racks={"r2": 72}, interruptible=True, recall_notice_days=9)],
    )

    assert result.shortfall == (0, 2 * 72, 0, 0)


def test_a_hold_that_cannot_be_met_is_short_by_what_is_missing() -> None:
    result = best(contracts=[contract(steps=[(0, 3, 216)])], requests=[request("q1", contract="k1", gpus=144)])

    assert (result.shortfall, accepted(result)) == ((0, 0, 0, 3 * 72), {"q1": (0, 144)})


def test_the_most_of_a_tier_respects_what_the_tiers_above_reached() -> None:
    requests = [request("q1", gpus=144, value_usd=1.0), request("q2", gpus=144, tier=1, value_usd=9000.0)]
    snapshot = build.load(build.snapshot(requests=requests)).snapshot

    assert exhaustive.most_value(snapshot, 1, {0: 1.0}) == 0.0
    assert exhaustive.most_value(snapshot, 1, {0: 0.0}) == 9000.0
    with pytest.raises(exhaustive.NoReference):
        exhaustive.most_value(snapshot, 1, {0: 2.0})
