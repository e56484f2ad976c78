"""The solver as a process of its own: a solve that dies takes nothing else with it.

The snapshot goes in and the plan comes out through files without a name, so that a killed run leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

SOLVER = (sys.executable, "-m", "solver")
GRACE_S = 20.0
"""So long the solver may take to write the best plan so far after it was told to stop."""
OVERTIME_S = 60.0
"""So long it may take beyond its time limit, which does not count reading and writing files."""
_TICK_S = 1.0
_LOOK_S = 0.2
_LOG_LINES = 2_000
_LEASH = str(Path(__file__).with_name("leash.py"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the solver is asked for. ``time_limit_s`` in seconds, above 0; ``workers`` 1 or more."""

    snapshot: bytes
    time_limit_s: float
    workers: int
    seed: int

    def words(self) -> list[str]:
        """The order as the solver's command line."""
        limits = ["--time-limit", f"{self.time_limit_s:g}", "--workers", str(self.workers), "--seed", str(self.seed)]
        return ["plan", "-", "-o", "-", *limits, "--progress", "json"]


@dataclass(frozen=True, slots=True)
class Answer:
    """How the process ended (negative: by this signal), and the plan's bytes that it wrote."""

    exit_code: int
    plan: bytes
    log: str


@dataclass(slots=True)
class Report:
    """What the solver has said so far: its last event, and its log as lines of text."""

    progress: dict[str, Any] | None = None
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))

    @property
    def log(self) -> str:
        return "\n".join(self.lines)

    def note(self, line: str) -> None:
        """Take one line of the solver's standard error: an event, or a line for the log."""
        event = _event(line)
        if event is None:
            self.lines.append(line)
            return
        if self.progress is None or self.progress["stage"] != event["stage"]:
            self.lines.append(f"{event['seconds']:8.1f} s  {event['stage']}")
        self.progress = event


class Stop(Protocol):
    """Says whether to stop; an event of `threading` does."""

    def is_set(self) -> bool: ...


def run(command: tuple[str, ...], order: Order, *, stop: Stop, tick: Callable[[Report], bool]) -> Answer:
    """Run the solver to its end. ``tick`` is called every second; false from it, or ``stop``, asks the solver to stop.

    Asked to stop, it has `GRACE_S` seconds to write the best plan so far, then it is killed.
    """
    report = Report()
    next_tick = 0.0
    with _started(command, order) as child:
        for line in child.lines():
            if line is not None:
                report.note(line)
            child.watch(stop)
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + _TICK_S
                if not tick(report):
                    child.ask_to_stop()
        tick(report)
        return child.answer(report.log)


class _Child:
    """The running solver, with what it says on its standard error."""

    def __init__(self, process: subprocess.Popen[bytes], plan_file: IO[bytes], allowed_s: float) -> None:
        self.process = process
        self._plan_file = plan_file
        self._deadline = time.monotonic() + allowed_s
        self._asked = False
        self._said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def lines(self) -> Iterator[str | None]:
        """Each line as it comes, and nothing from time to time, until the process has ended."""
        while True:
            try:
                line = self._said.get(timeout=_LOOK_S)
            except queue.Empty:
                if self.process.poll() is not None:
                    return
                yield None
                continue
            if line is None:
                break
            yield line
        while self.process.poll() is None:
            time.sleep(_LOOK_S)
            yield None

    def watch(self, stop: Stop) -> None:
        """Ask the process to stop where it should, and kill one that was asked and goes on."""
        if time.monotonic() > self._deadline and self._asked:
            self.kill()
        elif stop.is_set() or time.monotonic() > self._deadline:
            self.ask_to_stop()

    def ask_to_stop(self) -> None:
        if not self._asked:
            self._asked = True
            self._deadline = time.monotonic() + GRACE_S
            self.process.terminate()

    def kill(self) -> None:
        """The process and those that it started: they share a session of their own."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def answer(self, log: str) -> Answer:
        self._plan_file.seek(0)
        return Answer(self.process.wait(), self._plan_file.read(), log)

    def end(self) -> None:
        """Leave nothing of it behind."""
        self.kill()
        self.process.wait()
        self._listener.join()

    def _listen(self) -> None:
        assert self.process.stderr is not None  # noqa: S101  # it is a pipe
        with self.process.stderr as lines:
            for line in lines:
                self._said.put(line.decode(errors="replace").rstrip())
        self._said.put(None)


@contextmanager
def _started(command: tuple[str, ...], order: Order) -> Iterator[_Child]:
    with tempfile.TemporaryFile() as snapshot_file, tempfile.TemporaryFile() as plan_file:
        snapshot_file.write(order.snapshot)
        snapshot_file.seek(0)
        leash = [sys.executable, "-I", "-S", _LEASH, str(os.getpid())]
        process = subprocess.Popen(  # noqa: S603  # no shell: the words are the portal's own
            [*leash, *command, *order.words()],
            stdin=snapshot_file,
            stdout=plan_file,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        child = _Child(process, plan_file, order.time_limit_s + OVERTIME_S)
        try:
            yield child
        finally:
            child.end()


def _event(line: str) -> dict[str, Any] | None:
    """The line as a progress event, or nothing where it is none."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    numbers = isinstance(event.get("seconds"), int | float) and isinstance(event.get("stage"), str)
    return event if numbers else None
