"""What can still be promised, day by day: against the slow count over all choices of racks, and by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from solver import cluster, promise, standing
from solver.decisions import Decisions
from solver.offers import Ask, largest
from solver.plan import HoldShortfall, Recall
from solver.promise_answer import Promise, Range, answer
from solver.snapshot import Loaded, Request, Snapshot
from solver.standing import Standing
from tests.solver.building import DAYS, contract, landlord, request, reservation, site, stands
from tests.solver.naive import Landlord, is_sound, on
from tests.solver.random_landlords import random_landlord
from tests.solver.test_offers_command import plan as plan_of

GUEST = {"id": "guest", "name": "Guest", "max_gpus": None}


def guest_block(gpus: int, at: str | None) -> Request:
    """A firm on-demand block of whole racks for one day, of somebody without a quota."""
    return Request.model_validate(request(tenant="guest", gpus=gpus, min_gpus=gpus, days=1, site=at))


def fields(snapshot: Snapshot) -> dict[str, Any]:
    return {name: getattr(snapshot, name) for name in Snapshot.model_fields}


def slow_free(slow: Landlord, at: str | None, day: dt.date) -> int:
    sizes = range(72 * len(slow.site_of), 0, -72)
    return next((gpus for gpus in sizes if slow.fits_somewhere(guest_block(gpus, at), day, gpus)), 0)


def slow_frees(snapshot: Snapshot, decisions: Decisions) -> dict[str | None, list[int]]:
    """By unit (null: the cluster) the most GPUs that some choice of racks gives the guest, day by day."""
    with_guest = Snapshot.model_validate(fields(snapshot) | {"tenants": [*snapshot.tenants, GUEST]})
    slow = Landlord(with_guest, decisions)
    days = [on(t) for t in range((snapshot.horizon_end - snapshot.today).days)]
    units = [None, *site_ids(snapshot)]
    return {at: [slow_free(slow, at, day) for day in days] for at in units}


def site_ids(snapshot: Snapshot) -> list[str]:
    return [unit.id for unit in snapshot.sites]


def frees(room: standing.Room, sites: list[str]) -> dict[str | None, list[int]]:
    return {None: room.cluster.tolist()} | {at: room.site[:, s].tolist() for s, at in enumerate(sites)}


def standing_of(snapshot: Snapshot, decisions: Decisions) -> Standing:
    return standing.of(snapshot, cluster.build(snapshot), decisions)


def sound_landlords(first: int, last: int) -> Iterator[tuple[Snapshot, Decisions]]:
    for seed in range(first, last):
        snapshot, decisions = random_landlord(seed, days=7)
        if is_sound(snapshot, decisions):
            yield snapshot, decisions


def ended(snapshot: Snapshot, decisions: Decisions, gone: str) -> tuple[Snapshot, Decisions]:
    """Both without the contract and everything that is charged to it."""
    charged = {wish.id for wish in snapshot.requests if wish.contract == gone}
    content = fields(snapshot) | {
        "contracts": [k for k in snapshot.contracts if k.id != gone],
        "reservations": [r for r in snapshot.reservations if r.contract != gone],
        "requests": [q for q in snapshot.requests if q.contract != gone],
    }
    return Snapshot.model_validate(content), replace(
        decisions,
        accepted=tuple(block for block in decisions.accepted if block.request not in charged),
        hold_shortfalls=tuple(short for short in decisions.hold_shortfalls if short.contract != gone),
    )


def test_free_is_the_largest_block_of_whole_racks_that_some_choice_of_racks_allows() -> None:
    compared = some = 0
    for snapshot, decisions in sound_landlords(0, 60):
        want = slow_frees(snapshot, decisions)
        got = frees(promise.free(standing_of(snapshot, decisions)), site_ids(snapshot))
        assert got == want
        compared += sum(map(len, want.values()))
        some += sum(gpus > 0 for row in want.values() for gpus in row)
    assert compared > 800
    assert compared / 4 < some < compared


def test_free_is_what_offers_gives_to_one_day_in_any_scope() -> None:
    for snapshot, decisions in sound_landlords(100, 160):
        found = standing_of(snapshot, decisions)
        room = promise.free(found)
        for s, at in [(None, None), *enumerate(site_ids(snapshot))]:
            ask = Ask(tenant=None, contract=None, gpus=72 * 99, min_gpus=72, days=1, scope="any", site=at)
            want = largest(found, ask, 0, found.cluster.days)
            assert (room.cluster if s is None else room.site[:, s]).tolist() == want.tolist()


def test_contingent_is_what_ending_the_contract_sets_free() -> None:
    compared = some = 0
    for snapshot, decisions in sound_landlords(200, 245):
        before = slow_frees(snapshot, decisions)
        for item in promise.contingents(standing_of(snapshot, decisions)):
            without = ended(snapshot, decisions, item.contract.id)
            assert is_sound(*without)
            after = slow_frees(*without)
            rise = {at: [b - a for a, b in zip(before[at], after[at], strict=True)] for at in before}
            assert frees(item.room, site_ids(snapshot)) == rise
            compared += sum(map(len, rise.values()))
            some += sum(gpus > 0 for row in rise.values() for gpus in row)
    assert compared > 250
    assert some > compared / 10


def test_asking_what_a_contract_keeps_from_others_leaves_everything_as_it_stands() -> None:
    found = stands(landlord(contracts=[contract()], reservations=[reservation("r", {"a0": 72}, contract="k")]))
    before = promise.free(found).cluster.tolist()

    assert [item.contract.id for item in promise.contingents(found)] == ["k"]
    assert promise.free(found).cluster.tolist() == before
    assert ("reservation", "r") in found.blocks


def promised(snapshot: Snapshot, **decided: Any) -> Promise:
    made = plan_of(snapshot, **decided) if decided else None
    return answer(Loaded(snapshot, "0" * 64), made)


def on_day(ranges: list[Range], day: int) -> Range:
    return next(here for here in ranges if here.start <= on(day) < here.end)


def test_an_untouched_cluster_is_one_range_from_today_to_the_horizon() -> None:
    found = promised(landlord())

    assert [(here.start, here.end, here.capacity, here.free) for here in found.cluster] == [(on(0), on(DAYS), 576, 576)]
    assert [(s.id, s.days[0].free, len(s.days)) for s in found.sites] == [("a", 288, 1), ("b", 288, 1)]


def test_ranges_end_where_a_figure_changes_and_cover_every_day_once() -> None:
    found = promised(landlord(reservations=[reservation("r", {"a0": 72, "a1": 72}, 2, 5)]))

    assert [(here.start, here.end, here.booked.firm) for here in found.cluster] == [
        (on(0), on(2), 0),
        (on(2), on(5), 144),
        (on(5), on(DAYS), 0),
    ]
    assert len(found.sites[0].days) == 3
    assert len(found.sites[1].days) == 1  # nothing happens in the other site


def test_what_is_lost_counts_once_an_outage_first_then_the_spares_then_power() -> None:
    """Of 4 racks 1 is absent and 1 of the 3 others is the spare; of the 2 left power reaches 1."""
    limit = {"start": on(1), "end": on(3), "kw": 140.0}
    gone = {"rack": "a0", "start": on(0), "end": None, "kind": "absent"}
    found = promised(landlord(sites=[site("a", spare_racks=1, power_limits=[limit])], outages=[gone]))

    here = on_day(found.cluster, 1)
    assert (here.lost.outage, here.lost.spare, here.lost.power) == (72, 72, 72)
    assert (here.capacity, here.free) == (72, 72)
    assert on_day(found.cluster, 3).lost.power == 0


def test_a_spare_that_covers_a_failure_is_no_spare_any_more() -> None:
    broken = {"rack": "a0", "start": on(0), "end": None, "kind": "failure"}
    here = promised(landlord(sites=[site("a", spare_racks=1)], outages=[broken])).cluster[0]

    assert (here.lost.outage, here.lost.spare, here.capacity) == (72, 0, 216)


def test_held_is_named_by_contract_from_the_booking_lead_on_and_in_a_site_only_if_bound_to_it() -> None:
    terms = [contract("k", 144), contract("m", 72, site="a", booking_lead_days=0)]
    found = promised(landlord(contracts=terms))

    assert [(hold.contract, hold.gpus) for hold in on_day(found.cluster, 2).held] == [("m", 72)]
    assert [(hold.contract, hold.gpus) for hold in on_day(found.cluster, 3).held] == [("k", 144), ("m", 72)]
    assert [(hold.contract, hold.gpus) for hold in on_day(found.sites[0].days, 3).held] == [("m", 72)]
    assert on_day(found.sites[1].days, 3).held == []
    assert on_day(found.cluster, 3).free == 576 - 144 - 72


def test_a_site_has_no_more_free_than_the_cluster() -> None:
    found = promised(landlord(contracts=[contract("k", 504, booking_lead_days=0)]))

    assert found.cluster[0].free == 72
    assert [s.days[0].free for s in found.sites] == [72, 72]


def test_trays_take_their_rack_from_whole_racks_but_only_themselves_from_what_is_held_against() -> None:
    """One tray opens a rack: three racks are left in site a (R3); beside a hold the rest of that rack still counts."""
    trays = [reservation("r", {"a0": 4})]
    assert promised(landlord(sites=[site("a")], reservations=trays)).cluster[0].free == 216

    held = [contract("k", 72 * 1 + 68, booking_lead_days=0)]
    assert promised(landlord(sites=[site("a")], reservations=trays, contracts=held)).cluster[0].free == 144


def test_reservations_on_the_spares_of_one_hall_take_no_rack_of_another() -> None:
    """R2 is each hall's own: beside trays on the spares of hall x all of hall y is open; R7 leaves 208 of its 216."""
    halls = [
        {"id": "x", "spare_racks": 2, "pods": [{"id": "xp", "racks": ["x0", "x1"]}]},
        {"id": "y", "spare_racks": 0, "pods": [{"id": "yp", "racks": ["y0", "y1", "y2"]}]},
    ]
    trays = [reservation("r", {"x0": 4}), reservation("s", {"x1": 4})]
    found = promised(landlord(sites=[{"id": "a", "power_limits": [], "halls": halls}], reservations=trays))

    assert found.cluster[0].free == 144


