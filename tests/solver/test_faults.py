"""Faults that no single field shows: each is refused by its path, alone and together with others."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.solver.reference import broken, build
from tests.solver.reference.broken import example_snapshot, snapshot_faults
from tests.solver.reference.build import Content, day, segment

Edits = dict[str, Any]

# What is changed in the example, and the one fault that follows.
SINGLE_FAULTS: list[tuple[Edits, str]] = [
    ({"horizon_end": day(0)}, "horizon_end: 2027-03-01 is not after today, 2027-03-01"),
    ({"horizon_end": "2020-01-01"}, "horizon_end: 2020-01-01 is not after today, 2027-03-01"),
    # ids named twice, also across parents
    ({"sites[1].id": "s1"}, "sites[1].id: the site 's1' is named already by sites[0].id"),
    ({"sites[1].halls[0].id": "h1"}, "sites[1].halls[0].id: the hall 'h1' is named already by sites[0].halls[0].id"),
    (
        {"sites[1].halls[0].pods[1].id": "p2"},
        "sites[1].halls[0].pods[1].id: the pod 'p2' is named already by sites[1].halls[0].pods[0].id",
    ),
    (
        {"sites[1].halls[0].pods[0].id": "p1"},
        "sites[1].halls[0].pods[0].id: the pod 'p1' is named already by sites[0].halls[0].pods[0].id",
    ),
    (
        {"sites[0].halls[0].pods[0].racks": ["r1", "r2", "r1"]},
        "sites[0].halls[0].pods[0].racks[2]: the rack 'r1' is named already by sites[0].halls[0].pods[0].racks[0]",
    ),
    (
        {"sites[1].halls[0].pods[0].racks": ["r2", "r3", "r4"]},
        "sites[1].halls[0].pods[0].racks[0]: the rack 'r2' is named already by sites[0].halls[0].pods[0].racks[1]",
    ),
    (
        {"tenants": [build.tenant(), build.tenant("t2"), build.tenant()]},
        "tenants[2].id: the tenant 't1' is named already",
    ),
    ({"contracts[1].id": "k1"}, "contracts[1].id: the contract 'k1' is named already by contracts[0].id"),
    ({"reservations[1].id": "v1"}, "reservations[1].id: the reservation 'v1' is named already by reservations[0].id"),
    ({"requests[2].id": "q1"}, "requests[2].id: the request 'q1' is named already by requests[0].id"),
    # ids that name nothing
    ({"outages[0].rack": "r9"}, "outages[0].rack: 'r9' names no rack"),
    ({"outages[0].rack": "p1"}, "outages[0].rack: 'p1' names no rack"),
    ({"contracts[1].tenant": "t9"}, "contracts[1].tenant: 't9' names no tenant"),
    ({"contracts[1].site": "h1"}, "contracts[1].site: 'h1' names no site"),
    ({"reservations[1].tenant": "T1"}, "reservations[1].tenant: 'T1' names no tenant"),
    ({"reservations[0].contract": "k9"}, "reservations[0].contract: 'k9' names no contract"),
    ({"reservations[1].site": "s9"}, "reservations[1].site: 's9' names no site"),
    ({"reservations[0].placement[0].racks": {"r9": 72}}, "reservations[0].placement[0].racks.r9: 'r9' names no rack"),
    (
        {"reservations[0].placement[0].racks": {"r 9": 72}},
        "reservations[0].placement[0].racks[\"r 9\"]: 'r 9' names no",
    ),
    ({"requests[1].tenant": "t9"}, "requests[1].tenant: 't9' names no tenant"),
    ({"requests[1].contract": "k9"}, "requests[1].contract: 'k9' names no contract"),
    ({"requests[1].site": "s9"}, "requests[1].site: 's9' names no site"),
    ({"requests[0].extends": "v9"}, "requests[0].extends: 'v9' names no reservation"),
    ({"requests[0].extends": "q2"}, "requests[0].extends: 'q2' names no reservation"),
    ({"requests[0].extends": "v2"}, "requests[0].extends: 'v2' is not a reservation of 't1'"),
    # ends not after their starts, windows the wrong way round
    ({"sites[0].power_limits[0].end": day(2)}, "sites[0].power_limits[0].end: 2027-03-03 is not after the start"),
    ({"outages[0].end": day(1)}, "outages[0].end: 2027-03-02 is not after the start, 2027-03-02"),
    ({"outages[0].end": day(-9)}, "outages[0].end: 2027-02-20 is not after the start, 2027-03-02"),
    ({"contracts[1].end": day(-10)}, "contracts[1].end: 2027-02-19 is not after the start, 2027-02-19"),
    ({"contracts[0].commitments[1].end": day(5)}, "contracts[0].commitments[1].end: 2027-03-06 is not after the start"),
    ({"reservations[0].end": day(0), "reservations[0].placement": []}, "reservations[0].end: 2027-03-01 is not after"),
    ({"requests[1].latest_start": day(0)}, "requests[1].latest_start: 2027-03-01 is before earliest_start, 2027-03-02"),
    # sizes
    ({"requests[1].gpus": 100}, "requests[1].gpus: 100 is not a multiple of 72"),
    ({"requests[1].gpus": 145}, "requests[1].gpus: 145 is not a multiple of 72"),
    ({"requests[2].gpus": 6}, "requests[2].gpus: 6 is not a multiple of 4"),
    ({"requests[2].gpus": 70}, "requests[2].gpus: 70 is not a multiple of 4"),
    ({"requests[1].min_gpus": 36}, "requests[1].min_gpus: 36 is not a multiple of 72"),
    ({"requests[1].min_gpus": 100}, "requests[1].min_gpus: 100 is not a multiple of 72"),
    ({"requests[2].min_gpus": 2}, "requests[2].min_gpus: 2 is not a multiple of 4"),
    ({"requests[1].min_gpus": 216}, "requests[1].min_gpus: 216 is more than gpus, 144"),
    ({"requests[2].min_gpus": 12}, "requests[2].min_gpus: 12 is more than gpus, 8"),
    ({"reservations[0].gpus": 100}, "reservations[0].gpus: 100 is not a multiple of 72"),
    ({"reservations[1].gpus": 10}, "reservations[1].gpus: 10 is not a multiple of 4"),
    # schedules and notices
    (
        {"contracts[0].commitments[1].start": day(4)},
        "contracts[0].commitments[1]: it overlaps contracts[0].commitments[0]",
    ),
    (
        {"contracts[0].commitments[0].end": day(6)},
        "contracts[0].commitments[1]: it overlaps contracts[0].commitments[0]",
    ),
    (
        {"contracts[0].lock_in_until": day(2)},
        "contracts[0].notice_given_on: 2027-03-02 is before the end of the lock-in, 2027-03-03",
    ),
    # blocks beside their contracts
    (
        {"reservations[0].tenant": "t2", "requests[0].extends": None},
        "reservations[0].tenant: 't2' is not the tenant of",
    ),
    ({"requests[1].contract": "k2"}, "requests[1].tenant: 't1' is not the tenant of contract 'k2', 't2'"),
    ({"requests[0].site": "s2"}, "requests[0].site: 's2' contradicts the site of contract 'k1', 's1'"),
    ({"reservations[0].site": "s2"}, "reservations[0].site: 's2' contradicts the site of contract 'k1', 's1'"),
    # interruptible blocks
    ({"requests[2].contract": "k1"}, "requests[2].contract: an interruptible block is on demand and has no contract"),
    ({"requests[2].recall_notice_days": None}, "requests[2].recall_notice_days: an interruptible block needs its"),
    ({"requests[1].recall_notice_days": 0}, "requests[1].recall_notice_days: only an interruptible block has a recall"),
    ({"reservations[1].contract": "k2"}, "reservations[1].contract: an interruptible block is on demand and has no"),
    ({"reservations[1].recall_notice_days": None}, "reservations[1].recall_notice_days: an interruptible block needs"),
    ({"reservations[0].recall_notice_days": 3}, "reservations[0].recall_notice_days: only an interruptible block has"),
    # placements
    (
        {"reservations[0].placement[0].start": day(-1)},
        "reservations[0].placement[0]: [2027-02-28, 2027-03-06) is outside its reservation's [2027-03-01, 2027-03-06)",
    ),
    ({"reservations[0].placement[0].end": day(6)}, "reservations[0].placement[0]: [2027-03-01, 2027-03-07) is outside"),
    (
        {"reservations[0].placement": [segment(0, 3, {"r1": 72}), segment(2, 5, {"r2": 72})]},
        "reservations[0].placement[1]: it overlaps reservations[0].placement[0]",
    ),
    (
        {"reservations[0].placement": [segment(0, 3, {"r1": 72}), segment(4, 4, {"r2": 72})]},
        "reservations[0].placement[1].end: 2027-03-05 is not after the start, 2027-03-05",
    ),
    ({"reservations[0].placement[0].racks.r2": 72}, "reservations[0].placement[0].racks: 144 GPUs are more than the"),
    ({"reservations[1].placement[0].racks.r3": 12}, "reservations[1].placement[0].racks: 12 GPUs are more than the"),
    ({"reservations[0].placement[0].racks.r1": 36}, "reservations[0].placement[0].racks.r1: 36 is not 72"),
    ({"reservations[1].placement[0].racks.r3": 6}, "reservations[1].placement[0].racks.r3: 6 is not a multiple of 4"),
    ({"reservations[1].placement[0].racks.r3": 0}, "reservations[1].placement[0].racks.r3: 0 is not positive"),
    ({"reservations[1].placement[0].racks.r3": -4}, "reservations[1].placement[0].racks.r3: -4 is not positive"),
    (
        {"reservations[1].placement[0].racks": {"r3": 4, "r4": 4}},
        "reservations[1].placement[0].racks: a block of fewer",
    ),
    # racks given away twice
    (
        {"reservations[1].placement[0].racks": {"r1": 4}},
        "reservations[1].placement[0].racks.r1: 76 GPUs stand on the rack on 2027-03-01, more than 72",
    ),
    (
        {"reservations[1].placement": [segment(4, 5, {"r1": 8})]},
        "reservations[1].placement[0].racks.r1: 80 GPUs stand on the rack on 2027-03-05, more than 72",
    ),
]


def edited(edits: Edits) -> Content:
    content = example_snapshot()
    for path, value in edits.items():
        content = broken.with_value(content, path, value)
    return content


@pytest.mark.parametrize(("edits", "fault"), SINGLE_FAULTS, ids=[next(iter(edits)) for edits, _ in SINGLE_FAULTS])
def test_a_single_fault_is_named_and_nothing_else(edits: Edits, fault: str) -> None:
    found = snapshot_faults(edited(edits))

    assert len(found) == 1, found
    assert found[0].startswith(fault)


PAIRS = [
    ((a, b), (x, y))
    for (a, x), (b, y) in itertools.combinations(SINGLE_FAULTS[::3], 2)
    if not any(p.startswith(q) or q.startswith(p) for p in a for q in b)
]


@pytest.mark.parametrize(("edits", "faults"), PAIRS)
def test_two_faults_are_both_listed(edits: tuple[Edits, Edits], faults: tuple[str, str]) -> None:
    found = snapshot_faults(edited(edits[0] | edits[1]))

    assert all(any(one.startswith(fault.partition(":")[0]) for one in found) for fault in faults), found


# A field that is wrong by itself, in the same file as each fault above.
WRONG_FIELDS: list[tuple[str, Any, str]] = [
    ("rack_kw", True, "rack_kw: true must be a number"),
    ("tenants[1].name", 5, "tenants[1].name: 5 must be text"),
    ("requests[2].tier", -1, "requests[2].tier: -1 must be at least 0"),
    ("sites[1].halls[0].spare_racks", 1.0, "sites[1].halls[0].spare_racks: 1.0 must be a whole number"),
    ("requests[0].days", "2", 'requests[0].days: "2" must be a whole number'),
    ("reservations[0].tier", None, "reservations[0].tier: null must be a whole number"),
    ("contracts[0].overage", 1, "contracts[0].overage: 1 must be true or false"),
]


@pytest.mark.parametrize(("path", "value", "wrong"), WRONG_FIELDS)
@pytest.mark.parametrize(("edits", "fault"), SINGLE_FAULTS, ids=[next(iter(edits)) for edits, _ in SINGLE_FAULTS])
def test_a_wrong_field_does_not_hide_another_fault(edits: Edits, fault: str, path: str, value: Any, wrong: str) -> None:
    """The same entry may hold both."""
    found = snapshot_faults(broken.with_value(edited(edits), path, value))

    assert found[0] == wrong
    assert found[1].startswith(fault)
    assert len(found) == 2


def test_what_needs_a_field_that_is_wrong_is_not_judged() -> None:
    """A request of 70 GPUs is wrong; whether its tenant is known can't be said while a tenant has no id."""
    content = edited({"tenants[0]": {"name": "A", "max_gpus": None}, "requests[2].gpus": 70})

    assert snapshot_faults(content) == ("tenants[0].id: is missing", "requests[2].gpus: 70 is not a multiple of 4")


def test_every_overlapping_segment_is_named() -> None:
    schedule = [build.segment(0, 9, {}), build.segment(1, 2, {}), build.segment(4, 5, {}), build.segment(9, 10, {})]
    content = edited({"reservations[0].end": day(10), "reservations[0].placement": schedule})

    assert [fault.partition(":")[0] for fault in snapshot_faults(content)] == [
        "reservations[0].placement[1]",
        "reservations[0].placement[2]",
    ]


def test_a_rack_given_away_twice_in_many_ways_is_named_once() -> None:
    blocks = [build.reservation(f"v{i}", racks={"r1": 72}) for i in range(5)]

    found = snapshot_faults(build.snapshot(reservations=blocks))

    assert found == ("reservations[1].placement[0].racks.r1: 144 GPUs stand on the rack on 2027-03-01, more than 72",)
