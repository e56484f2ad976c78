"""Pages of requests: finding capacity, asking for it, what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.bookings import fits, queries
from portal.bookings import request_actions as actions
from portal.bookings.fits import Answer, Block
from portal.bookings.forms import ON_DEMAND, Choices, RequestForm, given, values_of
from portal.bookings.quotes import Quote
from portal.bookings.terms import Terms, WrongTerms, terms_of, wish_of
from portal.domain.errors import Conflict
from portal.domain.permissions import Permission
from portal.domain.reasons import for_tenant
from portal.domain.requests import OPEN_STATES, can_amend, can_withdraw
from portal.domain.states import RequestState, Scope
from portal.models.requests import Request
from portal.plans.fitting import fits_at
from portal.plans.standing import kept_standing
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.forms import WRONG_FORM
from portal.web.navigation import Entry
from portal.web.paging import requested_page
from portal.web.permissions import current_actor, current_tenant_id, requires

blueprint = Blueprint("requests", __name__)
navigation = (
    Entry("Find capacity", "requests.new", "search", (Permission.BOOK,), order=20, short="Find"),
    Entry("Requests", "requests.index", "request", (Permission.SEE_OWN, Permission.SEE_ALL), order=30),
)

_PAGE_SIZE = 25
_FIRST_START_DAYS, _WINDOW_DAYS, _DAYS = 14, 14, 30
_SHOWN: Mapping[str, frozenset[RequestState]] = {
    "open": OPEN_STATES,
    "drafts": frozenset({RequestState.DRAFT}),
    "closed": queries.CLOSED_REQUESTS,
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A counter-offer of a request: its price, and whether it still fits now."""

    block: Block
    price: Quote | None
    fits: bool


@blueprint.get("/requests")
@requires(Permission.SEE_OWN, Permission.SEE_ALL)
def index() -> ResponseReturnValue:
    actor = current_actor()
    shown = request.args.get("show", "open")
    shown = shown if shown in _SHOWN else "open"
    return render_template(
        "bookings/requests.html",
        shown=shown,
        counts=queries.request_counts(db.session, actor),
        page=queries.requests_page(db.session, actor, _SHOWN[shown], page=requested_page(), size=_PAGE_SIZE),
    )


@blueprint.get("/requests/new")
@requires(Permission.BOOK)
def new() -> ResponseReturnValue:
    """The form; with terms in the address the answer as well, so that a search can be kept and mailed."""
    if "gpus" not in request.args:
        return _form_page(_blank_form(), None)
    form = _form(formdata=given(request.args), meta={"csrf": False})
    return _form_page(form, _answer(form))


@blueprint.post("/requests/new")
@requires(Permission.BOOK)
def create() -> ResponseReturnValue:
    """Check, keep as a draft, or send."""
    form = _form()
    wanted = request.form.get("wanted", "check")
    if wanted == "check":
        answer = _answer(form)
        return _form_page(form, answer), (200 if answer else WRONG_FORM)
    if not form.validate():
        return _form_page(form, None), WRONG_FORM
    act = actions.submit_new if wanted == "submit" else actions.draft
    try:
        made = act(db.session, terms=_terms(form), by=current_actor(), now=now(), today=business_day())
        db.session.commit()
    except WrongTerms as wrong:
        db.session.rollback()
        return _form_page(_shown(form, wrong), None), WRONG_FORM
    flash("Your request is sent. The next plan decides." if wanted == "submit" else "Your draft is kept.", "ok")
    return redirect(url_for("requests.show", public_id=made.public_id))


