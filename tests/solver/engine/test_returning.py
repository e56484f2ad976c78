"""Returning: what must stand stands again where it stood, and nobody else leaves for good who need not."""

from __future__ import annotations

import pytest

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine import admission, placement
from solver.engine.board import Board, Position
from solver.engine.repair import repair
from solver.engine.returning import Return
from solver.engine.wishes import Wish
from tests.solver.engine.markets import market
from tests.solver.reference import build
from tests.solver.reference.build import Content

HALL = [build.site(halls=[build.hall("h1", pods={"p1": ["r1", "r2", "r3", "r4"]})])]


def board_of(content: Content) -> Board:
    snapshot = build.load(content).snapshot
    return Board(snapshot, clusters.build(snapshot), Decisions())


def stand(board: Board, *blocks: tuple[str, int, tuple[int, ...]]) -> None:
    """Put requests on the board: id, start and racks."""
    numbers = {wish.id: wish.number for wish in board.wishes}
    board.stand(Position(numbers[name], start, 72 * len(racks), racks) for name, start, racks in blocks)


def standing(board: Board) -> dict[str, tuple[int, tuple[int, ...]]]:
    return {b.wish.id: (b.start, tuple(sorted(b.racks()))) for b in board.blocks.values()}


def value(wish: Wish) -> float:
    return wish.value_usd


def returning(board: Board, stood: dict[int, Position], *, halted: bool = False) -> Return:
    starts = {wish.number: range(wish.first_start, wish.last_start + 1) for wish in board.wishes}
    return Return(board, stood, value, starts, lambda: halted)


def stood_as(board: Board, *blocks: tuple[str, int, tuple[int, ...]]) -> dict[int, Position]:
    """Where these stood before; then the board is empty again."""
    stand(board, *blocks)
    stood = {position.number: position for position in board.positions()}
    board.set_up(())
    return stood


def with_a_guest() -> tuple[Board, dict[int, Position]]:
    """A board with the guest alone, who has no other start, where the first stood on all racks."""
    first = build.request("first", gpus=288, earliest=0, latest=0, days=3)
    guest = build.request("guest", gpus=72, earliest=0, latest=0, days=3, value_usd=9000.0)
    board = board_of(build.snapshot(sites=HALL, days=3, requests=[first, guest]))
    stood = stood_as(board, ("first", 0, (0, 1, 2, 3)))
    stand(board, ("guest", 0, (1,)))
    return board, stood


def test_the_cheapest_leaves_for_what_returns_and_goes_elsewhere_and_the_others_stay() -> None:
    large = build.request("large", gpus=144, earliest=0, days=4, scope="pod")
    others = [build.request(f"q{i}", earliest=0, latest=6, days=4, value_usd=100.0 * i) for i in (1, 2, 3)]
    board = board_of(build.snapshot(sites=HALL, requests=[large, *others]))
    stood = stood_as(board, ("large", 0, (0, 1)))
    stand(board, ("q1", 0, (0,)), ("q2", 0, (2,)), ("q3", 0, (1,)))

    assert returning(board, stood).run(stood)

    assert {name: start for name, (start, _) in standing(board).items()} == {"large": 0, "q1": 4, "q2": 0, "q3": 0}


def test_what_must_stand_and_is_in_the_way_returns_as_well() -> None:
    """The first has no other start; the second stands on its racks, at a start that it need not have."""
    first = build.request("first", gpus=288, earliest=0, latest=0, days=3)
    second = build.request("second", gpus=288, earliest=0, latest=3, days=3)
    board = board_of(build.snapshot(sites=HALL, days=6, requests=[first, second]))
    every = (0, 1, 2, 3)
    stood = stood_as(board, ("first", 0, every), ("second", 3, every))
    stand(board, ("second", 1, every))

    assert returning(board, stood).run([0])

    assert standing(board) == {"first": (0, every), "second": (3, every)}


def test_what_finds_no_room_beside_what_returns_is_declined() -> None:
    board, stood = with_a_guest()

    assert returning(board, stood).run([0])

    assert standing(board) == {"first": (0, (0, 1, 2, 3))}


def test_whoever_halts_it_finds_everybody_where_they_were() -> None:
    board, stood = with_a_guest()

    assert not returning(board, stood, halted=True).run([0])

    assert standing(board) == {"guest": (0, (1,))}


@pytest.mark.parametrize("seed", range(12))
def test_whatever_took_their_room_all_that_stood_together_stand_again_in_full(seed: int) -> None:
    snapshot = build.load(market(seed, requests=18)).snapshot
    cluster = clusters.build(snapshot)
    board = Board(snapshot, cluster, repair(snapshot, cluster, seed=0, deadline=lambda: False))
    board.set_up(board.home)
    tiers = list(board.values())
    admission.fill(board, tiers[0], admission.by_price, admission.earliest)
    stood = {position.number: position for position in board.positions()}
    board.set_up(())
    for wish in reversed(board.wishes):  # the lower tiers take the room of those above
        placement.accept(board, wish, range(wish.first_start, wish.last_start + 1))
    lost = [n for n, p in stood.items() if n not in board.blocks or board.blocks[n].gpus < p.gpus]

    assert returning(board, stood).run(lost)

    assert all(board.blocks[number].gpus >= position.gpus for number, position in stood.items())
    after = board.positions()
    board.set_up(())
    board.set_up(after)
    assert board.positions() == after
