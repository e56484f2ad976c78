"""Scenarios that are refused: every fault by its path, and nothing answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from solver.files import BadFile
from solver.scenarios import reading
from solver.snapshot import Snapshot
from tests.solver.building import contract, landlord, request, reservation
from tests.solver.naive import on


def day(offset: int) -> str:
    return on(offset).isoformat()


def refusal(content: Any, snapshot: Snapshot | None = None) -> list[str]:
    """The faults for which the scenarios are refused."""
    with pytest.raises(BadFile) as refused:
        reading.parse(json.dumps(content).encode(), snapshot or landlord(contracts=[contract()]), "scenarios.json")
    assert refused.value.name == "scenarios.json"
    return [*refused.value.faults]


def of(*changes: Any, snapshot: Snapshot | None = None) -> list[str]:
    return refusal([{"name": "what if", "changes": [*changes]}], snapshot)


@pytest.mark.parametrize(
    ("content", "want"),
    [
        ({}, ["the file: must be a list of scenarios"]),
        ([3], ["[0]: must be an object"]),
        ([{"name": "x"}], ["[0].changes: is missing"]),
        ([{"changes": []}], ["[0].name: is missing"]),
        ([{"name": "", "changes": []}], ['[0].name: "" must not be empty']),
        ([{"name": 5, "changes": {}}], ["[0].name: 5 must be text", "[0].changes: must be a list"]),
        ([{"name": "x", "changes": [], "colour": 1}], ["[0].colour: is no field of this format"]),
    ],
)
def test_the_frame_of_the_file(content: Any, want: list[str]) -> None:
    assert refusal(content) == want


@pytest.mark.parametrize(
    ("change", "want"),
    [
        (7, "[0].changes[0]: must be an object"),
        ({}, "[0].changes[0]: must name one change, not 0"),
        ({"power": {}, "notice": {}}, "[0].changes[0]: must name one change, not 2"),
        (
            {"strike": {}},
            '[0].changes[0]: "strike" is no change; there are notice, outage, power, add_pods, request, commitment',
        ),
        ({"notice": None}, "[0].changes[0].notice: must be an object"),
    ],
)
def test_a_change_is_one_of_the_kinds(change: Any, want: str) -> None:
    assert of(change) == [want]


def notice(**fields: Any) -> dict[str, Any]:
    return {"notice": {"contract": "k", "on": day(0)} | fields}


@pytest.mark.parametrize(
    ("change", "want"),
    [
        (notice(contract="m"), ["[0].changes[0].notice.contract: 'm' names no contract"]),
        (notice(on=day(-6)), [f"[0].changes[0].notice.on: {day(-6)} is before the end of the lock-in, {day(-5)}"]),
        (notice(on="2026-02-30"), ["[0].changes[0].notice.on: 2026-02-30 is no day of the calendar"]),
        (
            notice(contract="m", on=3),
            [
                "[0].changes[0].notice.on: 3 must be a date as YYYY-MM-DD",
                "[0].changes[0].notice.contract: 'm' names no contract",
            ],
        ),
        (notice(by="us"), ["[0].changes[0].notice.by: is no field of this format"]),
    ],
)
def test_a_notice(change: Any, want: list[str]) -> None:
    assert of(change) == want


def test_a_notice_where_one_runs() -> None:
    noticed = landlord(contracts=[contract(notice_given_on=on(-1))])

    want = f"'k' is under notice already, given on {day(-1)}"
    assert of(notice(), snapshot=noticed) == [f"[0].changes[0].notice.contract: {want}"]
    want = f"'k' is under notice already, given on {day(0)}"
    assert of(notice(), notice(on=day(1))) == [f"[0].changes[1].notice.contract: {want}"]


@pytest.mark.parametrize(
    ("change", "want"),
    [
        (
            {"outage": {"unit": "z", "start": day(1), "end": day(1)}},
            [
                "[0].changes[0].outage.unit: 'z' names no rack, pod, hall or site",
                f"[0].changes[0].outage.end: {day(1)} is not after the start, {day(1)}",
            ],
        ),
        ({"outage": {"unit": "a0", "start": day(1)}}, ["[0].changes[0].outage.end: is missing"]),
        (
            {"power": {"site": "a-h", "start": day(2), "end": day(1), "kw": -1}},
            [
                "[0].changes[0].power.kw: -1 must be at least 0",
                "[0].changes[0].power.site: 'a-h' names no site",
                f"[0].changes[0].power.end: {day(1)} is not after the start, {day(2)}",
            ],
        ),
        (
            {"add_pods": {"hall": "a", "pods": 0, "racks": 1.0, "from": day(1)}},
            [
                "[0].changes[0].add_pods.pods: 0 must be at least 1",
                "[0].changes[0].add_pods.racks: 1.0 must be a whole number",
                "[0].changes[0].add_pods.hall: 'a' names no hall",
            ],
        ),
        (
            {"add_pods": {"hall": "a-h", "pods": 1000, "racks": 101, "from": day(1)}},
            ["[0].changes[0].add_pods: 101,000 racks are more than one change may add, 100,000"],
        ),
        (
            {"add_pods": {"hall": "a-h", "pods": 1, "racks": 1}},
            ["[0].changes[0].add_pods.from: is missing"],
        ),
        (
            {"commitment": {"contract": "m", "start": day(2), "end": day(2), "gpus": True}},
            [
                "[0].changes[0].commitment.gpus: true must be a whole number",
                "[0].changes[0].commitment.contract: 'm' names no contract",
                f"[0].changes[0].commitment.end: {day(2)} is not after the start, {day(2)}",
            ],
        ),
    ],
)
def test_each_kind_with_all_its_faults(change: Any, want: list[str]) -> None:
    assert of(change) == want


def test_a_unit_whose_name_is_that_of_another_with_other_racks() -> None:
    halls = [
        {"id": "a", "spare_racks": 0, "pods": [{"id": "p", "racks": ["a0"]}]},
        {"id": "h", "spare_racks": 0, "pods": [{"id": "q", "racks": ["a1"]}]},
    ]
    snapshot = landlord(sites=[{"id": "a", "power_limits": [], "halls": halls}])

    found = of({"outage": {"unit": "a", "start": day(0), "end": None}}, snapshot=snapshot)
    assert found == ["[0].changes[0].outage.unit: 'a' names units with different racks"]


def asked(**fields: Any) -> dict[str, Any]:
    [wish] = landlord(requests=[request()]).requests
    return {"request": wish.model_dump(mode="json") | fields}


@pytest.mark.parametrize(
    ("fields", "want"),
    [
        ({"gpus": 70, "min_gpus": 70}, ["gpus: 70 is not a multiple of 4", "min_gpus: 70 is not a multiple of 4"]),
        ({"tenant": "nobody"}, ["tenant: 'nobody' names no tenant"]),
        ({"extends": "r"}, ["extends: 'r' names no reservation"]),
        ({"id": "old"}, ["id: the request 'old' is named already by requests[0].id"]),
        ({"days": 0, "site": "c"}, ["days: 0 must be at least 1", "site: 'c' names no site"]),
    ],
)
def test_a_request_is_judged_like_one_of_the_snapshot_under_the_path_of_its_change(
    fields: dict[str, Any], want: list[str]
) -> None:
    found = of(notice(), asked(**fields), snapshot=landlord(contracts=[contract()], requests=[request(id="old")]))

    assert found == [f"[0].changes[1].request.{fault}" for fault in want]


def test_two_changes_that_ask_for_the_same_request() -> None:
    [found] = of(asked(), asked())

    assert found == "[0].changes[1].request.id: the request 'q' is named already by requests[0].id"


def test_a_request_that_extends_what_a_notice_has_dropped_before() -> None:
    snapshot = landlord(contracts=[contract()], reservations=[reservation("gone", {"a0": 72}, 8, 9, contract="k")])

    found = of(notice(), asked(extends="gone"), snapshot=snapshot)
    assert found == ["[0].changes[1].request.extends: 'gone' names no reservation"]


def test_a_scenario_that_leads_to_an_impossible_snapshot_is_named() -> None:
    racks = {"id": "p", "racks": ["a-h+1-r1"]}
    sites = [{"id": "a", "power_limits": [], "halls": [{"id": "a-h", "spare_racks": 0, "pods": [racks]}]}]
    change = {"add_pods": {"hall": "a-h", "pods": 1, "racks": 1, "from": day(1)}}

    [found] = refusal([{"name": "one", "changes": []}, {"name": "two", "changes": [change]}], landlord(sites=sites))
    assert found.startswith("[1]: under this scenario sites[0].halls[0].pods[1].racks[0]: the rack 'a-h+1-r1'")


def test_the_faults_of_all_scenarios_are_listed_together() -> None:
    found = refusal([{"name": "one", "changes": [notice(contract="m")]}, {"name": "", "changes": [7]}])

    assert found == [
        "[0].changes[0].notice.contract: 'm' names no contract",
        '[1].name: "" must not be empty',
        "[1].changes[0]: must be an object",
    ]


def test_text_that_is_no_json() -> None:
    with pytest.raises(BadFile) as refused:
        reading.parse(b'[{"name": NaN}]', landlord())

    assert refused.value.faults == ("line 1, column 11: no JSON: NaN is no number",)
