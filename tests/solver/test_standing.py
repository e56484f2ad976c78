"""What stands, and what each rule leaves for one more block: the numbers, worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from solver.decisions import Decisions
from solver.plan import Accepted, HoldShortfall, Move, Recall
from solver.snapshot import Segment
from solver.standing import FIRM, Standing
from tests.solver.building import DAYS, contract, landlord, request, reservation, site, stands
from tests.solver.naive import Landlord, on, span
from tests.solver.random_landlords import random_landlord

ACCEPTED = Accepted(request="q", gpus=144, start=on(2), end=on(5), value_usd=1.0, racks={"a0": 72, "b0": 72})


def test_a_rack_counts_as_free_until_the_next_block_or_outage() -> None:
    outage = {"rack": "a1", "start": on(6), "end": on(7), "kind": "failure"}
    snapshot = landlord(outages=[outage], reservations=[reservation("r", {"a0": 72}, 3, 5)])

    run = stands(snapshot).racks.run

    assert run[:, 0].tolist() == [3, 2, 1, 0, 0, 5, 4, 3, 2, 1]
    assert run[:, 1].tolist() == [6, 5, 4, 3, 2, 1, 0, 3, 2, 1]
    assert run[:, 2].tolist() == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_racks_on_which_blocks_share_carry_once() -> None:
    shared = [reservation("r1", {"a0": 20}), reservation("r2", {"a0": 40}, 0, 4)]

    found = stands(landlord(reservations=shared))

    assert found.racks.hall_room[:, 0].tolist() == [3] * DAYS
    assert found.racks.power_room[:, 0].min() > 1000  # no limit
    assert found.racks.used[:, 0].tolist() == [60] * 4 + [20] * 6


def test_spares_are_not_for_sale_and_power_is_what_is_left_of_it() -> None:
    limit = {"start": on(4), "end": on(6), "kw": 2 * 140.0}
    sites = [site("a", spare_racks=1, power_limits=[limit]), site("b")]

    found = stands(
        landlord(sites=sites, reservations=[reservation("r", {"a0": 72, "a1": 72, "a2": 72, "a3": 72}, 4, 5)])
    )

    assert found.racks.hall_room[3:7, 0].tolist() == [3, -1, 3, 3]
    assert found.racks.power_room[4:6, 0].tolist() == [-2, 2]


def test_hold_is_what_is_committed_and_not_booked_from_the_booking_lead_on() -> None:
    booked = reservation("r", {"a0": 72}, 0, 6, contract="k")

    found = stands(landlord(contracts=[contract(gpus=288)], reservations=[booked]))

    assert found.held(found.snapshot.contracts[0]).tolist() == [0, 0, 0, 216, 216, 216, 288, 288, 288, 288]


def test_a_hold_shortfall_lowers_the_hold() -> None:
    given_up = HoldShortfall(contract="k", start=on(4), end=on(5), gpus=100)

    found = stands(landlord(contracts=[contract(gpus=288)]), Decisions(hold_shortfalls=(given_up,)))

    assert found.held(found.snapshot.contracts[0])[3:6].tolist() == [288, 188, 288]


def test_a_contract_under_notice_holds_nothing_past_its_effective_end() -> None:
    leaving = contract(gpus=72, booking_lead_days=0, notice_given_on=on(-2))

    found = stands(landlord(contracts=[leaving]))

    assert found.held(found.snapshot.contracts[0]).tolist() == [72] * 5 + [0] * 5
    assert found.contract_room("k").tolist() == [72] * 5 + [0] * 5


def test_without_overage_a_contract_has_room_for_what_is_not_booked_with_it_for_anything() -> None:
    terms = [contract("k", 288), contract("m", 288, overage=True)]
    booked = [reservation("r", {"a0": 72}, 0, 4, contract="k")]

    found = stands(landlord(contracts=terms, reservations=booked))

    assert found.contract_room("k").tolist() == [216] * 4 + [288] * 6
    assert found.contract_room("m").min() > 10**6


def test_a_quota_counts_what_is_promised_even_where_racks_are_missing() -> None:
    short = reservation("r", {"a0": 72}, 0, 5, gpus=144)
    tenants = [{"id": "tess", "name": "Tess", "max_gpus": 216}]

    found = stands(landlord(tenants=tenants, reservations=[short]))

    assert found.quota_room("tess").tolist() == [72] * 5 + [216] * 5


def test_holds_are_closed_to_others_and_open_to_their_own_contract() -> None:
    terms = [contract("k", 360, booking_lead_days=0), contract("m", 72, booking_lead_days=0)]

    found = stands(landlord(contracts=terms))

    assert found.hold_room(None).cluster.tolist() == [576 - 432] * DAYS
    assert found.hold_room("k").cluster.tolist() == [576 - 72] * DAYS
    assert found.hold_room("m").cluster.tolist() == [576 - 360] * DAYS


def test_an_interruptible_block_may_stand_on_a_hold_that_is_booked_late_enough_to_recall_it() -> None:
    terms = [contract("slow", 288, booking_lead_days=5), contract("quick", 72, booking_lead_days=1)]

    found = stands(landlord(contracts=terms))

    assert found.hold_room(None, 5).cluster[6] == 576 - 72
    assert found.hold_room(None, 1).cluster[6] == 576
    assert found.hold_room(None, 6).cluster[6] == 576 - 360
    assert found.hold_room(None, FIRM).cluster[6] == 576 - 360


def test_a_site_that_reservations_fill_beyond_its_capacity_is_closed_and_closes_no_other() -> None:
    limit = {"start": on(0), "end": on(DAYS), "kw": 140.0}
    filled = reservation("r", {"a0": 72, "a1": 72})

    found = stands(landlord(sites=[site("a", power_limits=[limit]), site("b")], reservations=[filled]))

    assert found.hold_room(None).site[0].tolist() == [0, 288]
    assert found.hold_room(None).cluster[0] == 288


def test_a_site_bound_hold_takes_room_in_its_site_alone() -> None:
    found = stands(landlord(contracts=[contract("k", 216, site="a", booking_lead_days=0)]))

    assert found.hold_room(None).site[0].tolist() == [72, 288]
    assert found.hold_room("k").site[0].tolist() == [288, 288]


def test_moves_and_recalls_change_what_stands() -> None:
    moved = Move(reservation="r", forced=False, placement=[Segment(start=on(0), end=on(DAYS), racks={"b3": 72})])
    training = reservation("train", {"a2": 72}, interruptible=True, recall_notice_days=2)
    snapshot = landlord(reservations=[reservation("r", {"a0": 72}), training])

    found = stands(snapshot, Decisions(moves=(moved,), recalls=(Recall(reservation="train", end=on(4)),)))

    assert found.racks.run[0, [0, 2, 7]].tolist() == [10, 0, 0]
    assert found.racks.run[4, 2] == 6
    assert found.firm()[0].tolist() == [0, 72]
    assert found.interruptible()[:, 0].tolist() == [72] * 4 + [0] * 6


def test_what_is_added_can_be_taken_out_again() -> None:
    snapshot = landlord(
        contracts=[contract(gpus=288, booking_lead_days=0)],
        reservations=[reservation("r", {"a0": 20})],
        requests=[request(contract="k")],
    )
    found, untouched = stands(snapshot), stands(snapshot)

    found.add_accepted(ACCEPTED)
    assert found.racks.used[2:5, [0, 4]].tolist() == [[92, 72]] * 3  # nothing is checked
    assert found.held(snapshot.contracts[0])[2] == 144
    found.take_out("accepted", "q")

    assert_same(found, untouched)


def test_what_holds_leave_is_asked_again_after_every_change() -> None:
    found = stands(
        landlord(contracts=[contract("k", 216, booking_lead_days=0)], reservations=[reservation("r", {"a0": 72})])
    )
    seen = [int(found.hold_room(None).cluster[0])]

    block = found.take_out("reservation", "r")
    seen.append(int(found.hold_room(None).cluster[0]))
    found.commit("k", np.zeros(DAYS, dtype=np.int64))
    seen.append(int(found.hold_room(None).cluster[0]))
    found.add(block)
    seen.append(int(found.hold_room(None).cluster[0]))

    assert seen == [576 - 216 - 72, 576 - 216, 576, 576 - 72]


def test_a_standing_kept_up_block_by_block_is_the_same_as_one_built_at_once() -> None:
    """Every derived number, after each of many additions and removals on generated landlords."""
    for seed in range(40):
        snapshot, decisions = random_landlord(seed)
        kept = stands(snapshot, replace(decisions, accepted=()))
        for number, accepted in enumerate(decisions.accepted):
            assert kept.racks.tray_run(20).shape == kept.racks.hall_room.shape  # worked out now, out of date after
            kept.add_accepted(accepted)
            assert_same(kept, stands(snapshot, replace(decisions, accepted=decisions.accepted[: number + 1])))
        for accepted in decisions.accepted:
            kept.take_out("accepted", accepted.request)
        assert_same(kept, stands(snapshot, replace(decisions, accepted=())))


def test_holds_by_contract_and_day_are_those_of_the_slow_count() -> None:
    for seed in range(40):
        snapshot, decisions = random_landlord(seed)
        slow, found = Landlord(snapshot, decisions), stands(snapshot, decisions)
        for terms in snapshot.contracts:
            want = [slow.held(slow.blocks, terms, day) for day in span(snapshot.today, snapshot.horizon_end)]
            assert found.held(terms).tolist() == want


def assert_same(one: Standing, other: Standing) -> None:
    for mine, its in zip(_numbers(one), _numbers(other), strict=True):
        assert np.array_equal(mine, its)


def _numbers(found: Standing) -> list[Any]:
    rooms = [found.hold_room(None, notice) for notice in (1, 2, 4, FIRM)]
    racks = found.racks
    return [
        racks.used,
        racks.run,
        racks.hall_room,
        racks.power_room,
        racks.tray_run(20),
        racks.count("pod", 0, found.cluster.days, 2),
        racks.count("hall", 0, found.cluster.days, 3),
        found.firm(),
        found.interruptible(),
        *found.booked.values(),
        *found.promised.values(),
        *(room.cluster for room in rooms),
        *(room.site for room in rooms),
    ]