def test_an_interruptible_block_may_stand_on_a_hold_but_takes_from_what_is_free() -> None:
    """R8: 8 racks, 4 held with a lead of 3 days; 2 racks that 2 days' notice can recall stand on them."""
    block = reservation("i", {"a0": 72, "a1": 72}, interruptible=True, recall_notice_days=2)
    here = on_day(promised(landlord(contracts=[contract("k", 288)], reservations=[block])).cluster, 4)

    assert (here.booked.interruptible, here.booked.firm, here.free) == (144, 0, 288)


def test_accepted_blocks_moves_recalls_and_hold_shortfalls_of_a_plan_count() -> None:
    snapshot = landlord(
        contracts=[contract("k", 288, booking_lead_days=0)],
        reservations=[
            reservation("m", {"a0": 72}),
            reservation("i", {"a1": 72}, interruptible=True, recall_notice_days=2),
        ],
        requests=[request(gpus=72, min_gpus=72)],
    )
    segment = {"start": on(0), "end": on(DAYS), "racks": {"b0": 72}}
    accepted = {"request": "q", "gpus": 72, "start": on(2), "end": on(5), "value_usd": 1.0, "racks": {"b1": 72}}
    found = promised(
        snapshot,
        accepted=[accepted],
        moves=[{"reservation": "m", "forced": True, "placement": [segment]}],
        recalls=[Recall(reservation="i", end=on(4))],
        hold_shortfalls=[HoldShortfall(contract="k", start=on(3), end=on(6), gpus=216)],
    )

    firm = [on_day(found.sites[1].days, day).booked.firm for day in (1, 2, 5)]
    assert firm == [72, 144, 72]
    assert [on_day(found.sites[0].days, day).booked.interruptible for day in (3, 4)] == [72, 0]
    assert [sum(hold.gpus for hold in on_day(found.cluster, day).held) for day in (2, 3, 6)] == [288, 72, 288]


