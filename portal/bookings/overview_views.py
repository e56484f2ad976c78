"""Where a tenant's person starts: what we have, against what we committed to, and what comes next."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.bookings import overview as figures
from portal.bookings import queries
from portal.bookings.condition import conditions_of
from portal.domain.permissions import Permission
from portal.domain.requests import OPEN_STATES
from portal.domain.states import RequestState
from portal.web.charts.axis import Window
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.navigation import Entry
from portal.web.permissions import current_actor, current_tenant_id, requires
from portal.web.windows import requested_window

blueprint = Blueprint("overview", __name__)
navigation = (Entry("Overview", "overview.overview", "home", (Permission.SEE_OWN,), order=10),)

_BEFORE_DAYS, _SHOWN_DAYS = 30, 395
_DATES_SHOWN, _REQUESTS_SHOWN = 8, 5


@blueprint.get("/overview")
@requires(Permission.SEE_OWN)
def overview() -> ResponseReturnValue:
    actor, today = current_actor(), business_day()
    holdings = figures.holdings_of(db.session, current_tenant_id())
    offers = queries.standing(db.session, actor, now())
    live = [row for row in holdings.reservations if row.is_live(today)]
    conditions = conditions_of(db.session, live, today)
    window = requested_window(Window.of(today - dt.timedelta(_BEFORE_DAYS), _SHOWN_DAYS))
    return render_template(
        "bookings/overview.html",
        figures=figures.figures(holdings, today),
        short=[(row, conditions[row.id].short_on(today)) for row in live if conditions[row.id].short_on(today)],
        chart=figures.chart(holdings, window),
        has_chart=bool(holdings.contracts or holdings.reservations),
        dates=figures.dates(holdings, offers, today)[:_DATES_SHOWN],
        offers=offers,
        requests=queries.requests_page(
            db.session, actor, OPEN_STATES | {RequestState.DRAFT}, page=1, size=_REQUESTS_SHOWN
        ),
        has_contracts=bool(holdings.contracts),
    )
