"""The Gantt chart: who is where, when. Bars are links; those of one row that overlap lie in lanes below each other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from portal.web.charts.axis import Tick, Window, day_ticks, label_width
from portal.web.format import day_range_text

LANE_HEIGHT = 22
COLOURS = 8


@dataclass(frozen=True, slots=True)
class GanttBar:
    """One block over [start, end); an open `end` is None. `colour` 0 to 7 is the tenant's place in the order.

    `detail` is a line of the tooltip: what it is, in words, its state included. `is_tentative` hatches it: proposed,
    offered. `is_outage` draws it as a loss of capacity instead of a use.
    """

    start: dt.date
    end: dt.date | None
    label: str
    href: str
    detail: str
    colour: int = 0
    is_tentative: bool = False
    is_outage: bool = False


@dataclass(frozen=True, slots=True)
class GanttRow:
    label: str
    bars: Sequence[GanttBar]


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """A bar in its place: `x` and `width` in percent, `y` in pixels."""

    row: str
    bar: GanttBar
    x: float
    y: int
    width: float
    days: str
    tip: str
    said: str


@dataclass(frozen=True, slots=True)
class DrawnRow:
    label: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class GanttView:
    """What `gantt` draws; `today` in percent where the window shows it."""

    window: Window
    ticks: tuple[Tick, ...]
    rows: tuple[DrawnRow, ...]
    bars: tuple[DrawnBar, ...]
    height: int
    today: float | None
    label_width: int

    bar_height = LANE_HEIGHT - 4


def gantt_view(window: Window, rows: Sequence[GanttRow], *, today: dt.date | None = None) -> GanttView:
    """The rows in their order, each as high as its lanes; bars outside the window are left out."""
    drawn_rows: list[DrawnRow] = []
    drawn_bars: list[DrawnBar] = []
    y = 0
    for row in rows:
        shown = sorted((bar for bar in row.bars if window.shows(bar.start, bar.end)), key=lambda bar: bar.start)
        lanes = _lanes(shown)
        height = max(1, max(lanes, default=0) + 1) * LANE_HEIGHT
        drawn_rows.append(DrawnRow(row.label, y, height))
        drawn_bars += _draw(window, row.label, zip(shown, lanes, strict=True), y)
        y += height
    return GanttView(
        window=window,
        ticks=day_ticks(window),
        rows=tuple(drawn_rows),
        bars=tuple(drawn_bars),
        height=y,
        today=window.place(today) if today and window.shows(today, today + dt.timedelta(days=1)) else None,
        label_width=label_width([row.label for row in rows]),
    )


def _lanes(bars: Sequence[GanttBar]) -> list[int]:
    """For bars by start, the first lane in which each one fits."""
    ends: list[dt.date] = []
    lanes = []
    for bar in bars:
        lane = next((index for index, end in enumerate(ends) if end <= bar.start), len(ends))
        ends[lane : lane + 1] = [bar.end or dt.date.max]
        lanes.append(lane)
    return lanes


def _draw(window: Window, row: str, placed: Iterable[tuple[GanttBar, int]], y: int) -> Iterator[DrawnBar]:
    for bar, lane in placed:
        start, end = window.clipped(bar.start, bar.end)
        x = window.place(start)
        days = day_range_text(bar.start, bar.end)
        yield DrawnBar(
            row=row,
            bar=bar,
            x=x,
            y=y + lane * LANE_HEIGHT + 2,
            width=round(window.place(end) - x, 3),
            days=days,
            tip=f"{bar.label}|{days}|{bar.detail}",
            said=f"{bar.label}, {days}, {bar.detail}, {row}",
        )
