"""A plan file beside its snapshot: made from it, and naming only what it has."""

from __future__ import annotations

import pytest

from solver import files, plan
from tests.solver.reference import broken, build
from tests.solver.reference.broken import SHA256, example_plan, example_snapshot, foreign_faults, with_value
from tests.solver.reference.build import segment


def test_a_plan_that_names_only_what_its_snapshot_has_belongs_to_it() -> None:
    assert foreign_faults(example_plan(), example_snapshot()) == ()


def test_a_plan_made_from_another_snapshot_is_refused() -> None:
    (fault,) = foreign_faults(example_plan(), example_snapshot(), "a" * 64)

    assert fault == f"snapshot_sha256: {SHA256} is not this snapshot's {'a' * 64}"


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("accepted[0].request", "q9", "accepted[0].request: 'q9' names no request"),
        ("accepted[0].racks", {"r1": 72, "r9": 72}, "accepted[0].racks.r9: 'r9' names no rack"),
        ("declined[0].request", "v1", "declined[0].request: 'v1' names no request"),
        ("moves[0].reservation", "q1", "moves[0].reservation: 'q1' names no reservation"),
        ("moves[0].placement", [segment(0, 5, {"p1": 72})], "moves[0].placement[0].racks.p1: 'p1' names no rack"),
        ("recalls[0].reservation", "v9", "recalls[0].reservation: 'v9' names no reservation"),
        ("shortfalls[0].reservation", "v9", "shortfalls[0].reservation: 'v9' names no reservation"),
        ("hold_shortfalls[0].contract", "t1", "hold_shortfalls[0].contract: 't1' names no contract"),
    ],
)
def test_an_id_that_names_nothing_is_named(path: str, value: object, fault: str) -> None:
    assert foreign_faults(with_value(example_plan(), path, value), example_snapshot()) == (fault,)


def test_every_id_that_names_nothing_is_listed() -> None:
    content = with_value(with_value(example_plan(), "accepted[0].request", "q9"), "recalls[0].reservation", "v9")

    assert len(foreign_faults(content, example_snapshot())) == 2


@pytest.mark.parametrize("gpus", [-4, 0, 3, 76])
def test_a_number_that_breaks_a_rule_is_left_to_verify(gpus: int) -> None:
    """The file is in order; that 76 GPUs do not fit on a rack is R1, and `verify` says so."""
    content = with_value(example_plan(), "accepted[0].racks", {"r1": gpus})
    content = with_value(content, "accepted[0].gpus", gpus)

    assert foreign_faults(content, example_snapshot()) == ()


def test_a_plan_written_and_read_again_is_the_same() -> None:
    first = plan.parse(build.encode(example_plan()))

    assert plan.parse(files.dump(first)) == first


def test_a_plan_of_empty_lists_loads_and_a_missing_list_is_named() -> None:
    content = {key: [] if isinstance(value, list) else value for key, value in example_plan().items()}

    assert broken.plan_faults(content) == ()
    assert broken.plan_faults(broken.without(content, "prices")) == ("prices: is missing",)