def test_reservations_beyond_what_the_cluster_has_leave_nothing_free_and_no_negative_number() -> None:
    """A dead rack under a block, and a hold that nothing is left for: the day is closed, no more."""
    dead = [{"rack": f"a{i}", "start": on(0), "end": None, "kind": "failure"} for i in range(3)]
    booked = [reservation("r", {"a0": 72, "a1": 72})]
    snapshot = landlord(sites=[site("a")], outages=dead, reservations=booked, contracts=[contract("k", 288)])

    assert {here.free for here in promised(snapshot).cluster} == {0}


@pytest.mark.parametrize(
    ("changes", "day", "want"),
    [
        ({}, 8, on(1)),
        ({}, 7, on(0)),
        ({}, 6, None),  # a notice would have had to be given yesterday
        ({"lock_in_until": on(1)}, 7, None),  # today is still within the lock-in
        ({"lock_in_until": on(1)}, 8, on(1)),
    ],
)
def test_decide_by_is_the_last_day_for_the_notice_from_today_and_the_lock_in_on(
    changes: dict[str, Any], day: int, want: dt.date | None
) -> None:
    found = promised(landlord(contracts=[contract("k", 72, **changes)]))

    rises = {here.start: here.contingent for here in found.cluster}
    start = max(first for first in rises if first <= on(day))
    [rise] = rises[start]
    assert rise.gpus == 72
    assert rise.decide_by == (None if want is None else want - (on(day) - start))


def test_only_a_contract_in_force_and_not_under_notice_is_contingent() -> None:
    terms = [
        contract("later", start=on(6), lock_in_until=on(6)),
        contract("noticed", notice_given_on=on(4)),
        contract("over", end=on(2)),
    ]
    found = promised(landlord(contracts=terms))

    assert [rise.contract for rise in on_day(found.cluster, 1).contingent] == ["over"]
    assert on_day(found.cluster, 2).contingent == []
    assert [rise.contract for rise in on_day(found.cluster, 6).contingent] == ["later"]


@pytest.mark.slow
def test_free_and_contingent_on_many_more_landlords() -> None:
    for snapshot, decisions in sound_landlords(1000, 1400):
        before = slow_frees(snapshot, decisions)
        found = standing_of(snapshot, decisions)
        assert frees(promise.free(found), site_ids(snapshot)) == before
        for item in promise.contingents(found):
            after = slow_frees(*ended(snapshot, decisions, item.contract.id))
            rise = {at: [b - a for a, b in zip(before[at], after[at], strict=True)] for at in before}
            assert frees(item.room, site_ids(snapshot)) == rise
