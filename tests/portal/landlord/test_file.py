"""The landlord file: what is refused, by its path."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from portal.landlord import file

CONTRACT: dict[str, Any] = {
    "id": "k1",
    "tenant": "t1",
    "start": "2026-07-01",
    "end": "2027-07-01",
    "lock_in_until": "2026-10-01",
    "notice_days": 90,
    "notice_by": "either",
    "booking_lead_days": 14,
    "move_notice_days": 14,
    "commitments": [{"start": "2026-07-01", "end": "2027-07-01", "gpus": 720}],
    "fees": [{"start": "2026-07-01", "end": "2027-07-01", "usd_per_month": 1000000}],
}
HALL = {"id": "h1", "name": "Hall 1", "pods": 2, "racks_per_pod": 4}
LANDLORD: dict[str, Any] = {
    "format": "berth.landlord/1",
    "sites": [{"id": "s1", "name": "Site 1", "halls": [HALL]}],
    "tenants": [{"id": "t1", "name": "Tenant 1"}],
    "contracts": [CONTRACT],
    "rates": [{"scope": "any", "interruptible": False, "start": "2026-01-01", "usd_per_gpu_hour": "5.80"}],
}


def parsed(content: dict[str, Any]) -> file.Landlord:
    return file.parse(json.dumps(content).encode(), "landlord.json")


def faults(**changes: Any) -> tuple[str, ...]:
    with pytest.raises(file.BadLandlordFile) as refused:
        parsed(LANDLORD | changes)
    return refused.value.faults


def test_a_hall_names_its_pods_and_racks_after_itself() -> None:
    hall = parsed(LANDLORD).sites[0].halls[0]

    assert list(hall.racks_by_pod()) == ["h1-p01", "h1-p02"]
    assert hall.racks_by_pod()["h1-p02"] == ["h1-p02-r1", "h1-p02-r2", "h1-p02-r3", "h1-p02-r4"]


def test_money_keeps_its_cents() -> None:
    assert str(parsed(LANDLORD).rates[0].usd_per_gpu_hour) == "5.80"


BINARY_FRACTION = {"scope": "any", "interruptible": False, "start": "2026-01-01", "usd_per_gpu_hour": 5.8}
TWICE = [{"id": "t1", "name": "x"}, {"id": "t1", "name": "y"}]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"format": "berth.landlord/2"}, "format: input should be 'berth.landlord/1'"),
        ({"colour": "red"}, "colour: extra inputs are not permitted"),
        ({"tenants": [{"id": "t 1", "name": "x"}]}, "tenants[0].id: string should match pattern"),
        ({"tenants": TWICE}, "tenants[1].id: the tenant 't1' is named"),
        ({"contracts": [CONTRACT | {"end": "2026-07-01"}]}, "contracts[0].end: 2026-07-01 is not after the start"),
        ({"contracts": [CONTRACT | {"lock_in_until": "2026-06-01"}]}, "contracts[0].lock_in_until: 2026-06-01"),
        ({"contracts": [CONTRACT | {"notice_days": -1}]}, "contracts[0].notice_days: input should be greater"),
        ({"contracts": [CONTRACT | {"notice_days": True}]}, "contracts[0].notice_days: input should be a valid"),
        ({"contracts": [CONTRACT | {"start": "2026-02-30"}]}, "contracts[0].start: must be a day as YYYY-MM-DD"),
        ({"rates": [BINARY_FRACTION]}, 'rates[0].usd_per_gpu_hour: must be a whole number or text such as "3.25"'),
        ({"sites": [{"id": "s1", "name": "S", "halls": [HALL, HALL]}]}, "sites[0].halls[1].id: the hall 'h1' is named"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_the_path_of_its_fault(changes: dict[str, Any], fault: str) -> None:
    assert [one for one in faults(**changes) if one.startswith(fault)]


def test_steps_that_overlap_are_refused() -> None:
    contract = copy.deepcopy(CONTRACT)
    contract["fees"].append({"start": "2027-06-30", "end": "2027-07-31", "usd_per_month": 1})

    assert faults(contracts=[contract]) == ("contracts[0].fees[1]: it overlaps fees[0]",)


def test_text_that_is_no_toml_is_refused_with_its_place() -> None:
    with pytest.raises(file.BadLandlordFile, match="it is no TOML: Expected"):
        file.parse(b"a = 1\nb", "landlord.toml")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(file.BadLandlordFile, match="cannot be read: No such file"):
        file.read(tmp_path / "nowhere.toml")


def test_the_demo_landlord_has_the_size_of_colossus_and_says_what_is_assumed() -> None:
    landlord = file.read(Path(file.__file__).parents[1] / "demo" / "landlord.toml")

    racks = [
        rack for site in landlord.sites for hall in site.halls for pod in hall.racks_by_pod().values() for rack in pod
    ]
    assert len(racks) == len(set(racks)) == 3072
    assert [len(site.halls) for site in landlord.sites] == [8, 4]
    assert all(contract.assumption for contract in landlord.contracts)
    assert {tenant.name for tenant in landlord.tenants} >= {"Reflection AI", "Anthropic", "Google", "Cursor"}
