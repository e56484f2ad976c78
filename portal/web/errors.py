"""Refusals and faults as pages: the one place where an error of the domain meets a status code."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask, g, render_template
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, InternalServerError

from portal.domain import errors
from portal.web.database import db
from portal.web.limits import limiter

STATUS_BY_ERROR: Mapping[type[errors.DomainError], HTTPStatus] = {
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.DomainError: HTTPStatus.UNPROCESSABLE_ENTITY,
}


@dataclass(frozen=True, slots=True)
class Message:
    """What an error page says: what happened, and what to do next."""

    title: str
    sentence: str


_MESSAGES: Mapping[int, Message] = {
    400: Message("That request was not understood", "Go back, check what you entered, and send it again."),
    401: Message("Please sign in", "Your session has ended. Sign in and try again."),
    403: Message("Not open to you", "Your role does not include this. Ask someone whose role does."),
    404: Message("Nothing here", "The address is wrong, or the thing it named is gone."),
    405: Message("That cannot be done here", "Go back to the page you came from and use its buttons."),
    409: Message("Something changed in between", "Reload the page and look again before you decide."),
    413: Message("That file is too large", "Send a smaller one."),
    422: Message("That does not work", "Go back and change what you asked for."),
}
_OTHER = Message("That did not work", "Go back and try again.")
_FORM_EXPIRED = Message(
    "This form is too old", "Nothing was changed. Go back, reload the page, and send the form again."
)


def init_app(app: Flask) -> None:
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(RateLimitExceeded, _too_many)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(errors.DomainError, _domain)
    app.register_error_handler(StaleDataError, lambda _error: _domain(errors.StaleVersion()))
    app.register_error_handler(InternalServerError, _crash)


def status_of(error: errors.DomainError) -> HTTPStatus:
    """The status of the nearest class in the table."""
    return next(STATUS_BY_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_BY_ERROR)


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    return _page(_FORM_EXPIRED, HTTPStatus.BAD_REQUEST)


def _too_many(_error: RateLimitExceeded) -> ResponseReturnValue:
    wait_s = _seconds_to_wait()
    minutes = -(-wait_s // 60)
    sentence = f"Wait {minutes} {'minute' if minutes == 1 else 'minutes'} and try again. Nothing is locked for good."
    body, status = _page(Message("Too many attempts", sentence), HTTPStatus.TOO_MANY_REQUESTS)
    return body, status, {"Retry-After": str(wait_s)}


def _seconds_to_wait() -> int:
    limit = limiter.current_limit
    return max(1, int(limit.reset_at - time.time())) if limit else 60


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:  # a redirect of the routing
        return error.get_response()
    body, status = _page(_MESSAGES.get(error.code, _OTHER), error.code)
    kept = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    return body, status, kept


def _domain(error: errors.DomainError) -> ResponseReturnValue:
    """A rule refused: nothing of the request stays in the database."""
    db.session.rollback()
    status = status_of(error)
    title = _MESSAGES.get(status, _OTHER).title
    return _page(Message(title, error.sentence), status)


def _crash(_error: InternalServerError) -> ResponseReturnValue:
    """A fault of ours, which Flask has logged. The page needs no database and no session: either may be what failed."""
    return render_template("errors/crash.html", request_id=g.get("request_id", "")), HTTPStatus.INTERNAL_SERVER_ERROR


def _page(message: Message, status: int) -> tuple[str, int]:
    return render_template("errors/error.html", message=message, status=int(status)), int(status)
