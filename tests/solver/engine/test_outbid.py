"""Requests that fit alone: who took the room that they lack, and what they would have had to be worth."""

from __future__ import annotations

from typing import Any

import pytest

from solver import cluster
from solver.decisions import Decisions
from solver.engine.explain import explain
from solver.plan import Accepted, Holder, Reason
from solver.snapshot import Snapshot
from tests.solver.building import landlord, request, reservation, site
from tests.solver.naive import on


def reason_for(snapshot: Snapshot, decisions: Decisions) -> Reason:
    taken = {accepted.request for accepted in decisions.accepted}
    declined = [wish for wish in snapshot.requests if wish.id not in taken]
    (only,) = explain(snapshot, cluster.build(snapshot), decisions, declined)
    return only.reason


def outbid(rival: dict[str, Any], **changes: Any) -> Reason:
    """A request for both racks that are left, beside an accepted rival that has one of them."""
    wished = request(id="q", gpus=144, min_gpus=144, scope="hall", earliest_start=on(0), latest_start=on(0), tier=1)
    other = request(id="rival", gpus=72, min_gpus=72, earliest_start=on(0), latest_start=on(0)) | rival
    filled = reservation("r", {"a0": 72, "a1": 72})
    snapshot = landlord(sites=[site("a")], reservations=[filled], requests=[wished | changes, other])
    taken = Accepted(
        request="rival", gpus=72, start=on(0), end=on(other["days"]), value_usd=other["value_usd"], racks={"a2": 72}
    )
    return reason_for(snapshot, Decisions(accepted=(taken,)))


def test_a_request_that_fits_alone_was_outbid_by_accepted_blocks() -> None:
    reason = outbid({"tier": 1, "value_usd": 5000.0})

    assert (reason.code, reason.start) == ("outbid", on(0))
    assert [(short.unit, short.start, short.end, short.gpus) for short in reason.short] == [("a-h", on(0), on(3), 72)]
    assert reason.holders == [Holder(kind="accepted", id="rival", gpus=72)]
    assert reason.price_to_win_usd == 5000.0


def rivals_of(wished: dict[str, Any], racks: dict[str, dict[str, int]], **snapshot: Any) -> Reason:
    """The request beside accepted blocks of three days with these racks."""
    others = [
        request(id=name, gpus=sum(held.values()), min_gpus=sum(held.values()), earliest_start=on(0), latest_start=on(0))
        for name, held in racks.items()
    ]
    taken = [
        Accepted(request=name, gpus=sum(held.values()), start=on(0), end=on(3), value_usd=1.0, racks=held)
        for name, held in racks.items()
    ]
    first_day = {"earliest_start": on(0), "latest_start": on(0), "id": "q"}
    return reason_for(
        landlord(requests=[request(**(first_day | wished)), *others], **snapshot), Decisions(accepted=tuple(taken))
    )


TWO_PODS = [{"id": "p", "racks": ["p0", "p1"]}, {"id": "o", "racks": ["o0", "o1", "o2"]}]


def two_pods(spare_racks: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": "s",
        "power_limits": [],
        "halls": [{"id": "h", "spare_racks": spare_racks, "pods": TWO_PODS}],
    } | changes


def test_a_block_in_another_pod_that_uses_up_what_the_hall_may_sell_is_named() -> None:
    """Pod p has two racks free; of the hall's five one may still be sold."""
    reason = rivals_of(
        {"gpus": 144, "min_gpus": 144, "scope": "pod"}, {"rival": {"o0": 72, "o1": 72}}, sites=[two_pods(2)]
    )

    assert [(short.unit, short.gpus) for short in reason.short] == [("p", 72)]
    assert reason.holders == [Holder(kind="accepted", id="rival", gpus=144)]


def test_a_block_in_another_hall_that_uses_the_power_of_the_site_is_named() -> None:
    other = {"id": "g", "spare_racks": 0, "pods": [{"id": "g-p", "racks": ["g0", "g1"]}]}
    halls = [{"id": "h", "spare_racks": 0, "pods": TWO_PODS[:1]}, other]
    limit = {"start": on(0), "end": on(3), "kw": 300.0}
    small = two_pods(halls=halls, power_limits=[limit])

    reason = rivals_of({"gpus": 144, "min_gpus": 144, "scope": "hall"}, {"rival": {"g0": 72}}, sites=[small])

    assert [(short.unit, short.gpus) for short in reason.short] == [("h", 72)]
    assert reason.holders == [Holder(kind="accepted", id="rival", gpus=72)]


def test_a_block_in_another_pod_is_not_named_where_the_hall_has_room() -> None:
    wished = {"gpus": 216, "min_gpus": 216, "scope": "pod"}

    reason = rivals_of(wished, {"near": {"o0": 72}, "far": {"p0": 72}}, sites=[two_pods()])

    assert [(short.unit, short.gpus) for short in reason.short] == [("o", 72)]
    assert reason.holders == [Holder(kind="accepted", id="near", gpus=72)]


