"""Light, dark, or as the device has it: a cookie that the server reads, so that no page flashes in the other one."""

from __future__ import annotations

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from portal.web.settings import app_settings

COOKIE = "berth_theme"
THEMES = ("system", "light", "dark")
_ONE_YEAR_S = 31_536_000


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(theme=theme, THEMES=THEMES)


def theme() -> str:
    """The theme that this browser chose."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in THEMES else THEMES[0]


def answer_with_theme(chosen: str, back_to: str) -> ResponseReturnValue:
    """Back to the page that asked, which is now in the chosen theme; an unknown theme means the device's."""
    response = redirect(back_to)
    value = chosen if chosen in THEMES else THEMES[0]
    response.set_cookie(
        COOKIE, value, max_age=_ONE_YEAR_S, httponly=True, samesite="Lax", secure=app_settings().is_production
    )
    return response
