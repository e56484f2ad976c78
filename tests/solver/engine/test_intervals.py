"""Programs over intervals: with one pod every block may go to any start at once; nothing is lost, no rule is broken."""

from __future__ import annotations

import random

import pytest

from solver import cluster as clusters
from solver.engine import admission
from solver.engine.board import Board
from solver.engine.complete import accepted_of, recalls_of
from solver.engine.programs import plain
from solver.engine.programs.intervals import Intervals
from solver.engine.repair import repair
from solver.snapshot import Snapshot
from solver.verify.check import broken_rules
from tests.solver.engine.repairs import plan_of
from tests.solver.reference import build
from tests.solver.reference.build import Content

THREE_RACKS = [build.site(halls=[build.hall(pods={"p1": ["r1", "r2", "r3"]})])]
TWO_PODS = [build.site(halls=[build.hall(pods={"p1": ["r1", "r2"], "p2": ["r3"]})])]


def board_of(content: Content) -> Board:
    snapshot = build.load(content).snapshot
    cluster = clusters.build(snapshot)
    return Board(snapshot, cluster, repair(snapshot, cluster, seed=0, deadline=lambda: False))


def run(board: Board, rounds: int = 1, *, deepest: int | None = None, seed: int = 0) -> None:
    search = Intervals(board, random.Random(seed), deepest=deepest)
    search.run(lambda done: done >= rounds, lambda: None, lambda: False)


def starts(board: Board) -> dict[str, tuple[int, int]]:
    """By request its first day and its GPUs."""
    return {block.wish.id: (block.start, block.gpus) for block in board.blocks.values()}


def asked(name: str, racks: int, days: int, **fields: object) -> Content:
    """A request that may start on any day of ten; a USD a GPU-day."""
    terms = {"gpus": 72 * racks, "days": days, "earliest": 0, "latest": 10 - days, "value_usd": 72.0 * racks * days}
    return build.request(name, **terms | fields)


def test_what_fits_exactly_is_put_together() -> None:
    """Three racks for ten days, cut into five; in the order of their worth two of them find no place."""
    pieces = [asked("a", 1, 6), asked("b", 2, 4), asked("c", 2, 6), asked("d", 1, 3), asked("e", 1, 1)]
    board = board_of(build.snapshot(sites=THREE_RACKS, requests=pieces))
    run(board)
    assert board.values() == {0: 72.0 * 30}


def test_a_block_shrinks_to_what_is_left_and_no_further() -> None:
    firm = asked("firm", 2, 10, value_usd=10_000.0)
    for least, found in ((72, {"firm": (0, 144), "small": (0, 72)}), (144, {"firm": (0, 144)})):
        content = build.snapshot(sites=THREE_RACKS, requests=[firm, asked("small", 2, 10, min_gpus=least)])
        board = board_of(content)
        run(board)
        assert starts(board) == found


def test_a_block_stands_beside_the_days_on_which_racks_are_out() -> None:
    """What is worth most needs racks that are out for two days: it stands nowhere, and what is worth less does."""
    outages = [build.outage(rack, 3, 5) for rack in ("r1", "r2")]
    requests = [
        build.request("wide", gpus=216, days=5, latest=0, value_usd=500.0),
        build.request("narrow", gpus=72, days=5, latest=0, value_usd=300.0),
    ]
    board = board_of(build.snapshot(sites=THREE_RACKS, outages=outages, requests=requests))
    run(board)
    assert starts(board) == {"narrow": (0, 72)}


@pytest.mark.parametrize(("most", "accepted"), [(144, 2), (72, 1)])
def test_a_quota_limits_a_tenant_on_each_day(most: int, accepted: int) -> None:
    tenants = [build.tenant("t1", max_gpus=most)]
    requests = [asked("a", 1, 10), asked("b", 1, 10)]
    board = board_of(build.snapshot(sites=THREE_RACKS, tenants=tenants, requests=requests))
    run(board)
    assert len(starts(board)) == accepted


def test_a_tier_above_may_stand_elsewhere_and_loses_nothing() -> None:
    """Where it stands it is in the way of a block of the tier behind, which may start on one day alone."""
    above = asked("above", 2, 4, tier=0)
    behind = asked("behind", 3, 4, tier=1, earliest=0, latest=0, value_usd=10_000.0)
    board = board_of(build.snapshot(sites=THREE_RACKS, requests=[above, behind]))
    admission.fill(board, 0, admission.by_price, admission.earliest)
    assert starts(board) == {"above": (0, 144)}
    run(board, 6)
    assert starts(board).keys() == {"above", "behind"}
    assert starts(board)["above"][0] >= 4


def test_nothing_is_placed_of_tiers_that_do_not_count_yet() -> None:
    board = board_of(build.snapshot(sites=THREE_RACKS, requests=[asked("a", 1, 4), asked("b", 1, 4, tier=1)]))
    run(board, 2, deepest=0)
    assert starts(board).keys() == {"a"}


