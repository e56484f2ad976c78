"""The step area: amounts stacked by tenant (or contract) over time, against a capacity line and a booked line."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from portal.web.charts.axis import Tick, Window, day_ticks, label_width, value_ticks
from portal.web.format import day_range_text, number_text

SCALE = 1000
"""Paths are drawn in a square of this side and stretched."""
Steps = Mapping[dt.date, int]
"""A value from each day on, until the next day named; 0 before the first."""


@dataclass(frozen=True, slots=True)
class Series:
    """One layer of the stack; `colour` 0 to 7."""

    label: str
    steps: Steps
    colour: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line over the stack: `kind` is "capacity" (solid) or "booked" (dashed)."""

    label: str
    steps: Steps
    kind: str


@dataclass(frozen=True, slots=True)
class Area:
    label: str
    colour: int
    path: str


@dataclass(frozen=True, slots=True)
class DrawnLine:
    label: str
    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Column:
    """A stretch [start, end) on which nothing changes: one row of the table, one tooltip."""

    start: dt.date
    end: dt.date
    values: tuple[int, ...]
    lines: tuple[int, ...]
    x: float
    width: float
    tip: str


@dataclass(frozen=True, slots=True)
class StepView:
    """What `step_area` draws."""

    window: Window
    ticks: tuple[Tick, ...]
    levels: tuple[Tick, ...]
    areas: tuple[Area, ...]
    lines: tuple[DrawnLine, ...]
    columns: tuple[Column, ...]
    heads: list[str]
    """The labels of each column's values, then of its lines."""
    unit: str
    label_width: int

    scale = SCALE


def step_view(window: Window, stack: Sequence[Series], lines: Sequence[Line] = (), *, unit: str = "GPUs") -> StepView:
    """The layers from the bottom up."""
    cuts = _cuts(window, [*(layer.steps for layer in stack), *(line.steps for line in lines)])
    starts = cuts[:-1]
    values = [[value_at(layer.steps, day) for day in starts] for layer in stack]
    over = [[value_at(line.steps, day) for day in starts] for line in lines]
    totals = [sum(column) for column in zip(*values, strict=True)] or [0]
    levels = value_ticks(max(1, *totals, *(value for line in over for value in line)))
    drawing = _Drawing(tuple(window.place(day) * SCALE / 100 for day in cuts), levels[-1])
    return StepView(
        window=window,
        ticks=day_ticks(window),
        levels=tuple(Tick(round(100 - level / levels[-1] * 100, 3), number_text(level)) for level in levels),
        areas=tuple(drawing.areas(stack, values)),
        lines=tuple(
            DrawnLine(line.label, line.kind, drawing.line(heights)) for line, heights in zip(lines, over, strict=True)
        ),
        columns=_columns(window, cuts, (stack, values), (lines, over), unit=unit),
        heads=[*(layer.label for layer in stack), *(line.label for line in lines)],
        unit=unit,
        label_width=label_width([number_text(levels[-1])]),
    )


def value_at(steps: Steps, day: dt.date) -> int:
    """The value that holds on this day."""
    days = sorted(steps)
    index = bisect.bisect_right(days, day) - 1
    return steps[days[index]] if index >= 0 else 0


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Paths over cuts at `xs`, up to the value `top`."""

    xs: tuple[float, ...]
    top: int

    def areas(self, stack: Sequence[Series], values: Sequence[Sequence[int]]) -> list[Area]:
        areas, base = [], [0] * (len(self.xs) - 1)
        for layer, heights in zip(stack, values, strict=True):
            upper = [low + high for low, high in zip(base, heights, strict=True)]
            if upper != base:
                areas.append(Area(layer.label, layer.colour, self._between(base, upper)))
            base = upper
        return areas

    def line(self, heights: Sequence[int]) -> str:
        return f"M{_short(self.xs[0])},{self._y(heights[0])}{self._forward(heights)}"

    def _between(self, low: Sequence[int], high: Sequence[int]) -> str:
        return f"{self.line(high)}V{self._y(low[-1])}{self._backward(low)}Z"

    def _forward(self, heights: Sequence[int]) -> str:
        """To the right along the steps, a corner only where the value changes."""
        corners = [
            f"H{_short(self.xs[index])}V{self._y(heights[index])}"
            for index in range(1, len(heights))
            if heights[index] != heights[index - 1]
        ]
        return "".join(corners) + f"H{_short(self.xs[-1])}"

    def _backward(self, heights: Sequence[int]) -> str:
        corners = [
            f"H{_short(self.xs[index])}V{self._y(heights[index - 1])}"
            for index in range(len(heights) - 1, 0, -1)
            if heights[index] != heights[index - 1]
        ]
        return "".join(corners) + f"H{_short(self.xs[0])}"

    def _y(self, value: int) -> str:
        return _short(SCALE - value / self.top * SCALE)


def _cuts(window: Window, all_steps: Sequence[Steps]) -> list[dt.date]:
    """The window's edges and every day between them on which something changes."""
    changes = {day for steps in all_steps for day in steps if window.start < day < window.end}
    return [window.start, *sorted(changes), window.end]


def _columns(
    window: Window,
    cuts: Sequence[dt.date],
    stack: tuple[Sequence[Series], Sequence[Sequence[int]]],
    lines: tuple[Sequence[Line], Sequence[Sequence[int]]],
    *,
    unit: str,
) -> tuple[Column, ...]:
    columns = []
    for index, (start, end) in enumerate(pairwise(cuts)):
        values = tuple(row[index] for row in stack[1])
        over = tuple(row[index] for row in lines[1])
        said = [
            *(f"{line.label} {number_text(value)}" for line, value in zip(lines[0], over, strict=True)),
            *(f"{layer.label} {number_text(value)}" for layer, value in zip(stack[0], values, strict=True) if value),
        ]
        columns.append(
            Column(
                start=start,
                end=end,
                values=values,
                lines=over,
                x=window.place(start),
                width=round(window.place(end) - window.place(start), 3),
                tip="|".join((day_range_text(start, end), f"{number_text(sum(values))} {unit} in all", *said)),
            )
        )
    return tuple(columns)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
