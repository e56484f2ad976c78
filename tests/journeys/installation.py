"""A whole installation of real processes: `berth serve` and `berth worker` on one database, for as long as a test."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.models.engine import make_engine

BERTH = (sys.executable, "-c", "from portal.cli import main; main()")
PATIENCE_S = 120.0
"""So long anything may take here: the machine may be small and busy."""
_Found = TypeVar("_Found")


class Installation:
    """Its address, its processes, and a look into its database."""

    def __init__(self, url: sa.URL, folder: Path) -> None:
        self.engine = make_engine(url, poolclass=sa.NullPool)
        self.folder = folder
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._running: list[subprocess.Popen[bytes]] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BERTH_")}
        self.environment = {
            **kept,
            "PYTHONPATH": str(Path.cwd()),
            "BERTH_MODE": "test",
            "BERTH_VAR_DIR": str(folder),
            "BERTH_DATABASE_URL": url.render_as_string(hide_password=False),
            "BERTH_PORT": str(self.port),
            "BERTH_SOLVER_TIME_LIMIT_S": "2",
            "BERTH_SOLVER_WORKERS": "1",
            "BERTH_NIGHTLY_RUN_AT": f"{dt.datetime.now(dt.UTC) + dt.timedelta(hours=12):%H:%M}",  # not while we test
        }

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """A `berth` command as a process with a session of its own; what it says goes to ``WORD.log``."""
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [*BERTH, *words], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self._running.append(process)
        return process

    def start_server(self) -> subprocess.Popen[bytes]:
        """The server, which answers."""
        process = self.start("serve")
        self.eventually(lambda: self._answers(process), "the server answers")
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Without a warning, and with every process of its session."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def said(self, word: str) -> str:
        """What the processes of this command said so far."""
        return (self.folder / f"{word}.log").read_text(encoding="utf-8")

    @contextmanager
    def rows(self) -> Iterator[Session]:
        """A look into the database; what is changed is not kept unless committed."""
        with Session(self.engine) as session:
            yield session

    def eventually(self, found: Callable[[], _Found | None], what: str) -> _Found:
        """The first answer that is true; fails, naming ``what``, where there is none in time."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = found()
            if answer:
                return answer
            logs = {path.name: path.read_text(encoding="utf-8")[-3000:] for path in self.folder.glob("*.log")}
            assert time.monotonic() < deadline, f"it did not happen in time that {what}: {logs}"
            time.sleep(0.05)

    def end(self) -> None:
        """Every process that still lives, and the connections."""
        for process in self._running:
            if process.poll() is None:
                process.terminate()
        for process in self._running:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill(process)
        self.engine.dispose()

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, self.said("serve")
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=5) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
