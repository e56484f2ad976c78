"""Addresses: safe ways back, pages of lists, windows of charts, the current entry of the navigation."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from portal.domain.states import Role
from portal.web.charts.axis import Window
from portal.web.paging import Page, page_of, requested_page, with_args
from portal.web.redirects import local_address
from portal.web.windows import requested_window
from tests.portal.web.fixtures import Enter

DEFAULT = Window.of(dt.date(2026, 12, 1), 180)


@pytest.mark.parametrize("address", ["/", "/audit", "/audit?page=2&words=a%20b", "/a/b#c"])
def test_a_way_back_is_a_path_of_this_site(address: str) -> None:
    """Taken as it is."""
    assert local_address(address, "/home") == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "audit",
        "https://example.com",
        "//example.com",
        "/\\example.com",
        "\\\\example.com",
        "/\t/example.com",
        "/a\r\nSet-Cookie: x",
        "javascript:alert(1)",
        " /audit",
    ],
)
def test_anything_else_is_not_followed(address: str | None) -> None:
    """No link to us sends people elsewhere."""
    assert local_address(address, "/home") == "/home"


@pytest.mark.parametrize(
    ("asked", "number"),
    [("", 1), ("?page=2", 2), ("?page=0", 1), ("?page=-1", 1), ("?page=x", 1), ("?page=" + "9" * 9, 1)],
)
def test_a_strange_page_is_the_first(app: Flask, asked: str, number: int) -> None:
    """Addresses are edited by hand."""
    with app.test_request_context(f"/audit{asked}"):
        assert requested_page() == number


def test_a_page_knows_its_neighbours(app: Flask) -> None:
    """26–50 of 60; beyond the last page is the last page."""
    with app.test_request_context("/audit?page=2"):
        page = page_of(range(60), size=25)
    assert (list(page.items), page.first, page.last, page.previous, page.next) == (list(range(25, 50)), 26, 50, 1, 3)

    with app.test_request_context("/audit?page=99"):
        page = page_of(range(60), size=25)
    assert (page.number, page.last, page.next) == (3, 60, None)


def test_an_empty_list_has_one_page() -> None:
    """Of nothing."""
    page: Page[int] = Page(items=(), number=Page.clamp(4, size=25, total=0), size=25, total=0)

    assert (page.number, page.first, page.last, page.previous, page.next) == (1, 0, 0, None, None)


def test_an_argument_changes_and_the_others_stay(app: Flask) -> None:
    """None takes one away."""
    with app.test_request_context("/audit?words=a+b&page=2"):
        assert with_args(page=3) == "/audit?words=a+b&page=3"
        assert with_args(page=None) == "/audit?words=a+b"


@pytest.mark.parametrize(
    ("asked", "window"),
    [
        ("", DEFAULT),
        ("?from=2027-01-04&days=30", Window.of(dt.date(2027, 1, 4), 30)),
        ("?days=30", Window.of(DEFAULT.start, 30)),
        ("?from=4+Jan&days=x", DEFAULT),
        ("?from=9999-12-31", DEFAULT),
        ("?days=0", Window.of(DEFAULT.start, 1)),
        ("?days=99999", Window.of(DEFAULT.start, 1500)),
    ],
)
def test_a_window_is_part_of_the_address(app: Flask, asked: str, window: Window) -> None:
    """Nonsense means the default, and no window is endless."""
    with app.test_request_context(f"/audit{asked}"):
        assert requested_window(DEFAULT) == window


def test_people_see_only_the_entries_that_they_may_open(enter: Enter) -> None:
    """And the current one is marked, once in each navigation."""
    page = enter(Role.AUDITOR).get("/audit")

    side, bar = (nav for nav in page.tree.all("nav") if nav["aria-label"].startswith("Main"))
    assert [link.text for link in side.all("a") if link["class"] == "nav-link"][-1] == "Audit"
    for nav in (side, bar):
        assert [link.text for link in nav.all("a") if link["aria-current"] == "page"] == ["Audit"]
    assert "People" not in side.text