def test_a_round_that_is_stopped_at_once_leaves_the_board_as_it_was() -> None:
    board = board_of(build.snapshot(sites=THREE_RACKS, requests=[asked("a", 1, 4)]))
    admission.fill(board, 0, admission.by_price, admission.earliest)
    search = Intervals(board, random.Random(0))
    search.run(lambda done: done >= 1, lambda: 0.0, lambda: True)
    assert starts(board) == {"a": (0, 72)}


@pytest.mark.parametrize(
    ("sites", "fields", "share"),
    [
        (THREE_RACKS, {}, 1.0),
        (TWO_PODS, {}, 0.0),
        (THREE_RACKS, {"contract": "k1"}, 0.5),
        (THREE_RACKS, {"gpus": 24}, 0.5),
    ],
)
def test_it_is_about_whole_racks_on_demand_in_one_pod(sites: list[Content], fields: Content, share: float) -> None:
    contracts = [build.contract("k1", steps=[(-10, 60, 216)])]
    requests = [asked("a", 1, 4), asked("b", 1, 4, **fields)]
    board = board_of(build.snapshot(sites=sites, contracts=contracts, requests=requests))
    assert plain.share(board) == share


def crowded(seed: int) -> Content:
    """Six racks of one pod, oversubscribed, with something of every other kind on them."""
    chance = random.Random(seed)
    racks = [f"r{number}" for number in range(6)]
    requests = []
    for number in range(24):
        most, days, first = chance.randint(1, 4), chance.randint(2, 9), chance.randint(0, 20)
        contract = "k1" if chance.random() < 0.15 else None
        gpus, tenant = 24 if chance.random() < 0.1 else 72 * most, "t1" if contract else chance.choice(["t1", "t2"])
        requests.append(
            build.request(
                f"q{number}",
                tenant=tenant,
                contract=contract,
                gpus=gpus,
                min_gpus=72 if gpus > 72 and chance.random() < 0.3 else gpus,
                days=days,
                earliest=first,
                latest=first + chance.randint(0, 9),
                tier=chance.randint(0, 2),
                value_usd=round(most * days * chance.uniform(50.0, 150.0), 2),
                **({"interruptible": True, "recall_notice_days": 3} if not contract and chance.random() < 0.2 else {}),
            )
        )
    halls, limits = [build.hall("h", pods={"p": racks})], [build.power_limit(8, 12, 700.0)]
    return build.snapshot(
        days=30,
        sites=[build.site("A", halls=halls, power_limits=limits)],
        outages=[build.outage("r5", 14, 17)],
        tenants=[build.tenant("t1"), build.tenant("t2", max_gpus=288)],
        contracts=[build.contract("k1", steps=[(-10, 60, 144)], booking_lead_days=3)],
        reservations=[
            build.reservation("v1", start=0, end=9, racks={"r0": 72}),
            build.reservation("v2", start=4, end=20, racks={"r1": 72}, interruptible=True, recall_notice_days=4),
        ],
        requests=requests,
    )


def rules_broken(snapshot: Snapshot, board: Board) -> set[str]:
    made = repair(snapshot, clusters.build(snapshot), seed=0, deadline=lambda: False)
    changes = {"accepted": accepted_of(board), "recalls": [*made.recalls, *recalls_of(board)]}
    return {fault.rule for fault in broken_rules(snapshot, plan_of(snapshot, made).model_copy(update=changes))}


@pytest.mark.parametrize("seed", range(8))
def test_rounds_beside_everything_else_lose_nothing_and_break_no_rule(seed: int) -> None:
    content = crowded(seed)
    board = board_of(content)
    for tier in board.values():
        admission.fill(board, tier, admission.by_price, admission.earliest)
    before = list(board.values().values())

    run(board, 4, seed=seed)

    assert list(board.values().values()) >= before
    rules = {f"R{number}" for number in range(1, 13)}  # R13: what else fits is added at the end of a solve
    assert not rules_broken(build.load(content).snapshot, board) & rules


def test_rounds_find_more_than_the_order_of_worth() -> None:
    gained = 0
    for seed in range(8):
        board = board_of(crowded(seed))
        for tier in board.values():
            admission.fill(board, tier, admission.by_price, admission.earliest)
        before = list(board.values().values())
        run(board, 4, seed=seed)
        gained += list(board.values().values()) > before
    assert gained >= 6


def test_trays_left_on_shared_racks_are_no_room_for_whole_ones() -> None:
    """Ten racks, two spare, three with something small: five are left, and not the seven that all trays come to."""
    racks = [f"r{number}" for number in range(10)]
    small = [build.reservation(f"v{number}", end=10, racks={f"r{number}": 24}) for number in range(3)]
    worth = {3: 300.0, 4: 390.0, 5: 480.0}
    whole = [build.request(f"q{n}", gpus=72 * n, days=10, value_usd=usd) for n, usd in worth.items()]
    halls = [build.hall(pods={"p1": racks}, spare_racks=2)]
    board = board_of(build.snapshot(sites=[build.site(halls=halls)], reservations=small, requests=whole))
    run(board)
    assert starts(board) == {"q5": (0, 360)}
