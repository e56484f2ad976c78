"""Vacating: one rack is left to a block of a rack or less, where that is worth it; and who shares which rack."""

from __future__ import annotations

import math

import pytest

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine import placement
from solver.engine.board import Board
from solver.engine.ejection import Terms
from solver.engine.selection import Target
from solver.engine.vacating import vacate
from tests.solver.reference import build
from tests.solver.reference.build import Content

TWO_RACKS = [build.site(halls=[build.hall(pods={"p1": ["r1", "r2"]})])]


def board_of(content: Content) -> Board:
    snapshot = build.load(content).snapshot
    return Board(snapshot, clusters.build(snapshot), Decisions())


def small(name: str, gpus: int, usd: float, *, start: int = 0, days: int = 4) -> Content:
    return build.request(name, gpus=gpus, value_usd=usd, earliest=start, days=days)


def terms(limit_usd: float, *spared: int) -> Terms:
    return Terms(lambda wish: wish.value_usd, frozenset(spared), limit_usd)


def vacated(board: Board, limit_usd: float, *spared: int) -> bool:
    """Whether the last request finds room at its earliest start."""
    wish = board.wishes[-1]
    starts = {each.number: (each.first_start,) for each in board.wishes}
    target = Target(wish.first_start, wish.gpus)
    return vacate(board, wish, target, terms(limit_usd, *spared), starts)


def standing(board: Board) -> set[str]:
    return {block.wish.id for block in board.blocks.values()}


def crowded(*, days: int = 4) -> Board:
    """Both racks carry two halves each; the cheapest pair is worth 30, and one more wants a whole rack."""
    asked = [small(name, 36, usd) for name, usd in (("a", 10.0), ("b", 20.0), ("c", 40.0), ("d", 50.0))]
    board = board_of(build.snapshot(sites=TWO_RACKS, requests=[*asked, small("guest", 72, 100.0, days=days)]))
    for number, rack in enumerate((0, 0, 1, 1)):
        wish = board.wishes[number]
        block = placement.place(board, wish, 0, 36)
        assert block is not None
        assert block.rack == rack
    return board


def test_the_cheapest_rack_is_left_to_a_block_that_is_worth_more() -> None:
    board = crowded()
    assert vacated(board, 100.0)
    assert standing(board) == {"c", "d", "guest"}


@pytest.mark.parametrize(("limit", "expected"), [(30.0, False), (30.01, True)])
def test_what_leaves_and_finds_no_other_place_is_worth_less_than_what_comes(limit: float, expected: bool) -> None:
    board = crowded()
    assert vacated(board, limit) is expected
    assert ("guest" in standing(board)) is expected
    assert len(standing(board)) == (3 if expected else 4)


def test_the_spared_stay_and_others_leave_their_rack() -> None:
    board = crowded()
    assert vacated(board, math.inf, 0)
    assert standing(board) == {"a", "b", "guest"}


def test_who_leaves_goes_where_there_is_room() -> None:
    """Each rack carries 12 GPUs, so no rack is free; together they need one. Nothing is lost, so any limit will do."""
    asked = [small("a", 12, 50.0), small("b", 12, 50.0), small("guest", 72, 1.0)]
    board = board_of(build.snapshot(sites=TWO_RACKS, requests=asked))
    for number, rack in enumerate((0, 1)):
        wish = board.wishes[number]
        board.place_shared(placement.Block(wish, 0, 12), rack)
    assert vacated(board, 100.0)
    assert standing(board) == {"a", "b", "guest"}


def test_a_reservation_does_not_leave_its_rack() -> None:
    promised = [build.reservation(f"v{i}", end=5, racks={f"r{i}": 36}) for i in (1, 2)]
    asked = [small("a", 36, 1.0), small("guest", 72, 1000.0)]
    board = board_of(build.snapshot(sites=TWO_RACKS, reservations=promised, requests=asked))
    assert placement.place(board, board.wishes[0], 0, 36) is not None
    assert not vacated(board, 1000.0)
    assert standing(board) == {"a"}


def test_a_rack_that_is_out_later_is_no_rack_to_leave() -> None:
    out = [build.outage(rack, start=2, end=4) for rack in ("r1", "r2")]
    asked = [small("a", 72, 1.0, days=2), small("b", 72, 1.0, days=2), small("guest", 72, 1000.0)]
    board = board_of(build.snapshot(sites=TWO_RACKS, outages=out, requests=asked))
    assert all(placement.place(board, board.wishes[number], 0, 72) for number in (0, 1))
    assert not vacated(board, 1000.0)
    assert standing(board) == {"a", "b"}


def test_a_larger_block_needs_more_than_one_rack() -> None:
    asked = [small("a", 72, 1.0), small("guest", 144, 1000.0)]
    board = board_of(build.snapshot(sites=TWO_RACKS, requests=asked))
    assert placement.place(board, board.wishes[0], 0, 72) is not None
    assert not vacated(board, 1000.0)


# Who shares which rack


def shared_by(days_there: dict[int, tuple[int, int]], *, start: int, days: int) -> int | None:
    """The rack that a block of 12 GPUs takes beside blocks of 12 GPUs on these days, by rack."""
    there = [small(f"q{rack}", 12, 1.0, start=first, days=end - first) for rack, (first, end) in days_there.items()]
    guest = small("guest", 12, 1.0, start=start, days=days)
    board = board_of(build.snapshot(sites=TWO_RACKS, days=8, requests=[*there, guest]))
    for number, rack in enumerate(days_there):
        board.place_shared(placement.Block(board.wishes[number], board.wishes[number].first_start, 12), rack)
    block = placement.place(board, board.wishes[-1], start, 12)
    return block.rack if block else None


def test_a_small_block_goes_where_the_rack_is_in_use_on_all_its_days() -> None:
    assert shared_by({0: (0, 2), 1: (0, 5)}, start=1, days=4) == 1


def test_of_racks_in_use_anyway_a_small_block_takes_the_one_that_is_left_soonest() -> None:
    assert shared_by({0: (0, 8), 1: (0, 4)}, start=1, days=3) == 1
