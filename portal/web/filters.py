"""The formatting functions as filters of the templates, under the same names."""

from __future__ import annotations

from flask import Flask

from portal.web import format as formats
from portal.web.looks import look_of
from portal.web.paging import with_args

FILTERS = {
    "ago": formats.ago,
    "ago_text": formats.ago_text,
    "counted": formats.counted_text,
    "day": formats.day,
    "day_text": formats.day_text,
    "days": formats.days_text,
    "duration": formats.duration_text,
    "gpus": formats.gpus_text,
    "gpus_racks": formats.gpus_racks_text,
    "initials": formats.initials,
    "instant": formats.instant,
    "instant_text": formats.instant_text,
    "last_day": formats.last_day,
    "last_day_text": formats.last_day_text,
    "money": formats.money,
    "money_text": formats.money_text,
    "number": formats.number_text,
    "percent": formats.percent_text,
    "rate": formats.rate_text,
    "relative_day": formats.relative_day_text,
    "words": formats.words,
}


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(
        day_range=formats.day_range, day_range_text=formats.day_range_text, look_of=look_of, with_args=with_args
    )

    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
