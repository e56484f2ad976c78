"""Blocks as the plan leaves them: accepted requests, and reservations moved, recalled or kept; and what they use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from solver.plan import Accepted, Plan
from solver.snapshot import Request, Reservation, Segment, Snapshot
from solver.verify.ground import Ground, Ints
from solver.verify.stretches import Stretches


@dataclass(frozen=True, slots=True)
class Part:
    """GPUs on racks during the stretches ``[first, last)``; ``racks`` and ``gpus`` go together."""

    first: int
    last: int
    racks: Ints
    gpus: Ints


@dataclass(frozen=True, slots=True)
class Block:
    """A block during the stretches ``[first, last)``; ``gpus`` are promised, ``parts`` are where they stand."""

    id: str
    of: Reservation | Request
    accepted: bool
    gpus: int
    first: int
    last: int
    parts: tuple[Part, ...]

    @property
    def span(self) -> slice:
        return slice(self.first, self.last)


@dataclass(frozen=True, slots=True)
class SiteUse:
    """GPUs by stretch and site: of firm blocks, and of interruptible ones for each recall notice."""

    firm: Ints
    interruptible: dict[int, Ints]

    def counted(self, notice: int | None) -> Ints:
        """Firm GPUs (R7, None), or with them the interruptible ones with at least this recall notice (R8)."""
        total = self.firm.copy()
        for days, gpus in self.interruptible.items():
            if notice is not None and days >= notice:
                total += gpus
        return total


@dataclass(frozen=True, slots=True)
class Use:
    """What blocks use, one row per stretch.

    ``load`` is GPUs by rack (stretches x racks), ``carrying`` racks by hall, ``racks_in_site`` racks by site, ``sites``
    GPUs by site; ``by_contract`` and ``by_tenant`` are the GPUs promised.
    """

    load: Ints
    carrying: Ints
    racks_in_site: Ints
    sites: SiteUse
    by_contract: dict[str, Ints]
    by_tenant: dict[str, Ints]


def standing(snapshot: Snapshot, plan: Plan, ground: Ground, stretches: Stretches) -> Iterator[Block]:
    """Every block with a day left: reservations as the plan leaves them, then accepted requests."""
    moved = {move.reservation: move.placement for move in plan.moves}
    ends = ends_of(snapshot, plan)
    for reservation in snapshot.reservations:
        span = stretches.span(reservation.start, ends[reservation.id])
        parts = parts_of(moved.get(reservation.id, reservation.placement), span, ground, stretches)
        if span.start < span.stop:
            yield Block(reservation.id, reservation, False, reservation.gpus, span.start, span.stop, tuple(parts))
    requests = {request.id: request for request in snapshot.requests}
    for accepted in plan.accepted:
        yield _accepted(accepted, requests[accepted.request], ground, stretches)


def ends_of(snapshot: Snapshot, plan: Plan) -> dict[str, dt.date]:
    """When each reservation ends under the plan: where recalled, earlier than its own end."""
    recalled = {recall.reservation: recall.end for recall in plan.recalls}
    return {r.id: min(r.end, recalled.get(r.id, r.end)) for r in snapshot.reservations}


def parts_of(placement: Iterable[Segment], span: slice, ground: Ground, stretches: Stretches) -> Iterator[Part]:
    """The segments of a placement, cut to the stretches ``span``."""
    for segment in placement:
        inside = stretches.span(segment.start, segment.end)
        first, last = max(inside.start, span.start), min(inside.stop, span.stop)
        if first < last:
            yield _part(first, last, segment.racks, ground)


def use_of(blocks: Collection[Block], ground: Ground, days: int) -> Use:
    """What ``blocks`` use together over ``days`` stretches."""
    load = np.zeros((days, len(ground.racks)), dtype=np.int64)
    for part in (part for block in blocks for part in block.parts):
        load[part.first : part.last, part.racks] += part.gpus
    carried = load > 0
    charged = [(block.of.contract, block) for block in blocks if block.of.contract is not None]
    return Use(
        load=load,
        carrying=ground.halls.counts(carried),
        racks_in_site=ground.sites.counts(carried),
        sites=site_use_of(blocks, ground, days),
        by_contract=_promised(charged, days),
        by_tenant=_promised([(block.of.tenant, block) for block in blocks], days),
    )


def site_use_of(blocks: Iterable[Block], ground: Ground, days: int) -> SiteUse:
    """The GPUs of ``blocks`` by stretch and site."""
    firm = np.zeros((days, len(ground.sites.ids)), dtype=np.int64)
    interruptible: dict[int, Ints] = {}
    for block in blocks:
        notice = block.of.recall_notice_days
        by_site = firm if notice is None else interruptible.setdefault(notice, np.zeros_like(firm))
        for part in block.parts:
            sites = np.bincount(ground.sites.of_rack[part.racks], weights=part.gpus, minlength=firm.shape[1])
            by_site[part.first : part.last] += sites.astype(np.int64)
    return SiteUse(firm, interruptible)


def _accepted(accepted: Accepted, request: Request, ground: Ground, stretches: Stretches) -> Block:
    span = stretches.span(accepted.start, accepted.end)
    parts = (_part(span.start, span.stop, accepted.racks, ground),)
    return Block(request.id, request, True, accepted.gpus, span.start, span.stop, parts)


def _part(first: int, last: int, racks: dict[str, int], ground: Ground) -> Part:
    numbers = np.array([ground.number[rack] for rack in racks], dtype=np.int64)
    return Part(first, last, numbers, np.array(list(racks.values()), dtype=np.int64))


def _promised(owned: Iterable[tuple[str, Block]], days: int) -> dict[str, Ints]:
    result: dict[str, Ints] = {}
    for owner, block in owned:
        result.setdefault(owner, np.zeros(days, dtype=np.int64))[block.span] += block.gpus
    return result
