"""Sweeps: what must stand stands, no rule is broken, and blocks that start later are in nobody's way."""

from __future__ import annotations

import random

import numpy as np
import pytest

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine import admission, bound, placement
from solver.engine.admission import Guide
from solver.engine.board import Board, Position
from solver.engine.relaxation import given
from solver.engine.repair import repair
from solver.engine.selection import Selection, Target, meant
from solver.engine.settle import settle
from solver.engine.sweep import Sweeper
from tests.solver.engine.markets import market
from tests.solver.reference import build
from tests.solver.reference.build import Content

SWEEPS = 30
TWO_HALLS = [
    build.site(halls=[build.hall("h1", pods={"p1": ["r1", "r2"]}), build.hall("h2", pods={"p2": ["r3", "r4"]})])
]


def board_of(content: Content) -> Board:
    snapshot = build.load(content).snapshot
    return Board(snapshot, clusters.build(snapshot), Decisions())


def no_guide(board: Board) -> Guide:
    return Guide({}, np.zeros(board.cluster.days))


def swept(board: Board, tier: int, guide: Guide, seed: int = 0, *, is_large: bool = False) -> Sweeper:
    sweeper = Sweeper(board, tier, guide, random.Random(seed), rounds=1000, is_large=is_large)
    sweeper.run(lambda sweeps: sweeps >= SWEEPS, lambda sweeps: sweeps / SWEEPS)
    return sweeper


def test_a_block_of_a_hall_finds_one_though_smaller_ones_start_before_and_after() -> None:
    small = [build.request(f"q{i}", earliest=start, days=2) for i, start in enumerate((0, 0, 2, 2, 4, 4))]
    large = build.request("big", gpus=144, earliest=0, latest=8, days=8, scope="hall", value_usd=5000.0)
    board = board_of(build.snapshot(sites=TWO_HALLS, days=8, requests=[*small, large]))

    sweeper = swept(board, 0, no_guide(board))

    assert sweeper.values == [5000.0 + 6 * 100.0]


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_tiers_above_keep_their_value_and_settling_changes_none(seed: int, is_large: bool) -> None:
    snapshot = build.load(market(seed, requests=18)).snapshot
    cluster = clusters.build(snapshot)
    decisions = repair(snapshot, cluster, seed=0, deadline=lambda: False)
    board = Board(snapshot, cluster, decisions)
    best = board.home
    for tier in list(board.values()):
        board.set_up(best)
        above = {other: value for other, value in board.values().items() if other < tier}
        relaxation = bound.relax(snapshot, cluster, decisions, tier=tier, reached=above, deadline_seconds=None)
        linear = relaxation
        if above:
            gpus = {block.wish.id: block.gpus for block in board.blocks.values()}
            linear = bound.relax_linearly(given.given(relaxation.problem, gpus), None)
        guide = Guide(linear.fractions, linear.day_prices)
        board.set_up(swept(board, tier, guide, seed, is_large=is_large).best)
        values = board.values()
        assert {other: values[other] for other in above} == pytest.approx(above)
        assert values[tier] <= relaxation.bound_usd * (1 + 1e-9) + 1e-6

        settle(board, lambda: False)

        assert board.values() == pytest.approx(values)
        best = board.positions()


def test_a_selection_keeps_the_counts_that_what_must_stand_leaves() -> None:
    must = build.request("q1", gpus=144, days=4, tier=0)
    asked = [build.request(f"q{i}", days=4, tier=1) for i in (2, 3, 4)]
    board = board_of(build.snapshot(sites=TWO_HALLS, requests=[must, *asked]))
    admission.fill(board, 0, admission.by_price, admission.earliest)
    stands = {number: Target(block.start, block.gpus) for number, block in board.blocks.items()}

    selection = Selection(board, 1, no_guide(board), random.Random(0), stands)
    selection.improve(50, 1.0, lambda: False)

    assert len(selection.chosen) == 2


@pytest.mark.parametrize(("other_start", "start"), [(4, 0), (0, 2)])
def test_what_must_stand_is_meant_to_start_as_liked_only_where_the_rules_leave_room(
    other_start: int, start: int
) -> None:
    """A quota of two racks: the larger block may not come forward while the other one has one of them."""
    tenants = [build.tenant(max_gpus=144)]
    larger = build.request("larger", gpus=144, earliest=0, latest=4, days=2)
    other = build.request("other", gpus=72, earliest=other_start, latest=other_start, days=2)
    board = board_of(build.snapshot(sites=TWO_HALLS, tenants=tenants, requests=[larger, other]))
    numbers = {wish.id: wish.number for wish in board.wishes}
    board.stand([Position(numbers["larger"], 2, 144, (0, 1)), Position(numbers["other"], other_start, 72, (2,))])
    guide = Guide({"larger": [(0, 1.0)]}, np.zeros(board.cluster.days))

    found = meant(board, guide)

    assert found == {numbers["larger"]: Target(start, 144), numbers["other"]: Target(other_start, 72)}


def test_what_was_selected_before_a_day_stays_when_it_is_improved_from_there_on() -> None:
    cheap = [build.request("early", gpus=288, earliest=0, days=2), build.request("late", gpus=288, earliest=5, days=2)]
    dear = [build.request(f"dear{start}", gpus=288, earliest=start, days=2, value_usd=900.0) for start in (0, 5)]
    board = board_of(build.snapshot(sites=TWO_HALLS, requests=[*cheap, *dear]))
    selection = Selection(board, 0, no_guide(board), random.Random(0), {})
    selection.take({0: Target(0, 288), 1: Target(5, 288)})

    selection.improve(50, 0.0, lambda: False, since=4)

    assert sorted(board.wishes[number].id for number in selection.chosen) == ["dear5", "early"]


