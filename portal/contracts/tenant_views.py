"""Tenants: who rents, under which limit; adding one and changing a limit are the admin's."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.contracts import actions, queries
from portal.contracts.forms import QuotaForm, TenantForm
from portal.domain.errors import DomainError
from portal.domain.permissions import Permission
from portal.domain.states import TenantKind
from portal.web.actor import Actor
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.format import gpus_text
from portal.web.forms import WRONG_FORM
from portal.web.navigation import Entry
from portal.web.permissions import current_actor, requires

blueprint = Blueprint("tenants", __name__)
navigation = (Entry("Tenants", "tenants.tenants", "people", (Permission.SEE_ALL,), order=510),)


@blueprint.get("/tenants")
@requires(Permission.SEE_ALL)
def tenants() -> ResponseReturnValue:
    actor = current_actor()
    contracts: dict[int, list[str]] = {}
    for row in queries.contracts_for(db.session, actor):
        contracts.setdefault(row.tenant_id, []).append(row.public_id)
    return render_template(
        "contracts/tenants.html",
        tenants=queries.tenants(db.session),
        contracts=contracts,
        promised=queries.promised_on(db.session, business_day()),
    )


@blueprint.get("/tenants/new")
@requires(Permission.MANAGE_TENANTS)
def new_tenant() -> ResponseReturnValue:
    return render_template("contracts/new_tenant.html", form=TenantForm())


@blueprint.post("/tenants/new")
@requires(Permission.MANAGE_TENANTS)
def add_tenant() -> ResponseReturnValue:
    form, actor = TenantForm(), current_actor()
    if not form.validate():
        return render_template("contracts/new_tenant.html", form=form), WRONG_FORM
    new = actions.NewTenant(
        public_id=form.public_id.data,
        name=form.name.data,
        kind=TenantKind(form.kind.data),
        max_gpus=form.max_gpus.data,
    )
    try:
        actions.add_tenant(db.session, new=new, by=actor, now=now())
        db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return render_template("contracts/new_tenant.html", form=form), WRONG_FORM
    flash(f"{new.name} is a tenant now. Next: a contract, and people who may sign in.", "ok")
    return redirect(url_for("tenants.tenants"))


@blueprint.get("/tenants/<public_id>/limit")
@requires(Permission.MANAGE_TENANTS)
def quota(public_id: str) -> ResponseReturnValue:
    tenant = queries.tenant_of(db.session, public_id)
    return _quota_page(public_id, QuotaForm(data={"max_gpus": tenant.max_gpus, "version": tenant.version}))


@blueprint.post("/tenants/<public_id>/limit")
@requires(Permission.MANAGE_TENANTS)
def set_quota(public_id: str) -> ResponseReturnValue:
    form, actor = QuotaForm(), current_actor()
    if not form.validate():
        return _quota_page(public_id, form, WRONG_FORM)
    try:
        _set_quota(public_id, form, actor)
    except DomainError as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return _quota_page(public_id, form, WRONG_FORM)
    limit = "no limit" if form.max_gpus.data is None else f"a limit of {gpus_text(form.max_gpus.data)}"
    flash(f"{public_id} has {limit} now.", "ok")
    return redirect(url_for("tenants.tenants"))


def _set_quota(public_id: str, form: QuotaForm, actor: Actor) -> None:
    version = int(form.version.data) if (form.version.data or "").isdecimal() else 0
    actions.set_quota(
        db.session, public_id=public_id, version=version, max_gpus=form.max_gpus.data, by=actor, now=now()
    )
    db.session.commit()


def _quota_page(public_id: str, form: QuotaForm, status: int = 200) -> ResponseReturnValue:
    tenant = queries.tenant_of(db.session, public_id)
    promised = queries.promised_on(db.session, business_day()).get(tenant.id, 0)
    return render_template("contracts/quota.html", tenant=tenant, form=form, promised=promised), status
