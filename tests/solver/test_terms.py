"""What a contract means on a day (R6, R7): in force, committed, held."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.terms import Commitment, Terms, add_days, block_multiple, is_block_size

D = dt.date
FIRST, LAST = dt.date.min, dt.date.max


def terms(**fields: object) -> Terms:
    """In force 2027-01-01 to 2027-12-31, 720 GPUs from March through June and 1,440 in July, lead of 14 days."""
    defaults: dict[str, object] = {
        "start": D(2027, 1, 1),
        "end": D(2028, 1, 1),
        "lock_in_until": D(2027, 4, 1),
        "notice_days": 90,
        "notice_given_on": None,
        "booking_lead_days": 14,
        "commitments": (
            Commitment(D(2027, 3, 1), D(2027, 7, 1), 720),
            Commitment(D(2027, 7, 1), D(2027, 8, 1), 1440),
        ),
    }
    return Terms(**(defaults | fields))  # type: ignore[arg-type]  # fields are checked by the tests that name them


@pytest.mark.parametrize(
    ("gpus", "multiple"), [(4, 4), (68, 4), (70, 4), (71, 4), (72, 72), (73, 72), (144, 72), (7200, 72)]
)
def test_a_block_grows_by_trays_below_a_rack_and_by_racks_from_there_on(gpus: int, multiple: int) -> None:
    assert block_multiple(gpus) == multiple


def test_block_sizes_are_trays_below_a_rack_and_whole_racks_from_there_on() -> None:
    sizes = [gpus for gpus in range(-80, 300) if is_block_size(gpus)]

    assert sizes == [4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 72, 144, 216, 288]


def test_without_notice_a_contract_ends_on_its_end() -> None:
    assert terms().effective_end == D(2028, 1, 1)


def test_a_notice_ends_the_contract_after_the_notice_days() -> None:
    assert terms(notice_given_on=D(2027, 4, 1)).effective_end == D(2027, 6, 30)


def test_a_notice_given_late_does_not_extend_the_contract() -> None:
    assert terms(notice_given_on=D(2027, 12, 1)).effective_end == D(2028, 1, 1)


def test_a_notice_without_notice_days_ends_the_contract_on_its_own_day() -> None:
    assert terms(notice_given_on=D(2027, 4, 1), notice_days=0).effective_end == D(2027, 4, 1)


def test_the_end_that_a_notice_would_bring_is_not_cut_at_the_contract_s_end() -> None:
    assert terms().end_if_notice_on(D(2027, 12, 1)) == D(2028, 2, 29)


def test_a_contract_is_in_force_from_its_start_and_not_on_its_end() -> None:
    contract = terms()

    days = [D(2026, 12, 31), D(2027, 1, 1), D(2027, 12, 31), D(2028, 1, 1)]
    assert [contract.in_force(day) for day in days] == [False, True, True, False]


def test_the_schedule_counts_step_by_step_and_its_gaps_are_nothing() -> None:
    contract = terms()

    days = [D(2027, 2, 28), D(2027, 3, 1), D(2027, 6, 30), D(2027, 7, 1), D(2027, 7, 31), D(2027, 8, 1)]
    assert [contract.committed(day) for day in days] == [0, 720, 720, 1440, 1440, 0]


def test_nothing_is_committed_after_the_effective_end() -> None:
    contract = terms(notice_given_on=D(2027, 4, 1))

    assert contract.committed(D(2027, 6, 29)) == 720
    assert contract.committed(D(2027, 6, 30)) == 0


def test_nothing_is_committed_before_the_start() -> None:
    assert terms(start=D(2027, 4, 1)).committed(D(2027, 3, 31)) == 0


def test_commitments_in_force_are_cut_to_the_contract_s_days() -> None:
    contract = terms(start=D(2027, 4, 1), notice_given_on=D(2027, 4, 1))

    assert [*contract.commitments_in_force()] == [Commitment(D(2027, 4, 1), D(2027, 6, 30), 720)]


def test_a_hold_is_released_inside_the_booking_lead() -> None:
    contract = terms()

    assert contract.held(D(2027, 3, 14), booked=0, today=D(2027, 3, 1)) == 0
    assert contract.held(D(2027, 3, 15), booked=0, today=D(2027, 3, 1)) == 720


def test_without_a_booking_lead_today_is_held() -> None:
    assert terms(booking_lead_days=0).held(D(2027, 3, 1), booked=0, today=D(2027, 3, 1)) == 720


@pytest.mark.parametrize(("booked", "held"), [(0, 720), (72, 648), (720, 0), (1440, 0)])
def test_what_is_booked_is_held_no_longer_and_a_hold_is_never_negative(booked: int, held: int) -> None:
    assert terms().held(D(2027, 4, 1), booked=booked, today=D(2027, 3, 1)) == held


@given(
    start=st.dates(),
    end=st.dates(),
    notice=st.none() | st.dates(),
    notice_days=st.integers(0, 10**9),
    lead=st.integers(0, 10**9),
    day=st.dates(),
    today=st.dates(),
)
def test_no_terms_of_the_format_fail(
    start: D, end: D, notice: D | None, notice_days: int, lead: int, day: D, today: D
) -> None:
    """Periods longer than the calendar end on its last day; nothing is held outside the days in force."""
    contract = terms(
        start=start,
        end=end,
        notice_given_on=notice,
        notice_days=notice_days,
        booking_lead_days=lead,
        commitments=(Commitment(FIRST, LAST, 72),),
    )

    assert contract.effective_end <= end
    assert contract.committed(day) == (72 if start <= day < contract.effective_end else 0)
    in_lead = (day - today).days < lead
    assert day == LAST or contract.held(day, booked=0, today=today) == (0 if in_lead else contract.committed(day))


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        (D(2027, 2, 28), 1, D(2027, 3, 1)),
        (D(2028, 2, 28), 1, D(2028, 2, 29)),
        (D(2027, 1, 1), 0, D(2027, 1, 1)),
        (LAST, 0, LAST),
        (LAST, 1, LAST),
        (D(2027, 1, 1), 10**9, LAST),
    ],
)
def test_days_are_added_up_to_the_end_of_the_calendar(day: D, days: int, expected: D) -> None:
    assert add_days(day, days) == expected
