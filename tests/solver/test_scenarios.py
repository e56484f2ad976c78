"""What each change of a scenario does to a snapshot."""

from __future__ import annotations

from typing import Any

import pytest

from solver import cluster, faults, files
from solver import snapshot as snapshots
from solver.scenarios.reading import Changed, changed_by
from solver.snapshot import Snapshot
from tests.solver.building import DAYS, contract, landlord, request, reservation, site
from tests.solver.naive import on


def day(offset: int) -> str:
    return on(offset).isoformat()


def changed(snapshot: Snapshot, *changes: dict[str, Any]) -> Changed:
    """The snapshot under one scenario of these changes: a valid one, and the file that its digest names."""
    [found] = changed_by([{"name": "what if", "changes": [*changes]}], snapshot)
    after = found.loaded.snapshot
    assert faults.snapshot_faults(after) == []
    assert snapshots.parse(files.dump(after)) == found.loaded
    return found


def after(snapshot: Snapshot, *changes: dict[str, Any]) -> Snapshot:
    return changed(snapshot, *changes).loaded.snapshot


def notice(name: str = "k", day_given: int = 0) -> dict[str, Any]:
    return {"notice": {"contract": name, "on": day(day_given)}}


def outage(unit: str, start: int = 1, end: int | None = 3) -> dict[str, Any]:
    return {"outage": {"unit": unit, "start": day(start), "end": None if end is None else day(end)}}


def add_pods(hall: str = "a-h", pods: int = 1, racks: int = 2, first: int = 4) -> dict[str, Any]:
    return {"add_pods": {"hall": hall, "pods": pods, "racks": racks, "from": day(first)}}


def commitment(start: int, end: int, gpus: int) -> dict[str, Any]:
    return {"commitment": {"contract": "k", "start": day(start), "end": day(end), "gpus": gpus}}


def test_a_scenario_without_changes_is_the_snapshot_itself() -> None:
    snapshot = landlord(contracts=[contract()], requests=[request()])

    assert after(snapshot) == snapshot


def test_a_scenario_changes_nothing_of_the_snapshot_it_is_asked_of_nor_of_the_next_one() -> None:
    snapshot = landlord(contracts=[contract()])
    before = snapshot.model_copy(deep=True)
    found = changed_by([{"name": "one", "changes": [notice()]}, {"name": "two", "changes": []}], snapshot)

    assert snapshot == before
    assert [each.loaded.snapshot.contracts[0].notice_given_on for each in found] == [on(0), None]


class TestNotice:
    """``{"notice": {"contract": ID, "on": DATE}}``; notice takes seven days here."""

    def test_the_contract_is_in_force_until_its_notice_period_is_over(self) -> None:
        [found] = after(landlord(contracts=[contract()]), notice(day_given=1)).contracts

        assert found.notice_given_on == on(1)
        assert found.terms.effective_end == on(8)
        assert (found.terms.committed(on(7)), found.terms.committed(on(8))) == (288, 0)

    def test_reservations_end_with_it_at_their_share_of_the_value_and_later_ones_are_dropped(self) -> None:
        booked = [
            reservation("earlier", {"a0": 72}, 0, 7, contract="k"),
            reservation("across", {"a1": 72}, 5, 9, contract="k", value_usd=400.0),
            reservation("later", {"a2": 72}, 7, 9, contract="k"),
            reservation("other", {"a3": 72}, 5, 9),
        ]
        found = changed(landlord(contracts=[contract()], reservations=booked), notice())

        left = {block.id: block for block in found.loaded.snapshot.reservations}
        assert {name: block.end for name, block in left.items()} == {
            "earlier": on(7),
            "across": on(7),
            "other": on(9),
        }
        assert left["across"].value_usd == 200.0
        assert [(part.start, part.end) for part in left["across"].placement] == [(on(5), on(7))]
        assert [(item.reservation.id, item.end) for item in found.ended] == [("across", on(7)), ("later", None)]

    def test_segments_behind_the_end_go_with_it(self) -> None:
        parts = [
            {"start": on(0), "end": on(6), "racks": {"a0": 72}},
            {"start": on(6), "end": on(8), "racks": {"a1": 72}},
            {"start": on(8), "end": on(9), "racks": {"a2": 72}},
        ]
        block = reservation("r", {"a0": 72}, 0, 9, contract="k", placement=parts)
        [found] = after(landlord(contracts=[contract()], reservations=[block]), notice()).reservations

        assert [(part.end, [*part.racks]) for part in found.placement] == [(on(6), ["a0"]), (on(7), ["a1"])]

    def test_nothing_extends_a_reservation_that_is_gone(self) -> None:
        booked = [reservation("gone", {"a0": 72}, 8, 9, contract="k"), reservation("stays", {"a1": 72})]
        asked = [request(id="q", extends="gone"), request(id="p", extends="stays")]
        found = after(landlord(contracts=[contract()], reservations=booked, requests=asked), notice())

        assert [wish.extends for wish in found.requests] == [None, "stays"]

    def test_a_notice_too_late_to_matter_ends_the_contract_when_it_ends_anyway(self) -> None:
        found = after(landlord(contracts=[contract(end=on(5))]), notice(day_given=4))

        assert found.contracts[0].terms.effective_end == on(5)


