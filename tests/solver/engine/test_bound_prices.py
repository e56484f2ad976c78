"""What a relaxation says beside its bound: fractions that guide, and prices."""

from __future__ import annotations

import numpy as np
import pytest

from solver import cluster as clusters
from solver.engine import beside, bound
from solver.engine.relaxation import linear, narrowing
from solver.engine.relaxation.integral import Effort
from tests.solver.engine.test_bound import ROUNDING, relaxed, tightened
from tests.solver.reference import build, generate
from tests.solver.reference.build import Content, hall, request, site


def contested() -> Content:
    """Three racks; on the days 2 to 4 a block of two racks is worth 200, another 60."""
    sites = [site(halls=[hall(pods={"p1": ["r1", "r2", "r3"]})])]
    dear = request("dear", gpus=144, earliest=2, days=2, value_usd=200.0, tier=1)
    cheap = request("cheap", gpus=144, earliest=2, days=2, value_usd=60.0, tier=1)
    alone = request("alone", gpus=72, earliest=6, days=3, tier=1)
    return build.snapshot(sites=sites, requests=[dear, cheap, alone])


def test_fractions_say_what_the_relaxation_takes_and_when() -> None:
    result = relaxed(contested(), tier=1)
    (start, share), (late_start, part) = *result.fractions["dear"], *result.fractions["cheap"]
    assert (start, late_start) == (2, 2)
    assert [share, part] == pytest.approx([1.0, 0.5])


def test_a_price_is_what_the_marginal_block_pays_and_nothing_where_capacity_is_left_over() -> None:
    """One more GPU on both days carries another 144th of the cheap block: 60 / 144 USD."""
    snapshot = build.load(contested()).snapshot
    cluster = clusters.build(snapshot)
    prices = bound.prices(relaxed(contested(), tier=1), cluster)
    by_day = {
        (p.start - snapshot.today).days + i: p.usd_per_gpu_day for p in prices for i in range((p.end - p.start).days)
    }
    assert sorted(by_day) == list(range(10))
    assert by_day[2] + by_day[3] == pytest.approx(60.0 / 144)
    assert [price for day, price in by_day.items() if day not in (2, 3)] == [0.0] * 8


def test_where_no_linear_program_told_there_are_no_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = clusters.build(build.load(contested()).snapshot)
    solved = relaxed(contested(), tier=1)
    assert bound.prices(bound.again(solved, {}), cluster) == bound.prices(solved, cluster) != []
    monkeypatch.setattr(narrowing, "solve", lambda *_: None)
    assert bound.prices(relaxed(contested(), tier=1), cluster) == []


def test_a_long_span_spreads_its_price_over_its_days() -> None:
    """Between two events nothing changes: a block of 8 days at 144 GPUs prices each day at an eighth."""
    asked = [request("q1", gpus=144, days=8, value_usd=144.0), request("q2", gpus=144, days=8, value_usd=288.0)]
    prices = relaxed(build.snapshot(requests=asked)).day_prices
    assert prices.sum() == pytest.approx(np.clip(prices.sum(), 1.0, 2.0))
    assert prices[:8] == pytest.approx([prices[0]] * 8)
    assert not prices[8:].any()


def test_other_values_above_need_no_second_solve() -> None:
    """Tiers 0 and 1 want the same racks: the multipliers found for one value of tier 0 hold for every other."""
    asked = [request("q0", gpus=144, value_usd=90.0), request("q1", gpus=144, tier=1)]
    content = build.snapshot(requests=asked)
    solved = relaxed(content, tier=1, reached={0: 90.0})
    assert bound.again(solved, {0: 90.0}).bound_usd == pytest.approx(solved.bound_usd)
    for reached in (0.0, 45.0, 80.0):
        assert (
            bound.again(solved, {0: reached}).bound_usd
            >= relaxed(content, tier=1, reached={0: reached}).bound_usd - ROUNDING
        )


def test_a_small_relaxation_is_solved_anew_for_what_was_reached_above() -> None:
    """Three racks; the tier above takes two of them or one, so whole blocks of two racks have no room or some."""
    sites = [site(halls=[hall(pods={"p1": ["r1", "r2", "r3"]})])]
    above = [request("q0", gpus=144, value_usd=90.0), request("q1", gpus=72, value_usd=30.0)]
    content = build.snapshot(sites=sites, requests=[*above, request("q2", gpus=144, tier=1)])
    solved = relaxed(content, tier=1, reached={0: 30.0})
    assert bound.sharpen(solved, {0: 30.0}, None).bound_usd == pytest.approx(100.0)
    assert bound.again(solved, {0: 90.0}).bound_usd > 50.0 - ROUNDING
    assert bound.sharpen(solved, {0: 90.0}, None).bound_usd == 0.0


def test_a_relaxation_that_has_no_time_to_be_made_anew_keeps_its_fractions_and_prices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solved = relaxed(contested(), tier=1)
    monkeypatch.setattr(narrowing, "solve", lambda *_: None)
    later = bound.sharpen(solved, {0: 0.0}, 0.0, bound.ENDLESS_EFFORT)
    assert later.bound_usd <= solved.bound_usd
    assert later.fractions == solved.fractions
    assert later.day_prices.tolist() == solved.day_prices.tolist()


def test_a_bound_made_for_seconds_is_no_looser_than_one_made_for_an_amount_of_work() -> None:
    solved = relaxed(contested(), tier=1)
    by_work, by_seconds = (beside.sharpen(solved, {0: 0.0}, seconds) for seconds in (None, 60.0))
    assert by_seconds.bound_usd == pytest.approx(by_work.bound_usd)


def test_a_relaxation_too_large_for_whole_blocks_keeps_its_multipliers() -> None:
    solved = relaxed(contested(), tier=1)
    later = bound.sharpen(solved, {}, None, Effort(columns=1))
    assert later.bound_usd == pytest.approx(solved.bound_usd)
    assert later.whole == {}


def test_the_same_snapshot_gives_the_same_relaxation() -> None:
    first, second = (tightened(generate.snapshot("mixed", 3), tier=1, reached={0: 0.0}) for _ in range(2))
    assert (first.bound_usd, first.fractions, first.whole) == (second.bound_usd, second.fractions, second.whole)
    assert first.day_prices.tolist() == second.day_prices.tolist()


def test_rough_multipliers_are_no_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large program for which no solver has time; its bound is rough, too."""
    cluster = clusters.build(build.load(contested()).snapshot)
    monkeypatch.setattr(narrowing, "MOST_COLUMNS", 0)
    monkeypatch.setattr(narrowing, "MOST_IN_ONE_ROW", 0)
    assert bound.prices(relaxed(contested(), tier=1), cluster) != []
    monkeypatch.setattr(linear, "solve", lambda *_: None)
    assert relaxed(contested(), tier=1).fractions
    assert bound.prices(relaxed(contested(), tier=1), cluster) == []
