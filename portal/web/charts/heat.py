"""The heatmap: how much of each unit is free on each day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.web.charts.axis import Tick, Window, day_ticks, label_width
from portal.web.format import day_range_text, number_text

LEVELS = 8
ROW_HEIGHT = 18


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One unit: `values` for each day of the window, of `top` at most; None: the unit is not there that day."""

    label: str
    values: Sequence[int | None]
    top: int


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Days [start, end) of one value; `level` 0 for none, else 1 to 8; places in percent, `y` in pixels."""

    label: str
    start: dt.date
    end: dt.date
    value: int
    top: int
    level: int
    x: float
    y: int
    width: float
    tip: str


@dataclass(frozen=True, slots=True)
class HeatView:
    """What `heatmap` draws."""

    window: Window
    ticks: tuple[Tick, ...]
    labels: tuple[str, ...]
    cells: tuple[HeatCell, ...]
    said: str
    label_width: int

    row_height = ROW_HEIGHT

    @property
    def height(self) -> int:
        return len(self.labels) * ROW_HEIGHT


def heat_view(window: Window, rows: Sequence[HeatRow], *, said: str = "racks free") -> HeatView:
    """The rows in their order; `said` follows the numbers in the tooltip: "12 of 16 racks free"."""
    for row in rows:
        if len(row.values) != window.days:
            raise ValueError(f"{row.label} has {len(row.values)} values for {window.days} days")
    return HeatView(
        window=window,
        ticks=day_ticks(window),
        labels=tuple(row.label for row in rows),
        cells=tuple(cell for index, row in enumerate(rows) for cell in _cells(window, row, index, said)),
        said=said,
        label_width=label_width([row.label for row in rows]),
    )


def level_of(value: int, top: int) -> int:
    """0 for nothing, 8 for all, the steps between of equal size."""
    return 0 if value <= 0 else min(LEVELS, -(-value * LEVELS // max(top, 1)))


def _cells(window: Window, row: HeatRow, index: int, said: str) -> Iterator[HeatCell]:
    for first, end, value in _runs(row.values):
        if value is None:
            continue
        start = window.start + dt.timedelta(days=first)
        stop = window.start + dt.timedelta(days=end)
        x = window.place(start)
        yield HeatCell(
            label=row.label,
            start=start,
            end=stop,
            value=value,
            top=row.top,
            level=level_of(value, row.top),
            x=x,
            y=index * ROW_HEIGHT,
            width=round(window.place(stop) - x, 3),
            tip=f"{row.label}|{day_range_text(start, stop)}|{number_text(value)} of {number_text(row.top)} {said}",
        )


def _runs(values: Sequence[int | None]) -> Iterator[tuple[int, int, int | None]]:
    """Stretches [first, end) of equal neighbours."""
    first = 0
    for index in range(1, len(values) + 1):
        if index == len(values) or values[index] != values[first]:
            yield first, index, values[first]
            first = index
