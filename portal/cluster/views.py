"""The cluster for the provider's people: by hall and day, one hall on a day, one rack over time."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.cluster import outages, queries, timeline
from portal.cluster.blocks import Block, placed
from portal.cluster.forms import DayForm, SpareForm, given
from portal.cluster.rack_map import pods_text, rack_map, state_of
from portal.cluster.spares import set_spare_racks
from portal.cluster.use_map import use_map
from portal.domain.errors import DomainError
from portal.domain.permissions import Permission
from portal.models.cluster import Hall, Pod, Rack
from portal.plans.standing import kept_standing
from portal.plans.usage import ClusterUse, HallUse, cluster_use, days_known, hall_uses
from portal.plans.work import Moment
from portal.web.charts.axis import Window
from portal.web.charts.gantt import GanttRow, gantt_view
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.errors import status_of
from portal.web.forms import WRONG_FORM
from portal.web.navigation import Entry
from portal.web.permissions import current_actor, requires
from portal.web.windows import requested_window

blueprint = Blueprint("cluster", __name__)
navigation = (
    Entry(
        "Cluster", "cluster.overview", "cluster", (Permission.SEE_ALL,), order=200, work_of=(Permission.KEEP_CLUSTER,)
    ),
)

_SHOWN_DAYS = 90
_RACK_BEFORE_DAYS, _RACK_SHOWN_DAYS = 60, 365
_ONE_DAY = dt.timedelta(1)


@blueprint.get("/cluster")
@requires(Permission.SEE_ALL)
def overview() -> ResponseReturnValue:
    """Every hall over the coming days, and the whole cluster on one of them."""
    today = business_day()
    halls = queries.hall_rows(db.session)
    with kept_standing(db.session, today=today, now=now()) as standing:
        known = days_known(standing)
        window, day = _known_window(known), _known_day(known)
        uses = hall_uses(standing, window.start, window.end)
        on_day: dict[str, HallUse] = {code: use[0] for code, use in hall_uses(standing, day, day + _ONE_DAY).items()}
        total, use = cluster_use(standing, today), cluster_use(standing, day)
    return render_template(
        "cluster/overview.html",
        use=use,
        use_today=total,
        day=day,
        form=_day_form(day),
        map=use_map(window, halls, uses, _hall_address, day=day) if halls else None,
        halls=halls,
        on_day=on_day,
        out=outages.racks_out(db.session, today),
        out_on_day=outages.racks_out(db.session, day),
        limits=queries.limits_from(db.session, today),
        booked_share=_booked_share(total),
    )


@blueprint.get("/cluster/halls/<string:code>")
@requires(Permission.SEE_ALL)
def hall(code: str) -> ResponseReturnValue:
    """A hall's racks on one day."""
    found = queries.hall_by_code(db.session, code)
    return _hall_page(found, SpareForm(obj=found))


@blueprint.post("/cluster/halls/<string:code>/spare-racks")
@requires(Permission.KEEP_CLUSTER)
def set_spares(code: str) -> ResponseReturnValue:
    form, moment = SpareForm(), Moment(by=current_actor(), now=now(), today=business_day())
    if not form.validate():
        return _hall_page(queries.hall_by_code(db.session, code), form), WRONG_FORM
    spares, version = given(form.spare_racks.data), int(form.version.data) if form.version.data.isdecimal() else 0
    try:
        set_spare_racks(db.session, code, spares, version=version, moment=moment)
        db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        found = queries.hall_by_code(db.session, code)
        form.refuse(refusal)
        form.version.data = found.version
        return _hall_page(found, form), status_of(refusal)
    flash("The number of spare racks is changed. The next plan keeps to it.", "ok")
    return redirect(url_for("cluster.hall", code=code))


@blueprint.get("/cluster/racks/<string:code>")
@requires(Permission.SEE_ALL)
def rack(code: str) -> ResponseReturnValue:
    """Who is on a rack when, and when it is out of use."""
    found, today = queries.rack_by_code(db.session, code), business_day()
    stands = placed(db.session, Rack.id == found.id, dt.date.min, None, now=now())
    out = outages.of_racks(db.session, [found.id]).get(found.id, [])
    window = requested_window(Window.of(today - dt.timedelta(_RACK_BEFORE_DAYS), _RACK_SHOWN_DAYS))
    bars = timeline.by_row(
        [
            *timeline.rack_bars(stands, queries.tenant_colours(db.session), block_address),
            *timeline.outage_bars(out, _outage_address),
        ]
    )
    on_today = [each for each in stands if each.start <= today < each.end]
    out_today = [each for each in out if each.start <= today and (each.end is None or each.end > today)]
    return render_template(
        "cluster/rack.html",
        rack=found,
        state=state_of(on_today, out_today),
        stands=stands,
        on_today=on_today,
        outages=out,
        out_today=out_today,
        gantt=gantt_view(window, [GanttRow(row, bars.get(row, ())) for row in ("Blocks", "Outages")], today=today),
        block_address=block_address,
    )


def block_address(block: Block) -> str:
    """The page of a reservation or an offer."""
    endpoint = "offers.show" if block.is_offer else "reservations.show"
    return url_for(endpoint, public_id=block.public_id)


def _hall_page(found: Hall, spare_form: SpareForm) -> str:
    day, racks = _requested_day() or business_day(), Pod.hall_id == found.id
    stands = placed(db.session, racks, day, day + _ONE_DAY, now=now())
    out = outages.on_day(db.session, found.id, day)
    return render_template(
        "cluster/hall.html",
        hall=found,
        day=day,
        form=_day_form(day),
        spare_form=spare_form,
        map=rack_map(found, stands, out, queries.tenant_colours(db.session)),
        limits=[
            limit
            for limit in queries.limits_from(db.session, day)
            if limit.site_id == found.site_id and limit.start <= day
        ],
        block_address=block_address,
        pods_text=pods_text,
    )


def _hall_address(code: str, day: dt.date) -> str:
    return url_for("cluster.hall", code=code, day=day.isoformat())


def _outage_address(outage_id: int) -> str:
    return url_for("outages.outage", outage_id=outage_id)


def _requested_day() -> dt.date | None:
    form = DayForm()
    return form.day.data if form.validate() else None


def _day_form(day: dt.date) -> DayForm:
    form = DayForm()
    form.day.data = day
    return form


def _known_window(known: tuple[dt.date, dt.date]) -> Window:
    """The requested window, moved into the days of which something is known."""
    first, end = known
    asked = requested_window(Window.of(first, _SHOWN_DAYS))
    days = min(asked.days, (end - first).days)
    start = min(max(asked.start, first), end - dt.timedelta(days))
    return Window.of(start, days)


def _known_day(known: tuple[dt.date, dt.date]) -> dt.date:
    """The requested day, or the nearest that is known."""
    return min(max(_requested_day() or known[0], known[0]), known[1] - _ONE_DAY)


def _booked_share(use: ClusterUse) -> float | None:
    return use.booked / use.for_sale if use.for_sale else None
