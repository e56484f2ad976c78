"""The rules in `tests/conftest.py`: no test leaves this machine, and what is left out is said."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_a_connection_to_another_machine_is_refused() -> None:
    """An address that is for documentation only, so that nothing is reached where the rule is broken."""
    with socket.socket() as reaching, pytest.raises(AssertionError, match="stay on this machine"):
        reaching.connect(("192.0.2.7", 9))


def test_a_name_is_not_looked_up_elsewhere() -> None:
    """Looking up is reaching out as well."""
    with pytest.raises(AssertionError, match="reached for berth"):
        socket.create_connection(("berth.example", 443))


def test_a_connection_within_this_machine_is_let_through() -> None:
    """As the servers of tests need it."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as connection:
        assert connection.getpeername() == server.getsockname()


def test_without_chromium_its_tests_are_left_out_and_counted(tmp_path: Path) -> None:
    """One line in the summary, and the rest is collected as ever."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/portal/web/test_scripts.py"]
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)

    assert "browser tests, because there is no `chromium` on this machine's path." in done.stdout
    assert "test_a_link_swaps" not in done.stdout