def test_of_units_as_close_that_is_named_in_which_the_block_fits_alone() -> None:
    """Pod p is full of a reservation, pod o of an accepted block: neither has a rack left."""
    filled = reservation("r", {"p0": 72, "p1": 72})

    reason = rivals_of(
        {"gpus": 72, "min_gpus": 72, "scope": "pod"},
        {"rival": {"o0": 72, "o1": 72, "o2": 72}},
        sites=[two_pods()],
        reservations=[filled],
    )

    assert [(short.unit, short.gpus) for short in reason.short] == [("o", 72)]
    assert reason.holders == [Holder(kind="accepted", id="rival", gpus=216)]


def test_a_reservation_in_the_unit_that_comes_closest_is_named_where_the_block_would_not_fit_alone() -> None:
    """Pod p lacks one rack for the reservation in it, pod o both that are asked for; alone it fits in pod o."""
    filled = reservation("r", {"p0": 72})
    racks = {"rival": {"o0": 72, "o1": 72, "o2": 72}}

    reason = rivals_of({"gpus": 144, "min_gpus": 144, "scope": "pod"}, racks, sites=[two_pods()], reservations=[filled])

    assert (reason.code, [(short.unit, short.gpus) for short in reason.short]) == ("outbid", [("p", 72)])
    assert reason.holders == [Holder(kind="reservation", id="r", gpus=72)]


def test_blocks_that_fill_the_quota_are_named_besides_those_that_have_the_racks() -> None:
    tenants = [{"id": "t", "name": "T", "max_gpus": 72}, {"id": "u", "name": "U", "max_gpus": None}]
    wished = request(id="q", gpus=72, min_gpus=72, earliest_start=on(0), latest_start=on(0), tenant="t")
    others = [wished | {"id": "own"}, wished | {"id": "other", "tenant": "u"}]
    taken = [
        Accepted(request=name, gpus=72, start=on(0), end=on(3), value_usd=1.0, racks={rack: 72})
        for name, rack in (("own", "a0"), ("other", "a1"))
    ]
    filled = reservation("r", {"a2": 72, "a3": 72}, tenant="u")

    snapshot = landlord(sites=[site("a")], tenants=tenants, reservations=[filled], requests=[wished, *others])

    assert {holder.id for holder in reason_for(snapshot, Decisions(accepted=tuple(taken))).holders} == {"own", "other"}


@pytest.mark.parametrize(("tier", "price"), [(0, None), (1, 5000.0), (2, 0.0)])
def test_only_rivals_of_the_same_tier_have_a_price(tier: int, price: float | None) -> None:
    assert outbid({"tier": tier, "value_usd": 5000.0}).price_to_win_usd == price


def test_a_request_that_would_take_less_is_priced_as_a_whole() -> None:
    """Half of it would do, and half of it is worth half: it needs twice what it displaces."""
    reason = outbid({"tier": 1, "value_usd": 5000.0}, gpus=288)

    assert reason.price_to_win_usd == 10000.0


def test_the_price_is_that_of_the_cheapest_rivals() -> None:
    wished = request(id="q", gpus=144, min_gpus=144, earliest_start=on(0), latest_start=on(0))
    values = {"dear": 900.0, "cheap": 300.0, "fair": 500.0}
    rivals = [wished | {"id": name, "gpus": 72, "min_gpus": 72, "value_usd": usd} for name, usd in values.items()]
    taken = [
        Accepted(request=rival["id"], gpus=72, start=on(0), end=on(3), value_usd=1.0, racks={f"a{i}": 72})
        for i, rival in enumerate(rivals)
    ]
    filled = reservation("r", {"a3": 72})

    snapshot = landlord(sites=[site("a")], reservations=[filled], requests=[wished, *rivals])

    assert reason_for(snapshot, Decisions(accepted=tuple(taken))).price_to_win_usd == 800.0


def test_a_price_counts_the_blocks_that_fill_a_quota() -> None:
    tenants = [{"id": "tess", "name": "Tess", "max_gpus": 144}]
    wished = request(id="q", earliest_start=on(0), latest_start=on(0))
    rival = wished | {"id": "rival", "gpus": 72, "min_gpus": 72, "value_usd": 700.0}
    taken = Accepted(request="rival", gpus=72, start=on(0), end=on(3), value_usd=700.0, racks={"a0": 72})

    reason = reason_for(landlord(tenants=tenants, requests=[wished, rival]), Decisions(accepted=(taken,)))

    assert (reason.code, reason.price_to_win_usd) == ("outbid", 700.0)
    assert reason.holders == [Holder(kind="accepted", id="rival", gpus=72)]
