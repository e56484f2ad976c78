"""The answer of ``promise`` for people: for the cluster and for each site one table of days, below it who holds, and
whose end would set capacity free. The days of each table are cut only where one of its own figures changes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby

from rich.table import Table

from solver.promise_answer import Promise, Range
from solver.reasons import date

_COLUMNS: dict[str, Callable[[Range], int]] = {
    "capacity": lambda here: here.capacity,
    "out": lambda here: here.lost.outage,
    "spare": lambda here: here.lost.spare,
    "no power": lambda here: here.lost.power,
    "firm": lambda here: here.booked.firm,
    "interruptible": lambda here: here.booked.interruptible,
    "held": lambda here: sum(hold.gpus for hold in here.held),
    "free": lambda here: here.free,
}


def tables(promise: Promise) -> Iterator[Table]:
    """What to print, in order; every number counts GPUs."""
    yield from _unit("The cluster", promise.cluster)
    for site in promise.sites:
        yield from _unit(f"Site {site.id}", site.days)


def days(start: dt.date, end: dt.date) -> str:
    """The days ``[start, end)`` with the last one named."""
    last = end - dt.timedelta(1)
    return date(start) if last == start else f"{date(start)} to {date(last)}"


def percent(gap: float) -> str:
    """A gap; where recalls cost a tier more than it has, it is any multiple of a small bound, and only said to be."""
    return f"{gap:.2%}" if gap <= 1 else "over 100%"


def table_of(title: str, words: Iterable[str], numbers: Iterable[str]) -> Table:
    """An empty table: columns of words, then columns of numbers."""
    table = Table(title=title, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in words:
        table.add_column(head, no_wrap=True)
    for head in numbers:
        table.add_column(head, no_wrap=True, justify="right")
    return table


def _unit(title: str, ranges: list[Range]) -> Iterator[Table]:
    yield _figures(title, ranges)
    for table in (_held(title, ranges), _contingent(title, ranges)):
        if table.row_count:
            yield table


def _figures(title: str, ranges: list[Range]) -> Table:
    table = table_of(f"{title}, in GPUs", ["days"], _COLUMNS)
    for first, end in _merged(ranges, lambda here: [figure(here) for figure in _COLUMNS.values()]):
        table.add_row(days(first.start, end), *(f"{figure(first):,}" for figure in _COLUMNS.values()))
    return table


def _held(title: str, ranges: list[Range]) -> Table:
    """Who holds how much: by contract, where there is something."""
    table = table_of(f"{title}: held by contract", ["contract", "days"], ["held"])
    for name in sorted({hold.contract for here in ranges for hold in here.held}):
        for first, end in _merged(ranges, partial(_hold, contract=name)):
            if _hold(first, name):
                table.add_row(name, days(first.start, end), f"{_hold(first, name):,}")
    return table


def _contingent(title: str, ranges: list[Range]) -> Table:
    """Whose end would set how much free: by contract, where a notice is still in time."""
    words = ["contract", "days", "notice by"]
    table = table_of(f"{title}: free if the contract ended", words, ["would be free"])
    for name in sorted({rise.contract for here in ranges for rise in here.contingent}):
        for first, end in _merged(ranges, partial(_in_time, contract=name)):
            gpus = _in_time(first, name)
            if gpus:
                table.add_row(name, days(first.start, end), _decide_by(first, name), f"{gpus:,}")
    return table


def _merged(ranges: list[Range], key: Callable[[Range], object]) -> Iterator[tuple[Range, dt.date]]:
    """Neighbours with the same key as one: the first of them, and the end of the last."""
    for _, same in groupby(ranges, key):
        first, *rest = same
        yield first, (rest[-1] if rest else first).end


def _hold(here: Range, contract: str) -> int:
    return next((hold.gpus for hold in here.held if hold.contract == contract), 0)


def _in_time(here: Range, contract: str) -> int:
    rises = (rise.gpus for rise in here.contingent if rise.contract == contract and rise.decide_by is not None)
    return next(rises, 0)


def _decide_by(here: Range, contract: str) -> str:
    return next(date(r.decide_by) for r in here.contingent if r.contract == contract and r.decide_by is not None)
