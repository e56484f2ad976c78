"""What fits on top of what stands, nothing moved (R1 to R9): days and public ids in, days and public ids out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from portal.domain.states import Scope
from solver import offers
from solver.snapshot import Request
from solver.standing import Standing
from solver.terms import block_multiple


@dataclass(frozen=True, slots=True)
class Wish:
    """A block that somebody would like, by public ids: at most ``gpus``, at least ``min_gpus`` GPUs for ``days`` days.

    ``contract`` null: on demand. ``recall_notice_days`` is set exactly where the block is interruptible.
    """

    tenant: str
    contract: str | None
    gpus: int
    min_gpus: int
    days: int
    scope: Scope
    site: str | None
    recall_notice_days: int | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """A block of the same terms that fits instead; ``kind`` as in a plan's counter-offers. ``[start, end)``."""

    kind: str
    gpus: int
    start: dt.date
    end: dt.date
    scope: Scope


@dataclass(frozen=True, slots=True)
class Run:
    """On every start in ``[first, until)`` at most ``gpus`` of the GPUs wished for fit."""

    first: dt.date
    until: dt.date
    gpus: int


def horizon_of(standing: Standing) -> dt.date:
    """The first day that nothing is decided for."""
    return standing.snapshot.horizon_end


def runs(standing: Standing, wish: Wish, first: dt.date, until: dt.date) -> list[Run]:
    """How much of the wish fits at each start in ``[first, until)``, from today on and up to the horizon.

    Less than the full size counts in the block's multiple, whatever the wish's own least is.
    """
    index = standing.cluster.index
    begin, end = index(first), index(until)
    ask = replace(_ask(wish), min_gpus=block_multiple(wish.gpus))
    found: list[Run] = []
    for offset, gpus in enumerate(offers.largest(standing, ask, begin, end).tolist()):
        day = standing.cluster.date(begin + offset)
        if found and found[-1].gpus == gpus:
            found[-1] = replace(found[-1], until=day + dt.timedelta(1))
        else:
            found.append(Run(day, day + dt.timedelta(1), gpus))
    return found


def fits_at(standing: Standing, wish: Wish, start: dt.date) -> bool:
    """Whether the full size fits from ``start`` on; never before today or beyond the horizon."""
    return racks_for(standing, wish, start) is not None


def racks_for(standing: Standing, wish: Wish, start: dt.date) -> Mapping[str, int] | None:
    """GPUs by rack for the full size from ``start`` on; null where it does not fit."""
    day = (start - standing.cluster.today).days
    if not 0 <= day < standing.cluster.days:
        return None
    return offers.place(standing, _ask(wish), day, wish.gpus)


def nearest(standing: Standing, wish: Wish, earliest: dt.date, latest: dt.date) -> Sequence[Nearest]:
    """Blocks that fit instead of the full size in the window, nearest first; at most one of each kind."""
    request = Request(
        id="wish",
        tenant=wish.tenant,
        contract=wish.contract,
        tier=0,
        value_usd=0.0,
        gpus=wish.gpus,
        min_gpus=wish.min_gpus,
        earliest_start=earliest,
        latest_start=latest,
        days=wish.days,
        scope=wish.scope.value,
        site=wish.site,
        interruptible=wish.recall_notice_days is not None,
        recall_notice_days=wish.recall_notice_days,
        extends=None,
        submitted_at=dt.datetime.combine(earliest, dt.time(), dt.UTC),
    )
    found = offers.counter_offers(standing, request)
    return [Nearest(o.kind, o.gpus, o.start, o.end, Scope(o.scope)) for o in found]


def without(standing: Standing, block: str) -> None:
    """Take the reservation or offer of this public id out of what stands; nothing where it is not there."""
    if ("reservation", block) in standing.blocks:
        standing.take_out("reservation", block)


def _ask(wish: Wish) -> offers.Ask:
    return offers.Ask(
        tenant=wish.tenant,
        contract=wish.contract,
        gpus=wish.gpus,
        min_gpus=wish.gpus,
        days=wish.days,
        scope=wish.scope.value,
        site=wish.site,
        interruptible=wish.recall_notice_days is not None,
        recall_notice_days=wish.recall_notice_days,
    )
