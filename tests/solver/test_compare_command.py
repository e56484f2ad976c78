"""``python -m solver compare`` as people and programs call it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from solver.commands.group import cli
from solver.compare.differences import compare
from solver.compare.run import plan_all
from solver.engine.parameters import SolveParameters
from solver.engine.solve import solve
from solver.engine.watch import Watch
from solver.plan import Plan
from solver.scenarios import reading
from solver.snapshot import Loaded
from solver.verify.check import broken_rules
from tests.solver.engine.markets import market
from tests.solver.reference import build
from tests.solver.test_commands import solver, without_seconds
from tests.solver.test_offers_command import plan
from tests.solver.test_scheduler import cluster

REPOSITORY = Path(__file__).parents[2]
SCENARIOS: list[dict[str, Any]] = [
    {"name": "court order", "changes": [{"notice": {"contract": "k1", "on": build.day(1)}}]},
    {"name": "dark pod", "changes": [{"outage": {"unit": "A0p0", "start": build.day(3), "end": None}}]},
    {"name": "nothing", "changes": []},
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small market and three scenarios for it."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "snapshot.json").write_bytes(build.encode(market(0, requests=6)))
    (folder / "scenarios.json").write_bytes(build.encode(SCENARIOS))
    return folder / "snapshot.json", folder / "scenarios.json"


@pytest.fixture(scope="module")
def answer(files: tuple[Path, Path]) -> Any:
    path = files[0].with_name("answer.json")
    done = solver("compare", *files, "-o", path, "--work-limit", "2", "--workers", "1")
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b""
    assert b"Plans side by side" in done.stderr
    return json.loads(path.read_text())


def test_every_plan_is_the_one_that_a_solve_with_one_worker_finds(answer: Any) -> None:
    loaded = build.load(market(0, requests=6))
    changed = reading.changed_by(SCENARIOS, loaded.snapshot)
    alone = SolveParameters(None, 2, 1)

    for each, found in zip([loaded, *(c.loaded for c in changed)], _plans(answer), strict=True):
        made = solve(each, alone)
        assert broken_rules(each.snapshot, made) == []
        assert found["snapshot_sha256"] == each.sha256
        assert found["tiers"] == json.loads(made.model_dump_json())["tiers"]
        assert (found["accepted"], found["declined"]) == (len(made.accepted), len(made.declined))


def _plans(answer: Any) -> list[Any]:
    return [answer["base"], *(scenario["plan"] for scenario in answer["scenarios"])]


def test_differences_add_up_to_what_the_tiers_differ_by(answer: Any) -> None:
    """The market's one interruptible reservation is of tier 0."""
    for scenario in answer["scenarios"]:
        found = scenario["differences"]
        for tier in found["tiers"]:
            by_request = sum(item["value_usd"] for item in found["requests"] if item["tier"] == tier["tier"])
            by_recall = sum(item["value_usd"] for item in found["recalls"]) if tier["tier"] == 0 else 0.0
            assert by_request + by_recall == pytest.approx(tier["value_usd"])


def test_a_scenario_without_changes_differs_in_nothing(answer: Any) -> None:
    nothing = answer["scenarios"][2]["differences"]

    assert [tier["value_usd"] for tier in nothing["tiers"]] == [0.0] * 3
    assert [name for name, found in nothing.items() if found] == ["tiers"]


