"""Pages of offers: what is held for a tenant's answer; the provider makes and withdraws them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.bookings import fits, queries
from portal.bookings import offer_actions as actions
from portal.bookings.fits import Answer, Block
from portal.bookings.forms import ON_DEMAND, Choices, OfferForm, given
from portal.bookings.offer_actions import GoneElsewhere, NewOffer
from portal.bookings.quotes import Quote
from portal.bookings.terms import Terms, WrongTerms, terms_of, terms_of_offer
from portal.domain.errors import DomainError
from portal.domain.offers import MAX_STANDING
from portal.domain.permissions import Permission
from portal.domain.states import OfferState
from portal.models.offers import Offer
from portal.models.requests import Request
from portal.models.settings import Settings
from portal.models.tenants import Tenant
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.errors import status_of
from portal.web.forms import WRONG_FORM
from portal.web.navigation import Entry
from portal.web.paging import requested_page
from portal.web.permissions import current_actor, requires

blueprint = Blueprint("offers", __name__)


def _waiting() -> int:
    """The badge of a tenant: offers that want an answer."""
    actor = current_actor()
    return queries.standing_count(db.session, actor, now()) if actor.is_tenant else 0


navigation = (
    Entry("Offers", "offers.index", "offer", (Permission.SEE_OWN, Permission.SEE_ALL), order=50, count=_waiting),
)

_PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom an offer is for, and the request that it answers, if any."""

    tenant: Tenant
    request: Request | None


@blueprint.get("/offers")
@requires(Permission.SEE_OWN, Permission.SEE_ALL)
def index() -> ResponseReturnValue:
    actor = current_actor()
    return render_template(
        "bookings/offers.html",
        standing=queries.standing(db.session, actor, now()),
        page=queries.offers_page(db.session, actor, page=requested_page(), size=_PAGE_SIZE),
    )


@blueprint.get("/offers/new")
@requires(Permission.MAKE_OFFERS)
def new() -> ResponseReturnValue:
    """Choose a tenant, then the block; with terms in the address also whether it fits."""
    if not request.args.get("tenant"):
        return render_template("bookings/offer_tenant.html", tenants=queries.tenants(db.session))
    to = _addressee()
    if "gpus" in request.args:
        form = _form(to, formdata=given(request.args), meta={"csrf": False})
        return _form_page(form, to, _answer(form, to))
    form = _form(to, formdata=None, **_first_values(to))
    return _form_page(form, to, None)


@blueprint.post("/offers/new")
@requires(Permission.MAKE_OFFERS)
def create() -> ResponseReturnValue:
    to = _addressee()
    form = _form(to)
    if request.form.get("wanted") == "check":
        answer = _answer(form, to)
        return _form_page(form, to, answer), (200 if answer else WRONG_FORM)
    if not form.validate():
        return _form_page(form, to, None), WRONG_FORM
    tenant_id = to.tenant.id
    try:
        offer = actions.make(db.session, new=_new_offer(form, to), by=current_actor(), now=now(), today=business_day())
        db.session.commit()
    except WrongTerms as wrong:
        db.session.rollback()
        form.show(wrong)
        return _form_page(form, _addressee(), None), WRONG_FORM
    except DomainError as refusal:
        db.session.rollback()
        form.refuse(refusal)
        to = _addressee()
        answer = fits.answer(db.session, form.terms(tenant_id), today=business_day(), now=now())
        return _form_page(form, to, answer), status_of(refusal)
    flash("The offer stands, and its capacity is held.", "ok")
    return redirect(url_for("offers.show", public_id=offer.public_id))


@blueprint.get("/offers/<string:public_id>")
@requires(Permission.SEE_OWN, Permission.SEE_ALL)
def show(public_id: str) -> ResponseReturnValue:
    row = queries.offer_for(db.session, current_actor(), public_id)
    return render_template(
        "bookings/offer.html",
        row=row,
        state=row.state_at(now()),
        standing=OfferState.STANDING,
        price=_price_above_fee(row),
    )


