"""Every address of the portal, walked: who may open it, what its forms need, what its answers carry."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from werkzeug.routing import Rule

from portal.domain.permissions import PERMISSIONS, may
from portal.domain.states import Role
from portal.web.headers import HEADERS
from portal.web.permissions import PUBLIC, access_of
from tests.portal.web.fixtures import Enter
from tests.portal.web.visitor import Visitor

PUBLIC_ENDPOINTS = {
    "assets.serve",
    "auth.sign_in",
    "auth.sign_in_submit",
    "pages.choose_theme",
    "pages.health",
}


def rules(app: Flask, method: str = "") -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if not method or method in (rule.methods or ())]


def address(rule: Rule) -> str:
    """The rule's address with a value that nothing has for each argument."""
    sample = {"int": "999999", "string": "x" * 16}
    return re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda match: sample.get(match[1] or "string", "x"), rule.rule)


def test_every_view_says_who_may_open_it(app: Flask) -> None:
    """A view without a decorator is refused at run time, and named here."""
    silent = [rule.endpoint for rule in rules(app) if access_of(app.view_functions[rule.endpoint]) is None]

    assert silent == [], "decorate these views with @requires(Permission.…), @signed_in or @public"


def test_only_the_listed_views_are_public(app: Flask) -> None:
    """A view becomes public by a decision, not by a slip."""
    open_views = {rule.endpoint for rule in rules(app) if access_of(app.view_functions[rule.endpoint]) == PUBLIC}

    assert open_views == PUBLIC_ENDPOINTS


def test_addresses_are_kebab_case(app: Flask) -> None:
    """Lower case, hyphens, no slash at the end."""
    for rule in rules(app):
        plain = re.sub(r"<[^>]*>", "x", rule.rule)
        assert re.fullmatch(r"/|(/[a-z0-9][a-z0-9.-]*)+", plain), rule.rule


def test_a_view_either_reads_or_writes(app: Flask) -> None:
    """GET and POST are two functions, so that one permission and one token check fit each."""
    for rule in rules(app):
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        assert len(methods) == 1, f"{rule.endpoint} answers {methods}"


def test_no_form_is_taken_without_its_token(app: Flask, enter: Enter) -> None:
    """Every POST of a page refuses with 400 before its view runs, whoever sends it."""
    client = enter(Role.ADMIN).client

    for rule in rules(app, "POST"):
        answer = client.post(address(rule))
        assert answer.status_code == 400, f"{rule.rule} took a form without a CSRF token"


def test_a_visitor_is_sent_to_sign_in(app: Flask, visitor: Visitor) -> None:
    """Every page that is not public leads to the sign-in page and back."""
    for rule in rules(app, "GET"):
        if rule.endpoint in PUBLIC_ENDPOINTS:
            continue
        answer = visitor.client.get(address(rule))
        assert answer.status_code == 302, rule.rule
        assert answer.headers["Location"].startswith("/sign-in?next=/"), rule.rule


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_its_pages_and_no_others(app: Flask, enter: Enter, role: Role) -> None:
    """403 exactly where the role has none of the permissions that the view names."""
    client = enter(role).client

    for rule in rules(app, "GET"):
        access = access_of(app.view_functions[rule.endpoint])
        if not isinstance(access, frozenset) or rule.arguments:
            continue
        allowed = not access or bool(access & PERMISSIONS[role])
        assert (client.get(address(rule)).status_code != 403) is allowed, f"{role} and {rule.rule}"


def test_every_answer_carries_the_headers(app: Flask, enter: Enter) -> None:
    """Pages, files, redirects and errors alike; none sets a policy of its own."""
    client = enter(Role.ADMIN).client

    for path in [address(rule) for rule in rules(app, "GET")] + ["/nowhere", "/account/password"]:
        answer = client.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
        assert len(answer.headers.getlist("Content-Security-Policy")) == 1, path


def test_the_policy_starts_from_nothing() -> None:
    """`'self'` is the most that anything is given."""
    directives = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))

    assert directives.pop("default-src") == "'none'"
    assert set(directives.values()) == {"'self'", "'none'"}


def test_each_page_without_arguments_keeps_the_rules_of_pages(app: Flask, enter: Enter) -> None:
    """Title, one heading, labels, unique ids, nothing inline: `Visitor` checks what it fetches."""
    for role in (Role.ADMIN, Role.OWNER):
        person = enter(role)
        for rule in rules(app, "GET"):
            access = access_of(app.view_functions[rule.endpoint])
            seen = isinstance(access, frozenset) and (not access or any(may(role, each) for each in access))
            if seen and not rule.arguments and rule.endpoint != "pages.home":
                person.get(rule.rule)
