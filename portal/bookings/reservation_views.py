"""Pages of reservations: what is promised, on which racks, in which condition; cancelling one."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.bookings import queries
from portal.bookings import reservation_actions as actions
from portal.bookings.condition import Condition, RackUse, conditions_of
from portal.domain.permissions import Permission
from portal.models.reservations import Reservation
from portal.web.charts.axis import Window
from portal.web.charts.gantt import GanttBar, GanttRow, GanttView, gantt_view
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.format import counted_text, gpus_racks_text, gpus_text, words
from portal.web.navigation import Entry
from portal.web.paging import requested_page
from portal.web.permissions import current_actor, requires
from portal.web.windows import requested_window

blueprint = Blueprint("reservations", __name__)
navigation = (
    Entry("Reservations", "reservations.index", "reservation", (Permission.SEE_OWN, Permission.SEE_ALL), order=40),
)

_PAGE_SIZE = 25
_BEFORE_DAYS, _SHOWN_DAYS = 30, 180


@dataclass(frozen=True, slots=True)
class RackGroup:
    """The racks of one hall that a reservation has for the same days: those in order, and those out of use."""

    place: str
    start: dt.date
    end: dt.date
    racks: Sequence[RackUse]

    @property
    def gpus(self) -> int:
        return sum(rack.gpus for rack in self.racks)

    @property
    def hurt(self) -> Sequence[RackUse]:
        return [rack for rack in self.racks if rack.outage]


@blueprint.get("/reservations")
@requires(Permission.SEE_OWN, Permission.SEE_ALL)
def index() -> ResponseReturnValue:
    actor, today = current_actor(), business_day()
    current = request.args.get("show") != "ended"
    page = queries.reservations_page(
        db.session, actor, current=current, today=today, page=requested_page(), size=_PAGE_SIZE
    )
    conditions = conditions_of(db.session, page.items, today)
    return render_template(
        "bookings/reservations.html",
        page=page,
        current=current,
        conditions=conditions,
        short_now=sum(conditions[row.id].short_on(today) for row in page.items),
        gantt=_gantt_of_all(page.items, today) if page.items else None,
    )


@blueprint.get("/reservations/<string:public_id>")
@requires(Permission.SEE_OWN, Permission.SEE_ALL)
def show(public_id: str) -> ResponseReturnValue:
    today = business_day()
    row = queries.reservation_for(db.session, current_actor(), public_id)
    condition = conditions_of(db.session, [row], today)[row.id]
    groups = _groups(condition)
    return render_template(
        "bookings/reservation.html",
        row=row,
        condition=condition,
        groups=groups,
        gantt=_gantt(row, groups, today) if groups else None,
        is_live=row.is_live(today),
        fee=actions.cancellation_fee(row, today),
    )


@blueprint.post("/reservations/<string:public_id>/cancel")
@requires(Permission.CANCEL_RESERVATIONS)
def cancel(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    actions.cancel(db.session, public_id=public_id, by=actor, now=now(), today=business_day())
    db.session.commit()
    flash("The reservation is cancelled. Its racks are free from today on.", "ok")
    return redirect(url_for("reservations.show", public_id=public_id))


def _groups(condition: Condition) -> list[RackGroup]:
    found: dict[tuple[str, dt.date, dt.date], list[RackUse]] = defaultdict(list)
    for rack in condition.racks:
        found[rack.place, rack.start, rack.end].append(rack)
    return [RackGroup(place, start, end, racks) for (place, start, end), racks in found.items()]


def _gantt(row: Reservation, groups: Sequence[RackGroup], today: dt.date) -> GanttView:
    """Its racks by hall, with what is out of use below them."""
    days = max(_SHOWN_DAYS, (row.end - row.start).days + 2 * _BEFORE_DAYS)
    window = requested_window(Window.of(row.start - dt.timedelta(_BEFORE_DAYS), min(days, 1_200)))
    bars: dict[str, list[GanttBar]] = defaultdict(list)
    here = url_for("reservations.show", public_id=row.public_id)
    for group in groups:
        label, state = _racks_text(group), "in use" if group.start <= today else "to come"
        bars[group.place].append(GanttBar(group.start, group.end, label, f"{here}#racks", state))
        for rack in group.hurt:
            outage = rack.outage
            if outage:
                bars[group.place].append(_outage_bar(rack, group, here))
    return gantt_view(window, [GanttRow(place, found) for place, found in bars.items()], today=today)


def _outage_bar(rack: RackUse, group: RackGroup, here: str) -> GanttBar:
    outage = rack.outage
    assert outage is not None  # noqa: S101  # the caller chose racks with one
    start, end = max(outage.start, group.start), min(outage.end or group.end, group.end)
    return GanttBar(start, end, rack.code, f"{here}#racks", f"{words(outage.kind)} of a rack", is_outage=True)


def _racks_text(group: RackGroup) -> str:
    return gpus_text(group.gpus) if group.gpus < 72 else counted_text(len(group.racks), "rack")


def _gantt_of_all(rows: Sequence[Reservation], today: dt.date) -> GanttView:
    """One row per contract for a tenant, per tenant for the provider."""
    actor = current_actor()
    window = requested_window(Window.of(today - dt.timedelta(_BEFORE_DAYS), _SHOWN_DAYS + _BEFORE_DAYS))
    bars: dict[str, list[GanttBar]] = defaultdict(list)
    order = {label: index for index, label in enumerate(dict.fromkeys(_row_label(r, actor.is_tenant) for r in rows))}
    for row in rows:
        label = _row_label(row, actor.is_tenant)
        bars[label].append(
            GanttBar(
                row.start,
                min(row.end, row.ended_on or row.end) if row.ended_on != row.start else row.end,
                gpus_text(row.gpus),
                url_for("reservations.show", public_id=row.public_id),
                f"{row.public_id}, {gpus_racks_text(row.gpus)}, {words(row.state_on(today))}",
                colour=order[label],
            )
        )
    return gantt_view(window, [GanttRow(label, found) for label, found in bars.items()], today=today)


def _row_label(row: Reservation, is_tenant: bool) -> str:
    if not is_tenant:
        return row.tenant.name
    return row.contract.public_id if row.contract else "On demand"
