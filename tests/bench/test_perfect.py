"""Perfect packings: the pieces are the sheet, cut from edge to edge."""

from __future__ import annotations

import json
import random

import pytest

from bench import perfect
from bench.perfect import Piece
from bench.sizes import SHEETS, Sheet
from solver import snapshot as snapshots


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_the_pieces_cover_the_sheet(sheet: Sheet) -> None:
    pieces = perfect.pieces(sheet, random.Random(3))

    assert len(pieces) == sheet.pieces
    assert sum(piece.racks * piece.days for piece in pieces) == sheet.racks * sheet.days


def test_one_cut_leaves_two_pieces_with_a_whole_edge() -> None:
    """They share the edge along which they were cut."""
    for seed in range(20):
        one, other = perfect.pieces(Sheet(4, 3, 2, ()), random.Random(seed))

        assert {one.racks, other.racks} == {4} or {one.days, other.days} == {3}


def test_a_sheet_may_be_cut_into_single_days_of_racks() -> None:
    pieces = perfect.pieces(Sheet(2, 2, 4, ()), random.Random(0))

    assert pieces == [Piece(1, 1)] * 4


def test_every_piece_is_a_request_that_may_start_anywhere_on_the_sheet() -> None:
    sheet = Sheet(6, 5, 4, ())

    snapshot = snapshots.parse(json.dumps(perfect.snapshot(sheet, seed=2)).encode()).snapshot

    assert sum(request.gpus * request.days for request in snapshot.requests) == 72 * 6 * 5
    assert all((request.latest_start - snapshot.today).days == 5 - request.days for request in snapshot.requests)
    assert sum(request.value_usd for request in snapshot.requests) == 72 * 6 * 5
