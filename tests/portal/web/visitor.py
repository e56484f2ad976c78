"""A person with a browser: fetches pages, each of which is checked, presses buttons and fills in forms."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.auth import sessions
from portal.models.users import User
from portal.web.headers import HEADERS
from tests.portal.web.html import Element, check_page, parse


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: its tree where it is a page, and the path that it was fetched from."""

    response: TestResponse
    path: str
    tree: Element

    @property
    def text(self) -> str:
        """What a person reads in the main part."""
        return self.tree.one("main").text

    @property
    def heading(self) -> str:
        return self.tree.one("h1").text

    def form_of(self, button: str) -> tuple[Element, Element]:
        """The form with the button of this name, and the button."""
        found = [(form, each) for form in self.tree.all("form") for each in form.all("button") if each.text == button]
        assert found, f"no button {button!r}: there are {sorted(each.text for each in self.tree.all('button'))}"
        return found[0]


class Visitor:
    """One browser. Redirects are followed unless asked; every page is checked by `check_page`."""

    def __init__(self, app: Flask, address: str = "192.0.2.1") -> None:
        self.app = app
        self.client = app.test_client()
        self.address = address

    def sign_in(self, email: str, password: str, **arguments: Any) -> Page:
        """Through the form, as a person does."""
        page = self.get("/sign-in" + ("?next=" + arguments.pop("next") if "next" in arguments else ""))
        return self.press(page, "Sign in", email=email, password=password, **arguments)

    def enter_as(self, session: Session, user: User, now: dt.datetime) -> Visitor:
        """With a session of this person that began now, without the form and the work of a password."""
        token = sessions.start(session, user=user, now=now, lifetime=dt.timedelta(hours=12), user_agent="test")
        session.commit()
        self.client.set_cookie("berth_session", token)
        return self

    def get(self, path: str, *, status: int = 200, follow: bool = True) -> Page:
        """Fetch a page; the answer after redirects must have this status."""
        return self._answer(self.client.get(path, environ_base=self._environ), path, status, follow)

    def post(self, path: str, data: dict[str, Any] | None = None, *, status: int = 200, follow: bool = True) -> Page:
        """Send a form that needs no page: the token comes from the person's account page, or the sign-in page."""
        token = next(each["value"] for each in self.get("/account").tree.all("input") if each["name"] == "csrf_token")
        response = self.client.post(path, data={"csrf_token": token, **(data or {})}, environ_base=self._environ)
        return self._answer(response, path, status, follow)

    def press(self, page: Page, button: str, *, status: int = 200, follow: bool = True, **values: Any) -> Page:
        """Fill in these fields of the button's form and press it; other fields keep what the page gave them."""
        form, pressed = page.form_of(button)
        data = {**_values(form), **{name: value for name, value in values.items() if value is not None}}
        if pressed["name"]:
            data[pressed["name"]] = pressed["value"]
        unknown = values.keys() - {element["name"] for element in form.all("input", "select", "textarea")}
        assert not unknown, f"the form has no fields {unknown}"
        path = urljoin(page.path, form["action"]) if form["action"] else page.path
        if form["method"] == "get":
            response = self.client.get(path, query_string=data, environ_base=self._environ)
        else:
            response = self.client.post(path, data=data, environ_base=self._environ)
        return self._answer(response, path, status, follow)

    @property
    def _environ(self) -> dict[str, str]:
        return {"REMOTE_ADDR": self.address}

    def _answer(self, response: TestResponse, path: str, status: int, follow: bool) -> Page:
        for name, value in HEADERS.items():
            assert response.headers[name] == value, f"{path}: {name}"
        if follow and response.status_code in {302, 303}:
            target = urlsplit(response.headers["Location"])
            return self.get(target._replace(scheme="", netloc="").geturl(), status=status)
        assert response.status_code == status, (
            f"{path}: {response.status_code}\n{response.get_data(as_text=True)[:2000]}"
        )
        tree = Element("", {})
        if response.mimetype == "text/html" and not 300 <= response.status_code < 400:
            tree = parse(response.get_data(as_text=True))
            check_page(tree)
        return Page(response, path, tree)


def _values(form: Element) -> dict[str, str]:
    """What a browser would send of this form untouched."""
    values = {}
    for element in form.all("input", "select", "textarea"):
        is_choice = element["type"] in {"checkbox", "radio"}
        if element["name"] and (not is_choice or "checked" in element.attributes):
            values[element["name"]] = _value(element)
    return values


def _value(element: Element) -> str:
    if element.name == "textarea":
        return element.text
    if element.name == "select":
        options = list(element.all("option"))
        chosen = [option for option in options if "selected" in option.attributes] or options[:1]
        return chosen[0]["value"] if chosen else ""
    return element["value"]
