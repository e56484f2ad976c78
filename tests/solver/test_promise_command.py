"""``python -m solver promise``: its two voices and what it refuses."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from solver import files
from solver.commands.group import cli
from solver.promise_answer import Promise
from solver.snapshot import Snapshot
from tests.solver.building import contract, landlord, request, reservation
from tests.solver.naive import on
from tests.solver.test_offers_command import plan

SNAPSHOT = landlord(
    contracts=[contract("k", 144, notice_days=4)],
    reservations=[reservation("r", {"a0": 72, "a1": 72}, 2, 5)],
    requests=[request(gpus=72, min_gpus=72)],
)
ACCEPTED = {"request": "q", "gpus": 72, "start": on(2), "end": on(5), "value_usd": 1.0, "racks": {"b0": 72}}


def ask(folder: Path, *words: str, **decided: Any) -> Result:
    """The command on the snapshot, with a plan that decides this, if anything."""
    paths = [_written(folder, "snapshot.json", SNAPSHOT)]
    if decided:
        paths.append(_written(folder, "plan.json", plan(SNAPSHOT, **decided)))
    return CliRunner().invoke(cli, ["promise", *paths, *words])


def _written(folder: Path, name: str, content: Any) -> str:
    (folder / name).write_bytes(files.dump(content))
    return str(folder / name)


def test_people_get_a_table_of_days_and_below_it_who_holds_and_whose_end_would_help(tmp_path: Path) -> None:
    lines = [line.rstrip() for line in ask(tmp_path).stdout.splitlines()]

    assert lines[:15] == [
        "The cluster, in GPUs",
        "days                        capacity  out  spare  no power  firm  interruptible  held  free",
        "22 Nov 2026 to 23 Nov 2026       576    0      0         0     0              0     0   576",
        "24 Nov 2026                      576    0      0         0   144              0     0   432",
        "25 Nov 2026 to 26 Nov 2026       576    0      0         0   144              0   144   288",
        "27 Nov 2026 to 1 Dec 2026        576    0      0         0     0              0   144   432",
        "",
        "The cluster: held by contract",
        "contract  days                       held",
        "k         25 Nov 2026 to 1 Dec 2026   144",
        "",
        "The cluster: free if the contract ended",
        "contract  days                       notice by    would be free",
        "k         26 Nov 2026 to 1 Dec 2026  22 Nov 2026            144",
        "",
    ]


def test_programs_get_one_object(tmp_path: Path) -> None:
    found = json.loads(ask(tmp_path, "--json").stdout)

    assert [*found] == ["format", "snapshot_sha256", "today", "horizon_end", "cluster", "sites"]
    assert (found["format"], found["today"]) == ("berth.promise/1", "2026-11-22")
    assert found["snapshot_sha256"] == files.sha256((tmp_path / "snapshot.json").read_bytes())
    assert found["cluster"][-1] == {
        "start": "2026-11-27",
        "end": "2026-12-02",
        "capacity": 576,
        "lost": {"outage": 0, "spare": 0, "power": 0},
        "booked": {"firm": 0, "interruptible": 0},
        "held": [{"contract": "k", "gpus": 144}],
        "free": 432,
        "contingent": [{"contract": "k", "gpus": 144, "decide_by": "2026-11-23"}],
    }


def test_the_plan_counts_where_it_is_named(tmp_path: Path) -> None:
    found = Promise.model_validate_json(ask(tmp_path, "--json", accepted=[ACCEPTED]).stdout)

    [here] = [each for each in found.cluster if each.start == on(2)]
    assert (here.booked.firm, here.free) == (216, 360)


def test_a_plan_of_another_snapshot_is_refused(tmp_path: Path) -> None:
    result = ask(tmp_path, snapshot_sha256="0" * 64)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "snapshot_sha256" in result.stderr


@pytest.mark.parametrize("words", [["-", "-"], [], ["nowhere.json"]])
def test_bad_usage_exits_with_2_and_a_sentence(words: list[str]) -> None:
    result = CliRunner().invoke(cli, ["promise", *words])

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_the_snapshot_may_come_packed_and_by_standard_input() -> None:
    result = CliRunner().invoke(cli, ["promise", "-", "--json"], input=gzip.compress(files.dump(SNAPSHOT)))

    assert result.exit_code == 0
    assert Promise.model_validate_json(result.stdout).cluster[0].free == 576


def test_a_cluster_without_racks_promises_nothing(tmp_path: Path) -> None:
    empty: Snapshot = landlord(sites=[])
    result = CliRunner().invoke(cli, ["promise", _written(tmp_path, "empty.json", empty), "--json"])

    found = Promise.model_validate_json(result.stdout)
    assert [(each.capacity, each.free) for each in found.cluster] == [(0, 0)]
    assert found.sites == []
