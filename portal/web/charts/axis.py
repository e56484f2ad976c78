"""What the charts share: a window of days, places on it in percent, and the marks of its axis."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

_MOST_TICKS = 13
_MONTH_STEPS = (1, 2, 3, 6, 12, 24)
_WEEKS_BELOW_DAYS = 50
_LABEL_PX, _LABEL_SPACE_PX = 6.3, 14
_NARROWEST_PX, _WIDEST_PX = 44, 190
_PHONE_PX = 280


@dataclass(frozen=True, slots=True)
class Window:
    """The days [start, end) that a chart shows; at least one."""

    start: dt.date
    end: dt.date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a window from {self.start} to {self.end} holds no day")

    @classmethod
    def of(cls, start: dt.date, days: int) -> Window:
        return cls(start, start + dt.timedelta(days=days))

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def place(self, day: dt.date) -> float:
        """Where the day begins, in percent of the width; days outside lie on the edge."""
        inside = min(max(day, self.start), self.end)
        return round((inside - self.start).days / self.days * 100, 3)

    def shows(self, start: dt.date, end: dt.date | None) -> bool:
        """Whether any day of [start, end) is in the window."""
        return start < self.end and (end is None or end > self.start)

    def moved(self, windows: float) -> Window:
        """The window as long as this one, so many of its lengths later."""
        return Window.of(self.start + dt.timedelta(days=round(self.days * windows)), self.days)

    def clipped(self, start: dt.date, end: dt.date | None) -> tuple[dt.date, dt.date]:
        """The part of [start, end) in the window, which must show some of it."""
        return max(start, self.start), self.end if end is None else min(end, self.end)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis, in percent; the label of a wide-only one would meet its neighbour's on a phone."""

    place: float
    label: str
    is_wide_only: bool = False


def day_ticks(window: Window) -> tuple[Tick, ...]:
    """Mondays of a short window, else the first days of months, as many as are readable."""
    days = _mondays(window) if window.days < _WEEKS_BELOW_DAYS else _firsts_of_months(window)
    ticks = [
        Tick(window.place(day), _tick_label(day, window, previous))
        for day, previous in zip(days, [None, *days], strict=False)
    ]
    kept = _kept_on_a_phone(ticks)
    return tuple(tick if tick in kept else replace(tick, is_wide_only=True) for tick in ticks)


def value_ticks(highest: float) -> tuple[int, ...]:
    """Round values from nought to the first one that is not below `highest`, three to eight of them."""
    step = 1
    while highest / step > 7:
        step = _next_round(step)
    count = max(1, -(-int(-(-highest // 1)) // step))
    return tuple(step * index for index in range(count + 1))


def label_width(labels: list[str]) -> int:
    """Pixels for the longest of these labels."""
    longest = max((len(label) for label in labels), default=0)
    return int(min(max(longest * _LABEL_PX + _LABEL_SPACE_PX, _NARROWEST_PX), _WIDEST_PX))


def _kept_on_a_phone(ticks: list[Tick]) -> list[Tick]:
    """The labels that fit beside each other: those that say a year first, the later before the earlier."""
    kept: list[Tick] = []
    for tick in sorted(ticks, key=lambda tick: (len(tick.label), tick.place), reverse=True):
        if all(abs(tick.place - other.place) >= _room(min(tick, other, key=_place)) for other in kept):
            kept.append(tick)
    return kept


def _place(tick: Tick) -> float:
    return tick.place


def _room(tick: Tick) -> float:
    """The percent of a phone's chart that the label takes."""
    return (len(tick.label) * _LABEL_PX + _LABEL_SPACE_PX) / _PHONE_PX * 100


def _next_round(step: int) -> int:
    """1, 2, 5, 10, 20, 50 …"""
    return step * 5 // 2 if str(step).startswith("2") else step * 2


def _mondays(window: Window) -> list[dt.date]:
    first = window.start + dt.timedelta(days=-window.start.weekday() % 7)
    return [first + dt.timedelta(days=each) for each in range(0, (window.end - first).days, 7)]


def _firsts_of_months(window: Window) -> list[dt.date]:
    months = _months(window)
    step = next((step for step in _MONTH_STEPS if len(months) <= step * _MOST_TICKS), _MONTH_STEPS[-1])
    return [month for month in months if (month.year * 12 + month.month - 1) % step == 0]


def _months(window: Window) -> list[dt.date]:
    months = []
    month = window.start.replace(day=1)
    while month < window.end:
        if month >= window.start:
            months.append(month)
        month = (month + dt.timedelta(days=32)).replace(day=1)
    return months


def _tick_label(day: dt.date, window: Window, previous: dt.date | None) -> str:
    """The year is said once, where it begins."""
    is_new_year = previous is None or previous.year != day.year
    if window.days < _WEEKS_BELOW_DAYS:
        return f"{day.day} {day:%b %Y}" if is_new_year else f"{day.day} {day:%b}"
    return f"{day:%b %Y}" if is_new_year else f"{day:%b}"
