"""Pages that belong to no feature: the way in, health, themes, assets, errors."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from flask import Flask, abort, flash, request

from portal.app import create_app
from portal.clock import FixedClock
from portal.config import Settings, load_settings
from portal.domain import errors
from portal.domain.permissions import Permission
from portal.domain.states import Role
from portal.web.errors import status_of
from portal.web.forms import BaseForm
from portal.web.permissions import current_tenant_id, own_or_404, public, requires, signed_in
from tests.portal.web.fixtures import Enter
from tests.portal.web.visitor import Visitor

NEVER = Settings(
    secret_key="a-long-enough-secret-for-production-mode",
    database_url="sqlite:///:memory:",
    var_dir=load_settings({"BERTH_MODE": "test"}).var_dir,
)


def test_health_needs_no_sign_in(visitor: Visitor) -> None:
    """A proxy asks it."""
    assert visitor.get("/healthz").response.json == {"status": "ok"}


@pytest.mark.parametrize(
    ("role", "first"),
    [
        (Role.VIEWER, "/overview"),
        (Role.OWNER, "/overview"),
        (Role.OPERATOR, "/cluster"),
        (Role.APPROVER, "/approvals"),
        (Role.ADMIN, "/approvals"),
        (Role.AUDITOR, "/audit"),
    ],
)
def test_home_leads_to_what_is_the_persons_work(enter: Enter, role: Role, first: str) -> None:
    """Where no page is: to the first of the navigation."""
    assert enter(role).get("/").path == first


def test_the_theme_is_kept_in_a_cookie_and_set_by_the_server(enter: Enter) -> None:
    """So no page flashes in the other one; the form leads back to its page."""
    person = enter(Role.ADMIN)
    page = person.press(person.get("/audit?page=1"), "Dark")

    assert page.path == "/audit?page=1"
    assert page.tree.one("html")["data-theme"] == "dark"
    assert "data-theme" not in person.press(page, "System").tree.one("html").attributes


def test_an_unknown_theme_is_the_devices(enter: Enter) -> None:
    """Cookies are anyone's to write."""
    person = enter(Role.ADMIN)
    person.client.set_cookie("berth_theme", "no'such")

    assert "data-theme" not in person.get("/audit").tree.one("html").attributes


def test_the_theme_form_leads_nowhere_else(enter: Enter) -> None:
    """`back` is an address of this site or the start."""
    person = enter(Role.ADMIN)
    page = person.post("/theme", {"theme": "dark", "back": "https://example.com/"}, status=302, follow=False)

    assert page.response.headers["Location"] == "/"


def test_assets_are_kept_for_a_year_under_the_hash_of_their_content(app: Flask, visitor: Visitor) -> None:
    """An address whose content changed is gone."""
    (link,) = (each for each in visitor.get("/sign-in").tree.all("link") if each["rel"] == "stylesheet")
    answer = visitor.client.get(link["href"])

    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.mimetype == "text/css"
    assert answer.data.startswith(b"@layer reset, tokens")
    assert visitor.client.get("/static/000000000000/berth.css").status_code == 404
    assert visitor.client.get(f"{link['href']}.map").status_code == 404


def test_pages_are_not_kept_by_browsers_or_proxies(enter: Enter) -> None:
    """What is on them is one person's."""
    assert enter(Role.ADMIN).get("/audit").response.headers["Cache-Control"] == "no-store"


def test_the_style_guide_is_not_part_of_production(settings: Settings, clock: FixedClock) -> None:
    """Everywhere else it shows every component."""
    assert settings.has_style_guide
    assert not NEVER.has_style_guide


def test_in_production_cookies_are_secure_and_bound_to_the_host(clock: FixedClock) -> None:
    """And browsers are told to use HTTPS from then on."""
    app = create_app(NEVER, time=clock)

    answer = app.test_client().get("/sign-in", base_url="https://berth.example.com")

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-berth_page=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_the_address_comes_from_a_proxy_only_where_one_is_trusted(settings: Settings, clock: FixedClock) -> None:
    """Otherwise anyone could choose an address."""
    header = {"X-Forwarded-For": "198.51.100.7"}

    seen = []
    for proxies in (0, 1):
        app = create_app(replace(settings, trusted_proxies=proxies), time=clock)
        app.add_url_rule("/whence", view_func=public(lambda: request.remote_addr))
        seen.append(app.test_client().get("/whence", headers=header).text)
    assert seen == ["127.0.0.1", "198.51.100.7"]


