"""Does it fit, from when, for how much — and if not, what does: the answer to a request before it is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from portal.bookings.quotes import Quote, quote
from portal.bookings.terms import Terms, WrongTerms, check, wish_of
from portal.domain.states import Scope
from portal.plans.fitting import Nearest, Run, Wish, nearest, runs
from portal.plans.standing import kept_standing
from portal.web.charts.axis import Tick, Window, day_ticks
from portal.web.format import day_range_text, day_text, days_text, gpus_racks_text

_STRIP_BEFORE, _STRIP_AFTER, _STRIP_LEAST = 14, 60, 120
IN_SCOPE = {
    Scope.POD: "in one pod",
    Scope.HALL: "in one hall",
    Scope.SITE: "in one site",
    Scope.ANY: "anywhere",
}


@dataclass(frozen=True, slots=True)
class Block:
    """``gpus`` GPUs on each day of ``[start, end)``; ``kind`` says how it differs from what was asked."""

    kind: str
    gpus: int
    start: dt.date
    end: dt.date
    scope: Scope

    @property
    def days(self) -> int:
        return (self.end - self.start).days


@dataclass(frozen=True, slots=True)
class Cell:
    """A run of starts in the strip, in percent of its width; ``level`` is all, some or none."""

    run: Run
    level: str
    x: float
    width: float
    tip: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The calendar of starts; ``asked`` is the window asked for, as x and width in percent."""

    window: Window
    ticks: tuple[Tick, ...]
    cells: tuple[Cell, ...]
    asked: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """``block`` is what fits of what was asked, null where nothing does; ``others`` are what fits instead."""

    sentence: str
    rest: str
    block: Block | None
    price: Quote | None
    others: tuple[Block, ...]
    strip: Strip

    @property
    def is_whole(self) -> bool:
        return self.block is not None and self.block.kind == "asked"


def answer(session: Session, terms: Terms, *, today: dt.date, now: dt.datetime) -> Answer:
    """What fits of these terms now. Raises `WrongTerms` for terms that nobody can ask for."""
    check(session, terms, today)
    start = max(terms.earliest_start, today)
    quote(session, terms, start=start, today=today)  # an offer below the rate card is refused before it is looked at
    wish = wish_of(session, terms)
    window = _strip_window(terms, today)
    with kept_standing(session, today=today, now=now) as standing:
        found = runs(standing, wish, window.start, window.end)
        block = _best(found, wish, start, terms.latest_start)
        others = () if block and block.kind == "asked" else nearest(standing, wish, start, terms.latest_start)
    price = quote(session, _as(terms, block), start=block.start, today=today) if block else None
    first, rest = _sentence(terms, block, others, start)
    return Answer(first, rest, block, price, tuple(_block(o) for o in others), _strip(window, found, terms))


def priced(session: Session, terms: Terms, block: Block, *, today: dt.date) -> Quote | None:
    """The price of another block of these terms; null where the rate card has none for its scope."""
    try:
        return quote(session, replace(_as(terms, block), scope=block.scope), start=block.start, today=today)
    except WrongTerms:
        return None


def _best(found: Sequence[Run], wish: Wish, first: dt.date, latest: dt.date) -> Block | None:
    """The earliest start of the full size, else the largest size that is enough, at its earliest start."""
    inside = [run for run in found if run.until > first and run.first <= latest and run.gpus >= wish.min_gpus]
    if not inside:
        return None
    run = max(inside, key=lambda run: run.gpus)  # the first of equals: runs are in order
    start = max(run.first, first)
    kind = "asked" if run.gpus == wish.gpus else "smaller"
    return Block(kind, run.gpus, start, start + dt.timedelta(wish.days), wish.scope)


def _as(terms: Terms, block: Block) -> Terms:
    return terms.block(gpus=block.gpus, start=block.start, days=block.days, scope=block.scope)


def _block(found: Nearest) -> Block:
    return Block(found.kind, found.gpus, found.start, found.end, found.scope)


def _sentence(terms: Terms, block: Block | None, others: Sequence[Nearest], start: dt.date) -> tuple[str, str]:
    if block is None:
        size = gpus_racks_text(terms.min_gpus)
        window = day_range_text(start, terms.latest_start + dt.timedelta(1))
        rest = "The nearest blocks that do are below." if others else "Nothing like it fits before the plan's horizon."
        between = "from" if start == terms.latest_start else "from any of"
        return f"{size} do not fit {between} {window}.", rest
    when = f"{gpus_racks_text(block.gpus)} fit from {day_text(block.start)}"
    late = (block.start - terms.earliest_start).days
    rest = "as asked" if late <= 0 else f"{days_text(late)} later than asked"
    if block.kind == "smaller":
        rest += f"; {gpus_racks_text(terms.gpus)} do not fit in your window"
    return f"{when},", f"{rest}."


def _strip_window(terms: Terms, today: dt.date) -> Window:
    start = max(today, terms.earliest_start - dt.timedelta(_STRIP_BEFORE))
    end = terms.latest_start + dt.timedelta(_STRIP_AFTER)
    return Window(start, max(end, start + dt.timedelta(_STRIP_LEAST)))


def _strip(window: Window, found: Sequence[Run], terms: Terms) -> Strip:
    x = window.place(terms.earliest_start)
    width = max(0.4, round(window.place(terms.latest_start + dt.timedelta(1)) - x, 3))
    return Strip(window, day_ticks(window), tuple(_cell(window, run, terms) for run in found), (x, width))


def _cell(window: Window, run: Run, terms: Terms) -> Cell:
    x = window.place(run.first)
    level = "all" if run.gpus == terms.gpus else "some" if run.gpus else "none"
    size = gpus_racks_text(run.gpus)
    said = {"all": f"{size} fit", "some": f"at most {size} fit", "none": "nothing fits"}[level]
    tip = f"Start {day_range_text(run.first, run.until)}|{said} for {days_text(terms.days)}"
    return Cell(run, level, x, round(window.place(run.until) - x, 3), tip)
