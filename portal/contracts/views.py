"""Contracts: the list, one contract, what a notice would do, and, for admins, a new one."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.contracts import actions, queries
from portal.contracts.drafting import WrongContract
from portal.contracts.forms import ContractForm, SimulatorForm, given
from portal.contracts.overview import SIDES, Overview, commitment_chart, totals, whole_term
from portal.contracts.simulation import Simulation, simulate
from portal.contracts.withdrawal import is_asked, side_of
from portal.domain.errors import DomainError
from portal.domain.permissions import Permission
from portal.models.cluster import Site
from portal.models.contracts import Contract
from portal.models.tenants import Tenant
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.forms import WRONG_FORM
from portal.web.navigation import Entry
from portal.web.permissions import current_actor, requires
from portal.web.windows import requested_window

blueprint = Blueprint("contracts", __name__)
navigation = (
    Entry("Contracts", "contracts.contracts", "contract", (Permission.SEE_OWN, Permission.SEE_ALL), order=500),
)


@blueprint.get("/contracts")
@requires(Permission.SEE_OWN, Permission.SEE_ALL)
def contracts() -> ResponseReturnValue:
    rows = queries.contracts_for(db.session, current_actor())
    overviews = [Overview(row, business_day()) for row in rows]
    template = "contracts/own.html" if current_actor().is_tenant else "contracts/all.html"
    return render_template(template, overviews=overviews, totals=totals(overviews))


@blueprint.get("/contracts/<public_id>")
@requires(Permission.SEE_OWN, Permission.SEE_ALL)
def contract(public_id: str) -> ResponseReturnValue:
    row = queries.contract_for(db.session, current_actor(), public_id)
    booked = queries.booked_steps(db.session, [row.id])[row.id]
    window = requested_window(whole_term(row))
    return render_template(
        "contracts/contract.html",
        overview=Overview(row, business_day()),
        chart=commitment_chart(row, booked, window),
        simulator=SimulatorForm(day=business_day()),
        is_asked=row.notice is not None and is_asked(db.session, row.notice),
        side=side_of(current_actor()),
    )


@blueprint.get("/contracts/<public_id>/notice-check")
@requires(Permission.SEE_OWN, Permission.SEE_ALL)
def notice_check(public_id: str) -> ResponseReturnValue:
    """What happens if notice is given on a day: nothing is written."""
    row = queries.contract_for(db.session, current_actor(), public_id)
    form = SimulatorForm(day=business_day())
    valid = form.validate()
    simulation = _simulation(row, given(form.day.data)) if valid else None
    page = render_template(
        "contracts/notice_check.html",
        overview=Overview(row, business_day()),
        form=form,
        simulation=simulation,
        side=side_of(current_actor()),
    )
    return page, 200 if valid else WRONG_FORM


def _simulation(row: Contract, day: dt.date) -> Simulation:
    return simulate(db.session, row, SIDES, day=day, today=business_day(), now=now())


@blueprint.get("/contracts/new")
@requires(Permission.MANAGE_CONTRACTS)
def new_contract() -> ResponseReturnValue:
    return _contract_page(_contract_form())


@blueprint.post("/contracts/new")
@requires(Permission.MANAGE_CONTRACTS)
def add_contract() -> ResponseReturnValue:
    form, actor = _contract_form(), current_actor()
    if form.more.data:
        form.add_rows()
        return _contract_page(form)
    if not form.validate():
        return _contract_page(form, WRONG_FORM)
    tenant_id = db.session.scalars(sa.select(Tenant.id).where(Tenant.public_id == form.tenant.data)).one()
    site_id = db.session.scalar(sa.select(Site.id).where(Site.code == form.site.data))
    new, day = form.new_contract(tenant_id=tenant_id, site_id=site_id), business_day()
    try:
        row = actions.add_contract(db.session, new=new, by=actor, now=now(), today=day, oversell=form.oversell.data)
        db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        return _refused(form, refusal)
    flash(f"{new.public_id} is recorded. What it commits is held from now on.", "ok")
    return redirect(url_for("contracts.contract", public_id=row.public_id))


def _refused(form: ContractForm, refusal: DomainError) -> ResponseReturnValue:
    if isinstance(refusal, WrongContract):
        form.show(refusal.problems)
    else:
        form.refuse(refusal)
    return _contract_page(form, WRONG_FORM, oversold=isinstance(refusal, actions.Oversold))


def _contract_form() -> ContractForm:
    sites = db.session.scalars(sa.select(Site).order_by(Site.position, Site.id)).all()
    return ContractForm(queries.tenants(db.session), sites)


def _contract_page(form: ContractForm, status: int = 200, *, oversold: bool = False) -> ResponseReturnValue:
    shown = oversold or bool(form.oversell.data)
    return render_template("contracts/new.html", form=form, may_oversell=shown), status
