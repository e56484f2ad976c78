"""Baselines are valid plans, and each takes requests in its own order."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bench import baselines, landlord, perfect
from bench.baselines import Order
from bench.sizes import TINY, Sheet
from solver import snapshot as snapshots
from solver.snapshot import Loaded
from solver.verify.check import broken_rules
from tests.bench.test_landlord import TWO_SITES

SMALL = replace(TWO_SITES, requests=40)


def rivals(**of_the_second: Any) -> Loaded:
    """Two requests for the one rack and the one day there is; the first is worth 100 USD and comes at nine."""
    content = perfect.snapshot(Sheet(1, 1, 1, ()), seed=0)
    first = content["requests"][0] | {"id": "first", "value_usd": 100.0}
    content["requests"] = [first, first | {"id": "second"} | of_the_second]
    return read(content)


def read(content: dict[str, Any]) -> Loaded:
    return snapshots.parse(json.dumps(content).encode())


def accepted(loaded: Loaded, order: Order) -> list[str]:
    return [block.request for block in baselines.plan(loaded, order).accepted]


@pytest.mark.parametrize("order", [baselines.by_arrival, baselines.by_price])
@pytest.mark.parametrize(("size", "seed"), [(TINY, 0), (TINY, 1), (TINY, 2), (SMALL, 1)])
def test_a_baseline_breaks_no_rule(order: Order, size: Any, seed: int) -> None:
    loaded = read(landlord.snapshot(size, seed=seed))

    plan = baselines.plan(loaded, order)

    assert [broken.text for broken in broken_rules(loaded.snapshot, plan)] == []


def test_first_come_takes_the_earlier_request_though_it_is_cheaper() -> None:
    loaded = rivals(submitted_at="2027-01-02T10:00:00Z", value_usd=200.0)

    assert accepted(loaded, baselines.by_arrival) == ["first"]


def test_first_come_goes_by_the_hour_and_not_by_the_place_in_the_file() -> None:
    loaded = rivals(submitted_at="2027-01-02T08:00:00Z", value_usd=50.0)

    assert accepted(loaded, baselines.by_arrival) == ["second"]


def test_by_price_takes_the_dearer_request_though_it_is_later() -> None:
    loaded = rivals(submitted_at="2027-01-02T10:00:00Z", value_usd=200.0)

    assert accepted(loaded, baselines.by_price) == ["second"]


def test_by_price_serves_tier_before_tier() -> None:
    loaded = rivals(tier=1, value_usd=200.0)

    assert accepted(loaded, baselines.by_price) == ["first"]


def test_values_are_by_tier_with_all_requests_as_the_bound() -> None:
    loaded = rivals(value_usd=200.0)

    tier = baselines.plan(loaded, baselines.by_price).tiers[0]

    assert (tier.tier, tier.value_usd, tier.bound_usd, tier.gap) == (0, 200.0, 300.0, pytest.approx(1 / 3))
