"""Settling: reservations go home where others find room elsewhere, extensions and small blocks to where they belong."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine import placement
from solver.engine.board import Block, Board
from solver.engine.settle import settle
from solver.engine.trial import away_gpus
from tests.solver.engine.markets import market
from tests.solver.reference import build
from tests.solver.reference.build import Content

PODS = {"p1": ["r0", "r1"], "p2": ["r2", "r3"]}


def board_of(content: Content) -> Board:
    snapshot = build.load(content).snapshot
    return Board(snapshot, clusters.build(snapshot), Decisions())


def landlord(*, hall: Content | None = None, **fields: object) -> Content:
    """One hall of two pods of two racks, numbers 0 to 3."""
    return build.snapshot(sites=[build.site(halls=[hall or build.hall(pods=PODS)])], **fields)


def mover(name: str, racks: list[int], **fields: object) -> Content:
    """A reservation on days 3 to 6 that may still be moved."""
    on = dict.fromkeys((f"r{rack}" for rack in racks), 72)
    return build.reservation(name, start=3, end=6, racks=on, **({"move_notice_days": 2} | fields))


def stood(board: Board, **racks: list[int]) -> None:
    """Put these blocks there, whoever was on the board before; requests start on their earliest day."""
    names = {wish.id: wish for wish in board.wishes}
    for block in list(board.blocks.values()):
        board.remove(block)
    for name, numbers in racks.items():
        wish = names[name]
        assert placement.place_at(board, wish, wish.first_start, wish.gpus, numbers) is not None


def block_of(board: Board, name: str) -> Block:
    return next(block for block in board.blocks.values() if block.wish.id == name)


def racks(board: Board, name: str) -> set[int]:
    return set(block_of(board, name).racks())


def settled(board: Board) -> None:
    settle(board, lambda: False)


def test_two_reservations_that_have_changed_places_change_back() -> None:
    board = board_of(landlord(reservations=[mover("v1", [0]), mover("v2", [3])]))
    stood(board, v1=[3], v2=[0])

    settled(board)

    assert (racks(board, "v1"), racks(board, "v2")) == ({0}, {3})


def test_a_guest_goes_elsewhere_when_a_reservation_comes_home() -> None:
    guest = build.request("q1", gpus=144, earliest=2, days=3, scope="pod")
    board = board_of(landlord(reservations=[mover("v1", [0, 1])], requests=[guest]))
    stood(board, q1=[0, 1], v1=[2, 3])

    settled(board)

    assert (racks(board, "v1"), racks(board, "q1")) == ({0, 1}, {2, 3})


def test_a_reservation_stays_away_when_its_guest_has_no_other_place() -> None:
    guest = build.request("q1", gpus=144, earliest=2, days=3, scope="pod")
    frozen = build.reservation("v2", start=2, end=3, racks={"r3": 72})
    board = board_of(landlord(reservations=[mover("v1", [0]), frozen], requests=[guest]))
    stood(board, q1=[0, 1], v1=[2])

    settled(board)

    assert (racks(board, "v1"), racks(board, "q1")) == ({2}, {0, 1})


def test_a_guest_pushes_another_away_that_has_somewhere_to_go() -> None:
    """The guest needs a pod, and the pod that is left has a block of one rack that may go to the other."""
    wants_a_pod = build.request("q1", gpus=144, earliest=3, days=3, scope="pod")
    small = build.request("q2", earliest=3, days=3)
    board = board_of(landlord(reservations=[mover("v1", [0])], requests=[wants_a_pod, small]))
    stood(board, q1=[0, 1], v1=[2], q2=[3])

    settled(board)

    assert (racks(board, "v1"), racks(board, "q1"), racks(board, "q2")) == ({0}, {2, 3}, {1})


def test_a_reservation_keeps_as_many_of_its_racks_as_are_free() -> None:
    """One of its racks is needed by a block that fits nowhere else: it moves by one rack, not by two."""
    other = build.request("q1", earliest=2, days=3, scope="pod", site="s1")
    frozen = [build.reservation("v2", start=2, end=3, racks={"r2": 72, "r3": 72, "r1": 72})]
    board = board_of(landlord(reservations=[mover("v1", [0, 1]), *frozen], requests=[other]))
    stood(board, q1=[0], v1=[2, 3])

    settled(board)

    assert len(racks(board, "v1") & {0, 1}) == 1
    assert racks(board, "q1") == {0}


@pytest.mark.parametrize(("spare", "expected"), [(0, {0}), (1, {3})], ids=["the hall has room", "R2: it has none"])
def test_a_hall_that_is_full_takes_nobody_home(spare: int, expected: set[int]) -> None:
    """Its last rack is a spare on days on which an accepted block stands there, and that one has to be in this site."""
    sites = [
        build.site("s1", halls=[build.hall("h1", pods={"p1": ["r0", "r1"]}, spare_racks=spare)]),
        build.site("s2", halls=[build.hall("h2", pods={"p2": ["r2", "r3"]})]),
    ]
    guest = build.request("q1", earliest=3, days=3, site="s1")
    board = board_of(build.snapshot(sites=sites, reservations=[mover("v1", [0])], requests=[guest]))
    stood(board, q1=[1], v1=[3])

    settled(board)

    assert racks(board, "v1") == expected


def test_an_extension_gets_the_racks_that_it_extends_and_their_guest_others() -> None:
    extended = build.reservation("v1", start=-3, end=3, racks={"r0": 72})
    longer = build.request("q1", earliest=3, days=3, extends="v1")
    guest = build.request("q2", earliest=3, days=3)
    board = board_of(landlord(reservations=[extended], requests=[longer, guest]))
    stood(board, q1=[3], q2=[0])

    settled(board)

    assert racks(board, "q1") == {0}


def test_an_extension_moves_no_reservation_from_its_home() -> None:
    extended = build.reservation("v1", start=-3, end=2, racks={"r0": 72})
    longer = build.request("q1", earliest=2, days=3, extends="v1")
    board = board_of(landlord(reservations=[extended, mover("v2", [0])], requests=[longer]))
    stood(board, v2=[0], q1=[3])

    settled(board)

    assert (racks(board, "v2"), away_gpus(block_of(board, "q1"))) == ({0}, 72)


def test_an_extension_below_a_rack_keeps_its_rack() -> None:
    extended = build.reservation("v1", start=-3, end=3, racks={"r2": 36})
    longer = build.request("q1", gpus=36, earliest=3, days=3, extends="v1")
    others = build.request("q2", gpus=24, earliest=3, days=3)
    board = board_of(landlord(reservations=[extended], requests=[longer, others]))
    names = {wish.id: wish for wish in board.wishes}
    assert placement.accept(board, names["q2"], [3]) is not None
    board.place_shared(Block(names["q1"], 3, 36), 0)

    settled(board)

    assert racks(board, "q1") == {2}


@pytest.mark.parametrize(("gpus", "opened"), [(36, 1), (40, 2)], ids=["they fit on one rack", "they do not"])
def test_blocks_below_a_rack_gather_on_one_rack(gpus: int, opened: int) -> None:
    board = board_of(landlord(requests=[build.request(f"q{i}", gpus=gpus, days=4) for i in range(2)]))
    for rack, wish in enumerate(board.wishes):
        board.place_shared(Block(wish, 0, gpus), 3 * rack)

    settled(board)

    assert len(racks(board, "q0") | racks(board, "q1")) == opened


def test_no_rack_is_opened_for_an_earlier_start_of_a_block_below_a_rack() -> None:
    """It could start three days earlier, on a rack of its own for those days."""
    stands = build.reservation("v1", start=3, end=9, racks={"r0": 36})
    board = board_of(landlord(reservations=[stands], requests=[build.request("q1", gpus=36, latest=3, days=4)]))
    board.place_shared(Block(board.wishes[0], 3, 36), 0)

    settled(board)

    assert (block_of(board, "q1").start, racks(board, "q1")) == (3, {0})


def test_a_block_in_two_pods_gathers_in_one_that_has_room() -> None:
    board = board_of(landlord(requests=[build.request("q1", gpus=144, days=4)]))
    stood(board, q1=[1, 2])

    settled(board)

    assert racks(board, "q1") in ({0, 1}, {2, 3})


@pytest.mark.parametrize("seed", range(6))
def test_no_value_is_lost_and_no_more_is_moved(seed: int) -> None:
    """Movers and accepted blocks of a market, scattered at random."""
    content = market(seed, requests=18)
    homes = [("A0p1r0",), ("A0p1r1", "A0p1r2"), ("A1p1r0",), ("A0p2r0", "A0p2r1")]
    content["reservations"] += [
        build.reservation(f"m{i}", start=6, end=20 + i, racks=dict.fromkeys(home, 72), move_notice_days=2)
        for i, home in enumerate(homes)
    ]
    board = board_of(content)
    chance = random.Random(seed)
    for block in list(board.blocks.values()):
        board.remove(block)
    asked = [wish for wish in board.wishes if not wish.must_stand and wish.first_start <= wish.last_start]
    chance.shuffle(asked)
    for wish in (*asked[:6], *board.movers, *asked[6:]):
        starts = range(wish.first_start, wish.last_start + 1)
        placement.accept(board, replace(wish, keep=()) if wish.must_stand else wish, starts)
    board.set_up(board.positions())
    assert all(wish.number in board.blocks for wish in board.movers)
    values, sizes = board.values(), {number: block.gpus for number, block in board.blocks.items()}
    moved = sum(away_gpus(board.blocks[wish.number]) for wish in board.movers)

    settled(board)

    assert board.values() == pytest.approx(values)
    assert {number: block.gpus for number, block in board.blocks.items()} == sizes
    assert sum(away_gpus(board.blocks[wish.number]) for wish in board.movers) < moved
