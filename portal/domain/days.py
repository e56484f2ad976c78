"""Days as sentences say them."""

from __future__ import annotations

import datetime as dt


def day_text(day: dt.date) -> str:
    """``4 Jan 2027``."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def last_day_text(end: dt.date) -> str:
    """The last day of an interval whose ``end`` is exclusive."""
    return day_text(end - dt.timedelta(days=1))


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
