"""Ctrl-C and SIGTERM at any moment: the best plan so far, valid, soon, and exit code 0."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bench import landlord, sizes
from solver import snapshot as snapshots
from solver.plan import Plan
from solver.verify.check import broken_rules
from tests.solver.engine.markets import market
from tests.solver.reference import build

REPOSITORY = Path(__file__).parents[2]
_SECONDS = 2.0
_BUSY = 1.5
"""Seconds of work are more by so much where others use the same caches."""


@dataclass(frozen=True)
class Interrupt:
    """``number`` to the process or to its whole group, ``times`` times."""

    number: signal.Signals = signal.SIGTERM
    to_group: bool = False
    times: int = 1

    def send(self, process: subprocess.Popen[bytes]) -> None:
        for _ in range(self.times):
            (os.killpg if self.to_group else os.kill)(process.pid, self.number)
            time.sleep(0.05)


def start(snapshot: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "solver", "plan", str(snapshot), "-o", str(snapshot.with_name("plan.json"))]
    command += ["--progress", "json", *words]
    with snapshot.with_name("progress").open("wb") as progress:
        return subprocess.Popen(command, stderr=progress, cwd=REPOSITORY, start_new_session=True)


def wait_for(process: subprocess.Popen[bytes], snapshot: Path, stage: str) -> None:
    while f'"{stage}"'.encode() not in snapshot.with_name("progress").read_bytes():
        assert process.poll() is None, f"it ended before {stage}"
        time.sleep(0.02)


def written(process: subprocess.Popen[bytes], snapshot: Path) -> Plan:
    """The plan that the process leaves when it ends with exit code 0."""
    assert process.wait(timeout=120) == 0, snapshot.with_name("progress").read_text()
    return Plan.model_validate_json(snapshot.with_name("plan.json").read_bytes())


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    path = tmp_path / "snapshot.json"
    path.write_bytes(build.encode(market(5, requests=60)))
    return path


@pytest.mark.parametrize(
    "interrupt",
    [
        Interrupt(signal.SIGINT),
        Interrupt(signal.SIGINT, to_group=True, times=2),
        Interrupt(signal.SIGTERM, to_group=True, times=2),
    ],
)
def test_an_interrupt_of_process_or_group_once_or_twice_leaves_a_valid_plan(
    interrupt: Interrupt, snapshot: Path
) -> None:
    process = start(snapshot, "--workers", "2", "--time-limit", "60")
    wait_for(process, snapshot, "guided admission")

    interrupt.send(process)
    plan = written(process, snapshot)

    assert broken_rules(snapshots.load(str(snapshot)).snapshot, plan) == []
    assert plan.seconds < 60


def test_an_interrupt_before_anything_is_read_is_heard(snapshot: Path) -> None:
    """Interrupts wait while the process imports what it needs; here they come before the snapshot does."""
    command = [sys.executable, "-m", "solver", "plan", "-", "-o", str(snapshot.with_name("plan.json"))]
    with subprocess.Popen([*command, "--time-limit", "60"], stdin=subprocess.PIPE, cwd=REPOSITORY) as process:
        while not _holds_interrupts(process.pid):
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGTERM)
        process.communicate(snapshot.read_bytes(), timeout=60)

    assert process.returncode == 0
    plan = Plan.model_validate_json(snapshot.with_name("plan.json").read_bytes())
    assert broken_rules(snapshots.load(str(snapshot)).snapshot, plan) == []


def _holds_interrupts(process: int) -> bool:
    """Whether SIGTERM is held back or has somebody to hear it."""
    masks = dict(
        line.split(":\t") for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":\t" in line
    )
    return bool((int(masks["SigBlk"], 16) | int(masks["SigCgt"], 16)) >> (signal.SIGTERM - 1) & 1)


def test_ctrl_c_long_after_an_interrupt_that_did_not_help_ends_the_process() -> None:
    """It waits for a snapshot that nobody sends."""
    command = [sys.executable, "-m", "solver", "plan", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY) as process:
        while not _holds_interrupts(process.pid):
            time.sleep(0.005)
        time.sleep(1.0)
        os.kill(process.pid, signal.SIGINT)
        while process.poll() is None:
            time.sleep(0.5)
            os.kill(process.pid, signal.SIGINT)

    assert process.returncode == 130


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_a_market_of_the_size_of_colossus_is_interrupted_at_any_moment(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    snapshot = tmp_path / "snapshot.json"
    snapshot.write_text(json.dumps(landlord.snapshot(sizes.COLOSSUS, seed=seed)))
    interrupt = Interrupt(chance.choice((signal.SIGINT, signal.SIGTERM)), chance.random() < 0.5, chance.choice((1, 2)))
    process = start(snapshot, "--workers", "2", "--time-limit", "40")
    time.sleep(chance.uniform(0.5, 35.0))

    before = _work(process)
    interrupt.send(process)
    took = _followed(process, before)
    plan = written(process, snapshot)

    assert broken_rules(snapshots.load(str(snapshot)).snapshot, plan) == []
    assert took < _SECONDS * _BUSY


def _followed(process: subprocess.Popen[bytes], before: dict[int, float]) -> float:
    """Seconds of work until the process ends: its own, and of the worker that works longest beside it.

    Seconds of work, for seconds of the clock are more where the machine does other things as well.
    """
    spent: dict[int, float] = {}
    while process.poll() is None:
        for worker, seconds in _work(process).items():
            spent[worker] = seconds - before.get(worker, 0.0)
        time.sleep(0.02)
    own = spent.pop(process.pid, 0.0)
    return own + max(spent.values(), default=0.0)


def _work(process: subprocess.Popen[bytes]) -> dict[int, float]:
    """Seconds of work so far of the process and of its children, by process id."""
    found = {}
    with contextlib.suppress(psutil.Error):
        solver = psutil.Process(process.pid)
        for one in (solver, *solver.children()):
            times = one.cpu_times()
            found[one.pid] = times.user + times.system
    return found
