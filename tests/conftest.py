"""Rules of every test: none leaves this machine, and where there is no Chromium its tests are left out aloud."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tests.portal.databases import SERVER_VARIABLE

_LEFT_OUT = pytest.StashKey[int]()
_REPORTED = "left_out_browser_tests"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that drive Chromium are left out where there is none."""
    if shutil.which("chromium"):
        return
    driven = [item for item in items if item.get_closest_marker("browser")]
    config.stash[_LEFT_OUT] = len(driven)
    if driven:
        items[:] = [item for item in items if item not in driven]
        config.hook.pytest_deselected(items=driven)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist tells the process that writes the summary."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_REPORTED] = session.config.stash.get(_LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker collects every test, so any one of them knows the number."""
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get(_REPORTED, 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line for what was left out, and why."""
    left_out = config.stash.get(_LEFT_OUT, 0)
    if left_out:
        terminalreporter.write_line(
            f"Left out: {left_out} browser tests, because there is no `chromium` on this machine's path.", yellow=True
        )


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """A test that reaches for another machine fails; the database server that the environment names is let through."""
    allowed = {"localhost", "", None}
    if given := os.environ.get(SERVER_VARIABLE):
        allowed.add(sa.make_url(given).host)
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            _check(address[0], allowed)
        connect(self, address)

    def guarded_look_up(host: Any, *arguments: Any, **named: Any) -> Any:
        _check(host, allowed)
        return look_up(host, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


def _check(host: Any, allowed: set[str | None]) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name not in allowed and not _is_here(name):
        raise AssertionError(f"a test reached for {name}: tests stay on this machine")


def _is_here(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name == socket.gethostname()
    return address.is_loopback or address.is_unspecified
