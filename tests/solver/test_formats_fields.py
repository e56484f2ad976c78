"""Each field of both formats: missing, unknown or of the wrong type, the file is refused and the path named."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.solver.reference import broken
from tests.solver.reference.broken import example_plan, example_snapshot, with_value, without

FORMATS = {
    "snapshot": (example_snapshot(), broken.snapshot_faults),
    "plan": (example_plan(), broken.plan_faults),
}
FIELDS = [(kind, path) for kind, (content, _) in FORMATS.items() for path, _ in broken.fields(content)]
MAY_BE_NULL = {
    "snapshot": {"max_gpus", "notice_given_on", "site", "contract", "recall_notice_days", "extends"},
    "plan": {"price_to_win_usd"},
}
DATES = re.compile(r"(^|\.)(today|horizon_end|start|end|lock_in_until|notice_given_on|earliest_start|latest_start)$")
NO_DATES = [
    "2026-02-30",
    "2026-13-01",
    "2026-00-10",
    "2026-1-2",
    "20260102",
    "2026-01-02T00:00:00Z",
    "2026-01-02 ",
    " 2026-01-02",
    "2026-01-02\n",
    "26-01-02",
    "12026-01-02",
    "-001-01-02",
    "0000-01-01",
    "2027-02-29",
    "2026-W01-1",
    "2026/01/02",
    "٢٠٢٦-٠١-٠٢",
    "today",
    "",
]


def example(kind: str, path: str) -> Any:
    return broken.at(FORMATS[kind][0], path)


def faults(kind: str, content: Any) -> tuple[str, ...]:
    return FORMATS[kind][1](content)


def paths(kind: str, wanted: Any) -> list[tuple[str, str]]:
    return [(k, path) for k, path in FIELDS if k == kind and wanted(path, example(k, path))]


def is_whole_number(path: str, value: Any) -> bool:
    return type(value) is int


def is_number(path: str, value: Any) -> bool:
    return type(value) is float


def is_date(path: str, value: Any) -> bool:
    return DATES.search(path) is not None


def wrong_values(kind: str, path: str) -> list[Any]:
    """Values of another JSON type than the field's, the traps (``true``, ``1.0``, numbers in quotes) among them."""
    value = example(kind, path)
    null = [] if path.rpartition(".")[2] in MAY_BE_NULL[kind] else [None]
    if (kind, path) in {("snapshot", "outages[0].end"), ("snapshot", "outages[1].end")}:
        null = []
    if (kind, path) == ("plan", "declined[0].reason.start"):
        null = []
    if path.endswith("max_gpus"):
        return [True, 1.0, "72", [72], {}]
    if path.endswith("extends"):
        return [5, True, ["v1"], {}, ""]
    if isinstance(value, bool):
        return [0, 1, "true", [], {}, *null]
    if isinstance(value, int):
        return [True, 1.0, 72.0, 7.2e1, "72", [72], {}, *null]
    if isinstance(value, float):
        return [True, "1.5", [1.5], {}, *null]
    if isinstance(value, list):
        return [{}, "x", 5, True, *null]
    if isinstance(value, dict):
        return [[], "x", 5, True, *null]
    return [5, True, ["x"], {}, 1.5, *null]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_example_itself_loads(kind: str) -> None:
    assert faults(kind, FORMATS[kind][0]) == ()


@pytest.mark.parametrize(("kind", "path"), FIELDS)
def test_a_missing_field_is_named(kind: str, path: str) -> None:
    found = faults(kind, without(FORMATS[kind][0], path))

    assert f"{path}: is missing" in found


@pytest.mark.parametrize(("kind", "path"), FIELDS)
def test_a_value_of_the_wrong_type_is_named(kind: str, path: str) -> None:
    for value in wrong_values(kind, path):
        found = faults(kind, with_value(FORMATS[kind][0], path, value))

        assert [fault for fault in found if fault.startswith(f"{path}: ")], (value, found)


@pytest.mark.parametrize(("kind", "path"), FIELDS)
def test_a_wrong_type_brings_no_faults_that_are_none(kind: str, path: str) -> None:
    """Nothing but the field itself is wrong, so nothing else is listed, whatever refers to it."""
    wrong = True if not isinstance(example(kind, path), bool) else "true"

    found = faults(kind, with_value(FORMATS[kind][0], path, wrong))

    assert len(found) == 1, found


@pytest.mark.parametrize(
    ("kind", "path"),
    [(kind, "") for kind in FORMATS]
    + [(kind, path) for kind, path in FIELDS if isinstance(example(kind, path), dict) and not path.endswith("racks")],
)
def test_an_unknown_field_is_named(kind: str, path: str) -> None:
    here = f"{path}.colour" if path else "colour"

    found = faults(kind, with_value(FORMATS[kind][0], here, "red"))

    assert found == (f"{here}: is no field of this format",)


LIST_ENTRIES = [
    (kind, f"{path}[0]")
    for kind, path in FIELDS
    if isinstance(example(kind, path), list) and [*filter(lambda item: isinstance(item, dict), example(kind, path))]
]


@pytest.mark.parametrize(("kind", "path"), LIST_ENTRIES)
def test_an_unknown_field_of_an_entry_is_named(kind: str, path: str) -> None:
    found = faults(kind, with_value(FORMATS[kind][0], f"{path}.colour", "red"))

    assert found == (f"{path}.colour: is no field of this format",)


@pytest.mark.parametrize(("kind", "path"), LIST_ENTRIES)
def test_an_entry_that_is_no_object_is_named(kind: str, path: str) -> None:
    for value in (5, "x", None, [], True):
        found = faults(kind, with_value(FORMATS[kind][0], path, value))

        assert f"{path}: must be an object" in [re.sub(r": \S+ must", ": must", fault) for fault in found]


