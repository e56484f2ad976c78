"""Stability at the size of a hall, where nothing is proven: who was moved for nothing comes home."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bench import landlord
from bench.sizes import HALL
from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine import admission, placement
from solver.engine.board import Board
from solver.engine.complete import accepted_of, moves_of, recalls_of
from solver.engine.parameters import SolveParameters
from solver.engine.repair import repair
from solver.engine.settle import settle
from solver.engine.solve import solve
from solver.engine.trial import away_gpus
from solver.engine.wishes import Wish
from solver.plan import FORMAT, Plan
from solver.snapshot import Loaded
from solver.verify.check import broken_rules
from tests.solver.publishing import published
from tests.solver.reference import build

SECONDS = 15.0


def hall(seed: int) -> Loaded:
    return build.load(landlord.snapshot(HALL, seed=seed))


def repaired(loaded: Loaded) -> tuple[Decisions, Board]:
    cluster = clusters.build(loaded.snapshot)
    decisions = repair(loaded.snapshot, cluster, seed=0, deadline=lambda: False)
    return decisions, Board(loaded.snapshot, cluster, decisions)


def greedy(loaded: Loaded) -> Plan:
    """What is accepted dearest first beside the moves that lost racks make necessary."""
    decisions, board = repaired(loaded)
    for tier in board.values():
        admission.fill(board, tier, admission.by_price, admission.earliest)
    return Plan(
        format=FORMAT,
        snapshot_sha256=loaded.sha256,
        today=loaded.snapshot.today,
        status="feasible",
        seconds=0.0,
        seed=0,
        tiers=[],
        accepted=accepted_of(board),
        declined=[],
        moves=[*decisions.moves, *moves_of(loaded.snapshot, board)],
        recalls=[*decisions.recalls, *recalls_of(board)],
        shortfalls=[],
        hold_shortfalls=[],
        prices=[],
    )


def scatter(board: Board, wish: Wish) -> None:
    """The reservation anywhere but at home, where there is room for it."""
    board.begin()
    board.remove(board.blocks[wish.number])
    if placement.accept(board, replace(wish, keep=()), [wish.first_start]) is None:
        board.roll_back()
    else:
        board.commit()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_reservations_scattered_for_nothing_come_home(seed: int) -> None:
    loaded = hall(seed)
    _, board = repaired(published(loaded.snapshot, greedy(loaded), move_notice_days=0))
    chance = random.Random(seed)
    for _ in range(3):
        for wish in chance.sample(board.movers, len(board.movers)):
            scatter(board, wish)
    board.set_up(board.positions())
    moved = sum(away_gpus(board.blocks[wish.number]) for wish in board.movers)

    settle(board, lambda: False)

    assert moved > 0
    assert sum(away_gpus(board.blocks[wish.number]) for wish in board.movers) == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_planning_again_moves_somebody_only_where_that_is_worth_something(seed: int) -> None:
    loaded = hall(seed)
    limits = SolveParameters(time_limit_seconds=SECONDS)
    following = published(loaded.snapshot, solve(loaded, limits), move_notice_days=0)

    again = solve(following, limits)

    assert broken_rules(following.snapshot, again) == []
    worth = [tier.value_usd for tier in again.tiers]
    assert worth >= [0.0] * len(worth)
    assert not again.moves or worth > [0.0] * len(worth)
