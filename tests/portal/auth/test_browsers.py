"""Browsers in words."""

from __future__ import annotations

import pytest

from portal.auth.browsers import browser_text

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "text"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Chrome/156.0.0.0 Safari/537.36", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_WEBKIT} Chrome/156.0.0.0 Safari/537.36 Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Mac"),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) {_WEBKIT} Safari/604.1", "Safari on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 16) {_WEBKIT} Chrome/156.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.14.1", "Another program"),
    ],
)
def test_a_browser_is_recognised_by_its_person(user_agent: str, text: str) -> None:
    """Browsers claim to be their ancestors; the particular name counts."""
    assert browser_text(user_agent) == text
