"""What blocks lose when racks go out of use, and how racks are named in few words."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.cluster.blocks import Block, Placed
from portal.cluster.inventory import Inventory, RackPlace, codes_in
from portal.cluster.losses import Days, losses

START = dt.date(2027, 1, 1)


def on(number: int) -> dt.date:
    """The day so many days after the start."""
    return START + dt.timedelta(number)


def days(first: int, end: int) -> Days:
    return Days(on(first), on(end))


def block(name: str = "R-1", move_notice_days: int = 14) -> Block:
    return Block(
        public_id=name,
        is_offer=False,
        tenant_id=1,
        tenant="Alpha",
        gpus=144,
        interruptible=False,
        move_notice_days=move_notice_days,
        start=on(0),
        end=on(100),
    )


def stands(rack_id: int, first: int, end: int, of: Block | None = None, gpus: int = 72) -> Placed:
    return Placed(of or block(), rack_id, on(first), on(end), gpus)


@pytest.mark.parametrize(
    ("others", "left"),
    [
        ([], [(0, 10)]),
        ([(2, 4)], [(0, 2), (4, 10)]),
        ([(-5, 2), (1, 3), (8, 20)], [(3, 8)]),
        ([(0, 10)], []),
        ([(4, 2)], [(0, 10)]),
    ],
)
def test_days_without_others(others: list[tuple[int, int]], left: list[tuple[int, int]]) -> None:
    """Others may overlap, lie outside or hold no day."""
    assert days(0, 10).without(days(*other) for other in others) == [days(*each) for each in left]


def test_a_block_loses_no_more_than_the_days_on_which_it_has_the_rack() -> None:
    (loss,) = losses([stands(1, 5, 20)], {1: [days(0, 10)]}, {})

    assert (loss.start, loss.end, loss.gpus, loss.racks) == (on(5), on(10), 72, 1)


def test_racks_lost_on_the_same_day_add_up_and_others_do_not() -> None:
    """Rack 1 on days 0 to 4, racks 2 and 3 on days 5 to 9: at most 144 GPUs on one day."""
    gone = {1: [days(0, 5)], 2: [days(5, 10)], 3: [days(5, 10)]}

    (loss,) = losses([stands(rack, 0, 50) for rack in (1, 2, 3)], gone, {})

    assert (loss.racks, loss.gpus, loss.start, loss.end) == (3, 144, on(0), on(10))


def test_what_is_lost_already_is_not_lost_again() -> None:
    assert losses([stands(1, 0, 10)], {1: [days(0, 10)]}, {1: [days(0, 10)]}) == []
    assert losses([stands(2, 0, 10)], {1: [days(0, 10)]}, {}) == []


def test_losses_come_in_the_order_of_their_days_then_of_their_size() -> None:
    first, small, large = block("R-3"), block("R-2"), block("R-1")
    placed = [stands(1, 5, 9, small, 4), stands(2, 5, 9, large), stands(3, 0, 9, first)]

    found = losses(placed, {rack: [days(0, 20)] for rack in (1, 2, 3)}, {})

    assert [loss.block.public_id for loss in found] == ["R-3", "R-1", "R-2"]


@pytest.mark.parametrize(("notice", "late"), [(0, False), (1, True), (14, True)])
def test_a_loss_is_late_within_the_move_notice_of_its_block(notice: int, late: bool) -> None:
    """R10: frozen is what starts before today + notice; this loss starts today."""
    (loss,) = losses([stands(1, 0, 9, block(move_notice_days=notice))], {1: [days(0, 20)]}, {})

    assert loss.is_within_notice(on(0)) is late


RACKS = [
    RackPlace(1 + h * 4 + p * 2 + r, f"h{h}-p{p}-r{r}", f"h{h}-p{p}", f"h{h}", "s")
    for h in (0, 1)
    for p in (0, 1)
    for r in (0, 1)
]
KNOWN = Inventory(RACKS)


@pytest.mark.parametrize(
    ("codes", "ids"),
    [
        (["h0-p1-r0"], [3]),
        (["h0-p1"], [3, 4]),
        (["h1", "h1-p0"], [5, 6, 7, 8]),
        (["s"], list(range(1, 9))),
        (["x"], []),
    ],
)
def test_a_code_names_a_rack_or_all_racks_below_it(codes: list[str], ids: list[int]) -> None:
    racks, unknown = KNOWN.resolve(codes)

    assert [rack.id for rack in racks] == ids
    assert unknown == ([] if ids else codes)


@pytest.mark.parametrize(
    ("ids", "codes"),
    [
        ([3], ["h0-p1-r0"]),
        ([4, 3], ["h0-p1"]),
        ([1, 2, 3, 4, 6], ["h0", "h1-p0-r1"]),
        ([2, 3, 4], ["h0-p0-r1", "h0-p1"]),
        (list(range(1, 9)), ["s"]),
    ],
)
def test_racks_are_named_by_the_largest_units_that_hold_no_others(ids: list[int], codes: list[str]) -> None:
    assert KNOWN.summary(ids) == codes


def test_codes_may_be_separated_in_any_way() -> None:
    assert codes_in(" a, b\nc;d  a,, ") == ["a", "b", "c", "d"]
