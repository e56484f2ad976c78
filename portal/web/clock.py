"""The application's clock: instants for the web, and the business day, read once a request."""

from __future__ import annotations

import datetime as dt
from typing import cast

from flask import Flask, current_app, g

from portal.clock import Clock
from portal.web.database import db

_EXTENSION = "berth_clock"


def init_app(app: Flask, clock: Clock) -> None:
    app.extensions[_EXTENSION] = clock
    app.jinja_env.globals.update(now=now, business_day=business_day)


def now() -> dt.datetime:
    """This instant, aware, in UTC."""
    return cast(Clock, current_app.extensions[_EXTENSION]).now()


def business_day() -> dt.date:
    """The day that rules call today, the same for the whole request."""
    if "business_day" not in g:
        g.business_day = cast(Clock, current_app.extensions[_EXTENSION]).business_day(db.session)
    return cast(dt.date, g.business_day)