@pytest.fixture
def faulty(app: Flask) -> Flask:
    """The portal with some views of a feature that goes wrong."""

    @app.get("/test/crash")
    @public
    def crash() -> str:
        raise ZeroDivisionError

    @app.get("/test/unmarked")
    def unmarked() -> str:
        return "never seen"

    @app.get("/test/refused")
    @signed_in
    def refused() -> str:
        flash("You tried.", "info")
        raise errors.CapacityTaken

    @app.get("/test/gone")
    @signed_in
    def gone() -> str:
        abort(410)

    @app.get("/test/tenant/<int:tenant_id>")
    @requires(Permission.SEE_OWN, Permission.SEE_ALL)
    def tenant(tenant_id: int) -> str:
        own_or_404(tenant_id)
        return "seen"

    @app.get("/test/mine")
    @signed_in
    def mine() -> str:
        return str(current_tenant_id())

    return app


def test_a_fault_of_ours_is_a_page_with_a_number_and_no_traceback(faulty: Flask) -> None:
    """The number is in the log."""
    faulty.config["PROPAGATE_EXCEPTIONS"] = False
    page = Visitor(faulty).get("/test/crash", status=500)

    assert page.heading == "A fault of ours"
    assert page.response.headers["X-Request-ID"] in page.text
    assert "ZeroDivisionError" not in page.response.text


def test_a_view_that_says_nothing_is_refused(faulty: Flask, enter: Enter) -> None:
    """Even to the admin, even before it is noticed by a test."""
    assert enter(Role.ADMIN).get("/test/unmarked", status=403).heading == "Not open to you"


def test_a_refusal_of_the_domain_is_a_page_with_its_sentence(faulty: Flask, enter: Enter) -> None:
    """A conflict is 409."""
    page = enter(Role.OWNER).get("/test/refused", status=409)

    assert "Other commitments have taken this capacity." in page.text


def test_any_other_refusal_of_http_is_a_page_too(faulty: Flask, enter: Enter) -> None:
    """Nobody sees a bare error."""
    assert enter(Role.OWNER).get("/test/gone", status=410).heading == "That did not work"


def test_a_page_that_is_not_there_says_so_with_and_without_sign_in(visitor: Visitor, enter: Enter) -> None:
    """The visitor's page has no navigation."""
    assert visitor.get("/nowhere", status=404).heading == "Nothing here"
    assert enter(Role.OWNER).get("/nowhere", status=404).heading == "Nothing here"


def test_the_wrong_method_says_which_is_right(visitor: Visitor) -> None:
    """405 keeps its Allow header."""
    assert "POST" in visitor.get("/theme", status=405).response.headers["Allow"]


def test_a_tenants_thing_is_404_for_another_tenant(faulty: Flask, enter: Enter) -> None:
    """Not 403, which would say that it exists; the provider sees it."""
    owner = enter(Role.OWNER)
    own = int(owner.client.get("/test/mine").text)

    assert owner.client.get(f"/test/tenant/{own}").status_code == 200
    assert owner.client.get(f"/test/tenant/{own + 1}").status_code == 404
    assert enter(Role.OPERATOR).client.get(f"/test/tenant/{own}").status_code == 200
    assert enter(Role.OPERATOR).client.get("/test/mine").status_code == 404


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFound(), 404),
        (errors.NotAllowed("No."), 403),
        (errors.StaleVersion(), 409),
        (errors.StalePlan(("An outage was recorded.",)), 409),
        (errors.OfferClosed("Expired."), 409),
        (errors.Invalid("No."), 422),
        (errors.NoticeRefused("No.", dt.date(2026, 10, 1)), 422),
    ],
)
def test_each_refusal_has_its_status(error: errors.DomainError, status: int) -> None:
    """One table, by the nearest class."""
    assert status_of(error) == status


def test_requires_wants_a_permission() -> None:
    """Nothing required would mean everyone."""
    with pytest.raises(ValueError, match="@signed_in"):
        requires()


def test_refusing_a_form_shows_the_sentence_above_its_fields(app: Flask) -> None:
    """A refusal of the domain or a text."""
    with app.test_request_context("/", method="POST"):
        form = BaseForm()
        form.refuse(errors.Invalid("Choose fewer GPUs."))
        form.refuse("Or later.")

    assert form.form_errors == ["Choose fewer GPUs.", "Or later."]
