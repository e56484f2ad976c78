"""Someone who calls the portal without a browser, for tests in which the server does not live to answer."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from tests.journeys.building import PASSWORD
from tests.journeys.installation import PATIENCE_S


class Caller:
    """Signs in and publishes; cookies and form tokens as a browser has them."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def sign_in(self, email: str) -> Caller:
        """Through the form."""
        assert self._send("/sign-in", "/sign-in", email=email, password=PASSWORD) == 200
        return self

    def publish(self, plan: str) -> int | None:
        """The status of the answer; null where the server was gone before it gave one."""
        try:
            return self._send(f"/plans/{plan}", f"/plans/{plan}/publish", confirmation="publish")
        except (urllib.error.URLError, ConnectionError):
            return None

    def _send(self, page: str, action: str, **fields: str) -> int:
        with self._opener.open(self._address + page, timeout=PATIENCE_S) as answer:
            token = re.search(r'name="csrf_token" value="([^"]+)"', answer.read().decode())
        assert token is not None
        body = urllib.parse.urlencode({"csrf_token": token[1], **fields}).encode()
        with self._opener.open(self._address + action, data=body, timeout=PATIENCE_S) as answer:
            return int(answer.status)
