"""How Berth writes numbers, money, days and instants. Functions named `…_text` return plain text, the others HTML."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_EVEN, Decimal

from markupsafe import Markup, escape

from solver.terms import GPUS_PER_RACK

DASH = "–"
NOTHING = Markup('<span class="faint">–</span>')
_MINUS = "\N{MINUS SIGN}"
_CENTS_BELOW = Decimal(1000)
_HOUR_S, _DAY_S = 3600, 86_400
_DAYS_WITH_HOURS = 3  # an offer that expires in 1 day 23 h has more than one day left


def number_text(value: Decimal | float | None, places: int = 0) -> str:
    """Thousands separators and a true minus sign: 12,960."""
    if value is None:
        return DASH
    text = f"{abs(value):,.{places}f}"
    is_negative = value < 0 and any(digit in text for digit in "123456789")
    return f"{_MINUS}{text}" if is_negative else text


def percent_text(share: Decimal | float | None, places: int = 1) -> str:
    """A share of one as a percentage: 0.716 is 71.6 %."""
    return DASH if share is None else f"{number_text(share * 100, places)} %"


def counted_text(count: int, singular: str, plural: str = "") -> str:
    """1 rack, 180 racks."""
    return f"{number_text(count)} {singular if count == 1 else plural or singular + 's'}"


def gpus_text(gpus: int | None) -> str:
    """12,960 GPUs."""
    return DASH if gpus is None else counted_text(gpus, "GPU")


def gpus_racks_text(gpus: int | None) -> str:
    """GPUs with their racks in brackets: 12,960 GPUs (180 racks); part of a rack has no bracket."""
    if gpus is None or gpus < GPUS_PER_RACK:
        return gpus_text(gpus)
    racks = Decimal(gpus) / GPUS_PER_RACK
    whole = racks == racks.to_integral_value()
    return f"{gpus_text(gpus)} ({counted_text(int(racks), 'rack') if whole else f'{racks:,.1f} racks'})"


def money_text(amount: Decimal | int | None, *, exact: bool = False) -> str:
    """US dollars; from 1,000 on without cents unless `exact`: USD 446,785,714."""
    if amount is None:
        return DASH
    value = Decimal(amount)
    has_cents = exact or abs(value) < _CENTS_BELOW
    rounded = value.quantize(Decimal("0.01" if has_cents else "1"), rounding=ROUND_HALF_EVEN)
    return f"{_MINUS if rounded < 0 else ''}USD {abs(rounded):,}"


def money(amount: Decimal | int | None) -> Markup:
    """As `money_text`, with the exact amount on hover and for machines."""
    if amount is None:
        return NOTHING
    return Markup('<data class="amount" value="{}" title="{}">{}</data>').format(
        Decimal(amount), money_text(amount, exact=True), money_text(amount)
    )


def rate_text(rate: Decimal | None) -> str:
    """US dollars per GPU-hour, at least two places, more only where they say something: USD 2.325 per GPU-hour."""
    if rate is None:
        return DASH
    trimmed = rate.normalize()
    places = max(2, -int(trimmed.as_tuple().exponent))
    return f"USD {rate:,.{places}f} per GPU-hour"


def day_text(day: dt.date | None) -> str:
    """4 Jan 2027."""
    return DASH if day is None else f"{day.day} {day:%b %Y}"


def day(value: dt.date | None) -> Markup:
    """4 Jan 2027, with the ISO day for machines."""
    return NOTHING if value is None else _time(value.isoformat(), day_text(value))


def last_day_text(end: dt.date | None) -> str:
    """The last day of an interval whose `end` is exclusive."""
    return "open end" if end is None else day_text(end - dt.timedelta(days=1))


def last_day(end: dt.date | None) -> Markup:
    """As `last_day_text`, with the ISO day for machines."""
    return escape("open end") if end is None else day(end - dt.timedelta(days=1))


def day_range_text(start: dt.date, end: dt.date | None) -> str:
    """The days of [start, end) by first and last day, saying the year once where it is the same."""
    if end is None:
        return f"from {day_text(start)}"
    last = end - dt.timedelta(days=1)
    if last <= start:
        return day_text(start)
    return f"{_first_day_text(start, last)} {DASH} {day_text(last)}"


def day_range(start: dt.date, end: dt.date | None) -> Markup:
    """As `day_range_text`, each day with its ISO form for machines."""
    if end is None:
        return Markup("from {}").format(day(start))
    last = end - dt.timedelta(days=1)
    if last <= start:
        return day(start)
    return Markup("{} {} {}").format(_time(start.isoformat(), _first_day_text(start, last)), DASH, day(last))


def instant_text(at: dt.datetime | None) -> str:
    """22 Nov 2026, 09:00 UTC."""
    if at is None:
        return DASH
    in_utc = at.astimezone(dt.UTC)
    return f"{day_text(in_utc.date())}, {in_utc:%H:%M} UTC"


def instant(at: dt.datetime | None) -> Markup:
    """As `instant_text`, with the ISO instant for machines."""
    return NOTHING if at is None else _time(at.astimezone(dt.UTC).isoformat(timespec="seconds"), instant_text(at))


def ago_text(at: dt.datetime, now: dt.datetime) -> str:
    """How long ago, or how far ahead: 5 min ago, in 2 h."""
    away_s = (now - at).total_seconds()
    if abs(away_s) < 60:
        return "just now" if away_s >= 0 else "in less than a minute"
    text = duration_text(dt.timedelta(seconds=abs(away_s)))
    return f"{text} ago" if away_s > 0 else f"in {text}"


def ago(at: dt.datetime | None, now: dt.datetime) -> Markup:
    """As `ago_text`, with the exact instant on hover and for machines."""
    if at is None:
        return NOTHING
    iso = at.astimezone(dt.UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso, instant_text(at), ago_text(at, now))


def duration_text(length: dt.timedelta | float) -> str:
    """The largest unit, with the next one below where it helps: 42 s, 1 min 42 s, 3 h 5 min, 1 day 23 h, 12 days."""
    seconds = int(length.total_seconds() if isinstance(length, dt.timedelta) else length)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < _HOUR_S:
        return _two_units(seconds, 60, "min", "s")
    if seconds < _DAY_S:
        return _two_units(seconds // 60, 60, "h", "min")
    days, hours = seconds // _DAY_S, seconds % _DAY_S // _HOUR_S
    return counted_text(days, "day") + (f" {hours} h" if hours and days < _DAYS_WITH_HOURS else "")


def days_text(count: int) -> str:
    """1 day, 42 days."""
    return counted_text(count, "day")


def relative_day_text(value: dt.date, today: dt.date) -> str:
    """today, tomorrow, yesterday, in 12 days, 3 days ago."""
    away = (value - today).days
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    if away in near:
        return near[away]
    return f"in {days_text(away)}" if away > 0 else f"{days_text(-away)} ago"


def words(value: object) -> str:
    """A state or another enum as words: ended_by_notice is "ended by notice"."""
    return str(value).replace("_", " ")


def initials(name: str) -> str:
    """Up to two letters for a person's circle."""
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper()


def _first_day_text(start: dt.date, last: dt.date) -> str:
    if start.year != last.year:
        return day_text(start)
    return str(start.day) if start.month == last.month else f"{start.day} {start:%b}"


def _two_units(count: int, per_unit: int, unit: str, below: str) -> str:
    whole, rest = divmod(count, per_unit)
    return f"{whole} {unit} {rest} {below}" if rest else f"{whole} {unit}"


def _time(iso: str, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(iso, text)
