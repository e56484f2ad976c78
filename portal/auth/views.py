"""Signing in and out, and a person's own account: sessions and password."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from portal.auth import actions, identity, queries
from portal.auth.forms import PasswordForm, SignInForm
from portal.auth.passwords import Passwords
from portal.domain.errors import DomainError
from portal.models.transactions import begin_write
from portal.web.clock import now
from portal.web.database import db
from portal.web.forms import WRONG_FORM
from portal.web.limits import limiter
from portal.web.logs import log
from portal.web.permissions import current_actor, optional_actor, public, signed_in
from portal.web.redirects import local_address
from portal.web.settings import app_settings

blueprint = Blueprint("auth", __name__)

_FAILED = "That e-mail address and password do not belong together. Check both and try again."


def _account_limit() -> str:
    return app_settings().sign_in_limit_account


def _address_limit() -> str:
    return app_settings().sign_in_limit_address


def _account_key() -> str:
    return f"account {request.form.get('email', '').strip().lower()[:254]}"


def _is_failure(response: Response) -> bool:
    return response.status_code == WRONG_FORM


@blueprint.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    if optional_actor():
        return redirect(local_address(request.args.get("next"), "/"))
    return render_template("auth/sign_in.html", form=SignInForm(formdata=None))


@blueprint.post("/sign-in")
@limiter.limit(_account_limit, key_func=_account_key, deduct_when=_is_failure)
@limiter.limit(_address_limit, deduct_when=_is_failure)
@public
def sign_in_submit() -> ResponseReturnValue:
    """A right password starts a new session, whatever session there was; a wrong one says nothing of whose it is."""
    form = SignInForm()
    user_id = _person_of(form) if form.validate() else None
    if user_id is None:
        form.refuse(_FAILED)
        log.warning("sign-in refused", address=identity.remote_address())
        return render_template("auth/sign_in.html", form=form), WRONG_FORM
    session.clear()  # nothing that was set up before, the form token included, lives on
    response = redirect(local_address(request.args.get("next"), "/"))
    identity.set_cookie(response, _start_session(form, user_id))
    return response


@blueprint.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    actor, token = current_actor(), identity.token_of(request) or ""
    begin_write(db.session)
    actions.sign_out(db.session, token=token, by=actor, now=now())
    db.session.commit()
    return _to_sign_in("You have signed out.")


@blueprint.get("/account")
@signed_in
def account() -> ResponseReturnValue:
    return _account_page(PasswordForm(formdata=None))


@blueprint.post("/account/password")
@limiter.limit(_account_limit, key_func=lambda: f"password {current_actor().user_id}", deduct_when=_is_failure)
@signed_in
def change_password() -> ResponseReturnValue:
    form, actor = PasswordForm(), current_actor()
    if not form.validate():
        return _account_page(form), WRONG_FORM
    try:
        begin_write(db.session)
        actions.change_password(
            db.session, old=form.old.data, new=form.new.data, passwords=_passwords(), by=actor, now=now()
        )
        db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return _account_page(form), WRONG_FORM
    return _to_sign_in("Your password is changed. Sign in with the new one.")


@blueprint.post("/account/sessions/<string(length=16):key>/end")
@signed_in
def end_session(key: str) -> ResponseReturnValue:
    actor = current_actor()
    begin_write(db.session)
    actions.end_session(db.session, key=key, by=actor, now=now())
    db.session.commit()
    flash("That session has ended.", "ok")
    return redirect(url_for("auth.account"))


@blueprint.post("/account/sessions/end-all")
@signed_in
def sign_out_everywhere() -> ResponseReturnValue:
    actor = current_actor()
    begin_write(db.session)
    actions.sign_out_everywhere(db.session, by=actor, now=now())
    db.session.commit()
    return _to_sign_in("You have signed out everywhere.")


def _person_of(form: SignInForm) -> int | None:
    return actions.check_credentials(db.session, _credentials(form), passwords=_passwords())


def _start_session(form: SignInForm, user_id: int) -> str:
    begin_write(db.session)
    token = actions.sign_in(
        db.session,
        _credentials(form),
        user_id=user_id,
        passwords=_passwords(),
        lifetime=dt.timedelta(hours=app_settings().session_lifetime_hours),
        now=now(),
    )
    db.session.commit()
    return token


def _credentials(form: SignInForm) -> actions.Credentials:
    return actions.Credentials(
        email=form.email.data,
        password=form.password.data,
        address=identity.remote_address(),
        user_agent=request.user_agent.string,
    )


def _passwords() -> Passwords:
    return Passwords.of(app_settings())


def _account_page(form: PasswordForm) -> str:
    idle = dt.timedelta(minutes=app_settings().session_idle_minutes)
    rows = queries.open_sessions_of(db.session, user_id=current_actor().user_id or 0, now=now(), idle=idle)
    return render_template("auth/account.html", form=form, sessions=rows)


def _to_sign_in(said: str) -> ResponseReturnValue:
    session.clear()
    flash(said, "ok")
    response = redirect(url_for("auth.sign_in"))
    identity.delete_cookie(response)
    return response
