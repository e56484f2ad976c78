"""The solver as a process of its own: what it says, how it is told to stop, and that it ends with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from portal.plans import child, leash
from solver import plan as plans

FAKE = (sys.executable, str(Path(__file__).with_name("fake_solver.py")))
EMPTY = (
    b'{"format":"berth.snapshot/1","today":"2026-11-22","horizon_end":"2027-01-01","product":"p","gpus_per_rack":72,'
    b'"gpus_per_tray":4,"rack_kw":140.0,"sites":[],"outages":[],"tenants":[],"contracts":[],"reservations":[],'
    b'"requests":[]}'
)
ORDER = child.Order(snapshot=EMPTY, time_limit_s=30, workers=1, seed=7)


def set_behaviour(monkeypatch: pytest.MonkeyPatch, behaviour: str) -> None:
    monkeypatch.setenv("FAKE_SOLVER", behaviour)
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))


def run(stop: child.Stop | None = None, reports: list[object] | None = None, *, goes_on: bool = True) -> child.Answer:
    def tick(report: child.Report) -> bool:
        if reports is not None:
            reports.append(report.progress)
        return goes_on

    return child.run(FAKE, ORDER, stop=stop or threading.Event(), tick=tick)


def test_the_order_is_the_solvers_command_line() -> None:
    assert ORDER.words() == [
        *("plan", "-", "-o", "-", "--time-limit", "30", "--workers", "1", "--seed", "7", "--progress", "json")
    ]


def test_the_plan_comes_out_with_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    set_behaviour(monkeypatch, "")

    answer = run()

    assert answer.exit_code == 0
    assert plans.parse(answer.plan).accepted == []
    assert answer.log == "     0.5 s  admission\n     0.5 s  placement\na line for the log"


def test_a_solver_that_is_told_to_stop_writes_the_best_plan_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    set_behaviour(monkeypatch, "sleep")
    stop = threading.Event()
    threading.Timer(2.0, stop.set).start()
    reports: list[object] = []

    answer = run(stop, reports)

    assert answer.exit_code == 0
    assert plans.parse(answer.plan).status == "optimal"
    assert {"stage": "placement", "values": {"1": 5.0}, "bounds": {"1": 10.0}, "gaps": {"1": 0.5}, "seconds": 0.5} in (
        reports
    )


def test_a_tick_that_says_no_stops_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    set_behaviour(monkeypatch, "sleep")

    assert run(goes_on=False).exit_code in (0, -signal.SIGTERM)


def test_a_solver_that_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    set_behaviour(monkeypatch, "stubborn")
    monkeypatch.setattr(child, "GRACE_S", 0.5)

    assert run(goes_on=False).exit_code in (-signal.SIGKILL, -signal.SIGTERM)


def test_a_solver_that_outlives_its_time_limit_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    set_behaviour(monkeypatch, "sleep")
    monkeypatch.setattr(child, "OVERTIME_S", -28.0)

    assert run().exit_code in (0, -signal.SIGTERM)


def test_the_exit_of_a_solver_that_dies_names_its_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    set_behaviour(monkeypatch, "die")

    assert run().exit_code == -signal.SIGKILL


@pytest.mark.parametrize("line", ["{", "{}", '{"stage": 1, "seconds": 2}', "[1]", "null", "plain text"])
def test_a_line_that_is_no_event_goes_into_the_log(line: str) -> None:
    report = child.Report()

    report.note(line)

    assert (report.log, report.progress) == (line, None)


def test_the_solver_ends_with_a_parent_that_is_killed() -> None:
    leashed = [sys.executable, "-I", "-S", leash.__file__]
    script = (
        "import os, subprocess, time\n"
        f"child = subprocess.Popen([*{leashed!r}, str(os.getpid()), 'sleep', '60'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    _wait_until(lambda: psutil.Process(pid).name() == "sleep")

    parent.kill()
    parent.wait()
    parent.stdout.close()

    _wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_a_command_whose_parent_is_gone_already_is_not_started(tmp_path: Path) -> None:
    witness = tmp_path / "started"

    subprocess.run([sys.executable, "-I", "-S", leash.__file__, "1", "touch", str(witness)], check=True)

    assert os.getpid() != 1
    assert not witness.exists()


def _wait_until(happens: object, seconds: float = 20.0) -> None:
    assert callable(happens)
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
