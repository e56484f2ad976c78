"""The timeline: who is where, when, over the cluster, a site or a hall."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
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
        gantt=gantt_view(window, [GanttRow(row, by_row.get(row, ())) for row in _rows(chosen, bars)], today=today),
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
    names = {hall.id: hall.name for hall in chosen.halls}
    stands = standing_by_hall(db.session, chosen.where, window.start, window.end, now=now())
    colours = queries.tenant_colours(db.session)
    by_code = {hall.code: hall.name for hall in chosen.halls}
    racks = {rack.id: by_code[rack.hall] for rack in inventory(db.session).racks if rack.hall in by_code}
    events = outages.events_between(db.session, window.start, window.end)
    rack_kw = power.rack_kw(db.session)
    limits = [limit for limit in power.limits(db.session) if limit.site in chosen.shown_sites]
    return [
        *timeline.block_bars(stands, names, colours, block_address),
        *timeline.event_bars(events, racks, _outage_address),
        *timeline.limit_bars(limits, lambda kw: power.racks_powered(kw, rack_kw), url_for("power.index")),
    ], len({each.block.public_id for each in stands})


def _rows(chosen: Chosen, bars: Sequence[Sized]) -> list[str]:
    """The halls, each site's power limits below them where it has some."""
    known = {each.row for each in bars}
    rows = []
    for site in chosen.shown_sites:
        rows += [hall.name for hall in site.halls if hall in chosen.halls]
        rows += [row for row in (timeline.power_row(site),) if row in known]
    return rows


def _outage_address(outage_id: int) -> str:
    return url_for("outages.outage", outage_id=outage_id)