def test_processes_side_by_side_find_the_plans_that_one_finds(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    monkeypatch.setattr("solver.engine.crew._SMALL_PROBLEM", 0)
    loaded = build.load(market(0, requests=6))
    changed = reading.changed_by(SCENARIOS, loaded.snapshot)

    plans = plan_all([loaded, *(each.loaded for each in changed)], SolveParameters(None, 2, 2), Watch(None))

    found = compare(loaded, changed, plans, seed=0, seconds=0.0)
    assert without_seconds(json.loads(found.model_dump_json())) == without_seconds(answer)


@pytest.mark.slow
def test_a_dask_cluster_gives_the_answer_that_this_machine_gives(files: tuple[Path, Path], answer: Any) -> None:
    with cluster() as lent:
        done = solver("compare", *files, "--work-limit", "2", "--scheduler", lent.address)

    assert done.returncode == 0, done.stderr.decode()
    assert without_seconds(json.loads(done.stdout)) == without_seconds(answer)


def test_all_solves_get_the_same_share_of_the_time_and_later_ones_make_up_for_those_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 3 seconds for three solves one after the other each gets 1; the second begins half a second late."""
    limits = []

    def solved(loaded: Loaded, parameters: SolveParameters, watch: Watch) -> Plan:
        limits.append(parameters.time_limit_seconds)
        time.sleep(1.5 if len(limits) == 1 else 0.0)
        return plan(loaded.snapshot)

    monkeypatch.setattr("solver.engine.solve.solve", solved)
    loaded = build.load(market(0, requests=6))
    changed = reading.changed_by(SCENARIOS[:2], loaded.snapshot)
    plan_all([loaded, *(each.loaded for each in changed)], SolveParameters(3.0, None, 1), Watch(3.0))

    assert limits == [pytest.approx(1.0, abs=0.2), pytest.approx(0.5, abs=0.2), pytest.approx(1.0, abs=0.2)]


def test_whoever_has_waited_long_enough_gets_what_is_finished() -> None:
    """An interrupt before the first of three solves that share this process: it ends with the best it has."""
    loaded = build.load(market(0, requests=6))
    changed = reading.changed_by(SCENARIOS[:2], loaded.snapshot)
    watch = Watch(30.0)
    watch.interrupt()

    plans = plan_all([loaded, *(each.loaded for each in changed)], SolveParameters(30.0, None, 1), watch)

    assert [each is None for each in plans] == [False, True, True]


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_an_interrupt_answers_with_what_there_is_and_exits_with_0(number: signal.Signals, tmp_path: Path) -> None:
    snapshot, scenarios, out = tmp_path / "snapshot.json", tmp_path / "scenarios.json", tmp_path / "answer.json"
    snapshot.write_bytes(build.encode(market(5, requests=20)))
    scenarios.write_bytes(build.encode(SCENARIOS[:2]))
    words = ["compare", str(snapshot), str(scenarios), "-o", str(out), "--time-limit", "60", "--workers", "2"]
    process = subprocess.Popen([sys.executable, "-m", "solver", *words], stderr=subprocess.PIPE, cwd=REPOSITORY)
    time.sleep(3)
    os.kill(process.pid, number)
    _, told = process.communicate(timeout=50)  # less than the limit

    assert process.returncode == 0
    assert b"Plans side by side" in told
    found = json.loads(out.read_text())
    assert found["interrupted"]
    assert found["base"] is not None


def test_bad_scenarios_list_every_fault_exit_with_2_and_write_nothing(files: tuple[Path, Path], tmp_path: Path) -> None:
    bad, out = tmp_path / "scenarios.json", tmp_path / "answer.json"
    changes = [{"notice": {"contract": "k9", "on": "tomorrow"}}, {"outage": {"unit": "A9", "start": build.day(1)}}]
    bad.write_bytes(build.encode([{"name": "x", "changes": changes}]))

    done = CliRunner().invoke(cli, ["compare", str(files[0]), str(bad), "-o", str(out)])

    assert done.exit_code == 2
    assert [line.strip().partition(":")[0] for line in done.stderr.splitlines()[1:]] == [
        "[0].changes[0].notice.on",
        "[0].changes[0].notice.contract",
        "[0].changes[1].outage.end",
        "[0].changes[1].outage.unit",
    ]
    assert not out.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("-", "-"),
        ("SNAPSHOT",),
        ("SNAPSHOT", "nowhere.json"),
        ("SNAPSHOT", "SCENARIOS", "--time-limit", "0"),
        ("SNAPSHOT", "SCENARIOS", "-o", "no/such/folder/answer.json"),
        pytest.param(("SNAPSHOT", "SCENARIOS", "--scheduler", "tcp://127.0.0.1:1"), marks=pytest.mark.slow),
    ],
)
def test_bad_usage_exits_with_2_and_a_sentence(words: tuple[str, ...], files: tuple[Path, Path]) -> None:
    named = {"SNAPSHOT": str(files[0]), "SCENARIOS": str(files[1])}

    done = CliRunner().invoke(cli, ["compare", *(named.get(word, word) for word in words)])

    assert done.exit_code == 2
    assert done.stderr
    assert done.stdout == ""
