"""Who may open which view. Every view says so with one of three decorators; one that says nothing is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.permissions import Permission
from portal.web.actor import Actor

View = TypeVar("View", bound=Callable[..., Any])

_MARK = "__berth_access__"
PUBLIC = "public"


def requires(*any_of: Permission) -> Callable[[View], View]:
    """Only people whose role includes at least one of these permissions."""
    if not any_of:
        raise ValueError("@requires needs a permission; use @signed_in for everyone who has signed in")
    return lambda view: _mark(view, frozenset(any_of))


def signed_in(view: View) -> View:
    """Everyone who has signed in, whatever the role."""
    return _mark(view, frozenset())


def public(view: View) -> View:
    """Everyone, without signing in."""
    return _mark(view, PUBLIC)


def access_of(view: Callable[..., Any]) -> frozenset[Permission] | str | None:
    """What the view's decorator said: permissions (none: any signed-in person), `PUBLIC`, or None for no decorator."""
    return cast("frozenset[Permission] | str | None", getattr(view, _MARK, None))


def current_actor() -> Actor:
    """The person who signed in. Refuses with 401 where nobody did, which only public views can meet."""
    actor = optional_actor()
    if actor is None:
        abort(401)
    return actor


def optional_actor() -> Actor | None:
    """The person who signed in, if anyone did."""
    return cast("Actor | None", current_user.actor) if current_user.is_authenticated else None


def current_tenant_id() -> int:
    """The tenant of the person who signed in; 404 for the provider's people, who have none."""
    tenant_id = current_actor().tenant_id
    if tenant_id is None:
        abort(404)
    return tenant_id


def own_or_404(tenant_id: int | None) -> None:
    """404 where a tenant's person asks for a thing that is not that tenant's; the provider's people see all."""
    actor = current_actor()
    if actor.is_tenant and actor.tenant_id != tenant_id:
        abort(404)


def init_app(app: Flask) -> None:
    app.before_request(_guard)
    app.jinja_env.globals.update(current_actor=optional_actor, Permission=Permission)


def _guard() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # no such address: the routing error answers
    access = access_of(current_app.view_functions[request.endpoint])
    if access == PUBLIC:
        return None
    if access is None:
        current_app.logger.error("the view %s has no @requires, @signed_in or @public", request.endpoint)
        abort(403)
    return _admit(cast("frozenset[Permission]", access))


def _admit(any_of: frozenset[Permission]) -> ResponseReturnValue | None:
    actor = optional_actor()
    if actor is None:
        return _to_sign_in()
    if any_of and not actor.may(*any_of):
        abort(403)
    return None


def _to_sign_in() -> ResponseReturnValue:
    """To the sign-in page, and back afterwards where the way back is a plain link."""
    after = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.sign_in", next=after))


def _mark(view: View, access: frozenset[Permission] | str) -> View:
    setattr(view, _MARK, access)
    return view
