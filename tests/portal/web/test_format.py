"""How numbers, money, days and instants are written."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from portal.domain.states import ReservationState
from portal.web import format as formats

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(0, 0, "0"), (12960, 0, "12,960"), (-4, 0, "−4"), (1.25, 1, "1.2"), (-0.001, 2, "0.00"), (None, 0, "–")],
)
def test_a_number_has_thousands_separators(value: float | None, places: int, text: str) -> None:
    """And a true minus sign, which nought never has."""
    assert formats.number_text(value, places) == text


@pytest.mark.parametrize(
    ("gpus", "text"),
    [
        (12960, "12,960 GPUs (180 racks)"),
        (72, "72 GPUs (1 rack)"),
        (36, "36 GPUs"),
        (4, "4 GPUs"),
        (108, "108 GPUs (1.5 racks)"),
        (None, "–"),
    ],
)
def test_gpus_come_with_their_racks(gpus: int | None, text: str) -> None:
    """A rack has 72 GPUs; less than one has no bracket."""
    assert formats.gpus_racks_text(gpus) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal("1151785714.29"), "USD 1,151,785,714"),
        (Decimal("999.99"), "USD 999.99"),
        (Decimal("1000.00"), "USD 1,000"),
        (Decimal("-5148214285.71"), "−USD 5,148,214,286"),
        (0, "USD 0.00"),
        (None, "–"),
    ],
)
def test_money_has_cents_below_a_thousand_only(amount: Decimal | int | None, text: str) -> None:
    """A page shows what can be taken in at a glance."""
    assert formats.money_text(amount) == text


def test_money_shows_its_cents_on_hover() -> None:
    """And gives machines the exact amount."""
    assert formats.money(Decimal("446785714.29")) == (
        '<data class="amount" value="446785714.29" title="USD 446,785,714.29">USD 446,785,714</data>'
    )


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Decimal("2.350000"), "USD 2.35 per GPU-hour"),
        (Decimal("2.325"), "USD 2.325 per GPU-hour"),
        (Decimal("2"), "USD 2.00 per GPU-hour"),
        (Decimal("10"), "USD 10.00 per GPU-hour"),
        (None, "–"),
    ],
)
def test_a_rate_has_two_places_or_as_many_as_it_needs(rate: Decimal | None, text: str) -> None:
    """Rates have up to six places."""
    assert formats.rate_text(rate) == text


def test_a_day_is_written_out_and_machines_get_iso() -> None:
    """4 Jan 2027, without a nought in front."""
    assert formats.day(dt.date(2027, 1, 4)) == '<time datetime="2027-01-04">4 Jan 2027</time>'


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (dt.date(2027, 1, 4), dt.date(2027, 4, 1), "4 Jan – 31 Mar 2027"),
        (dt.date(2027, 1, 4), dt.date(2027, 1, 9), "4 – 8 Jan 2027"),
        (dt.date(2026, 7, 1), dt.date(2030, 1, 1), "1 Jul 2026 – 31 Dec 2029"),
        (dt.date(2026, 12, 30), dt.date(2027, 1, 1), "30 – 31 Dec 2026"),
        (dt.date(2027, 1, 4), dt.date(2027, 1, 5), "4 Jan 2027"),
        (dt.date(2027, 1, 4), None, "from 4 Jan 2027"),
    ],
)
def test_a_range_shows_its_last_day(start: dt.date, end: dt.date | None, text: str) -> None:
    """Ends are exclusive in data, and people count the last day in."""
    assert formats.day_range_text(start, end) == text


def test_both_days_of_a_range_are_for_machines_too() -> None:
    """The second one is the last day, as it is read."""
    assert formats.day_range(dt.date(2027, 1, 4), dt.date(2027, 4, 1)) == (
        '<time datetime="2027-01-04">4 Jan</time> – <time datetime="2027-03-31">31 Mar 2027</time>'
    )


def test_the_last_day_of_an_open_end_is_said_so() -> None:
    """An outage may have no end yet."""
    assert formats.last_day(None) == "open end"
    assert formats.last_day_text(dt.date(2027, 1, 1)) == "31 Dec 2026"


def test_an_instant_is_utc() -> None:
    """Whatever its own offset."""
    paris = dt.datetime(2026, 11, 22, 10, 5, tzinfo=dt.timezone(dt.timedelta(hours=1)))

    assert formats.instant(paris) == ('<time datetime="2026-11-22T09:05:00+00:00">22 Nov 2026, 09:05 UTC</time>')


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (102, "1 min 42 s"), (3600, "1 h"), (11_100, "3 h 5 min"), (86_400 * 12, "12 days")],
)
def test_a_duration_has_two_units_at_most(seconds: float, text: str) -> None:
    """Enough to decide by."""
    assert formats.duration_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-300, "5 min ago"),
        (-5, "just now"),
        (7200, "in 2 h"),
        (5, "in less than a minute"),
        (-86_400, "1 day ago"),
        (172_740, "in 1 day 23 h"),
        (270_000, "in 3 days"),
    ],
)
def test_an_instant_can_be_told_by_its_distance(seconds: int, text: str) -> None:
    """Past and future."""
    assert formats.ago_text(NOW + dt.timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("away", "text"),
    [(0, "today"), (1, "tomorrow"), (-1, "yesterday"), (12, "in 12 days"), (-3, "3 days ago")],
)
def test_a_day_can_be_told_by_its_distance(away: int, text: str) -> None:
    """From the business day."""
    today = NOW.date()

    assert formats.relative_day_text(today + dt.timedelta(days=away), today) == text


def test_what_is_missing_is_a_dash() -> None:
    """Never "None"."""
    for formatted in (formats.day, formats.instant, formats.money):
        assert "None" not in formatted(None)
    assert formats.ago(None, NOW) == formats.NOTHING


def test_states_are_words_and_people_are_initials() -> None:
    """Underscores are for machines."""
    assert formats.words(ReservationState.ENDED_BY_NOTICE) == "ended by notice"
    assert [formats.initials(name) for name in ("Demo Admin", "Plato", "Anna B. van Dam", "")] == ["DA", "P", "AD", ""]


def test_formatted_values_cannot_smuggle_markup() -> None:
    """Everything that is put into a tag is escaped."""
    assert "<b>" not in formats.ago(NOW, NOW) + formats.money(Decimal(1))
