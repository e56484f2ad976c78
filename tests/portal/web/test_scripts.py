"""What the two scripts add to pages that work without them, in headless Chromium."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from itertools import count

import pytest
from flask import Flask, flash, redirect, render_template_string, request
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from portal.auth.passwords import Passwords
from portal.clock import Clock, FixedClock
from portal.config import Settings
from portal.domain.states import Role
from portal.web.permissions import signed_in
from tests.portal import factories

pytestmark = pytest.mark.browser

PASSWORD = "quiet harbour lamp"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PAGE = """
{% extends "base.html" %}
{% from "components/field.html" import get_form, post_form %}
{% block title %}Parts{% endblock %}
{% block content %}
<section id="part"><p>Seen {{ seen }}</p>
<a id="again" href="/test/parts?again=1" data-swap="#part" data-push>Again</a></section>
<p id="outside">Outside {{ seen }}</p>
{% call post_form(action="/test/parts", swap="#part", live="/test/fit", live_swap="#fit") %}
<label for="gpus">GPUs</label><input id="gpus" name="gpus" value="{{ typed }}">
<button type="submit">Send</button>
{% endcall %}
<p id="fit">Nothing asked</p>
<section id="polled" data-poll="0.2"><p>Polled {{ seen }}</p><label for="note">Note</label><input id="note"></section>
{% endblock %}
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def parts(app: Flask) -> Flask:
    """The portal with a page of parts that counts how often it was fetched."""
    seen = count(1)

    @app.get("/test/parts")
    @signed_in
    def show() -> str:
        return render_template_string(PAGE, seen=next(seen), typed="72")

    @app.post("/test/parts")
    @signed_in
    def send() -> object:
        if request.form["gpus"] == "0":
            return render_template_string(PAGE.replace("Seen", "Refused"), seen=next(seen), typed="0"), 422
        flash("It was sent.", "ok")
        return redirect("/test/parts?sent=1")

    @app.get("/test/fit")
    @signed_in
    def fit() -> str:
        assert "csrf_token" not in request.args
        return f'<p id="fit">{request.args["gpus"]} would fit</p>'

    return app


@pytest.fixture
def address(parts: Flask) -> Iterator[str]:
    """Where the portal is served."""
    server = make_server("127.0.0.1", 0, parts, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(chromium: Browser, address: str, rows: Session, settings: Settings) -> Iterator[Page]:
    """An admin's tab; nothing may be written to its console."""
    factories.user(rows, Role.ADMIN, email="ada@example.com", password_hash=Passwords.of(settings).hash(PASSWORD))
    rows.commit()
    context = chromium.new_context(base_url=address, reduced_motion="reduce")
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None)
    tab.goto("/sign-in?next=/account")
    tab.fill("#email", "ada@example.com")
    tab.fill("#password", PASSWORD)
    tab.click("main button")
    tab.wait_for_url("**/account")
    yield tab
    context.close()
    assert complaints == []


@pytest.fixture
def clock() -> FixedClock:
    """Real time: the browser's cookies go by it."""
    return FixedClock(Clock().now())


def test_a_link_swaps_its_part_only_and_the_way_back_works(page: Page) -> None:
    """The address changes with it."""
    page.goto("/test/parts")
    outside = page.inner_text("#outside")
    before = page.inner_text("#part p")

    page.click("#again")

    expect(page.locator("#part p")).not_to_have_text(before)
    expect(page.locator("#outside")).to_have_text(outside)
    expect(page).to_have_url("/test/parts?again=1")
    expect(page.locator("#again")).to_be_focused()
    page.go_back()
    expect(page).to_have_url("/test/parts")


def test_a_form_shows_its_refusal_in_place(page: Page) -> None:
    """422 with the form; what was typed stays."""
    page.goto("/test/parts")
    page.fill("#gpus", "0")

    page.click("text=Send")

    expect(page.locator("#part p")).to_contain_text("Refused")
    expect(page.locator("#gpus")).to_have_value("0")


def test_a_form_that_is_taken_shows_the_message_and_the_new_address(page: Page) -> None:
    """As it would without the script."""
    page.goto("/test/parts")

    page.click("text=Send")

    expect(page.locator("#flash")).to_contain_text("It was sent.")
    expect(page.locator("#live")).to_have_text("It was sent.")
    expect(page).to_have_url("/test/parts?sent=1")


def test_a_live_form_asks_while_typing_without_its_token(page: Page) -> None:
    """And asks for the last state only."""
    page.goto("/test/parts")

    page.fill("#gpus", "720")

    expect(page.locator("#fit")).to_have_text("720 would fit")
    expect(page).to_have_url("/test/parts")


def test_a_polled_part_keeps_what_is_being_typed(page: Page) -> None:
    """It goes on when the field is left."""
    page.goto("/test/parts")
    first = page.inner_text("#polled p")
    expect(page.locator("#polled p")).not_to_have_text(first)

    page.fill("#note", "half a sen")
    still = page.inner_text("#polled p")
    page.wait_for_timeout(600)
    assert page.inner_text("#polled p") == still
    assert page.input_value("#note") == "half a sen"

    page.locator("#note").blur()
    expect(page.locator("#polled p")).not_to_have_text(still)


def test_a_chart_says_its_parts_to_pointer_and_keyboard(page: Page) -> None:
    """Arrow keys walk, Escape closes."""
    page.goto("/styleguide")
    tip = page.locator("#tip")

    page.locator(".heat-cell").nth(1).hover()
    expect(tip).to_be_visible()
    expect(tip.locator("b")).to_have_text("M1-H1")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()

    page.locator(".heatmap .chart-canvas").focus()
    page.keyboard.press("ArrowRight")
    expect(tip).to_contain_text("1 – 12 Dec 2026")
    page.keyboard.press("ArrowRight")
    expect(tip).to_contain_text("13 – 24 Dec 2026")


def test_a_brush_zooms_by_address(page: Page) -> None:
    """The middle half of 180 days from 1 December 2026 is 90 days from 15 January 2027."""
    page.goto("/styleguide")
    canvas = page.locator(".heatmap .chart-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2

    page.mouse.move(box["x"] + box["width"] * 0.25 + 1, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75 - 1, middle, steps=4)
    page.mouse.up()

    page.wait_for_url("**/styleguide?from=2027-01-15&days=90")


@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_scrolls_sideways(page: Page, width: int) -> None:
    """Wide tables scroll inside themselves."""
    page.set_viewport_size({"width": width, "height": 844})

    for path in ("/styleguide", "/users", "/audit", "/account", "/users/new"):
        page.goto(path)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider == 0, f"{path} is {wider} pixels too wide"
