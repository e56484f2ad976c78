"""``python -m solver offers``: the questions it answers and those it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from solver import files
from solver.commands.group import cli
from solver.offers_command import BadQuestion, Question, answer
from solver.plan import Accepted, Plan
from solver.snapshot import Snapshot
from tests.solver.building import DAYS, contract, landlord, request, site
from tests.solver.naive import on


def plan(snapshot: Snapshot, **changes: Any) -> Plan:
    content: dict[str, Any] = {
        "format": "berth.plan/1",
        "snapshot_sha256": files.sha256(files.dump(snapshot)),
        "today": snapshot.today,
        "status": "feasible",
        "seconds": 0.0,
        "seed": 0,
    }
    empty = ("tiers", "accepted", "declined", "moves", "recalls", "shortfalls", "hold_shortfalls", "prices")
    return Plan.model_validate(content | {key: [] for key in empty} | changes)


def starts(snapshot: Snapshot, question: Question, **changes: Any) -> list[tuple[int, int]]:
    """The answer as days from today."""
    found = answer(snapshot, plan(snapshot, **changes), question)
    return [((item.first - on(0)).days, (item.until - on(0)).days) for item in found]


def test_every_start_from_today_to_the_horizon_is_tried_unless_told_otherwise() -> None:
    assert starts(landlord(), Question(72, 3)) == [(0, DAYS - 2)]
    assert starts(landlord(), Question(72, 3, first=on(2), until=on(4))) == [(2, 4)]
    assert starts(landlord(), Question(72, 3, first=on(-9), until=on(99))) == [(0, DAYS - 2)]
    assert starts(landlord(), Question(72, 3, first=on(50))) == []


def test_accepted_blocks_of_the_plan_stand() -> None:
    snapshot = landlord(sites=[site("a")], requests=[request()])
    racks = {"a0": 72, "a1": 72}
    accepted = Accepted(request="q", gpus=144, start=on(2), end=on(5), value_usd=1.0, racks=racks)

    assert starts(snapshot, Question(216, 2)) == [(0, 9)]
    assert starts(snapshot, Question(216, 2), accepted=[accepted]) == [(0, 1), (5, 9)]


def test_scope_and_site_count() -> None:
    assert starts(landlord(), Question(360, 1)) == [(0, DAYS)]
    assert starts(landlord(), Question(360, 1, scope="hall")) == []
    assert starts(landlord(), Question(360, 1, site="a")) == []


def test_a_drawdown_is_its_contracts_and_asks_for_its_tenants_quota() -> None:
    terms = [contract("k", 576, booking_lead_days=0)]
    tenants = [{"id": "tess", "name": "Tess", "max_gpus": 144}]

    assert starts(landlord(contracts=terms), Question(216, 1)) == []
    assert starts(landlord(contracts=terms), Question(216, 1, contract="k")) == [(0, DAYS)]
    assert starts(landlord(contracts=terms, tenants=tenants), Question(216, 1, contract="k")) == []
    assert starts(landlord(contracts=terms, tenants=tenants), Question(144, 1, contract="k")) == [(0, DAYS)]


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        (Question(70, 1), "--gpus: 70 is not a multiple of 4"),
        (Question(100, 1), "--gpus: 100 is not a multiple of 72"),
        (Question(0, 1), "--gpus: 0 is not positive"),
        (Question(72, 0), "--days: 0 is below 1"),
        (Question(72, 1, site="c"), "--site: 'c' names no site"),
        (Question(72, 1, tenant="nobody"), "--tenant: 'nobody' names no tenant"),
        (Question(72, 1, contract="m"), "--contract: 'm' names no contract"),
        (Question(72, 1, contract="k", tenant="ted"), "--tenant: 'ted' is not the tenant of contract 'k', 'tess'"),
        (Question(72, 1, contract="k", site="b"), "--site: contract 'k' is bound to site 'a', not to 'b'"),
        (Question(72, 1, first=on(2), until=on(2)), "--until: 2026-11-24 is not after --from, 2026-11-24"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_with_its_fault(question: Question, fault: str) -> None:
    tenants = [{"id": name, "name": name, "max_gpus": None} for name in ("tess", "ted")]
    snapshot = landlord(tenants=tenants, contracts=[contract("k", site="a")])

    with pytest.raises(BadQuestion) as refused:
        answer(snapshot, plan(snapshot), question)

    assert refused.value.faults == (fault,)


def test_every_fault_of_a_question_is_listed() -> None:
    with pytest.raises(BadQuestion) as refused:
        answer(landlord(), plan(landlord()), Question(0, 0, site="c"))

    assert len(refused.value.faults) == 3


def ask(folder: Path, *words: str, **changes: Any) -> Result:
    snapshot = landlord()
    (folder / "snapshot.json").write_bytes(files.dump(snapshot))
    (folder / "plan.json").write_bytes(files.dump(plan(snapshot, **changes)))
    paths = [str(folder / "snapshot.json"), str(folder / "plan.json")]
    return CliRunner().invoke(cli, ["offers", *paths, *words])


def test_the_command_answers_in_json(tmp_path: Path) -> None:
    result = ask(tmp_path, "--gpus", "72", "--days", "3", "--from", "2026-11-24", "--json")

    assert (result.exit_code, json.loads(result.stdout)) == (
        0,
        {"starts": [{"from": "2026-11-24", "until": "2026-11-30"}]},
    )


def test_the_command_answers_in_words(tmp_path: Path) -> None:
    assert ask(tmp_path, "--gpus", "72", "--days", "9").stdout == (
        "72 GPUs for 9 days fit at 2 starts:\n  22 Nov 2026 to 23 Nov 2026\n"
    )
    assert (
        ask(tmp_path, "--gpus", "72", "--days", "10").stdout == "72 GPUs for 10 days fit at 1 start:\n  22 Nov 2026\n"
    )
    assert (
        ask(tmp_path, "--gpus", "72", "--days", "11").stdout == "72 GPUs for 11 days fit at no start in this range.\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--gpus", "70", "--days", "1"],
        ["--gpus", "72"],
        ["--gpus", "72", "--days", "1", "--from", "2026-02-30"],
        ["--gpus", "72", "--days", "1", "--from", "2026-2-3"],
        ["--gpus", "72", "--days", "1", "--scope", "rack"],
    ],
)
def test_the_command_refuses_a_bad_question_with_exit_code_2(tmp_path: Path, words: list[str]) -> None:
    result = ask(tmp_path, *words)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


def test_a_plan_of_another_snapshot_is_refused(tmp_path: Path) -> None:
    result = ask(tmp_path, "--gpus", "72", "--days", "1", snapshot_sha256="0" * 64)

    assert result.exit_code == 2
    assert "snapshot_sha256" in result.stderr
