"""The map of halls by day: a cell is a run of days on which nothing changes in a hall, and a link to the hall then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from portal.plans.usage import HallUse
from portal.web.charts.axis import Tick, Window, day_ticks, label_width
from portal.web.charts.heat import ROW_HEIGHT, level_of
from portal.web.format import counted_text, day_range_text, number_text

MOST_CELLS = 200
"""So many cells, with their table, keep a page below 150 KB."""
_STEPS = (1, 2, 3, 7, 14, 28, 91, 182)
_ROW_HEIGHT = ROW_HEIGHT + 2
_Address = Callable[[str, dt.date], str]


@dataclass(frozen=True, slots=True)
class HallRow:
    """A hall: its code, its name, its racks, and how many of them are kept as spares."""

    code: str
    name: str
    racks: int
    spare_racks: int


@dataclass(frozen=True, slots=True)
class UseCell:
    """Days [start, end) of one use; ``level`` 0 (none booked) to 8 (nearly all); places in percent, ``y`` in pixels."""

    hall: HallRow
    start: dt.date
    end: dt.date
    use: HallUse
    level: int
    x: float
    y: int
    width: float
    href: str
    tip: str


@dataclass(frozen=True, slots=True)
class UseMap:
    """What `use_map` draws: ``step`` days are taken together; ``day``, the chosen one, in percent if it is shown."""

    window: Window
    ticks: tuple[Tick, ...]
    halls: tuple[HallRow, ...]
    cells: tuple[UseCell, ...]
    step: int
    day: float | None
    label_width: int

    row_height = _ROW_HEIGHT

    @property
    def height(self) -> int:
        return len(self.halls) * _ROW_HEIGHT


def use_map(
    window: Window,
    halls: Sequence[HallRow],
    uses: Mapping[str, Sequence[HallUse]],
    address: _Address,
    *,
    day: dt.date,
) -> UseMap:
    """The halls in their order, each with its use on every day of the window; ``address`` leads to a hall on a day.

    Where too much changes for one page, days are taken together and the cell tells the worst of them.
    """
    step = next((step for step in _STEPS if _count(uses, step) <= MOST_CELLS), _STEPS[-1])
    return UseMap(
        window=window,
        ticks=day_ticks(window),
        halls=tuple(halls),
        cells=tuple(
            cell
            for index, hall in enumerate(halls)
            for cell in _Row(window, hall, index * _ROW_HEIGHT, step).cells(uses[hall.code], address)
        ),
        step=step,
        day=window.place(day) if window.shows(day, day + dt.timedelta(1)) else None,
        label_width=label_width([hall.name for hall in halls]),
    )


def use_words(hall: HallRow, use: HallUse) -> str:
    """What is not free, and why: 240 booked, 4 spare, 2 out, power limited."""
    parts = [f"{number_text(use.booked)} booked"]
    parts += [f"{number_text(hall.spare_racks)} spare"] if hall.spare_racks else []
    parts += [f"{number_text(use.out)} out"] if use.out else []
    parts += ["power limited"] if use.is_limited else []
    return ", ".join(parts)


def worst(uses: Sequence[HallUse], step: int) -> list[HallUse]:
    """Of each ``step`` days in a row the least that is free and the most of all else."""
    chunks = [uses[first : first + step] for first in range(0, len(uses), step)]
    return [
        HallUse(
            booked=max(use.booked for use in chunk),
            free=min(use.free for use in chunk),
            out=max(use.out for use in chunk),
            is_limited=any(use.is_limited for use in chunk),
        )
        for chunk in chunks
    ]


@dataclass(frozen=True, slots=True)
class _Row:
    window: Window
    hall: HallRow
    y: int
    step: int

    def cells(self, uses: Sequence[HallUse], address: _Address) -> Iterator[UseCell]:
        for first, end, use in _runs(worst(uses, self.step)):
            start = self.window.start + dt.timedelta(first * self.step)
            stop = min(self.window.start + dt.timedelta(end * self.step), self.window.end)
            yield self._cell(start, stop, use, address(self.hall.code, start))

    def _cell(self, start: dt.date, stop: dt.date, use: HallUse, href: str) -> UseCell:
        x = self.window.place(start)
        at_least = "at least " if self.step > 1 else ""
        free = f"{at_least}{number_text(use.free)} of {counted_text(self.hall.racks, 'rack')} free"
        return UseCell(
            hall=self.hall,
            start=start,
            end=stop,
            use=use,
            level=level_of(use.booked, self.hall.racks),
            x=x,
            y=self.y,
            width=round(self.window.place(stop) - x, 3),
            href=href,
            tip=f"{self.hall.name}|{day_range_text(start, stop)}|{free}|{use_words(self.hall, use)}",
        )


def _count(uses: Mapping[str, Sequence[HallUse]], step: int) -> int:
    return sum(1 for hall in uses.values() for _ in _runs(worst(hall, step)))


def _runs(uses: Sequence[HallUse]) -> Iterator[tuple[int, int, HallUse]]:
    first = 0
    for index in range(1, len(uses) + 1):
        if index == len(uses) or uses[index] != uses[first]:
            yield first, index, uses[first]
            first = index
