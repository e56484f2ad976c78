"""People: the admin's list, adding one, disabling and enabling one."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.auth import actions, queries
from portal.auth.forms import UserForm
from portal.auth.passwords import Passwords
from portal.domain.errors import DomainError
from portal.domain.permissions import Permission
from portal.domain.states import Role
from portal.models.tenants import Tenant
from portal.models.transactions import begin_write
from portal.web.clock import now
from portal.web.database import db
from portal.web.forms import WRONG_FORM
from portal.web.navigation import Entry
from portal.web.permissions import current_actor, requires
from portal.web.settings import app_settings

blueprint = Blueprint("users", __name__)
navigation = (
    Entry("People", "users.people", "people", (Permission.MANAGE_USERS,), order=900, section="Administration"),
)


@blueprint.get("/users")
@requires(Permission.MANAGE_USERS)
def people() -> ResponseReturnValue:
    return render_template("auth/people.html", users=queries.users(db.session))


@blueprint.get("/users/new")
@requires(Permission.MANAGE_USERS)
def new_person() -> ResponseReturnValue:
    return render_template("auth/new_person.html", form=UserForm(_tenants()))


@blueprint.post("/users/new")
@requires(Permission.MANAGE_USERS)
def add_person() -> ResponseReturnValue:
    form, actor = UserForm(_tenants()), current_actor()
    if not form.validate():
        return render_template("auth/new_person.html", form=form), WRONG_FORM
    try:
        begin_write(db.session)
        user = actions.add_user(
            db.session,
            new=_new_user(form),
            passwords=Passwords.of(app_settings()),
            by=actor,
            now=now(),
        )
        db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return render_template("auth/new_person.html", form=form), WRONG_FORM
    flash(f"{user.name} can sign in now.", "ok")
    return redirect(url_for("users.people"))


@blueprint.post("/users/<int:user_id>/disable")
@requires(Permission.MANAGE_USERS)
def disable_person(user_id: int) -> ResponseReturnValue:
    actor = current_actor()
    begin_write(db.session)
    user = actions.disable_user(db.session, user_id=user_id, by=actor, now=now())
    db.session.commit()
    flash(f"{user.name} can no longer sign in.", "ok")
    return redirect(url_for("users.people"))


@blueprint.post("/users/<int:user_id>/enable")
@requires(Permission.MANAGE_USERS)
def enable_person(user_id: int) -> ResponseReturnValue:
    actor = current_actor()
    begin_write(db.session)
    user = actions.enable_user(db.session, user_id=user_id, by=actor, now=now())
    db.session.commit()
    flash(f"{user.name} can sign in again.", "ok")
    return redirect(url_for("users.people"))


def _new_user(form: UserForm) -> actions.NewUser:
    return actions.NewUser(
        email=form.email.data,
        name=form.name.data,
        role=Role(form.role.data),
        tenant_id=_tenant_id(form.tenant.data),
        password=form.password.data,
    )


def _tenants() -> list[Tenant]:
    return list(db.session.scalars(sa.select(Tenant).order_by(Tenant.name)))


def _tenant_id(public_id: str) -> int | None:
    return db.session.scalar(sa.select(Tenant.id).where(Tenant.public_id == public_id)) if public_id else None