@pytest.mark.parametrize(("rounds", "value"), [(0, 330.0), (100, 400.0)])
def test_a_sweep_places_what_was_selected_and_selecting_longer_selects_better(rounds: int, value: float) -> None:
    """Four racks: the dearest block of three leaves one idle, and two blocks of two are worth more together."""
    pair = [build.request(f"q{i}", gpus=144, days=2, latest=0, value_usd=200.0) for i in (1, 2)]
    three = build.request("three", gpus=216, days=2, latest=0, value_usd=330.0)
    board = board_of(build.snapshot(sites=TWO_HALLS, days=2, requests=[three, *pair]))
    sweeper = Sweeper(board, 0, no_guide(board), random.Random(0), rounds=rounds)

    sweeper.run(lambda sweeps: sweeps >= 3, lambda _: 0.0)

    assert sweeper.values == [value]


@pytest.mark.parametrize(("is_large", "value"), [(False, 330.0), (True, 400.0)])
def test_exchanges_mend_a_selection_where_they_are_allowed(
    is_large: bool, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same four racks, and ruin and recreate that finds nothing."""
    pair = [build.request(f"q{i}", gpus=144, days=2, latest=0, value_usd=200.0) for i in (1, 2)]
    three = build.request("three", gpus=216, days=2, latest=0, value_usd=330.0)
    board = board_of(build.snapshot(sites=TWO_HALLS, days=2, requests=[three, *pair]))
    monkeypatch.setattr(Selection, "improve", lambda *_, **__: None)
    sweeper = Sweeper(board, 0, no_guide(board), random.Random(0), rounds=500, is_large=is_large)

    sweeper.run(lambda sweeps: sweeps >= 4, lambda _: 0.0)

    assert sweeper.values == [value]


@pytest.mark.parametrize(("full_until", "from_some_day"), [(0.0, 5), (0.8, 2)])
def test_sweeps_from_some_day_on_follow_five_of_everything_or_as_many_as_there_is_time_for(
    full_until: float, from_some_day: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = board_of(build.snapshot(sites=TWO_HALLS, requests=[build.request("q1"), build.request("q2")]))
    sweeper = Sweeper(board, 0, no_guide(board), random.Random(0), rounds=10)
    partial: list[int] = []
    monkeypatch.setattr(sweeper, "_sweep_from", lambda day, _: partial.append(day))

    sweeper.run(lambda sweeps: sweeps >= 10, lambda sweeps: sweeps / 10, full_until=full_until)

    assert (len(partial), sweeper.swept) == (from_some_day, 10)


@pytest.mark.parametrize(
    ("scope", "reserved_until", "is_large", "at_home"),
    [("any", 9, True, True), ("hall", 9, True, False), ("any", 2, True, False), ("any", 9, False, False)],
)
def test_reservations_that_take_most_of_the_room_stay_at_home_where_moving_them_gains_nothing(
    scope: str, reserved_until: int, is_large: bool, at_home: bool
) -> None:
    """One rack of each hall is reserved: two racks in one hall are not to be had but where somebody moves."""
    reserved = [
        build.reservation(f"v{i}", start=1, end=reserved_until, racks={rack: 72}, move_notice_days=0)
        for i, rack in enumerate(("r1", "r3"))
    ]
    asked = build.request("big", gpus=144, earliest=1, latest=1, days=3, scope=scope, value_usd=500.0)
    content = build.snapshot(sites=TWO_HALLS, days=9, requests=[asked], reservations=reserved)
    board = board_of(content)

    sweeper = swept(board, 0, no_guide(board), is_large=is_large)

    stand = {position.number: position.racks for position in sweeper.best}
    assert sweeper.values == [500.0]
    assert all(stand[mover.number] == mover.keep for mover in board.movers) == at_home


def test_what_must_stand_is_rescued_where_dear_blocks_took_its_hall() -> None:
    """Both halls are half full when the large block comes, with blocks worth more than it is."""
    small = [build.request(f"q{i}", days=6, latest=0, value_usd=9000.0, tier=1) for i in (1, 2)]
    large = build.request("large", gpus=144, earliest=2, latest=2, days=4, scope="hall", value_usd=10.0, tier=0)
    board = board_of(build.snapshot(sites=TWO_HALLS, requests=[*small, large]))
    admission.fill(board, 0, admission.by_price, admission.earliest)
    sweeper = Sweeper(board, 1, no_guide(board), random.Random(0), rounds=100)

    sweeper.run(lambda sweeps: sweeps >= 1, lambda _: 0.0)

    assert sweeper.values == [10.0, 18000.0]  # the two move together


def test_settling_brings_a_moved_reservation_home_when_its_racks_are_free() -> None:
    mover = build.reservation("v1", start=3, end=6, racks={"r1": 72}, move_notice_days=2)
    board = board_of(build.snapshot(sites=TWO_HALLS, reservations=[mover], requests=[build.request("q1", earliest=3)]))
    wish = board.movers[0]
    board.remove(board.blocks[wish.number])
    guest = next(wish for wish in board.wishes if wish.id == "q1")
    assert placement.accept(board, guest, [3]) is not None
    assert board.blocks[guest.number].racks() == {0: 72}
    assert placement.accept(board, wish, [3]) is not None

    settle(board, lambda: False)

    assert board.blocks[wish.number].racks() == {0: 72}
    assert guest.number in board.blocks


def test_settling_starts_a_block_as_early_as_it_fits() -> None:
    board = board_of(build.snapshot(sites=TWO_HALLS, requests=[build.request("q1", earliest=0, latest=3)]))
    assert placement.accept(board, board.wishes[0], [3]) is not None

    settle(board, lambda: False)

    assert board.blocks[0].start == 0
