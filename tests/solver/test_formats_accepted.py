"""What is not refused: snapshots in trouble, things in the past or far ahead, and the widest values."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from solver import snapshot
from tests.solver.reference import broken, build
from tests.solver.reference.broken import example_snapshot, snapshot_faults
from tests.solver.reference.build import Content, day, outage, power_limit, segment

NOT_REFUSED: dict[str, Content] = {
    "a rack under a reservation died": build.snapshot(
        outages=[outage("r1", -3, None)], reservations=[build.reservation()]
    ),
    "more reservations than racks that are left": build.snapshot(
        outages=[outage("r1", 0, None), outage("r2", 0, None)],
        reservations=[build.reservation(), build.reservation("v2", racks={"r2": 72})],
    ),
    "power cut below what stands there": build.snapshot(
        sites=[build.site(power_limits=[power_limit(0, 9, 0.0)])], reservations=[build.reservation()]
    ),
    "overlapping power limits": build.snapshot(
        sites=[build.site(power_limits=[power_limit(0, 9, 280.0), power_limit(1, 3, 140.0), power_limit(1, 3, 0.0)])]
    ),
    "a tenant over quota": build.snapshot(tenants=[build.tenant(max_gpus=0)], reservations=[build.reservation()]),
    "a reservation outside its contract's days": build.snapshot(
        contracts=[build.contract(start=50, end=60)], reservations=[build.reservation(contract="k1")]
    ),
    "a reservation beyond what its contract commits": build.snapshot(
        contracts=[build.contract()], reservations=[build.reservation(contract="k1")]
    ),
    "overlapping outages of every kind": build.snapshot(
        outages=[
            outage("r1", 0, 5),
            outage("r1", 2, 7, "maintenance"),
            outage("r1", 2, None, "absent"),
            outage("r1", 0, 5),
        ]
    ),
    "windows in the past": build.snapshot(requests=[build.request(earliest=-50, latest=-40)]),
    "windows beyond the horizon": build.snapshot(requests=[build.request(earliest=50, latest=60, days=5000)]),
    "a notice dated ahead": build.snapshot(contracts=[build.contract(notice_given_on=day(30))]),
    "a notice on the last day of the lock-in": build.snapshot(
        contracts=[build.contract(lock_in_until=day(3), notice_given_on=day(3))]
    ),
    "a notice after the contract's end": build.snapshot(contracts=[build.contract(notice_given_on=day(400))]),
    "a lock-in beyond the end": build.snapshot(contracts=[build.contract(lock_in_until=day(900))]),
    "a commitment outside the contract's days": build.snapshot(
        contracts=[build.contract(steps=[(-100, -90, 72), (90, 400, 720)])]
    ),
    "a commitment of no whole racks, larger than the cluster": build.snapshot(
        contracts=[build.contract(steps=[(0, 5, 100), (5, 6, 0), (6, 9, 7_200_000)])]
    ),
    "commitments out of order that touch": build.snapshot(contracts=[build.contract(steps=[(5, 9, 72), (0, 5, 72)])]),
    "a reservation with fewer GPUs on some days": build.snapshot(
        reservations=[
            build.reservation(
                racks={"r1": 72, "r2": 72}, placement=[segment(0, 1, {"r1": 72}), segment(2, 4, {}), segment(4, 5, {})]
            )
        ]
    ),
    "a reservation without any placement": build.snapshot(reservations=[build.reservation(placement=[])]),
    "a reservation outside its scope and site": build.snapshot(
        sites=[build.site(), build.site("s2", halls=[build.hall("h2", pods={"p2": ["r3"]})])],
        reservations=[build.reservation(racks={"r1": 72, "r3": 72}, scope="pod", site="s2")],
    ),
    "segments out of order": build.snapshot(
        reservations=[build.reservation(placement=[segment(3, 5, {"r2": 72}), segment(0, 3, {"r1": 72})])]
    ),
    "a rack given away twice before today": build.snapshot(
        reservations=[
            build.reservation(start=-5, end=1, placement=[segment(-5, 0, {"r1": 72})]),
            build.reservation("v2", start=-5, end=3),
        ]
    ),
    "a rack handed over on the same day": build.snapshot(
        reservations=[build.reservation(end=3), build.reservation("v2", start=3)]
    ),
    "a rack shared to the last tray": build.snapshot(
        reservations=[build.reservation(racks={"r1": 40}), build.reservation("v2", racks={"r1": 32})]
    ),
    "a reservation in the past": build.snapshot(reservations=[build.reservation(start=-9, end=-5)]),
    "a reservation beyond the horizon": build.snapshot(reservations=[build.reservation(start=5, end=5000)]),
    "an outage in the past": build.snapshot(outages=[outage("r1", -9, -5)]),
    "more spares than racks": build.snapshot(sites=[build.site(halls=[build.hall(spare_racks=99)])]),
    "no cluster, no tenants": build.snapshot(sites=[], tenants=[]),
    "a site without halls, a hall without pods, a pod without racks": build.snapshot(
        sites=[
            build.site("s1", halls=[]),
            build.site("s2", halls=[build.hall("h1", pods={}), build.hall("h2", pods={"p1": []})]),
        ]
    ),
    "the same id for things of different kinds": build.snapshot(
        sites=[build.site("x", halls=[build.hall("x", pods={"x": ["x"]})])],
        tenants=[build.tenant("x")],
        contracts=[build.contract("x", tenant="x")],
        requests=[build.request("x", tenant="x", contract="x")],
    ),
    "ids of every kind of text": build.snapshot(
        tenants=[build.tenant("Ω — “a.b[0]” \n\t 🚀")], requests=[build.request(tenant="Ω — “a.b[0]” \n\t 🚀")]
    ),
    "a tenant without a name": build.snapshot(tenants=[{"id": "t1", "name": "", "max_gpus": None}]),
    "values of nothing": build.snapshot(requests=[build.request(value_usd=0), build.request("q2", value_usd=-0.0)]),
    "whole numbers where fractions may stand": build.snapshot(
        rack_kw=140, sites=[build.site(power_limits=[power_limit(0, 1, 3)])]
    ),
    "the widest values": build.snapshot(
        rack_kw=5e-324,
        sites=[build.site(power_limits=[power_limit(0, 1, 1e12)])],
        tenants=[build.tenant(max_gpus=10**9)],
        contracts=[
            build.contract(steps=[(0, 1, 10**9)], booking_lead_days=10**9, notice_days=10**9, notice_given_on=day(0))
        ],
        requests=[build.request(gpus=72 * 10**6, days=10**7, value_usd=1e15, tier=10**9)],
    ),
    "the first and the last day of the calendar": build.snapshot(
        today="0001-01-01",
        horizon_end="9999-12-31",
        outages=[{"rack": "r1", "start": "0001-01-01", "end": "9999-12-31", "kind": "failure"}],
        contracts=[build.contract() | {"start": "0001-01-01", "end": "9999-12-31", "notice_given_on": "9999-12-31"}],
        reservations=[
            build.reservation(move_notice_days=10**9)
            | {
                "start": "0001-01-01",
                "end": "9999-12-31",
                "placement": [{"start": "0001-01-01", "end": "9999-12-31", "racks": {"r1": 72}}],
            }
        ],
        requests=[build.request() | {"earliest_start": "0001-01-01", "latest_start": "9999-12-31"}],
    ),
}


@pytest.mark.parametrize("case", NOT_REFUSED)
def test_it_loads(case: str) -> None:
    assert snapshot_faults(NOT_REFUSED[case]) == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("requests[0].submitted_at", "2026-11-20T09:00:00+01:00"),
        ("requests[0].submitted_at", "2026-11-20T09:00:00.123456Z"),
        ("requests[0].submitted_at", "2026-11-20T09:00:00.5-08:00"),
        ("outages[0].end", None),
        ("requests[0].extends", None),
        ("tenants[0].max_gpus", 0),
        ("sites[0].power_limits[0].kw", 0),
        ("contracts[0].notice_days", 0),
        ("requests[0].tier", 7),
    ],
)
def test_a_value_that_the_field_knows_loads(path: str, value: Any) -> None:
    assert snapshot_faults(broken.with_value(example_snapshot(), path, value)) == ()


def test_an_instant_reads_as_utc() -> None:
    content = broken.with_value(example_snapshot(), "requests[0].submitted_at", "2026-11-20T09:00:00+01:00")

    assert build.load(content).snapshot.requests[0].submitted_at.isoformat() == "2026-11-20T08:00:00+00:00"


def test_a_compressed_snapshot_loads(tmp_path: Any) -> None:
    path = tmp_path / "s.json.gz"
    path.write_bytes(gzip.compress(build.encode(example_snapshot())))

    assert snapshot.load(str(path)).snapshot.product == "gb300-nvl72"
