"""The days that a chart shows: part of the address (`?from=2027-01-04&days=90`), so a view can be kept and mailed."""

from __future__ import annotations

import datetime as dt

from flask import request

from portal.web.charts.axis import Window

MOST_DAYS = 1_500


def requested_window(default: Window) -> Window:
    """The window that the address asks for, `default` where it asks for none or for nonsense."""
    start = _day(request.args.get("from")) or default.start
    text = request.args.get("days", "")
    days = int(text) if text.isdecimal() and len(text) < 6 else default.days
    return Window.of(start, max(1, min(days, MOST_DAYS)))


def _day(text: str | None) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None
