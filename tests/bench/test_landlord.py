"""Generated landlords: valid, the same for the same seed, with every feature that makes planning hard."""

from __future__ import annotations

import json

import pytest

from bench import landlord, sizes
from bench.sizes import Size
from solver import snapshot as snapshots
from solver.snapshot import Snapshot

TWO_SITES = Size(
    sites=(2, 1),
    pods_per_hall=4,
    days=120,
    requests=150,
    asked=1.5,
    reservations=40,
    contracts=3,
    tenants=8,
    time_limits=(1.0,),
)


def read(size: Size, seed: int) -> Snapshot:
    """Refused where `solver.faults` finds anything."""
    return snapshots.parse(json.dumps(landlord.snapshot(size, seed=seed)).encode()).snapshot


@pytest.fixture(scope="module")
def made() -> Snapshot:
    return read(TWO_SITES, 1)


@pytest.mark.parametrize("size", [sizes.TINY, sizes.HALL, sizes.more_racks(1), sizes.more_days(180)])
def test_every_size_makes_snapshots_without_a_fault(size: Size) -> None:
    for seed in range(3):
        snapshot = read(size, seed)

        assert len(snapshot.requests) >= size.requests
        assert sum(len(pod.racks) for site in snapshot.sites for hall in site.halls for pod in hall.pods) == size.racks


def test_the_same_seed_makes_the_same_snapshot() -> None:
    assert landlord.snapshot(TWO_SITES, seed=5) == landlord.snapshot(TWO_SITES, seed=5)


def test_another_seed_makes_another_snapshot() -> None:
    assert landlord.snapshot(TWO_SITES, seed=5) != landlord.snapshot(TWO_SITES, seed=6)


def test_requests_ask_for_the_share_of_the_cluster_that_the_size_says() -> None:
    """But for blocks below a rack and extensions, which come on top of what was drawn."""
    snapshot = read(sizes.HALL, 0)

    asked = sum(request.gpus * request.days for request in snapshot.requests) / (72 * 64 * 180)

    assert asked == pytest.approx(sizes.HALL.asked, rel=0.15)


def test_requests_are_of_every_kind(made: Snapshot) -> None:
    requests = made.requests

    assert {request.tier for request in requests} == {0, 1, 2}
    assert {request.scope for request in requests} == {"pod", "hall", "site", "any"}
    assert {request.site for request in requests} == {None, "memphis", "southaven"}
    assert any(request.gpus < 72 for request in requests)
    assert any(request.min_gpus < request.gpus for request in requests)
    assert any(request.earliest_start < request.latest_start for request in requests)
    assert any(request.interruptible for request in requests)
    assert any(request.contract for request in requests)
    assert any(request.extends for request in requests)


def test_reservations_are_frozen_movable_drawn_and_recallable(made: Snapshot) -> None:
    reservations = made.reservations

    assert {reservation.frozen(made.today) for reservation in reservations} == {True, False}
    assert any(reservation.contract for reservation in reservations)
    assert any(reservation.interruptible for reservation in reservations)


def test_racks_are_late_worked_on_and_failed_below_reservations(made: Snapshot) -> None:
    under = {rack for each in made.reservations for segment in each.placement for rack in segment.racks}

    assert {outage.kind for outage in made.outages} == {"absent", "maintenance", "failure"}
    assert any(outage.kind == "failure" and outage.rack in under for outage in made.outages)


def test_the_last_site_lacks_power_and_one_contract_ends_early(made: Snapshot) -> None:
    assert [bool(site.power_limits) for site in made.sites] == [False, True]
    assert [bool(contract.notice_given_on) for contract in made.contracts] == [False, False, True]


def test_only_the_last_tenant_has_a_quota(made: Snapshot) -> None:
    assert [tenant.max_gpus is not None for tenant in made.tenants] == [False] * 7 + [True]


def test_commitments_grow_over_time(made: Snapshot) -> None:
    assert all(contract.commitments[0].gpus < contract.commitments[1].gpus for contract in made.contracts)
