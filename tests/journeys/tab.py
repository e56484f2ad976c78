"""A person's browser tab. Every page that a journey passes through has to be looked at, and stands the look."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Frame, Locator, Page, Response, expect

from tests.journeys.building import PASSWORD
from tests.journeys.installation import PATIENCE_S

DESKTOP, PHONE = 1280, 390
_PATIENCE_MS = PATIENCE_S * 1000
_EXPECTED = ("status of 409", "status of 422")
"""A refusal answers with its status, which Chromium notes; the page says why."""
_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_RESULTS = {"resultTypes": ["violations"]}
_COLOURS = {**_RESULTS, "runOnly": {"type": "rule", "values": ["color-contrast"]}}

expect.set_options(timeout=_PATIENCE_MS / 4)


class Tab:
    """One person's tab at one width. `look` after each step; `close` fails where a page was passed over."""

    def __init__(self, browser: Browser, address: str, width: int = DESKTOP) -> None:
        is_phone = width == PHONE
        self.width = width
        self._context = browser.new_context(
            base_url=address,
            viewport={"width": width, "height": 844},
            has_touch=is_phone,
            is_mobile=is_phone,
            reduced_motion="reduce",
            color_scheme="light",
        )
        self._context.set_default_timeout(_PATIENCE_MS)
        self.page: Page = self._context.new_page()
        self._faults: list[str] = []
        self._visited: set[str] = set()
        self._seen: set[str] = set()
        self.page.on("pageerror", lambda error: self._faults.append(f"script: {error}"))
        self.page.on("console", self._hear)
        self.page.on("response", self._check_response)
        self.page.on("framenavigated", self._note)

    def sign_in(self, email: str) -> Tab:
        """Through the form, as a person does."""
        self.go("/sign-in")
        self.fill(email=email, password=PASSWORD)
        self.press("Sign in")
        self.page.wait_for_url(lambda url: urlsplit(url).path not in {"/", "/sign-in"})
        return self.look()

    def go(self, path: str) -> Tab:
        """Open a page of the portal and look at it."""
        self.page.goto(path)
        return self.look()

    def fill(self, **values: str) -> Tab:
        """Type or choose in the fields of these names."""
        for name, value in values.items():
            field = self.main.locator(f"[name={name}]:visible").first
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        return self

    def press(self, name: str) -> Tab:
        """Press a button, or follow a link, of this name in the page's own part."""
        either = self.main.get_by_role("button", name=name, exact=True)
        either.or_(self.main.get_by_role("link", name=name, exact=True)).first.click()
        return self

    def expects(self, *texts: str) -> Tab:
        """The page's own part shows each of these texts, sooner or later."""
        for text in texts:
            expect(self.main).to_contain_text(text)
        return self

    def look(self) -> Tab:
        """Nothing was complained of so far, nothing is wider than the screen, and axe is content in both themes."""
        self.page.wait_for_load_state()
        self._seen.add(self.path)
        where = f"{self.path} at {self.width}"
        assert self._faults == [], where
        assert self.page.evaluate(_WIDER) == 0, f"{where} scrolls sideways"
        self._check_with_axe(_RESULTS, where)
        self.page.emulate_media(color_scheme="dark")
        self._check_with_axe(_COLOURS, f"{where} in the dark")
        self.page.emulate_media(color_scheme="light")
        return self

    @property
    def main(self) -> Locator:
        """The page without the frame around it."""
        return self.page.locator("main")

    @property
    def path(self) -> str:
        """Where the person is."""
        return urlsplit(self.page.url).path

    def close(self) -> None:
        """Nothing was complained of, and no page was passed over."""
        self._context.close()
        assert self._faults == []
        assert self._visited - self._seen == set(), "look at these pages too"

    def _check_with_axe(self, options: dict[str, Any], where: str) -> None:
        found = Axe().run(self.page, options=options).response["violations"]
        nodes = [(each["id"], node) for each in found for node in each["nodes"]]
        faults = [f"{rule}: {node['html'][:300]} {node['failureSummary'][:500]}" for rule, node in nodes]
        assert not faults, "\n".join([where, *faults])

    def _hear(self, line: ConsoleMessage) -> None:
        if line.type in {"error", "warning"} and not any(text in line.text for text in _EXPECTED):
            self._faults.append(f"console: {line.text}")

    def _check_response(self, response: Response) -> None:
        if response.status >= 500:
            self._faults.append(f"{response.status}: {response.url}")

    def _note(self, frame: Frame) -> None:
        if frame.parent_frame is None and frame.url.startswith("http"):
            self._visited.add(urlsplit(frame.url).path)
