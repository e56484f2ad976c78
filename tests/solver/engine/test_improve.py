"""Ruin and recreate: what only an empty pod makes room for, small blocks that grow, tiers that count or not."""

from __future__ import annotations

import random

from solver import cluster
from solver.decisions import Decisions
from solver.engine import admission, placement
from solver.engine.board import Board
from solver.engine.improve import Chain
from tests.solver.engine.markets import market
from tests.solver.reference import build
from tests.solver.reference.build import Content

ROUNDS = 60
TWO_PODS = [build.site(halls=[build.hall(pods={"p1": ["r1", "r2"], "p2": ["r3", "r4"]})])]


def board_of(content: Content) -> Board:
    snapshot = build.load(content).snapshot
    return Board(snapshot, cluster.build(snapshot), Decisions())


def improved(board: Board, *, deepest: int | None = None) -> dict[int, float]:
    chain = Chain(board, random.Random(0), deepest=deepest)
    best = chain.run(lambda rounds: rounds >= ROUNDS, lambda rounds: rounds / ROUNDS)
    board.set_up(best)
    return board.values()


def accept(board: Board, *names: str) -> None:
    for wish in board.wishes:
        if wish.id in names:
            assert placement.accept(board, wish, admission.earliest(wish)) is not None


def test_a_dear_block_that_needs_a_whole_pod_ousts_the_cheap_one_in_it() -> None:
    outages = [build.outage("r2", 0, 2), build.outage("r4", 0, 2)]
    cheap = [build.request("q1", days=4), build.request("q2", days=4)]
    dear = build.request("q3", gpus=144, earliest=2, scope="pod", value_usd=1000.0)
    board = board_of(build.snapshot(sites=TWO_PODS, outages=outages, requests=[*cheap, dear]))
    accept(board, "q1", "q2")

    assert improved(board) == {0: 1100.0}


def test_a_block_smaller_than_it_asked_grows_when_another_can_make_room() -> None:
    grows = build.request("q1", gpus=144, min_gpus=72, days=4, scope="pod")
    moves = build.request("q2", days=4)
    board = board_of(build.snapshot(sites=TWO_PODS, requests=[grows, moves]))
    by_id = {wish.id: wish for wish in board.wishes}
    assert placement.place(board, by_id["q2"], 0, 72) is not None
    block = placement.place(board, by_id["q1"], 0, 72)
    assert block is not None
    assert block.gpus == 72

    assert improved(board) == {0: 200.0}


def test_tiers_behind_the_deepest_are_not_placed() -> None:
    board = board_of(market(1))
    board.set_up(())
    empty = board.values()

    values = improved(board, deepest=0)

    assert values[0] > empty[0]
    assert {tier: value for tier, value in values.items() if tier > 0} == {
        tier: value for tier, value in empty.items() if tier > 0
    }


def test_a_chain_never_ends_below_its_start_in_strict_order_of_tiers() -> None:
    board = board_of(market(2))
    for tier in board.values():
        admission.fill(board, tier, admission.by_price, admission.earliest)
    before = list(board.values().values())

    assert list(improved(board).values()) >= before