@blueprint.get("/requests/<string:public_id>")
@requires(Permission.SEE_OWN, Permission.SEE_ALL)
def show(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    row = queries.request_for(db.session, actor, public_id)
    reservations, offers = queries.made_from(db.session, actor, row)
    return render_template(
        "bookings/request.html",
        row=row,
        reason=for_tenant(row.reason),
        provider_reason=None if actor.is_tenant else row.reason,
        suggestions=_suggestions(row),
        price=_price(row),
        reservations=reservations,
        offers=offers,
        can_amend=can_amend(row.state),
        can_withdraw=can_withdraw(row.state),
        is_open=row.state in OPEN_STATES,
    )


@blueprint.get("/requests/<string:public_id>/edit")
@requires(Permission.BOOK)
def edit(public_id: str) -> ResponseReturnValue:
    row = _amendable(public_id)
    form = _form(formdata=given(request.args) if request.args else None, meta={"csrf": False}, data=_values(row))
    if not request.args:
        return _form_page(form, _answer_of(terms_of(row), form), row)
    return _form_page(form, _answer(form), row)


@blueprint.post("/requests/<string:public_id>/edit")
@requires(Permission.BOOK)
def amend(public_id: str) -> ResponseReturnValue:
    row, form = _amendable(public_id), _form()
    if request.form.get("wanted") == "check":
        answer = _answer(form)
        return _form_page(form, answer, row), (200 if answer else WRONG_FORM)
    if not form.validate():
        return _form_page(form, None, row), WRONG_FORM
    edition = actions.Edition(public_id, int(form.version.data) if (form.version.data or "").isdecimal() else 0)
    moment: dict[str, Any] = {"by": current_actor(), "now": now(), "today": business_day()}
    try:
        actions.amend(db.session, edition=edition, terms=_terms(form), **moment)
        if request.form.get("wanted") == "submit" and row.state is RequestState.DRAFT:
            actions.submit(db.session, public_id=public_id, **moment)
        db.session.commit()
    except WrongTerms as wrong:
        db.session.rollback()
        return _form_page(_shown(form, wrong), None, _amendable(public_id)), WRONG_FORM
    flash("Your change is kept.", "ok")
    return redirect(url_for("requests.show", public_id=public_id))


@blueprint.post("/requests/<string:public_id>/submit")
@requires(Permission.BOOK)
def submit(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    try:
        actions.submit(db.session, public_id=public_id, by=actor, now=now(), today=business_day())
        db.session.commit()
    except WrongTerms as wrong:
        db.session.rollback()
        flash(wrong.sentence, "bad")
        return redirect(url_for("requests.edit", public_id=public_id))
    flash("Your request is sent. The next plan decides.", "ok")
    return redirect(url_for("requests.show", public_id=public_id))


@blueprint.post("/requests/<string:public_id>/withdraw")
@requires(Permission.BOOK)
def withdraw(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    actions.withdraw(db.session, public_id=public_id, by=actor, now=now())
    db.session.commit()
    flash("The request is withdrawn.", "ok")
    return redirect(url_for("requests.show", public_id=public_id))


@blueprint.post("/requests/<string:public_id>/instead")
@requires(Permission.BOOK)
def ask_instead(public_id: str) -> ResponseReturnValue:
    """Ask for one of the suggestions as a request of its own."""
    actor, kind = current_actor(), request.form.get("kind", "")
    try:
        made = actions.ask_instead(
            db.session, public_id=public_id, kind=kind, by=actor, now=now(), today=business_day()
        )
        db.session.commit()
    except WrongTerms as wrong:
        db.session.rollback()
        flash(wrong.sentence, "bad")
        return redirect(url_for("requests.show", public_id=public_id))
    flash("The suggestion is sent as a request. The next plan decides.", "ok")
    return redirect(url_for("requests.show", public_id=made.public_id))


def _form(**arguments: Any) -> RequestForm:
    form = RequestForm(**arguments)
    form.fill(_choices())
    return form


def _choices() -> Choices:
    tenant_id, today = current_tenant_id(), business_day()
    in_force = [c for c in queries.contracts_of(db.session, tenant_id) if c.terms.effective_end > today]
    live = queries.live_reservations(db.session, tenant_id, today)
    return Choices(in_force, queries.sites(db.session), live)


def _blank_form() -> RequestForm:
    start = business_day() + dt.timedelta(_FIRST_START_DAYS)
    form = _form(
        formdata=None,
        earliest_start=start,
        latest_start=start + dt.timedelta(_WINDOW_DAYS),
        days=_DAYS,
    )
    offered = [contract.public_id for contract in form.choices.contracts]
    wanted = request.args.get("contract", "")
    form.contract.data = wanted if wanted in offered else offered[0] if offered else ON_DEMAND
    return form


def _values(row: Request) -> dict[str, object]:
    live = queries.live_reservations(db.session, row.tenant_id, business_day())
    extends = next((r.public_id for r in live if r.id == row.extends_id), "")
    return {**values_of(row), "extends": extends}


def _terms(form: RequestForm) -> Terms:
    return form.terms(current_tenant_id())


def _answer(form: RequestForm) -> Answer | None:
    """The answer to what was typed; null, with the faults beside their fields, where it cannot be asked for."""
    return _answer_of(_terms(form), form) if form.validate() else None


def _answer_of(terms: Terms, form: RequestForm) -> Answer | None:
    try:
        return fits.answer(db.session, terms, today=business_day(), now=now())
    except WrongTerms as wrong:
        form.show(wrong)
        return None


def _shown(form: RequestForm, wrong: WrongTerms) -> RequestForm:
    form.show(wrong)
    return form


def _form_page(form: RequestForm, answer: Answer | None, row: Request | None = None) -> str:
    return render_template(
        "bookings/request_form.html",
        form=form,
        answer=answer,
        row=row,
        in_scope=fits.IN_SCOPE,
        typed=_typed(form),
    )


def _typed(form: RequestForm) -> dict[str, Any]:
    """What the form holds as arguments of an address, for links that change a part of it."""
    skipped = {"csrf_token", "version"}
    return {
        field.name: "y" if field.data is True else str(field.data)
        for field in form
        if field.name not in skipped and field.data not in (None, "", False)
    }


def _amendable(public_id: str) -> Request:
    row = queries.request_for(db.session, current_actor(), public_id)
    if not can_amend(row.state):
        raise Conflict(f"This request is {row.state} and can no longer be changed. Ask for a new block instead.")
    return row


def _price(row: Request) -> Quote | None:
    terms = terms_of(row)
    block = Block("asked", row.gpus, row.earliest_start, row.earliest_start + dt.timedelta(row.days), row.scope)
    return fits.priced(db.session, terms, block, today=business_day())


def _suggestions(row: Request) -> list[Suggestion]:
    terms, today = terms_of(row), business_day()
    found = []
    with kept_standing(db.session, today=today, now=now()) as standing:
        for offer in row.counter_offers or []:
            start, end = dt.date.fromisoformat(offer["start"]), dt.date.fromisoformat(offer["end"])
            block = Block(offer["kind"], offer["gpus"], start, end, Scope(offer["scope"]))
            asked = terms.block(gpus=block.gpus, start=start, days=block.days, scope=block.scope)
            price = fits.priced(db.session, terms, block, today=today)
            found.append(Suggestion(block, price, fits_at(standing, wish_of(db.session, asked), start)))
    return found
