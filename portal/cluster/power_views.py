"""Pages of power limits: which hold and will, recording one after reading what follows, ending and removing."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.cluster import power, queries
from portal.cluster.forms import EndLimitForm, LimitForm
from portal.cluster.power import LimitChange, LimitConsequences
from portal.cluster.views import block_address
from portal.domain.errors import DomainError
from portal.domain.permissions import Permission
from portal.models.cluster import PowerLimit
from portal.plans.work import Moment
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.errors import status_of
from portal.web.forms import WRONG_FORM
from portal.web.permissions import current_actor, requires
from portal.web.settings import app_settings

blueprint = Blueprint("power", __name__, url_prefix="/outages/power-limits")


@blueprint.get("")
@requires(Permission.SEE_ALL)
def index() -> ResponseReturnValue:
    """Every power limit, those that hold or will before those that are over."""
    today, found = business_day(), power.limits(db.session)
    rack_kw = power.rack_kw(db.session)
    return render_template(
        "cluster/power_limits.html",
        left=sorted((limit for limit in found if limit.end > today), key=lambda limit: limit.start),
        past=[limit for limit in found if limit.end <= today],
        powered={limit.id: power.racks_powered(limit.kw, rack_kw) for limit in found},
        rack_kw=rack_kw,
    )


@blueprint.get("/new")
@requires(Permission.KEEP_CLUSTER)
def new_limit() -> ResponseReturnValue:
    form = LimitForm(queries.sites(db.session))
    form.start.data = business_day()
    return _new_page(form)


@blueprint.post("/new")
@requires(Permission.KEEP_CLUSTER)
def record_new() -> ResponseReturnValue:
    """Look at what follows, or record it."""
    form = LimitForm(queries.sites(db.session))
    if not form.validate():
        return _new_page(form), WRONG_FORM
    change, is_check = form.change(), request.form.get("wanted") != "record"
    try:
        if is_check:
            return _new_page(form, power.consequences_of_limit(db.session, change, _moment()))
        _record(form, change)
    except DomainError as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return _new_page(form, _consequences(change)), status_of(refusal)
    flash("The power limit is recorded. A repair run is queued.", "ok")
    return redirect(url_for("power.index"))


@blueprint.get("/<int:limit_id>")
@requires(Permission.SEE_ALL)
def limit(limit_id: int) -> ResponseReturnValue:
    """One limit, to be ended earlier or removed."""
    found = power.limit_by_id(db.session, limit_id)
    form = EndLimitForm()
    form.last_day.data = found.end - dt.timedelta(1)
    return _limit_page(found, form)


@blueprint.post("/<int:limit_id>/end")
@requires(Permission.KEEP_CLUSTER)
def end(limit_id: int) -> ResponseReturnValue:
    form = EndLimitForm()
    if not form.validate():
        return _limit_page(power.limit_by_id(db.session, limit_id), form), WRONG_FORM
    try:
        power.end_limit(db.session, limit_id, form.end, moment=_moment(), time_limit_s=_time_limit_s())
        db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        found = power.limit_by_id(db.session, limit_id)
        form.refuse(refusal)
        return _limit_page(found, form), status_of(refusal)
    flash("The power limit ends earlier. A run is queued that plans with it.", "ok")
    return redirect(url_for("power.index"))


@blueprint.post("/<int:limit_id>/remove")
@requires(Permission.KEEP_CLUSTER)
def remove(limit_id: int) -> ResponseReturnValue:
    power.remove_limit(db.session, limit_id, moment=_moment(), time_limit_s=_time_limit_s())
    db.session.commit()
    flash("The power limit is removed. A run is queued that plans without it.", "ok")
    return redirect(url_for("power.index"))


def _record(form: LimitForm, change: LimitChange) -> None:
    confirmed = form.confirmation
    power.record_limit(db.session, change, confirmed, moment=_moment(), time_limit_s=_time_limit_s())
    db.session.commit()


def _consequences(change: LimitChange) -> LimitConsequences | None:
    try:
        return power.consequences_of_limit(db.session, change, _moment())
    except DomainError:
        return None  # the form says why


def _new_page(form: LimitForm, found: LimitConsequences | None = None) -> str:
    form.seen.data = found.digest if found else ""
    return render_template(
        "cluster/power_limit_new.html",
        form=form,
        found=found,
        rack_kw=power.rack_kw(db.session),
        block_address=block_address,
    )


def _limit_page(found: PowerLimit, form: EndLimitForm) -> str:
    racks = power.racks_powered(found.kw, power.rack_kw(db.session))
    return render_template("cluster/power_limit.html", limit=found, racks=racks, form=form)


def _moment() -> Moment:
    return Moment(by=current_actor(), now=now(), today=business_day())


def _time_limit_s() -> float:
    return float(app_settings().solver_time_limit_s)
