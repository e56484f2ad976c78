"""``python -m solver`` as people and programs call it: files, standard streams, exit codes, signals."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.solver.engine.markets import market
from tests.solver.reference import build

REPOSITORY = Path(__file__).parents[2]


def solver(*words: str | Path, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-W", "error", "-m", "solver", *map(str, words)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=REPOSITORY, check=False, timeout=120)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "snapshot.json"
    path.write_bytes(build.encode(market(0, requests=25)))
    return path


@pytest.fixture(scope="module")
def plan(snapshot: Path) -> Path:
    path = snapshot.with_name("plan.json")
    done = solver("plan", snapshot, "-o", path, "--work-limit", "20", "--workers", "1")
    assert done.returncode == 0, done.stderr.decode()
    return path


def without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_seconds(item) for key, item in value.items() if "seconds" not in key}
    return [without_seconds(item) for item in value] if isinstance(value, list) else value


def test_a_plan_passes_verify(snapshot: Path, plan: Path) -> None:
    done = solver("verify", snapshot, plan)

    assert done.returncode == 0
    assert b"keeps every rule" in done.stdout


def test_a_broken_plan_is_named_by_its_rule_and_exits_with_1(snapshot: Path, plan: Path, tmp_path: Path) -> None:
    content = json.loads(plan.read_text())
    lost = content["accepted"].pop()["request"]
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(content))

    done = solver("verify", snapshot, broken)

    assert done.returncode == 1
    assert f"R13: {lost}" in done.stdout.decode() or f"R13: request {lost}" in done.stdout.decode()


def test_a_plan_of_another_snapshot_is_refused(snapshot: Path, plan: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(build.encode(market(1)))

    done = solver("verify", other, plan)

    assert done.returncode == 2
    assert b"snapshot_sha256" in done.stderr


def test_the_same_seed_and_work_limit_write_the_same_bytes_but_for_seconds(snapshot: Path, plan: Path) -> None:
    again = snapshot.with_name("again.json")
    solver("plan", snapshot, "-o", again, "--work-limit", "20", "--workers", "1")

    assert without_seconds(json.loads(again.read_text())) == without_seconds(json.loads(plan.read_text()))


def test_standard_streams_and_gzip(snapshot: Path, tmp_path: Path) -> None:
    packed = tmp_path / "plan.json.gz"

    through = solver("plan", "-", "--work-limit", "4", stdin=gzip.compress(snapshot.read_bytes()))
    solver("plan", snapshot, "-o", packed, "--work-limit", "4")

    assert through.returncode == 0, through.stderr.decode()
    assert json.loads(through.stdout)["format"] == "berth.plan/1"
    assert json.loads(gzip.decompress(packed.read_bytes()))["format"] == "berth.plan/1"


def test_a_bad_snapshot_lists_every_fault_exits_with_2_and_writes_nothing(tmp_path: Path) -> None:
    bad, out = tmp_path / "bad.json", tmp_path / "plan.json"
    bad.write_bytes(build.encode(build.snapshot(requests=[build.request(gpus=70), build.request("q2", site="s9")])))

    done = solver("plan", bad, "-o", out)

    assert done.returncode == 2
    assert b"requests[0].gpus: 70 is not a multiple of 4" in done.stderr
    assert b"requests[1].site: 's9' names no site" in done.stderr
    assert b"Traceback" not in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "nowhere.json"),
        ("plan",),
        ("plan", "SNAPSHOT", "--time-limit", "0"),
        ("plan", "SNAPSHOT", "--workers", "0"),
        ("plan", "SNAPSHOT", "--colour"),
        ("plan", "SNAPSHOT", "-o", "no/such/folder/plan.json", "--work-limit", "1"),
        ("verify", "-", "-"),
        ("offers", "SNAPSHOT", "PLAN", "--gpus", "72", "--days", "3", "--from", "2027-02-30"),
        ("offers", "SNAPSHOT", "PLAN", "--gpus", "70", "--days", "3"),
        ("sing",),
    ],
)
def test_bad_input_and_usage_exit_with_2_and_a_sentence(words: tuple[str, ...], snapshot: Path, plan: Path) -> None:
    named = {"SNAPSHOT": snapshot, "PLAN": plan}

    done = solver(*(named.get(word, word) for word in words))

    assert done.returncode == 2
    assert done.stderr
    assert b"Traceback" not in done.stderr


def test_offers_answers_as_json(snapshot: Path, plan: Path) -> None:
    done = solver("offers", snapshot, plan, "--gpus", "4", "--days", "1", "--json")

    starts = json.loads(done.stdout)["starts"]
    assert done.returncode == 0
    assert all(item["from"] < item["until"] for item in starts)


def test_progress_as_json_lines_and_a_receipt(snapshot: Path, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"

    done = solver(
        "plan",
        snapshot,
        "--work-limit",
        "4",
        "--workers",
        "1",
        "--progress",
        "json",
        "--receipt",
        receipt,
        "--seed",
        "7",
    )

    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("{")]
    stages = [json.loads(line)["stage"] for line in lines]
    written = json.loads(receipt.read_text())
    assert (stages[0], stages[-1]) == ("repair", "explanation")
    assert written["parameters"]["seed"] == json.loads(done.stdout)["seed"] == 7
    assert [stage["stage"] for stage in written["stages"]][-1] == "explanation"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupt_writes_the_best_plan_so_far_and_exits_with_0(number: signal.Signals, tmp_path: Path) -> None:
    path, out = tmp_path / "snapshot.json", tmp_path / "plan.json"
    path.write_bytes(build.encode(market(5, requests=60)))
    command = [sys.executable, "-m", "solver", "plan", str(path), "-o", str(out), "--time-limit", "25"]
    process = subprocess.Popen(
        [*command, "--progress", "json", "--workers", "2"], stderr=subprocess.PIPE, cwd=REPOSITORY
    )
    assert process.stderr is not None
    while b'"improvement"' not in process.stderr.readline():
        assert process.poll() is None
    os.kill(process.pid, number)
    process.communicate(timeout=60)

    assert process.returncode == 0
    assert solver("verify", path, out).returncode == 0


def test_workers_do_not_outlive_a_solver_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    path.write_bytes(build.encode(market(6, requests=60)))
    command = [sys.executable, "-m", "solver", "plan", str(path), "-o", str(tmp_path / "plan.json"), "--workers", "2"]
    command += ["--progress", "json", "--time-limit", "25"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=REPOSITORY)
    assert process.stderr is not None
    while b'"improvement"' not in process.stderr.readline():
        assert process.poll() is None
    children = _children(process.pid)
    process.kill()
    process.communicate(timeout=60)

    deadline = time.monotonic() + 20
    while any(_is_running(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert children
    assert not any(_is_running(child) for child in children)


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _parent(folder) == parent:
            found.append(int(folder.name))
    return found


def _parent(folder: Path) -> int | None:
    try:
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
