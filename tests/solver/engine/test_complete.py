"""Completion: a reservation that could stay is kept, to its end where nothing is in its way."""

from __future__ import annotations

import pytest

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine import placement
from solver.engine.board import Board
from solver.engine.complete import keep_longer, recalls_of
from tests.solver.reference import build
from tests.solver.reference.build import Content, request


def recalled(days: int, *requests: Content) -> Board:
    """Two racks, a reservation on one of them that a plan recalls as soon as it can, and what else is asked for."""
    standing = build.reservation("v1", end=2 + days, racks={"r1": 72}, interruptible=True, recall_notice_days=2)
    snapshot = build.load(build.snapshot(days=10, reservations=[standing], requests=list(requests))).snapshot
    board = Board(snapshot, clusters.build(snapshot), Decisions())
    board.set_up([])
    return board


@pytest.mark.parametrize("days", [1, 4])
def test_where_its_rack_is_free_nobody_is_recalled(days: int) -> None:
    board = recalled(days)
    keep_longer(board)
    assert recalls_of(board) == []


def test_it_stays_until_the_day_on_which_its_rack_is_needed() -> None:
    board = recalled(6, request("q1", gpus=144, earliest=5, days=3))
    (wish,) = board.requests
    assert placement.accept(board, wish, [5]) is not None
    keep_longer(board)
    (recall,) = recalls_of(board)
    assert (recall.end - build.TODAY).days == 5
