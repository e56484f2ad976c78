"""``--scheduler``: the same work on a Dask cluster of separate processes gives the same plan."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.solver.engine.markets import market
from tests.solver.reference import build

REPOSITORY = Path(__file__).parents[2]


@contextmanager
def cluster() -> Iterator[str]:
    """A scheduler and two workers, each a process of its own, on the loopback interface."""
    scheduler = _started("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    assert scheduler.stderr is not None
    address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
    workers = [_started("worker", address, "--nthreads", "1", "--no-dashboard") for _ in range(2)]
    try:
        yield address
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.communicate(timeout=30)


def _started(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dask", *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)


def _plan(snapshot: Path, *words: str) -> Any:
    command = [sys.executable, "-m", "solver", "plan", str(snapshot), "--work-limit", "40", "--workers", "2", *words]
    done = subprocess.run(command, capture_output=True, cwd=REPOSITORY, check=False, timeout=180)
    assert done.returncode == 0, done.stderr.decode()
    return {key: value for key, value in json.loads(done.stdout).items() if key != "seconds"}


def test_a_dask_cluster_gives_the_plan_that_this_machine_gives(tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.json"
    snapshot.write_bytes(build.encode(market(3, requests=60)))

    with cluster() as address:
        on_cluster = _plan(snapshot, "--scheduler", address)

    assert on_cluster == _plan(snapshot)


def test_a_scheduler_that_does_not_answer_is_named_before_any_work(tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.json"
    snapshot.write_bytes(build.encode(market(3, requests=60)))
    command = [sys.executable, "-m", "solver", "plan", str(snapshot), "--scheduler", "tcp://127.0.0.1:1"]

    done = subprocess.run(command, capture_output=True, cwd=REPOSITORY, check=False, timeout=120)

    assert done.returncode == 2
    assert b"no Dask scheduler answers at tcp://127.0.0.1:1" in done.stderr
