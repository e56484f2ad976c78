"""Pages of outages: what is out, will be and was; recording one after reading what follows; correcting, removing."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.cluster import outage_actions as actions
from portal.cluster import outages
from portal.cluster.forms import OutageForm, RemovalForm
from portal.cluster.inventory import inventory
from portal.cluster.outage_changes import Consequences, OutageChange, consequences_of, consequences_of_removal
from portal.cluster.outages import Event, When
from portal.cluster.views import block_address
from portal.domain.errors import DomainError
from portal.domain.permissions import Permission
from portal.domain.states import OutageKind
from portal.plans.work import Moment
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.errors import status_of
from portal.web.forms import WRONG_FORM
from portal.web.navigation import Entry
from portal.web.paging import Page, requested_page
from portal.web.permissions import current_actor, requires
from portal.web.settings import app_settings

blueprint = Blueprint("outages", __name__)
navigation = (Entry("Outages", "outages.index", "outage", (Permission.SEE_ALL,), order=220),)

_PAGE_SIZE = 25


@blueprint.get("/outages")
@requires(Permission.SEE_ALL)
def index() -> ResponseReturnValue:
    """What is out of use now, what will be, what was."""
    today, known = business_day(), inventory(db.session)
    when = next((when for when in When if when.value == request.args.get("show")), When.CURRENT)
    counts = {each: outages.count(db.session, each, today) for each in When}
    number = Page.clamp(requested_page(), size=_PAGE_SIZE, total=counts[when])
    found = outages.events(db.session, when, today, limit=_PAGE_SIZE, offset=(number - 1) * _PAGE_SIZE)
    return render_template(
        "cluster/outages.html",
        page=Page(items=found, number=number, size=_PAGE_SIZE, total=counts[when]),
        when=when,
        counts=counts,
        units={event.id: known.summary(event.rack_ids) for event in found},
        out=outages.racks_out(db.session, today),
    )


@blueprint.get("/outages/new")
@requires(Permission.KEEP_CLUSTER)
def new_outage() -> ResponseReturnValue:
    form = OutageForm()
    form.units.data = ", ".join(request.args.getlist("unit"))
    form.kind.data, form.start.data = OutageKind.FAILURE.value, business_day()
    return _new_page(form)


@blueprint.post("/outages/new")
@requires(Permission.KEEP_CLUSTER)
def record_new() -> ResponseReturnValue:
    """Look at what follows, or record it."""
    form = OutageForm()
    if not form.validate():
        return _new_page(form), WRONG_FORM
    refusal = _refusal_of(form, form.change())
    if refusal is not None:
        return _new_page(form, form.change()), status_of(refusal)
    if _is_check():
        return _new_page(form, form.change())
    flash("The outage is recorded. Its tenants are told, and a repair run is queued.", "ok")
    return redirect(url_for("outages.index", show=_when(form.change()).value))


@blueprint.get("/outages/<int:outage_id>")
@requires(Permission.SEE_ALL)
def outage(outage_id: int) -> ResponseReturnValue:
    """One outage with all racks for which it was recorded."""
    event = outages.event_of(db.session, outage_id)
    form = OutageForm()
    form.units.data = ", ".join(inventory(db.session).summary(event.rack_ids))
    form.kind.data, form.start.data, form.note.data = event.kind.value, event.start, event.note
    form.last_day.data = event.end and event.end - outages.ONE_DAY
    return _event_page(event, form)


@blueprint.post("/outages/<int:outage_id>")
@requires(Permission.KEEP_CLUSTER)
def correct(outage_id: int) -> ResponseReturnValue:
    """Look at what follows from other racks, days or another kind, or record it."""
    event, form = outages.event_of(db.session, outage_id), OutageForm()
    if not form.validate():
        return _event_page(event, form), WRONG_FORM
    change = form.change(corrects=outage_id)
    refusal = _refusal_of(form, change)
    if refusal is not None:
        return _event_page(outages.event_of(db.session, outage_id), form, change), status_of(refusal)
    if _is_check():
        return _event_page(event, form, change)
    flash("The outage is corrected. A repair run is queued.", "ok")
    return redirect(url_for("outages.index", show=_when(change).value))


@blueprint.post("/outages/<int:outage_id>/remove")
@requires(Permission.KEEP_CLUSTER)
def remove(outage_id: int) -> ResponseReturnValue:
    form = RemovalForm()
    actions.remove_outage(db.session, outage_id, form.confirmation, moment=_moment(), time_limit_s=_time_limit_s())
    db.session.commit()
    flash("The outage is removed, as if it had never been. A repair run is queued.", "ok")
    return redirect(url_for("outages.index"))


def _refusal_of(form: OutageForm, change: OutageChange) -> DomainError | None:
    """Check or record the change; a refusal is shown above the form's fields."""
    try:
        if _is_check():
            actions.check_days(change)
            consequences_of(db.session, change, _moment())
        else:
            confirmed = form.confirmation
            actions.record_outage(db.session, change, confirmed, moment=_moment(), time_limit_s=_time_limit_s())
            db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return refusal
    return None


def _new_page(form: OutageForm, change: OutageChange | None = None) -> str:
    return render_template("cluster/outage_new.html", form=form, **_following(form, change))


def _event_page(event: Event, form: OutageForm, change: OutageChange | None = None) -> str:
    removal = consequences_of_removal(db.session, event, _moment())
    return render_template(
        "cluster/outage.html",
        event=event,
        when=event.when(business_day()),
        units=removal.units,
        removal=removal,
        form=form,
        **_following(form, change),
    )


def _following(form: OutageForm, change: OutageChange | None) -> dict[str, object]:
    """What follows from the change, where it can be made at all; confirming the form confirms just this."""
    found = _consequences(change)
    form.seen.data = found.digest if found else ""
    is_open = found is not None and (
        found.in_good_time_from is None or current_actor().may(Permission.OVERRIDE_MOVE_NOTICE)
    )
    return {"found": found, "may_record": is_open, "block_address": block_address}


def _consequences(change: OutageChange | None) -> Consequences | None:
    if change is None:
        return None
    try:
        actions.check_days(change)
        return consequences_of(db.session, change, _moment())
    except DomainError:
        return None  # the form says why


def _when(change: OutageChange) -> When:
    if change.start > business_day():
        return When.PLANNED
    return When.PAST if change.end is not None and change.end <= business_day() else When.CURRENT


def _is_check() -> bool:
    return request.form.get("wanted") != "record"


def _moment() -> Moment:
    return Moment(by=current_actor(), now=now(), today=business_day())


def _time_limit_s() -> float:
    return float(app_settings().solver_time_limit_s)