class TestOutage:
    """``{"outage": {"unit": RACK|POD|HALL|SITE, "start": DATE, "end": DATE|null}}``."""

    @pytest.mark.parametrize(
        ("unit", "racks"), [("a1", ["a1"]), ("a-p", ["a0", "a1", "a2", "a3"]), ("b-h", ["b0", "b1", "b2", "b3"])]
    )
    def test_every_rack_of_the_unit_fails(self, unit: str, racks: list[str]) -> None:
        found = after(landlord(), outage(unit)).outages

        assert [(o.rack, o.start, o.end, o.kind) for o in found] == [(r, on(1), on(3), "failure") for r in racks]

    def test_a_site_without_an_end_stays_dark(self) -> None:
        built = cluster.build(after(landlord(), outage("b", 2, None)))

        assert built.capacity.tolist() == [[288] * DAYS, [288] * 2 + [0] * (DAYS - 2)]

    def test_a_hall_that_is_called_like_its_site_is_one_unit(self) -> None:
        hall = {"id": "a", "spare_racks": 0, "pods": [{"id": "a-p", "racks": ["a0", "a1"]}]}
        snapshot = landlord(sites=[{"id": "a", "power_limits": [], "halls": [hall]}])

        assert [o.rack for o in after(snapshot, outage("a")).outages] == ["a0", "a1"]


def test_power_adds_a_limit_and_the_lowest_holds() -> None:
    limits = [{"start": on(0), "end": on(4), "kw": 280.0}]
    change = {"power": {"site": "a", "start": day(2), "end": day(6), "kw": 420}}
    built = cluster.build(after(landlord(sites=[site("a", power_limits=limits), site("b")]), change))

    assert built.capacity[0].tolist() == [144, 144, 144, 144, 216, 216, 288, 288, 288, 288]


class TestAddPods:
    """``{"add_pods": {"hall": ID, "pods": N, "racks": N, "from": DATE}}``."""

    def test_pods_and_racks_are_numbered_behind_their_halls_name(self) -> None:
        [hall] = after(landlord(), add_pods(pods=2)).sites[0].halls

        assert [pod.id for pod in hall.pods] == ["a-p", "a-h+1", "a-h+2"]
        assert [pod.racks for pod in hall.pods[1:]] == [["a-h+1-r1", "a-h+1-r2"], ["a-h+2-r1", "a-h+2-r2"]]

    def test_racks_are_absent_before_their_first_day(self) -> None:
        built = cluster.build(after(landlord(sites=[site("a", spare_racks=1)]), add_pods()))

        assert built.capacity[0].tolist() == [216] * 4 + [360] * 6

    def test_racks_that_are_there_from_today_on_need_no_outage(self) -> None:
        assert after(landlord(), add_pods(first=0)).outages == []

    def test_a_second_addition_takes_the_next_numbers(self) -> None:
        [hall] = after(landlord(), add_pods(), add_pods(pods=2, racks=1)).sites[0].halls

        assert [pod.id for pod in hall.pods] == ["a-p", "a-h+1", "a-h+2", "a-h+3"]

    def test_later_changes_see_what_was_added(self) -> None:
        found = after(landlord(), add_pods(racks=1), outage("a-h+1", 5, 6)).outages

        assert [(o.rack, o.kind) for o in found] == [("a-h+1-r1", "absent"), ("a-h+1-r1", "failure")]


def test_a_request_is_asked_for_as_well() -> None:
    snapshot = landlord(requests=[request()])
    wish = snapshot.requests[0].model_dump(mode="json") | {"id": "new"}

    assert [each.id for each in after(snapshot, {"request": wish}).requests] == ["q", "new"]


@pytest.mark.parametrize(
    ("change", "want"),
    [
        (commitment(2, 4, 72), [(-5, 2, 288), (2, 4, 72), (4, 50, 288)]),
        (commitment(-9, 4, 0), [(-9, 4, 0), (4, 50, 288)]),
        (commitment(2, 60, 576), [(-5, 2, 288), (2, 60, 576)]),
        (commitment(50, 60, 72), [(-5, 50, 288), (50, 60, 72)]),
        (commitment(-9, 60, 72), [(-9, 60, 72)]),
    ],
)
def test_a_commitment_replaces_the_schedule_on_its_days(change: dict[str, Any], want: list[tuple[int, ...]]) -> None:
    [found] = after(landlord(contracts=[contract()]), change).contracts

    steps = [((step.start - on(0)).days, (step.end - on(0)).days, step.gpus) for step in found.commitments]
    assert steps == want


def test_what_a_contract_means_is_worked_out_anew() -> None:
    snapshot = landlord(contracts=[contract()])
    assert snapshot.contracts[0].terms.committed(on(2)) == 288

    assert after(snapshot, commitment(2, 4, 72)).contracts[0].terms.committed(on(2)) == 72
