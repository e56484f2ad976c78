"""One run of the real command, ``python -m solver plan``, as a process: its plan, its course, its peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from solver import plan as plans
from solver.plan import Plan

_SECONDS_BETWEEN_SAMPLES = 0.25
_TOLD_OF_A_FAILURE = 2000


@dataclass(frozen=True, slots=True)
class Point:
    """The best value in USD by tier ``seconds`` after the start."""

    seconds: float
    values: dict[int, float]


@dataclass(frozen=True, slots=True)
class Run:
    """``seconds`` of the whole process, reading and writing included; ``peak_bytes`` of it and all its children."""

    plan: Plan
    course: tuple[Point, ...]
    seconds: float
    peak_bytes: int


class Failed(Exception):
    """The command ended with an exit code other than 0."""


def run(snapshot: bytes, *, seed: int, time_limit: float, workers: int) -> Run:
    """Plan the snapshot (JSON bytes). Raises `Failed`."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "snapshot.json", Path(folder) / "plan.json"
        asked.write_bytes(snapshot)
        words = ["plan", str(asked), "-o", str(answered), "--progress", "json", "--seed", str(seed)]
        words += ["--time-limit", str(time_limit), "--workers", str(workers)]
        began = time.monotonic()
        with subprocess.Popen([sys.executable, "-m", "solver", *words], stderr=subprocess.PIPE, text=True) as process:
            memory = _Memory(process.pid)
            said = list(process.stderr or ())
            memory.stop()
        seconds = time.monotonic() - began
        if process.returncode:
            raise Failed("".join(said)[-_TOLD_OF_A_FAILURE:])
        return Run(plans.load(str(answered)), course(said), seconds, memory.peak_bytes)


def course(lines: Iterable[str]) -> tuple[Point, ...]:
    """The points at which the best value rose, tier before tier, from progress events; other lines are passed over."""
    points: list[Point] = []
    best: list[tuple[int, float]] = []
    for line in lines:
        if not line.startswith("{"):
            continue
        event = json.loads(line)
        values = {int(tier): float(value) for tier, value in event["values"].items()}
        if sorted(values.items()) > best:
            best = sorted(values.items())
            points.append(Point(event["seconds"], values))
    return tuple(points)


class _Memory:
    """Watches a process and its children from a thread of its own. A page that several share counts once."""

    def __init__(self, pid: int) -> None:
        self.peak_bytes = 0
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN_SAMPLES):
            self.peak_bytes = max(self.peak_bytes, _bytes_of_tree(self._process))


def _bytes_of_tree(process: psutil.Process) -> int:
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_bytes_of(each) for each in family)


def _bytes_of(process: psutil.Process) -> int:
    """Its proportional share where the system tells it, else what is resident."""
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
