"""The maps as view models: halls by day, racks on a day, bars of the timeline."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.cluster.blocks import Block, Placed
from portal.cluster.rack_map import RackState, pods_text, rack_map, state_of
from portal.cluster.timeline import Sized, largest
from portal.cluster.use_map import MOST_CELLS, HallRow, use_map, worst
from portal.domain.states import OutageKind
from portal.models.cluster import Hall, Outage, Pod, Rack
from portal.plans.usage import HallUse
from portal.web.charts.axis import Window
from portal.web.charts.gantt import GanttBar

START = dt.date(2027, 1, 1)
HALL = HallRow("h1", "Hall 1", 16, 2)


def use(free: int, booked: int = 0, out: int = 0, limited: bool = False) -> HallUse:
    return HallUse(booked=booked, free=free, out=out, is_limited=limited)


def address(code: str, day: dt.date) -> str:
    return f"/{code}/{day}"


def test_days_of_the_same_use_are_one_cell_that_leads_to_its_first_day() -> None:
    uses = [use(14)] * 3 + [use(4, booked=10, out=1)] + [use(14)] * 6

    view = use_map(Window.of(START, 10), [HALL], {"h1": uses}, address, day=START)

    assert [(cell.start.day, cell.end.day, cell.use.free) for cell in view.cells] == [
        (1, 4, 14),
        (4, 5, 4),
        (5, 11, 14),
    ]
    assert [(cell.x, cell.width, cell.level) for cell in view.cells] == [(0, 30, 0), (30, 10, 5), (40, 60, 0)]
    assert view.cells[1].href == "/h1/2027-01-04"
    assert view.cells[1].tip == "Hall 1|4 Jan 2027|4 of 16 racks free|10 booked, 2 spare, 1 out"
    assert (view.step, view.day) == (1, 0)


def test_too_many_changes_for_a_page_are_taken_together_and_the_worst_is_told() -> None:
    """A hall that changes every day of a year."""
    uses = [use(day % 7, booked=16 - day % 7) for day in range(365)]

    view = use_map(Window.of(START, 365), [HALL], {"h1": uses}, address, day=START - dt.timedelta(1))

    assert 1 < len(view.cells) <= MOST_CELLS
    assert view.step > 1
    assert "|at least 0 of 16 racks free|" in view.cells[0].tip
    assert view.cells[-1].end == view.window.end
    assert view.day is None


def test_the_worst_of_some_days_is_the_least_free_and_the_most_of_all_else() -> None:
    uses = [use(3, booked=9), use(5, booked=1, out=4), use(8, limited=True)]

    assert worst(uses, 2) == [use(3, booked=9, out=4), use(8, limited=True)]
    assert worst(uses, 1) == uses


BLOCK = Block(
    public_id="R-1",
    is_offer=False,
    tenant_id=7,
    tenant="River Agency (invented)",
    gpus=144,
    interruptible=False,
    move_notice_days=14,
    start=START,
    end=START + dt.timedelta(30),
)


def block(**values: object) -> Block:
    fields = {name: getattr(BLOCK, name) for name in Block.__dataclass_fields__}
    return Block(**{**fields, **values})


def placed(rack_id: int, of: Block = BLOCK, gpus: int = 72) -> Placed:
    return Placed(of, rack_id, of.start, of.end, gpus)


def outage(kind: OutageKind) -> Outage:
    return Outage(kind=kind, start=START, end=None, note="")


@pytest.mark.parametrize(
    ("on", "outages", "state"),
    [
        ([], [], RackState.FREE),
        ([placed(1)], [], RackState.FIRM),
        ([placed(1, block(interruptible=True))], [], RackState.INTERRUPTIBLE),
        ([placed(1, block(is_offer=True))], [], RackState.OFFERED),
        ([placed(1, gpus=36), placed(1, block(public_id="R-2"), 36)], [], RackState.SHARED),
        ([placed(1)], [OutageKind.FAILURE], RackState.FAILURE),
        ([], [OutageKind.ABSENT, OutageKind.MAINTENANCE], RackState.MAINTENANCE),
    ],
)
def test_the_state_of_a_rack(on: list[Placed], outages: list[OutageKind], state: RackState) -> None:
    assert state_of(on, [outage(kind) for kind in outages]) is state


def small_hall() -> Hall:
    hall = Hall(code="m-h1", name="Hall 1", position=1)
    hall.pods = [Pod(code=f"m-h1-p{p}", position=p) for p in (1, 2)]
    for number, pod in enumerate(hall.pods):
        pod.racks = [Rack(id=1 + 2 * number + r, code=f"{pod.code}-r{r}", position=r) for r in (0, 1)]
    return hall


def test_a_hall_is_its_pods_with_a_cell_for_each_rack() -> None:
    view = rack_map(small_hall(), [placed(1), placed(3)], {3: [outage(OutageKind.FAILURE)]}, {7: 4})

    assert [(pod.label, [cell.label for cell in pod.cells]) for pod in view.pods] == [
        ("p1", ["r0", "r1"]),
        ("p2", ["r0", "r1"]),
    ]
    first, free, broken, _ = (cell for pod in view.pods for cell in pod.cells)
    assert (first.mark, first.colour, first.state) == ("RA", 4, RackState.FIRM)
    assert first.tip == "m-h1-p1-r0|River Agency (invented), 72 GPUs, R-1, 1 – 30 Jan 2027"
    assert (free.mark, free.colour, free.tip) == ("", None, "m-h1-p1-r1|free")
    assert broken.said == "m-h1-p2-r0: failure, River Agency (invented)"


def test_the_blocks_of_a_hall_say_how_much_of_them_is_here_and_out() -> None:
    view = rack_map(small_hall(), [placed(1), placed(3)], {3: [outage(OutageKind.FAILURE)]}, {7: 4})

    (here,) = view.blocks
    assert (here.racks, here.gpus, here.out, here.pods) == (2, 144, 1, ("p1", "p2"))
    assert (view.racks, view.booked, view.free, view.out) == (4, 1, 2, 1)
    assert view.short == [here]


def test_a_shared_rack_says_how_many_share_it_and_has_no_tenants_colour() -> None:
    two = [placed(1, gpus=36), placed(1, block(public_id="R-2", tenant_id=8, tenant="Beta"), 36)]

    cell = rack_map(small_hall(), two, {}, {7: 4, 8: 5}).pods[0].cells[0]

    assert (cell.mark, cell.colour) == ("2", None)
    assert cell.said == "m-h1-p1-r0: shared, River Agency (invented), Beta"


def test_many_pods_are_said_by_their_number() -> None:
    assert pods_text(("p1", "p4")) == "p1, p4"
    assert pods_text(tuple(f"p{p}" for p in range(1, 7))) == "6 pods, p1 to p6"


def test_of_too_many_bars_the_largest_are_shown_and_every_loss() -> None:
    def bar(gpus: int | None, start: dt.date = START) -> Sized:
        return Sized("Hall 1", GanttBar(start, None, str(gpus), "/", ""), gpus)

    bars = [bar(72), bar(720), bar(144), bar(None), bar(7_200, START + dt.timedelta(400))]
    window = Window.of(START, 100)

    assert largest(bars, window, 9) == (bars[:4], 4)
    shown, total = largest(bars, window, 2)
    assert ([each.gpus for each in shown], total) == ([None, 720], 4)
