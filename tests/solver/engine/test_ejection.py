"""Displacing: a block takes others' room where these find another place, or cost less than it is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine import placement
from solver.engine.board import Board
from solver.engine.ejection import Terms, displace
from solver.engine.selection import Target
from solver.engine.wishes import Wish
from tests.solver.reference import build

HALLS = [build.site(halls=[build.hall(f"h{i}", pods={f"p{i}": [f"r{i}1", f"r{i}2"]}) for i in (1, 2)])]


def one_rack_in_each_hall(*, days_of_second: int = 4) -> tuple[Board, Wish]:
    """The board, and a wish for a whole hall that has no room beside ``q1`` and ``q2``."""
    small = [build.request("q1", days=4), build.request("q2", days=days_of_second, value_usd=50.0)]
    fillers = [build.request("f1", days=4), build.request("f2", days=4)]
    large = build.request("large", gpus=144, days=4, latest=1, scope="hall", value_usd=120.0)
    snapshot = build.load(build.snapshot(sites=HALLS, requests=[*small, *fillers, large])).snapshot
    board = Board(snapshot, clusters.build(snapshot), Decisions())
    wishes = {wish.id: wish for wish in board.wishes}
    for name in ("q1", "f1", "q2", "f2"):  # the tightest hall is filled first
        placement.accept(board, wishes[name], [0])
    for name in ("f1", "f2"):
        board.remove(board.blocks[wishes[name].number])
    return board, wishes["large"]


def starts(board: Board) -> Mapping[int, Sequence[int]]:
    return {wish.number: [0] for wish in board.wishes}


def terms(limit_usd: float, spared: Sequence[int] = ()) -> Terms:
    return Terms(lambda wish: wish.value_usd / wish.gpus, spared, limit_usd)


def test_who_finds_another_place_costs_nothing() -> None:
    board, large = one_rack_in_each_hall()

    assert displace(board, large, [Target(0, 144)], terms(20.0), starts(board))

    assert {block.wish.id for block in board.blocks.values()} == {"q1", "q2", "large"}


@pytest.mark.parametrize(("limit_usd", "is_placed"), [(50.0, False), (50.01, True)])
def test_who_finds_none_must_cost_less_than_the_limit(limit_usd: float, is_placed: bool) -> None:
    board, large = one_rack_in_each_hall()
    filler = next(wish for wish in board.wishes if wish.id == "f1")
    assert placement.accept(board, filler, [0]) is not None
    before = board.positions()
    spared = [wish.number for wish in board.wishes if wish.id in ("q1", "f1")]

    assert displace(board, large, [Target(0, 144)], terms(limit_usd, spared), starts(board)) is is_placed

    if is_placed:
        assert {block.wish.id for block in board.blocks.values()} == {"q1", "f1", "large"}
    else:
        assert board.positions() == before


def test_the_start_that_costs_least_is_taken() -> None:
    board, large = one_rack_in_each_hall(days_of_second=1)
    filler = next(wish for wish in board.wishes if wish.id == "f1")
    assert placement.accept(board, filler, [0]) is not None
    spared = [wish.number for wish in board.wishes if wish.id in ("q1", "f1")]

    assert displace(board, large, [Target(0, 144), Target(1, 144)], terms(math.inf, spared), starts(board))

    assert len(board.blocks) == 4
    assert board.blocks[large.number].start == 1
