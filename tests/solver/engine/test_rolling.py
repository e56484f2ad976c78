"""Rolling: a window is tried in several ways, the best is kept, and room is kept for whoever is still to come."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine import placement
from solver.engine.board import Board
from solver.engine.rolling import Roller
from solver.engine.selection import Target
from tests.solver.reference import build
from tests.solver.reference.build import Content

HALLS = [build.site(halls=[build.hall(f"h{i}", pods={f"p{i}": [f"r{i}1", f"r{i}2"]}) for i in (1, 2)])]


def board_of(content: Content) -> Board:
    snapshot = build.load(content).snapshot
    return Board(snapshot, clusters.build(snapshot), Decisions())


def roller(board: Board) -> Roller:
    """Places at the target's start and nowhere else; more value is better."""

    def put(number: int, target: Target) -> bool:
        return placement.accept(board, board.wishes[number], [target.start], most=target.gpus) is not None

    def score(_: Sequence[int]) -> tuple[float, ...]:
        return tuple(board.values().values())

    return Roller(board, random.Random(0), put, score)


def never() -> bool:
    return False


def always() -> bool:
    return True


def spread_out() -> tuple[Board, dict[int, Target]]:
    """In their order the small ones leave the large one no hall, though there is room for all."""
    small = [build.request(f"q{i}", days=days) for i, days in enumerate((6, 2, 6))]
    large = build.request("large", gpus=144, earliest=2, days=4, scope="hall", value_usd=900.0)
    board = board_of(build.snapshot(sites=HALLS, requests=[*small, large]))
    return board, {wish.number: Target(2 if wish.id == "large" else 0, wish.gpus) for wish in board.wishes}


def test_a_window_that_leaves_somebody_out_is_tried_again_and_the_best_way_stays() -> None:
    board, targets = spread_out()

    lacked = roller(board).place(list(targets), targets, never, lambda: 6)

    assert lacked == []
    assert board.values() == {0: 1200.0}


def test_in_a_hurry_a_window_is_tried_once() -> None:
    board, targets = spread_out()

    lacked = roller(board).place(list(targets), targets, never, lambda: 1)

    assert [board.wishes[number].id for number in lacked] == ["large"]


def test_room_in_the_ledger_is_kept_until_its_turn_and_given_back_when_somebody_halts() -> None:
    board, targets = spread_out()
    before = board.ledger.cluster_slack.copy()

    roller(board).place(list(targets), targets, always, lambda: 1)

    assert not board.blocks
    assert (board.ledger.cluster_slack == before).all()
    roller(board).place(list(targets), targets, never, lambda: 6)
    for block in list(board.blocks.values()):
        board.remove(block)
    assert (board.ledger.cluster_slack == before).all()


@pytest.mark.parametrize("asked", range(12))
@pytest.mark.parametrize("tries", [1, 3])
def test_whoever_halts_within_a_window_finds_the_ledger_as_the_blocks_have_it(asked: int, tries: int) -> None:
    board, targets = spread_out()
    before = board.ledger.cluster_slack.copy()
    answers = itertools.chain(itertools.repeat(False, asked), itertools.repeat(True))

    lacked = roller(board).place(list(targets), targets, lambda: next(answers), lambda: tries)
    stood = len(board.blocks)
    board.set_up(())

    assert (board.ledger.cluster_slack == before).all()
    assert stood < len(targets) or not lacked
