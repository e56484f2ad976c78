"""The rate card: what a GPU-hour costs on demand, from which day on. Lines are added, never edited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.contracts import actions, queries
from portal.contracts.forms import RateForm, given
from portal.domain.errors import DomainError
from portal.domain.permissions import Permission
from portal.domain.states import Scope
from portal.models.rates import Rate
from portal.web.clock import business_day, now
from portal.web.database import db
from portal.web.format import day_text, rate_text
from portal.web.forms import WRONG_FORM
from portal.web.navigation import Entry
from portal.web.permissions import current_actor, requires

blueprint = Blueprint("rates", __name__)
navigation = (Entry("Rate card", "rates.rates", "money", (Permission.SEE_ALL,), order=520),)


@dataclass(frozen=True, slots=True)
class Line:
    """A scope's rates of one kind on a day: the one in effect, and the next one to come."""

    scope: Scope
    current: Rate | None
    following: Rate | None


@blueprint.get("/rates")
@requires(Permission.SEE_ALL)
def rates() -> ResponseReturnValue:
    lines, day = queries.rates(db.session), business_day()
    return render_template(
        "contracts/rates.html",
        firm=_lines(lines, day, interruptible=False),
        interruptible=_lines(lines, day, interruptible=True),
        history=sorted(lines, key=lambda line: (line.start, line.id), reverse=True),
    )


@blueprint.get("/rates/new")
@requires(Permission.MANAGE_RATES)
def new_rate() -> ResponseReturnValue:
    return render_template("contracts/new_rate.html", form=RateForm(data={"start": business_day()}))


@blueprint.post("/rates/new")
@requires(Permission.MANAGE_RATES)
def add_rate() -> ResponseReturnValue:
    form, actor, day = RateForm(), current_actor(), business_day()
    if not form.validate():
        return render_template("contracts/new_rate.html", form=form), WRONG_FORM
    new = actions.NewRate(
        scope=Scope(form.scope.data),
        interruptible=form.interruptible.data == "yes",
        start=given(form.start.data),
        usd_per_gpu_hour=given(form.usd_per_gpu_hour.data),
    )
    try:
        actions.add_rate(db.session, new=new, by=actor, now=now(), today=day)
        db.session.commit()
    except DomainError as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return render_template("contracts/new_rate.html", form=form), WRONG_FORM
    flash(f"Quotes made from {day_text(new.start)} on go by {rate_text(new.usd_per_gpu_hour)}.", "ok")
    return redirect(url_for("rates.rates"))


def _lines(lines: Sequence[Rate], day: dt.date, *, interruptible: bool) -> list[Line]:
    found = []
    for scope in Scope:
        mine = [each for each in lines if (each.scope, each.interruptible) == (scope, interruptible)]
        begun, ahead = [each for each in mine if each.start <= day], [each for each in mine if each.start > day]
        found.append(
            Line(
                scope,
                max(begun, key=lambda each: each.start, default=None),
                min(ahead, key=lambda each: each.start, default=None),
            )
        )
    return found
