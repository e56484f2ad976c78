"""The approver's queue: each open request with what the proposed plan says of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.approvals import actions, queries
from portal.approvals.forms import DeclineForm, TierForm
from portal.domain.permissions import Permission
from portal.models.requests import Request
from portal.models.settings import Settings
from portal.plans import queries as plan_queries
from portal.plans.review import NewBlock, Refusal, Review, Suggestion
from portal.plans.stored import files_of
from portal.web.clock import now
from portal.web.database import db
from portal.web.forms import WRONG_FORM
from portal.web.navigation import Entry
from portal.web.paging import page_of
from portal.web.permissions import current_actor, requires

_PAGE_SIZE = 50

blueprint = Blueprint("approvals", __name__)
navigation = (
    Entry(
        "Approvals",
        "approvals.queue",
        "check",
        (Permission.SEE_ALL,),
        order=5,
        work_of=(Permission.DECIDE_REQUESTS,),
        count=lambda: queries.waiting_count(db.session),
    ),
)


@blueprint.get("/approvals")
@requires(Permission.SEE_ALL)
def queue() -> ResponseReturnValue:
    """What waits for a decision, and what the solver would decide."""
    plan = plan_queries.proposed_plan(db.session)
    requests = queries.open_requests(db.session)
    verdicts = Review(files_of(plan)).verdicts if plan else {}
    return render_template(
        "approvals/queue.html",
        page=page_of(requests, size=_PAGE_SIZE),
        verdicts=verdicts,
        fitting=sum(isinstance(verdicts.get(request.public_id), NewBlock) for request in requests),
        plan=plan,
        open_run=plan_queries.open_run(db.session),
    )


@blueprint.get("/approvals/<public_id>")
@requires(Permission.SEE_ALL)
def request_page(public_id: str) -> ResponseReturnValue:
    """One request with everything the provider knows of it."""
    request = queries.request_by_id(db.session, public_id)
    return _request_page(request, DeclineForm(), TierForm(obj=request))


@blueprint.post("/approvals/<public_id>/approve")
@requires(Permission.DECIDE_REQUESTS)
def approve(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    actions.approve(db.session, request_id=public_id, by=actor, now=now())
    db.session.commit()
    flash(f"{public_id} may be planned.", "ok")
    return redirect(url_for("approvals.queue"))


@blueprint.post("/approvals/<public_id>/hold")
@requires(Permission.DECIDE_REQUESTS)
def hold(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    actions.hold(db.session, request_id=public_id, by=actor, now=now())
    db.session.commit()
    flash(f"{public_id} is held: it stays out of plans until someone approves it.", "ok")
    return redirect(url_for("approvals.queue"))


@blueprint.post("/approvals/<public_id>/decline")
@requires(Permission.DECIDE_REQUESTS)
def decline(public_id: str) -> ResponseReturnValue:
    form, actor = DeclineForm(), current_actor()
    if not form.validate():
        request = queries.request_by_id(db.session, public_id)
        return _request_page(request, form, TierForm(formdata=None, obj=request)), WRONG_FORM
    actions.decline(db.session, request_id=public_id, text=form.text.data.strip(), by=actor, now=now())
    db.session.commit()
    flash(f"{public_id} is declined, and its tenant is told why.", "ok")
    return redirect(url_for("approvals.queue"))


@blueprint.post("/approvals/<public_id>/tier")
@requires(Permission.DECIDE_REQUESTS)
def set_tier(public_id: str) -> ResponseReturnValue:
    form, actor = TierForm(), current_actor()
    if not form.validate():
        request = queries.request_by_id(db.session, public_id)
        return _request_page(request, DeclineForm(formdata=None), form), WRONG_FORM
    tier = form.tier.data or 0
    actions.set_tier(db.session, request_id=public_id, tier=tier, by=actor, now=now())
    db.session.commit()
    flash(f"{public_id} is served in tier {tier}, from the next run on.", "ok")
    return redirect(url_for("approvals.request_page", public_id=public_id))


def _request_page(request: Request, decline_form: DeclineForm, tier_form: TierForm) -> str:
    plan = plan_queries.proposed_plan(db.session)
    verdict = Review(files_of(plan)).verdicts.get(request.public_id) if plan else None
    return render_template(
        "approvals/request.html",
        request_row=request,
        plan=plan,
        accepted=verdict if isinstance(verdict, NewBlock) else None,
        refusal=verdict if isinstance(verdict, Refusal) else None,
        offer_address=_offer_address,
        decline_form=decline_form,
        tier_form=tier_form,
    )


def _offer_address(request: Request, suggested: Suggestion) -> str:
    """The form of an offer, filled in with a counter-offer to this request."""
    own: dict[str, Any] = {
        "tenant": request.tenant.public_id,
        "request": request.public_id,
        "contract": request.contract.public_id if request.contract else None,
        "site": request.site.code if request.site else None,
        "interruptible": "y" if request.interruptible else None,
        "recall_notice_days": request.recall_notice_days,
        "rate": None if request.contract else request.rate,
        "hours": db.session.scalars(sa.select(Settings.offer_hours)).one(),
    }
    start, days = suggested.start.isoformat(), (suggested.end - suggested.start).days
    return url_for("offers.new", **own, gpus=suggested.gpus, start=start, days=days, scope=suggested.scope)
