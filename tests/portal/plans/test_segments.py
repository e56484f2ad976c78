"""Placements as rows and as segments."""

from __future__ import annotations

import datetime as dt

from portal.plans.segments import Stretch, segments_of, stretches_of
from solver.snapshot import Segment


def day(number: int) -> dt.date:
    return dt.date(2027, 1, number)


def test_racks_held_on_the_same_days_are_one_segment() -> None:
    stretches = [Stretch("r1", day(1), day(5), 72), Stretch("r2", day(1), day(5), 72)]

    assert segments_of(stretches, day(1), day(5)) == [
        {"start": "2027-01-01", "end": "2027-01-05", "racks": {"r1": 72, "r2": 72}}
    ]


def test_a_rack_that_changes_splits_the_interval_into_segments() -> None:
    stretches = [
        Stretch("r1", day(1), day(5), 72),
        Stretch("r2", day(1), day(3), 72),
        Stretch("r3", day(3), day(5), 72),
    ]

    assert segments_of(stretches, day(1), day(5)) == [
        {"start": "2027-01-01", "end": "2027-01-03", "racks": {"r1": 72, "r2": 72}},
        {"start": "2027-01-03", "end": "2027-01-05", "racks": {"r1": 72, "r3": 72}},
    ]


def test_rows_that_follow_each_other_on_a_rack_are_joined() -> None:
    stretches = [Stretch("r1", day(1), day(3), 72), Stretch("r1", day(3), day(5), 72)]

    assert segments_of(stretches, day(1), day(5)) == [{"start": "2027-01-01", "end": "2027-01-05", "racks": {"r1": 72}}]


def test_days_without_racks_have_no_segment() -> None:
    stretches = [Stretch("r1", day(1), day(2), 72), Stretch("r1", day(4), day(5), 72)]

    assert [(s["start"], s["end"]) for s in segments_of(stretches, day(1), day(5))] == [
        ("2027-01-01", "2027-01-02"),
        ("2027-01-04", "2027-01-05"),
    ]


def test_what_lies_after_a_reservations_end_is_cut_off() -> None:
    assert segments_of([Stretch("r1", day(1), day(9), 72)], day(1), day(4)) == [
        {"start": "2027-01-01", "end": "2027-01-04", "racks": {"r1": 72}}
    ]


def test_segments_become_one_row_for_each_rack_and_unbroken_interval() -> None:
    segments = [
        Segment(start=day(1), end=day(3), racks={"r1": 72, "r2": 72}),
        Segment(start=day(3), end=day(9), racks={"r1": 72, "r3": 72}),
    ]

    assert sorted(stretches_of(segments, day(2), day(8))) == [
        Stretch("r1", day(2), day(8), 72),
        Stretch("r2", day(2), day(3), 72),
        Stretch("r3", day(3), day(8), 72),
    ]


def test_a_rack_that_comes_back_later_is_two_rows() -> None:
    segments = [
        Segment(start=day(1), end=day(3), racks={"r1": 72}),
        Segment(start=day(3), end=day(5), racks={"r2": 72}),
        Segment(start=day(5), end=day(7), racks={"r1": 72}),
    ]

    assert sorted(stretches_of(segments, day(1), day(7))) == [
        Stretch("r1", day(1), day(3), 72),
        Stretch("r1", day(5), day(7), 72),
        Stretch("r2", day(3), day(5), 72),
    ]
