"""Windows of days and the marks of an axis."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.web.charts.axis import Tick, Window, day_ticks, value_ticks

JANUARY = dt.date(2027, 1, 1)


def test_a_window_holds_at_least_a_day() -> None:
    """[start, end) with end after start."""
    assert Window.of(JANUARY, 1).days == 1
    with pytest.raises(ValueError, match="holds no day"):
        Window(JANUARY, JANUARY)


def test_places_are_percent_of_the_width() -> None:
    """Days outside lie on the edge."""
    window = Window.of(JANUARY, 100)

    days = (JANUARY, dt.date(2027, 1, 26), dt.date(2026, 1, 1), dt.date(2028, 1, 1))
    assert [window.place(day) for day in days] == [0, 25, 0, 100]


def test_a_window_shows_what_overlaps_it() -> None:
    """Half open on both sides: what ends on its first day is not shown."""
    window = Window(dt.date(2027, 1, 10), dt.date(2027, 1, 20))

    assert window.shows(JANUARY, dt.date(2027, 1, 11))
    assert not window.shows(JANUARY, dt.date(2027, 1, 10))
    assert window.shows(dt.date(2027, 1, 19), None)
    assert not window.shows(dt.date(2027, 1, 20), None)


def test_months_are_marked_and_the_year_is_said_where_it_begins() -> None:
    """Six months have six marks."""
    window = Window(dt.date(2026, 12, 1), dt.date(2027, 6, 1))

    assert [tick.label for tick in day_ticks(window)] == ["Dec 2026", "Jan 2027", "Feb", "Mar", "Apr", "May"]


def test_long_windows_have_fewer_marks() -> None:
    """42 months are marked by quarter or more."""
    window = Window(dt.date(2026, 7, 1), dt.date(2030, 1, 1))

    labels = [tick.label for tick in day_ticks(window)]
    assert len(labels) <= 14
    assert labels[:3] == ["Jul 2026", "Jan 2027", "Jul"]


def test_short_windows_are_marked_by_monday() -> None:
    """2027-01-04 is a Monday."""
    ticks = day_ticks(Window.of(JANUARY, 14))

    assert ticks == (Tick(21.429, "4 Jan 2027"), Tick(71.429, "11 Jan"))


def test_a_phone_keeps_the_labels_that_do_not_meet() -> None:
    """The later year is worth more than the earlier one."""
    ticks = day_ticks(Window(dt.date(2026, 12, 1), dt.date(2027, 6, 1)))

    kept = [tick.label for tick in ticks if not tick.is_wide_only]
    assert "Jan 2027" in kept
    assert "Dec 2026" not in kept


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (1, (0, 1)),
        (7, tuple(range(8))),
        (8, (0, 2, 4, 6, 8)),
        (13_900, (0, 2_000, 4_000, 6_000, 8_000, 10_000, 12_000, 14_000)),
        (221_184, (0, 50_000, 100_000, 150_000, 200_000, 250_000)),
    ],
)
def test_values_are_marked_by_round_numbers(highest: int, ticks: tuple[int, ...]) -> None:
    """The last mark is not below the highest value."""
    assert value_ticks(highest) == ticks
