"""Exchanges: programs over a selection find the best that counts allow, and what must stand goes on standing."""

from __future__ import annotations

import functools
import itertools
import random

import numpy as np
import pytest

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine import admission
from solver.engine.admission import Guide
from solver.engine.board import Board
from solver.engine.programs.exchanges import Exchanges
from solver.engine.repair import repair
from solver.engine.selection import Selection, Target, meant
from tests.solver.engine.markets import market
from tests.solver.reference import build
from tests.solver.reference.build import Content

RACKS = 4
ONE_HALL = [build.site(halls=[build.hall("h1", pods={"p1": ["r1", "r2"], "p2": ["r3", "r4"]})])]
DAYS = 6


def board_of(content: Content) -> Board:
    snapshot = build.load(content).snapshot
    return Board(snapshot, clusters.build(snapshot), Decisions())


def selection_of(board: Board, tier: int, seed: int = 0) -> tuple[Selection, Guide]:
    guide = Guide({}, np.zeros(board.cluster.days))
    return Selection(board, tier, guide, random.Random(seed), meant(board, guide)), guide


def exchanged(board: Board, tier: int, rounds: int, seed: int = 0) -> Selection:
    selection, guide = selection_of(board, tier, seed)
    exchanges = Exchanges(selection, board.wishes, tier, guide, random.Random(seed))
    exchanges.run(lambda done: done >= rounds)
    return selection


def value(board: Board, selection: Selection) -> float:
    return sum(board.wishes[number].value_of(target.gpus) for number, target in selection.chosen.items())


def asked(seed: int) -> list[Content]:
    """Seven requests for one to three racks, some of which may be smaller."""
    chance = random.Random(seed)
    requests = []
    for number in range(7):
        racks, days = chance.randint(1, 3), chance.randint(1, 4)
        start = chance.randint(0, DAYS - days)
        least = 72 * chance.randint(1, racks)
        latest = min(DAYS - days, start + chance.randint(0, 2))
        usd = float(chance.randint(50, 150) * racks * days)
        requests.append(
            build.request(
                f"q{number}", gpus=72 * racks, min_gpus=least, days=days, earliest=start, latest=latest, value_usd=usd
            )
        )
    return requests


def best_by_counts(board: Board) -> float:
    """Every request at every start in every size, or not at all, where four racks are enough on every day."""
    ways = [
        [(0.0, 0, 0, 0)]
        + [
            (wish.value_of(72 * racks), start, start + wish.days, racks)
            for start in range(wish.first_start, wish.last_start + 1)
            for racks in range(wish.min_gpus // 72, wish.gpus // 72 + 1)
        ]
        for wish in board.requests
    ]

    @functools.cache
    def best(number: int, left: tuple[int, ...]) -> float:
        if number == len(ways):
            return 0.0
        found = []
        for usd, start, end, racks in ways[number]:
            after = tuple(room - racks * (start <= day < end) for day, room in enumerate(left))
            if min(after) >= 0:
                found.append(usd + best(number + 1, after))
        return max(found)

    return best(0, (RACKS,) * DAYS)


@pytest.mark.parametrize("seed", range(6))
def test_on_small_inputs_they_find_what_exhaustive_search_finds(seed: int) -> None:
    board = board_of(build.snapshot(sites=ONE_HALL, days=DAYS, requests=asked(seed)))

    selection = exchanged(board, 0, rounds=4)

    assert value(board, selection) == pytest.approx(best_by_counts(board))
    assert (selection.ledger.cluster_slack >= 0).all()


@pytest.mark.parametrize("latest", [0, 2])
def test_what_must_stand_gives_way_to_another_day_of_its_window_but_never_leaves(latest: int) -> None:
    above = build.request("above", gpus=288, earliest=0, latest=latest, days=2, tier=0, value_usd=10.0)
    below = build.request("below", gpus=288, earliest=0, latest=0, days=2, tier=1, value_usd=9000.0)
    board = board_of(build.snapshot(sites=ONE_HALL, days=DAYS, requests=[above, below]))
    admission.fill(board, 0, admission.by_price, admission.earliest)

    selection = exchanged(board, 1, rounds=3)

    assert selection.must == {0: Target(latest, 288)}
    assert selection.chosen == ({1: Target(0, 288)} if latest else {})


def test_what_must_stand_is_no_smaller_than_it_is() -> None:
    above = build.request("above", gpus=288, min_gpus=72, latest=0, days=2, tier=0, value_usd=10.0)
    below = build.request("below", gpus=72, latest=0, days=2, tier=1, value_usd=9000.0)
    board = board_of(build.snapshot(sites=ONE_HALL, days=DAYS, requests=[above, below]))
    admission.fill(board, 0, admission.by_price, admission.earliest)

    selection = exchanged(board, 1, rounds=3)

    assert (selection.must, selection.chosen) == ({0: Target(0, 288)}, {})


@pytest.mark.parametrize("seed", range(8))
def test_no_round_loses_value_or_breaks_a_count_and_reservations_stay_when_they_are(seed: int) -> None:
    snapshot = build.load(market(seed, requests=18)).snapshot
    cluster = clusters.build(snapshot)
    board = Board(snapshot, cluster, repair(snapshot, cluster, seed=0, deadline=lambda: False))
    board.set_up(board.home)
    for tier in board.values():
        selection, guide = selection_of(board, tier, seed)
        free = selection.ledger.copy()
        before = dict(selection.must)
        exchanges = Exchanges(selection, board.wishes, tier, guide, random.Random(seed))
        values = [value(board, selection)]
        for _ in range(4):
            exchanges.run(lambda done: done >= 1)
            values.append(value(board, selection))

        assert all(later >= earlier - 1e-6 for earlier, later in itertools.pairwise(values))
        least = np.minimum(free.cluster_slack, 0)
        assert (selection.ledger.cluster_slack >= least).all()
        assert selection.must.keys() == before.keys()
        for number, target in before.items():
            assert selection.must[number].gpus >= target.gpus
            if board.wishes[number].reservation is not None:
                assert selection.must[number] == target
        admission.fill(board, tier, admission.by_price, admission.earliest)


def test_the_same_chance_gives_the_same_selection() -> None:
    board = board_of(build.snapshot(sites=ONE_HALL, days=DAYS, requests=asked(3)))

    first, second = (exchanged(board, 0, rounds=2, seed=5).chosen for _ in range(2))

    assert first == second
