"""The timeline: who is where, when, over the cluster, a site or a hall."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.cluster import outages, power, queries, timeline
from portal.cluster.blocks import standing_by_hall
from portal.cluster.inventory import inventory
from portal.cluster.timeline import Sized
from portal.cluster.views import block_address
from portal.domain.permissions import Permission
from portal.models.cluster import Hall, Site
from portal.web.charts.axis import Window
from portal.web.charts.gantt import GanttRow, gantt_view
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.navigation import Entry
from portal.web.permissions import requires
from portal.web.windows import requested_window

blueprint = Blueprint("timeline", __name__)
navigation = (Entry("Timeline", "timeline.timeline_page", "timeline", (Permission.SEE_ALL,), order=210),)

_BEFORE_DAYS, _SHOWN_DAYS = 14, 180
_OUTAGES = "Outages"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks for: a hall, a site, or (both null) the whole cluster."""

    site: Site | None
    hall: Hall | None
    sites: Sequence[Site]

    @property
    def halls(self) -> list[Hall]:
        if self.hall is not None:
            return [self.hall]
        return [hall for site in ([self.site] if self.site else self.sites) for hall in site.halls]

    @property
    def shown_sites(self) -> Sequence[Site]:
        return [self.site] if self.site else self.sites

    @property
    def where(self) -> sa.ColumnElement[bool]:
        return Hall.id.in_([hall.id for hall in self.halls])


@blueprint.get("/timeline")
@requires(Permission.SEE_ALL)
def timeline_page() -> ResponseReturnValue:
    today, chosen = business_day(), _chosen(queries.sites(db.session))
    window = requested_window(Window.of(today - dt.timedelta(_BEFORE_DAYS), _SHOWN_DAYS))
    bars, blocks = _bars(chosen, window)
    shown, total = timeline.largest(bars, window)
    by_row = timeline.by_row(shown)
    return render_template(
        "cluster/timeline.html",
        chosen=chosen,
        gantt=gantt_view(window, [GanttRow(row, by_row.get(row, ())) for row in _rows(chosen, by_row)], today=today),
        shown=len(shown),
        total=total,
        blocks=blocks,
    )


def _chosen(sites: Sequence[Site]) -> Chosen:
    halls = {hall.code: hall for site in sites for hall in site.halls}
    hall = halls.get(request.args.get("hall", ""))
    site = next((site for site in sites if site.code == request.args.get("site")), None)
    return Chosen(hall.site if hall else site, hall, sites)


def _bars(chosen: Chosen, window: Window) -> tuple[list[Sized], int]:
    """The bars of the window, and how many blocks they are of."""
    halls = {hall.id: hall.name for hall in chosen.halls}
    stands = standing_by_hall(db.session, chosen.where, window.start, window.end, now=now())
    return [
        *timeline.block_bars(
            stands,
            lambda each: each.block.tenant if chosen.hall else halls[each.hall_id],
            queries.tenant_colours(db.session),
            block_address,
        ),
        *timeline.event_bars(
            outages.events_between(db.session, window.start, window.end), _rows_by_rack(chosen), _outage_address
        ),
        *_limit_bars(chosen),
    ], len({each.block.public_id for each in stands})


def _rows_by_rack(chosen: Chosen) -> dict[int, str]:
    """The row in which a rack's outage stands: its hall's, and one of their own where only one hall is shown."""
    rows = {hall.code: _OUTAGES if chosen.hall else hall.name for hall in chosen.halls}
    return {rack.id: rows[rack.hall] for rack in inventory(db.session).racks if rack.hall in rows}


def _limit_bars(chosen: Chosen) -> list[Sized]:
    rack_kw = power.rack_kw(db.session)
    limits = [limit for limit in power.limits(db.session) if limit.site in chosen.shown_sites]
    return timeline.limit_bars(limits, lambda kw: power.racks_powered(kw, rack_kw), url_for("power.index"))


def _rows(chosen: Chosen, shown: Mapping[str, object]) -> list[str]:
    """Each site's halls (of one hall its tenants, and its outages), its power limits below them where it has some."""
    rows = []
    for site in chosen.shown_sites:
        limited = timeline.power_row(site)
        last = {_OUTAGES, limited}
        rows += [row for row in shown if row not in last] if chosen.hall else [hall.name for hall in site.halls]
        rows += [row for row in (_OUTAGES, limited) if row in shown]
    return rows


def _outage_address(outage_id: int) -> str:
    return url_for("outages.outage", outage_id=outage_id)