@blueprint.post("/offers/<string:public_id>/take")
@requires(Permission.ANSWER_OFFERS)
def take(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    try:
        made = actions.take(db.session, public_id=public_id, by=actor, now=now(), today=business_day())
        db.session.commit()
    except GoneElsewhere as gone:
        db.session.rollback()
        row = queries.offer_for(db.session, actor, public_id)
        return render_template("bookings/gone.html", row=row, gone=gone, in_scope=fits.IN_SCOPE), status_of(gone)
    flash("The offer is taken: this is your reservation.", "ok")
    return redirect(url_for("reservations.show", public_id=made.public_id))


@blueprint.post("/offers/<string:public_id>/refuse")
@requires(Permission.ANSWER_OFFERS)
def refuse(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    actions.refuse(db.session, public_id=public_id, by=actor, now=now())
    db.session.commit()
    flash("The offer is refused. Nothing is held for you any more.", "ok")
    return redirect(url_for("offers.index"))


@blueprint.post("/offers/<string:public_id>/withdraw")
@requires(Permission.MAKE_OFFERS)
def withdraw(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    actions.withdraw(db.session, public_id=public_id, by=actor, now=now())
    db.session.commit()
    flash("The offer is withdrawn. Its racks are free again.", "ok")
    return redirect(url_for("offers.index"))


def _price_above_fee(row: Offer) -> Quote | None:
    """What a drawdown costs beyond its contract's fee; null on demand, where the offer has its own price."""
    if row.contract_id is None:
        return None
    block = Block("asked", row.gpus, row.start, row.end, row.scope)
    return fits.priced(db.session, terms_of_offer(row), block, today=business_day())


def _addressee() -> Addressee:
    tenant = db.session.scalar(sa.select(Tenant).where(Tenant.public_id == request.values.get("tenant", "")))
    if tenant is None:
        abort(404)
    wanted = request.values.get("request")
    answered = queries.request_for(db.session, current_actor(), wanted) if wanted else None
    if answered is not None and answered.tenant_id != tenant.id:
        abort(404)
    return Addressee(tenant, answered)


def _form(to: Addressee, **arguments: Any) -> OfferForm:
    form = OfferForm(**arguments)
    today = business_day()
    contracts = [c for c in queries.contracts_of(db.session, to.tenant.id) if c.terms.effective_end > today]
    form.fill(Choices(contracts, queries.sites(db.session)))
    return form


def _first_values(to: Addressee) -> dict[str, Any]:
    """The counter-offer or the request that is to be answered, else an empty block."""
    values: dict[str, Any] = {"hours": db.session.scalars(sa.select(Settings.offer_hours)).one(), "scope": "any"}
    row = to.request
    if row is None:
        return {**values, "start": business_day() + dt.timedelta(1), "days": 30, "contract": ON_DEMAND}
    chosen = next((o for o in row.counter_offers or [] if o["kind"] == request.args.get("kind")), None)
    start = max(row.earliest_start, business_day())
    block: dict[str, Any] = {"gpus": row.gpus, "start": start, "days": row.days, "scope": row.scope.value}
    if chosen:
        first, end = dt.date.fromisoformat(chosen["start"]), dt.date.fromisoformat(chosen["end"])
        block = {"gpus": chosen["gpus"], "start": first, "days": (end - first).days, "scope": chosen["scope"]}
    return {
        **values,
        **block,
        "site": row.site.code if row.site else "",
        "contract": row.contract.public_id if row.contract else ON_DEMAND,
        "interruptible": row.interruptible,
        "recall_notice_days": row.recall_notice_days,
        "rate": terms_of(row).rate,
    }


def _answer(form: OfferForm, to: Addressee) -> Answer | None:
    if not form.validate():
        return None
    terms: Terms = form.terms(to.tenant.id)
    try:
        return fits.answer(db.session, terms, today=business_day(), now=now())
    except WrongTerms as wrong:
        form.show(wrong)
        return None


def _new_offer(form: OfferForm, to: Addressee) -> NewOffer:
    return NewOffer(
        terms=form.terms(to.tenant.id),
        expires_at=now() + dt.timedelta(hours=form.hours.data or 0),
        request_id=to.request.id if to.request else None,
        note=(form.note.data or "").strip(),
    )


def _form_page(form: OfferForm, to: Addressee, answer: Answer | None) -> str:
    typed = {
        field.name: "y" if field.data is True else str(field.data)
        for field in form
        if field.name != "csrf_token" and field.data not in (None, "", False)
    }
    typed |= {"tenant": to.tenant.public_id, **({"request": to.request.public_id} if to.request else {})}
    return render_template(
        "bookings/offer_form.html",
        form=form,
        to=to,
        answer=answer,
        in_scope=fits.IN_SCOPE,
        typed=typed,
        most=MAX_STANDING,
    )
