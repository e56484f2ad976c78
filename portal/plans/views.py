"""Runs and plans for the provider's people: run now, follow a run, review a plan, publish or discard it."""

from __future__ import annotations

import gzip
from collections.abc import Collection, Sequence

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.errors import DomainError, IllegalTransition
from portal.domain.permissions import Permission
from portal.domain.states import PlanState
from portal.models.plans import Plan
from portal.plans import actions, freshness, queries, runs
from portal.plans.figures import progress_lines, tier_lines
from portal.plans.forms import PublishForm
from portal.plans.publish import publish
from portal.plans.review import NewBlock, Refusal, Review
from portal.plans.stored import files_of
from portal.plans.work import Moment
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.errors import status_of
from portal.web.forms import WRONG_FORM
from portal.web.navigation import Entry
from portal.web.paging import page_of
from portal.web.permissions import current_actor, requires
from portal.web.settings import app_settings

blueprint = Blueprint("plans", __name__)
navigation = (Entry("Plans", "plans.overview", "plan", (Permission.SEE_ALL,), order=6),)

_RUNS_SHOWN = 30
_ROWS_SHOWN = 50  # of each list in a review; the others are a page away
_PAGE_SIZE = 100


@blueprint.get("/plans")
@requires(Permission.SEE_ALL)
def overview() -> ResponseReturnValue:
    """What is proposed, what is published, and the runs that led there."""
    listed = queries.recent_runs(db.session, limit=_RUNS_SHOWN)
    return render_template(
        "plans/overview.html",
        proposed=queries.proposed_plan(db.session),
        published=queries.published_plan(db.session),
        open_run=queries.open_run(db.session),
        runs=listed,
        crashed={run.id for run in listed if runs.is_crashed(run, now())},
        asked_by=runs.asked_by,
        tier_lines=tier_lines,
    )


@blueprint.post("/runs")
@requires(Permission.RUN_SOLVER)
def ask_for_run() -> ResponseReturnValue:
    actor, limit = current_actor(), float(app_settings().solver_time_limit_s)
    run = actions.ask_for_run(db.session, by=actor, now=now(), time_limit_s=limit)
    db.session.commit()
    return redirect(url_for("plans.run", public_id=run.public_id))


@blueprint.get("/runs/<public_id>")
@requires(Permission.SEE_ALL)
def run(public_id: str) -> ResponseReturnValue:
    """How far a run is; the page refreshes itself until the run has ended."""
    found = queries.run_by_id(db.session, public_id)
    return render_template(
        "plans/run.html",
        run=found,
        crashed=runs.is_crashed(found, now()),
        progress=found.progress,
        asked_by=runs.asked_by,
        lines=progress_lines(found.progress),
    )


@blueprint.post("/runs/<public_id>/cancel")
@requires(Permission.RUN_SOLVER)
def cancel_run(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    try:
        runs.cancel(db.session, public_id=public_id, by=actor, now=now())
        db.session.commit()
        flash("The run is cancelled. What it found is not kept.", "ok")
    except IllegalTransition:
        db.session.rollback()
        flash("The run had ended already.", "info")
    return redirect(url_for("plans.run", public_id=public_id))


@blueprint.get("/plans/<public_id>")
@requires(Permission.SEE_ALL)
def review(public_id: str) -> ResponseReturnValue:
    """What the plan changes against what stands now."""
    return _review_page(queries.plan_by_id(db.session, public_id), PublishForm(), ())


@blueprint.get("/plans/<public_id>/requests")
@requires(Permission.SEE_ALL)
def decided(public_id: str) -> ResponseReturnValue:
    """Every request that the plan decides, page by page."""
    plan = queries.plan_by_id(db.session, public_id)
    read = Review(files_of(plan), plan.left_out)
    show = "declined" if request.args.get("show") == "declined" else "accepted"
    rows: Sequence[NewBlock | Refusal] = read.declined if show == "declined" else read.new
    page = page_of(rows, size=_PAGE_SIZE)
    return render_template("plans/decided.html", plan=plan, review=read, show=show, page=page)


@blueprint.post("/plans/<public_id>/publish")
@requires(Permission.DECIDE_PLANS)
def publish_plan(public_id: str) -> ResponseReturnValue:
    form, left_out = PublishForm(), frozenset(request.form.getlist("left_out"))
    if not form.validate():
        return _review_page(queries.plan_by_id(db.session, public_id), form, left_out), WRONG_FORM
    moment = Moment(by=current_actor(), now=now(), today=business_day())
    try:
        plan = publish(db.session, plan_id=public_id, moment=moment, left_out=left_out)
        db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        plan = queries.plan_by_id(db.session, public_id)
        form.refuse(refusal)
        return _review_page(plan, form, left_out), status_of(refusal)
    flash(_published_sentence(plan), "ok")
    return redirect(url_for("plans.review", public_id=public_id))


@blueprint.post("/plans/<public_id>/discard")
@requires(Permission.DECIDE_PLANS)
def discard_plan(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    actions.discard(db.session, plan_id=public_id, by=actor, now=now())
    db.session.commit()
    flash("The plan is discarded. Its requests wait for the next run.", "ok")
    return redirect(url_for("plans.overview"))


@blueprint.get("/plans/<public_id>/plan.json")
@requires(Permission.SEE_ALL)
def plan_file(public_id: str) -> ResponseReturnValue:
    plan = queries.plan_by_id(db.session, public_id)
    return _file(plan.plan_gz, f"{public_id}-plan.json")


@blueprint.get("/plans/<public_id>/snapshot.json")
@requires(Permission.SEE_ALL)
def snapshot_file(public_id: str) -> ResponseReturnValue:
    plan = queries.plan_by_id(db.session, public_id)
    return _file(plan.snapshot_gz, f"{public_id}-snapshot.json")


def _file(packed: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(gzip.decompress(packed), mimetype="application/json", headers=headers)


def _review_page(plan: Plan, form: PublishForm, left_out: Collection[str]) -> str:
    files = files_of(plan)
    is_proposed = plan.state is PlanState.PROPOSED
    today = business_day()
    return render_template(
        "plans/review.html",
        plan=plan,
        review=Review(files, plan.left_out),
        tier_lines=tier_lines,
        form=form,
        most=_ROWS_SHOWN,
        left_out=left_out,
        changes=freshness.changes_since(db.session, plan, files, today=today, now=now()) if is_proposed else (),
        outdated=freshness.outdated_requests(db.session, files, today=today) if is_proposed else frozenset(),
    )


def _published_sentence(plan: Plan) -> str:
    left = len(plan.left_out)
    rest = f" {left} {'request waits' if left == 1 else 'requests wait'} for the next run." if left else ""
    return f"The plan is published, and everyone it concerns is told.{rest}"
