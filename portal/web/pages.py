"""Pages that belong to no feature: the way in, health, the theme, and the style guide outside production."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.web import sample, theme
from portal.web.navigation import home_address
from portal.web.permissions import public, signed_in
from portal.web.redirects import local_address
from portal.web.settings import app_settings

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
@signed_in
def home() -> ResponseReturnValue:
    """On to the first page that the person may open."""
    return redirect(home_address())


@blueprint.get("/healthz")
@public
def health() -> ResponseReturnValue:
    """The web process answers; it says nothing of the database, which is no reason to restart this process."""
    return {"status": "ok"}


@blueprint.post("/theme")
@public
def choose_theme() -> ResponseReturnValue:
    return theme.answer_with_theme(request.form.get("theme", ""), local_address(request.form.get("back"), "/"))


@blueprint.get("/styleguide")
@signed_in
def style_guide() -> ResponseReturnValue:
    """Every component, to look at."""
    if not app_settings().has_style_guide:
        abort(404)
    return render_template("styleguide.html", sample=sample.make())
