"""Notice: its consequences first, then a typed confirmation; asking to take it back, and the other party's consent."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.contracts import notice_actions, queries, withdrawal
from portal.contracts.consequences import consequences_of
from portal.contracts.forms import NoticeForm, ReceiptForm, given
from portal.contracts.overview import Overview
from portal.domain.errors import DomainError, NoticeRefused
from portal.domain.notices import check_notice, check_receipt
from portal.domain.permissions import Permission
from portal.domain.states import Party
from portal.models.contracts import Contract
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.format import last_day_text
from portal.web.forms import WRONG_FORM
from portal.web.permissions import current_actor, requires

blueprint = Blueprint("contract_notices", __name__)


@blueprint.get("/contracts/<public_id>/notice")
@requires(Permission.GIVE_NOTICE, Permission.GIVE_PROVIDER_NOTICE)
def notice(public_id: str) -> ResponseReturnValue:
    """What follows from notice on the chosen day, and the form that gives it."""
    row = queries.contract_for(db.session, current_actor(), public_id)
    return _page(row, NoticeForm(row.public_id), *_asked_for())


@blueprint.post("/contracts/<public_id>/notice")
@requires(Permission.GIVE_NOTICE, Permission.GIVE_PROVIDER_NOTICE)
def give_notice(public_id: str) -> ResponseReturnValue:
    actor, day = current_actor(), business_day()
    row = queries.contract_for(db.session, actor, public_id)
    form = NoticeForm(row.public_id)
    new = _new_notice(form)
    if not form.validate():
        return _page(row, form, new.party, new.given_on, WRONG_FORM)
    try:
        recorded = notice_actions.give_notice(db.session, public_id=public_id, new=new, by=actor, now=now(), today=day)
        db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        form.refuse(refusal)
        row = queries.contract_for(db.session, actor, public_id)
        return _page(row, form, new.party, new.given_on, WRONG_FORM)
    flash(f"Notice is given. {public_id} is in force until {last_day_text(recorded.ends_on)}.", "ok")
    return redirect(url_for("contracts.contract", public_id=public_id))


@blueprint.post("/contracts/<public_id>/notice/ask-to-withdraw")
@requires(Permission.GIVE_NOTICE, Permission.GIVE_PROVIDER_NOTICE)
def ask_to_withdraw(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    withdrawal.ask_to_withdraw(db.session, public_id=public_id, by=actor, now=now(), today=business_day())
    db.session.commit()
    flash("The other party was asked. The notice runs on until it consents.", "ok")
    return redirect(url_for("contracts.contract", public_id=public_id))


@blueprint.post("/contracts/<public_id>/notice/consent")
@requires(Permission.GIVE_NOTICE, Permission.GIVE_PROVIDER_NOTICE)
def consent(public_id: str) -> ResponseReturnValue:
    """A refusal leads back to the contract, where it stands beside the notice that runs on."""
    actor, day = current_actor(), business_day()
    try:
        withdrawal.consent_to_withdrawal(db.session, public_id=public_id, by=actor, now=now(), today=day)
        db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        queries.contract_for(db.session, actor, public_id)
        flash(refusal.sentence, "bad")
        return redirect(url_for("contracts.contract", public_id=public_id))
    flash(f"The notice is withdrawn. {public_id} runs its full term again.", "ok")
    return redirect(url_for("contracts.contract", public_id=public_id))


def _asked_for() -> tuple[Party, dt.date]:
    """Whose notice and which day the address asks for: a tenant's person can only give the tenant's, today."""
    if current_actor().is_tenant:
        return Party.TENANT, business_day()
    form = ReceiptForm(today=business_day())
    if not form.validate():
        return Party.PROVIDER, business_day()
    return Party(form.party.data), given(form.given_on.data)


def _new_notice(form: NoticeForm) -> notice_actions.NewNotice:
    is_tenant = current_actor().is_tenant
    party = Party.TENANT if is_tenant or form.party.data == Party.TENANT.value else Party.PROVIDER
    given_on = business_day() if is_tenant else form.given_on.data or business_day()
    document = "" if is_tenant else form.document.data or ""
    return notice_actions.NewNotice(party=party, given_on=given_on, document=document, seen=form.seen.data or "")


def _page(row: Contract, form: NoticeForm, party: Party, given_on: dt.date, status: int = 200) -> ResponseReturnValue:
    """The consequences of this very notice with its confirmation, or the refusal with the first day."""
    day = business_day()
    refusal = _refusal(row, party, given_on, day)
    found = None if refusal else consequences_of(db.session, row, given_on=given_on, today=day, now=now())
    form.party.data, form.given_on.data = party.value, given_on
    form.seen.data = found.digest if found else ""
    overview = Overview(row, day)
    other_side = Party.PROVIDER if party is Party.TENANT else Party.TENANT
    page = render_template(
        "contracts/notice.html",
        overview=overview,
        other_side=other_side,
        other_date=overview.first_notice(other_side),
        form=form,
        receipt=None if current_actor().is_tenant else ReceiptForm(today=day),
        party=party,
        given_on=given_on,
        refusal=refusal,
        consequences=found,
        needs_document=given_on < day or (party is Party.TENANT and not current_actor().is_tenant),
    )
    return page, status


def _refusal(row: Contract, party: Party, given_on: dt.date, today: dt.date) -> NoticeRefused | None:
    try:
        check_receipt(given_on, today=today, has_document=True)
        check_notice(row.agreement, party, given_on)
    except NoticeRefused as refusal:
        return refusal
    return None
