"""The board: its counts are what its blocks say, whatever was placed, removed and rolled back."""

from __future__ import annotations

import random

import numpy as np
import pytest

from solver import cluster
from solver.decisions import Decisions
from solver.engine import admission, placement
from solver.engine.board import Board
from tests.solver.engine.markets import market
from tests.solver.reference import build


def board_of(seed: int) -> Board:
    snapshot = build.load(market(seed)).snapshot
    return Board(snapshot, cluster.build(snapshot), Decisions())


def filled(seed: int) -> Board:
    board = board_of(seed)
    for tier in board.values():
        admission.fill(board, tier, admission.by_price, admission.earliest)
    return board


def counts(board: Board) -> list[bytes]:
    """Everything that decides what still fits, racks aside."""
    ledger = board.ledger
    arrays = [board.pod_room, board.hall_room, board.site_room, ledger._cluster_slack, ledger._site_slack]
    arrays += [ledger._uncovered, ledger._booking_room, ledger._quota_room]
    return [array.tobytes() for array in arrays]


@pytest.mark.parametrize("seed", range(10))
def test_counts_after_many_changes_are_those_of_a_new_board_with_the_same_blocks(seed: int) -> None:
    board, chance = filled(seed), random.Random(seed)
    for _ in range(30):
        for block in chance.sample(list(board.blocks.values()), min(3, len(board.blocks))):
            board.remove(block)
        for wish in chance.sample(board.wishes, 10):
            if wish.number not in board.blocks:
                placement.accept(board, wish, admission.earliest(wish))

    fresh = board_of(seed)
    fresh.set_up(board.positions())

    assert counts(fresh) == counts(board)
    assert fresh.values() == pytest.approx(board.values())


def bound(board: Board) -> list[object]:
    """Blocks and the shares of each pod, in the order in which the board has them."""
    blocks = [(number, block.rack, list(block.shares), block.racks()) for number, block in board.blocks.items()]
    shares = [[(share.start, share.end, share.racks, share.pinned) for share in pod.shares] for pod in board.pods]
    return [blocks, shares, [pod.taken for pod in board.pods], [pod.blocked for pod in board.pods]]


@pytest.mark.parametrize("seed", range(10))
def test_a_board_that_is_set_up_does_not_show_what_it_carried_before(seed: int) -> None:
    board, chance = filled(seed), random.Random(seed)
    positions = board.positions()
    for _ in range(5):
        for block in chance.sample(list(board.blocks.values()), len(board.blocks) // 2):
            board.remove(block)
        for wish in chance.sample(board.wishes, len(board.wishes)):
            if wish.number not in board.blocks:
                placement.accept(board, wish, admission.earliest(wish))
        stays = [p for p in positions if p.number in board.blocks]
        fresh = board_of(seed)

        board.set_up(positions)
        fresh.set_up(positions)

        assert stays
        assert bound(board) == bound(fresh)
        assert counts(board) == counts(fresh)


@pytest.mark.parametrize("seed", range(10))
def test_rolling_back_leaves_no_trace(seed: int) -> None:
    board, chance = filled(seed), random.Random(seed)
    before, positions = counts(board), board.positions()

    for _ in range(20):
        board.begin()
        for block in chance.sample(list(board.blocks.values()), min(4, len(board.blocks))):
            board.remove(block)
        for wish in board.wishes:
            if wish.number not in board.blocks:
                placement.accept(board, wish, admission.earliest(wish))
        board.roll_back()

    assert counts(board) == before
    assert board.positions() == positions


@pytest.mark.parametrize("seed", range(10))
def test_no_rack_carries_more_than_it_has_and_none_in_an_outage(seed: int) -> None:
    board = filled(seed)
    use = board._reserved.copy()
    for block in board.blocks.values():
        for rack, gpus in block.racks().items():
            use[rack, block.start : block.end] += gpus
            assert board.cluster.healthy[rack, block.start : block.end].all()

    assert use.max() <= 72
    assert (np.minimum(board.pod_room, 0) == 0).all()


def test_an_extension_keeps_the_racks_of_its_reservation() -> None:
    content = build.snapshot(
        sites=[build.site(halls=[build.hall(pods={"p1": ["r1", "r2", "r3"]})])],
        reservations=[build.reservation(racks={"r2": 72}, end=4)],
        requests=[build.request(earliest=4, extends="v1")],
    )
    snapshot = build.load(content).snapshot
    board = Board(snapshot, cluster.build(snapshot), Decisions())

    block = placement.accept(board, board.wishes[0], [4])

    assert block is not None
    assert [board.cluster.rack_ids[rack] for rack in block.racks()] == ["r2"]


def test_a_block_that_does_not_fit_where_it_is_to_stand_is_refused() -> None:
    content = build.snapshot(reservations=[build.reservation()], requests=[build.request()])
    snapshot = build.load(content).snapshot
    board = Board(snapshot, cluster.build(snapshot), Decisions())
    placement.accept(board, board.wishes[0], [0])
    position = board.positions()[0]

    with pytest.raises(ValueError, match="q1 does not fit"):
        board.set_up((type(position)(0, 0, 72, (0,)),))


def test_a_small_extension_gets_the_rack_that_it_extends_whatever_stood_there_before() -> None:
    """The rack is whole until then, so nobody has shared it yet."""
    held = build.reservation("v1", end=3, racks={"r2": 72})
    asked = build.request("q1", gpus=36, earliest=3, days=4, extends="v1")
    snapshot = build.load(build.snapshot(reservations=[held], requests=[asked])).snapshot
    whole = cluster.build(snapshot)
    board = Board(snapshot, whole, Decisions())
    block = placement.accept(board, board.requests[0], [3])
    assert block is not None
    assert block.racks() == {whole.rack_ids.index("r2"): 36}
