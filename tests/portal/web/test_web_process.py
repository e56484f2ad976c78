"""What the web process may and may not load."""

from __future__ import annotations

import os
import subprocess
import sys


def test_the_web_process_never_loads_or_tools() -> None:
    """A solve that dies, or that is big, stays out of the site: the whole application is built in a fresh process."""
    code = (
        "import sys; from portal.app import create_app; create_app();"
        "print(sorted(name for name in sys.modules if name.split('.')[0] == 'ortools' or name == 'solver.engine'))"
    )
    environ = {**os.environ, "BERTH_MODE": "test", "BERTH_DATABASE_URL": "sqlite:///:memory:"}

    ended = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "[]"
