"""The navigation: entries by order, sections together, what waits as a number, a bar that fits a phone."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.domain.permissions import Permission
from portal.domain.states import Role
from portal.web import navigation
from portal.web.navigation import Entry
from tests.portal.web.fixtures import Enter

ALL = (Permission.SEE_ALL,)


@pytest.fixture
def entries(app: Flask) -> Flask:
    """Six entries in two sections, given out of order."""
    navigation.init_app(
        app,
        [
            Entry("Last", "users.people", "people", ALL, order=900, section="Administration"),
            Entry("Today", "pages.home", "home", ALL, order=10, count=lambda: 4),
            Entry("Account", "auth.account", "key", ALL, order=30),
            Entry("Guide", "pages.style_guide", "plan", ALL, order=20, section="Operations"),
            Entry("Trail", "audit.trail", "scroll", ALL, order=40, section="Operations"),
            Entry("Health", "pages.health", "clock", ALL, order=35),
            Entry("Theirs", "auth.account", "key", (Permission.BOOK,), order=1),
        ],
    )
    return app


def test_entries_are_in_order_with_sections_together(entries: Flask, enter: Enter) -> None:
    """Those without a section first, then sections by their first entry; what the role may not open is not there."""
    page = enter(Role.ADMIN).get("/account")

    (side,) = (nav for nav in page.tree.all("nav") if nav["class"] == "side")
    said = [each.text for each in side.all("p", "a") if each["class"] in {"nav-section", "nav-link"}]
    assert said == [
        "Today 4 waiting",
        "Account",
        "Health",
        "Operations",
        "Guide",
        "Trail",
        "Administration",
        "Last",
    ]


def test_a_phone_has_four_entries_and_the_rest_behind_more(entries: Flask, enter: Enter) -> None:
    """All of them can be reached."""
    page = enter(Role.ADMIN).get("/account")

    (bar,) = (nav for nav in page.tree.all("nav") if nav["class"] == "bottom-bar")
    assert [link.text for link in bar.all("a") if link["class"] == "bar-link"] == [
        "Today 4 waiting",
        "Account",
        "Health",
        "Guide",
    ]
    assert [link.text for link in bar.all("a") if link["class"] == "menu-item"] == ["Trail", "Last"]


def test_the_current_entry_is_the_nearest_above(entries: Flask, enter: Enter) -> None:
    """A page below an entry's address belongs to it, not to a shorter one."""
    page = enter(Role.ADMIN).get("/users/new")

    (side,) = (nav for nav in page.tree.all("nav") if nav["class"] == "side")
    assert [link.text for link in side.all("a") if link["aria-current"]] == ["Last"]