@pytest.mark.parametrize(("kind", "path"), paths("snapshot", is_date) + paths("plan", is_date))
def test_a_date_is_real_and_written_as_year_month_day(kind: str, path: str) -> None:
    for value in NO_DATES:
        found = faults(kind, with_value(FORMATS[kind][0], path, value))

        assert len(found) == 1, found
        assert found[0].startswith(f"{path}: ")


@pytest.mark.parametrize(("kind", "path"), paths("snapshot", is_whole_number))
def test_a_negative_or_vast_whole_number_is_named(kind: str, path: str) -> None:
    for value in (-1, 10**9 + 1, 2**63, 2**64, 10**30, -(10**30)):
        found = faults(kind, with_value(FORMATS[kind][0], path, value))

        assert len(found) == 1, found
        assert re.fullmatch(rf"{re.escape(path)}: {value} (must be|is) .+", found[0])


@pytest.mark.parametrize(("kind", "path"), paths("snapshot", is_number) + paths("plan", is_number))
def test_a_number_too_large_for_the_format_is_named(kind: str, path: str) -> None:
    """``1e999`` is JSON, but reads as infinite; so is a whole number of 400 digits."""
    text = broken.build.encode(with_value(FORMATS[kind][0], path, "BIG")).decode()
    parse = broken.snapshots.parse if kind == "snapshot" else broken.plans.parse
    for number in ("1e999", "-1e999", "1" + "0" * 400):
        with pytest.raises(broken.BadFile) as refused:
            parse(text.replace('"BIG"', number).encode())

        assert len(refused.value.faults) == 1
        assert refused.value.faults[0].startswith(f"{path}: ")


@pytest.mark.parametrize(("kind", "path"), paths("snapshot", is_number))
def test_a_negative_number_is_named(kind: str, path: str) -> None:
    found = faults(kind, with_value(FORMATS[kind][0], path, -0.5))

    assert len(found) == 1
    assert found[0].startswith(f"{path}: -0.5 must be ")


@pytest.mark.parametrize("value", [[], 5, "snapshot", None, True, 1.5])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_is_no_object_is_refused(kind: str, value: Any) -> None:
    assert len(faults(kind, value)) == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", "berth.snapshot/2"),
        ("format", "berth.plan/1"),
        ("gpus_per_rack", 64),
        ("gpus_per_rack", 72.0),
        ("gpus_per_tray", 8),
        ("gpus_per_tray", 4.0),
        ("rack_kw", 0),
        ("rack_kw", 0.0),
        ("outages[0].kind", "broken"),
        ("outages[0].kind", "Failure"),
        ("reservations[0].scope", "rack"),
        ("requests[0].scope", "cluster"),
        ("requests[0].scope", ""),
        ("requests[0].days", 0),
        ("requests[0].gpus", 0),
        ("requests[1].min_gpus", 0),
        ("reservations[0].gpus", 0),
        ("requests[0].value_usd", 1e300),
        ("sites[0].power_limits[0].kw", 1e300),
        ("requests[0].submitted_at", "2026-11-20"),
        ("requests[0].submitted_at", "2026-11-20T09:00:00"),
        ("requests[0].submitted_at", "2026-11-20T25:00:00Z"),
        ("requests[0].submitted_at", "2026-02-30T09:00:00Z"),
        ("requests[0].submitted_at", "20261120T090000Z"),
        ("requests[0].submitted_at", "2026-11-20 09:00:00Z"),
        ("requests[0].submitted_at", "0001-01-01T00:00:00+10:00"),
        ("requests[0].submitted_at", "now"),
    ],
)
def test_a_value_that_the_field_does_not_know_is_named(path: str, value: Any) -> None:
    found = broken.snapshot_faults(with_value(example_snapshot(), path, value))

    assert len(found) == 1, found
    assert found[0].startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", "berth.snapshot/1"),
        ("snapshot_sha256", "abc"),
        ("snapshot_sha256", "F" * 64),
        ("status", "infeasible"),
        ("declined[0].reason.code", "price"),
        ("declined[0].reason.holders[0].kind", "tenant"),
        ("declined[0].counter_offers[0].kind", "cheaper"),
        ("declined[0].counter_offers[0].scope", "rack"),
        ("accepted[0].gpus", 10**30),
        ("accepted[0].racks.r1", 10**30),
        ("accepted[0].racks.r1", 72.0),
    ],
)
def test_a_value_that_the_field_of_a_plan_does_not_know_is_named(path: str, value: Any) -> None:
    found = broken.plan_faults(with_value(example_plan(), path, value))

    assert len(found) == 1, found
    assert found[0].startswith(f"{path}: ")


IDS = [
    path
    for kind, path in FIELDS
    if kind == "snapshot" and re.search(r"\.(id|tenant|contract|site|extends|rack)$|^product$", path)
]


@pytest.mark.parametrize("path", [*IDS, "sites[0].halls[0].pods[0].racks[0]"])
def test_an_empty_id_is_named(path: str) -> None:
    found = broken.snapshot_faults(with_value(example_snapshot(), path, ""))

    assert f'{path}: "" must not be empty' in found


def test_an_empty_rack_id_in_a_placement_is_named() -> None:
    found = broken.snapshot_faults(with_value(example_snapshot(), "reservations[0].placement[0].racks", {"": 72}))

    assert found == ('reservations[0].placement[0].racks[""]: "" must not be empty',)
