"""The Gantt chart's view: bars in lanes."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from portal.web.charts.axis import Window
from portal.web.charts.gantt import LANE_HEIGHT, GanttBar, GanttRow, gantt_view

START = dt.date(2027, 1, 1)
WINDOW = Window.of(START, 100)


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def bar(start: int, end: int | None, label: str = "R-1") -> GanttBar:
    return GanttBar(day(start), None if end is None else day(end), label, "/r/1", "72 GPUs, active")


def test_a_bar_lies_where_its_days_are() -> None:
    """In percent of the window; its label says all of its days, shown or not."""
    view = gantt_view(WINDOW, [GanttRow("M1-H1", [bar(25, 75)])])

    (drawn,) = view.bars
    assert (drawn.x, drawn.width, drawn.y) == (25, 50, 2)
    assert drawn.said == "R-1, 26 Jan – 16 Mar 2027, 72 GPUs, active, M1-H1"


def test_bars_are_cut_at_the_window_and_left_out_beyond_it() -> None:
    """An open end reaches to the edge."""
    view = gantt_view(WINDOW, [GanttRow("M1-H1", [bar(-50, 10), bar(90, None), bar(-9, 0), bar(100, 120)])])

    assert [(drawn.x, drawn.width) for drawn in view.bars] == [(0, 10), (90, 10)]


def test_bars_that_overlap_lie_in_lanes_and_the_row_grows() -> None:
    """The second row begins below the first one's two lanes."""
    view = gantt_view(WINDOW, [GanttRow("A", [bar(0, 50), bar(49, 60), bar(50, 70)]), GanttRow("B", [])])

    assert [drawn.y for drawn in view.bars] == [2, 2 + LANE_HEIGHT, 2]
    assert [(row.y, row.height) for row in view.rows] == [(0, 2 * LANE_HEIGHT), (2 * LANE_HEIGHT, LANE_HEIGHT)]
    assert view.height == 3 * LANE_HEIGHT


def test_today_is_marked_only_where_it_is_shown() -> None:
    """A line in a window of next year would be a lie."""
    assert gantt_view(WINDOW, [], today=day(50)).today == 50
    assert gantt_view(WINDOW, [], today=day(100)).today is None
    assert gantt_view(WINDOW, []).today is None


@given(st.lists(st.tuples(st.integers(-10, 110), st.integers(1, 40)), max_size=12))
def test_no_two_bars_of_a_lane_meet(spans: list[tuple[int, int]]) -> None:
    """And every bar with a day in the window is drawn."""
    bars = [bar(start, start + length) for start, length in spans]

    view = gantt_view(WINDOW, [GanttRow("A", bars)])

    assert len(view.bars) == sum(start < 100 and start + length > 0 for start, length in spans)
    for one in view.bars:
        for other in view.bars:
            if one is not other and one.y == other.y:
                assert one.bar.start >= (other.bar.end or day(999)) or other.bar.start >= (one.bar.end or day(999))
