"""Many processes, of this machine or of a Dask cluster: the same plan, whatever becomes of the processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.solver.engine.markets import market
from tests.solver.reference import build

REPOSITORY = Path(__file__).parents[2]
Happening = Callable[[subprocess.Popen[str]], None]


@dataclass(frozen=True)
class Cluster:
    address: str
    workers: list[subprocess.Popen[str]]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A scheduler and two workers, each a process of its own, on the loopback interface."""
    scheduler = _started("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    assert scheduler.stderr is not None
    address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
    words = ("--nthreads", "1", "--no-dashboard", "--no-nanny")
    workers = [_started("worker", address, *words) for _ in range(2)]
    try:
        yield Cluster(address, workers)
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.communicate(timeout=30)


def _started(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dask", *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)


@dataclass(frozen=True)
class Planned:
    """A plan but for its seconds, and the warnings on the way."""

    plan: Any
    warnings: list[str]


def planned(snapshot: Path, *words: str, when: str | None = None, happens: Happening | None = None) -> Planned:
    """Plan with two workers; when the stage has ended, ``happens`` is called with the process."""
    out = snapshot.with_name("plan.json")
    command = [sys.executable, "-m", "solver", "plan", str(snapshot), "-o", str(out), "--workers", "2", *words]
    command += ["--progress", "json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        return _followed(process, out, when, happens)


def _followed(process: subprocess.Popen[str], out: Path, when: str | None, happens: Happening | None) -> Planned:
    assert process.stderr is not None
    events, other = [], []
    for line in process.stderr:
        if not line.startswith("{"):
            other.append(line)
            continue
        events.append(json.loads(line))
        if happens is not None and events[-1]["stage"] == when:
            happens(process)
            happens = None
    assert process.wait(timeout=60) == 0, other
    assert happens is None, events
    plan = json.loads(out.read_text())
    return Planned(plan | {"seconds": 0}, [event["warning"] for event in events if "warning" in event])


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "snapshot.json"
    path.write_bytes(build.encode(market(3, requests=60)))
    return path


WORK = ("--work-limit", "200")


@pytest.fixture(scope="module")
def undisturbed(snapshot: Path) -> Any:
    """The plan that two processes of this machine make."""
    done = planned(snapshot, *WORK)
    assert done.warnings == []
    return done.plan


def test_a_dask_cluster_gives_the_plan_that_this_machine_gives(snapshot: Path, undisturbed: Any) -> None:
    with cluster() as lent:
        assert planned(snapshot, *WORK, "--scheduler", lent.address) == Planned(undisturbed, [])


@pytest.mark.slow
def test_a_worker_of_the_cluster_that_is_killed_changes_nothing(snapshot: Path, undisturbed: Any) -> None:
    with cluster() as lent:
        done = planned(
            snapshot,
            *("--scheduler", lent.address, *WORK),
            when="improvement",
            happens=lambda _: lent.workers[0].kill(),
        )

    assert done.plan == undisturbed


@pytest.mark.slow
def test_without_any_worker_left_the_solve_goes_on_alone_and_says_so(snapshot: Path, undisturbed: Any) -> None:
    with cluster() as lent:

        def lose_all(_: subprocess.Popen[str]) -> None:
            for worker in lent.workers:
                worker.kill()

        done = planned(snapshot, "--scheduler", lent.address, *WORK, when="relaxation", happens=lose_all)

    assert done.plan == undisturbed
    assert done.warnings == ["the cluster has no worker left; this process goes on alone"]


def test_a_worker_process_that_is_killed_costs_time_and_changes_nothing(snapshot: Path, undisturbed: Any) -> None:
    done = planned(snapshot, *WORK, when="improvement", happens=_kill_workers)

    assert done.plan == undisturbed
    assert "a worker process ended before its work was done; its work is done again" in done.warnings


def _kill_workers(solver: subprocess.Popen[str]) -> None:
    """What the kernel does to processes when memory runs out."""
    for child in psutil.Process(solver.pid).children():
        if "spawn_main" in " ".join(child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)


def test_a_scheduler_that_does_not_answer_is_named_before_any_work(snapshot: Path) -> None:
    command = [sys.executable, "-m", "solver", "plan", str(snapshot), "--scheduler", "tcp://127.0.0.1:1"]

    done = subprocess.run(command, capture_output=True, cwd=REPOSITORY, check=False, timeout=120)

    assert done.returncode == 2
    assert b"no Dask scheduler answers at tcp://127.0.0.1:1" in done.stderr
