"""Whether one more block fits on what stands, for many starts at once.

Two questions: `fits` (this many GPUs for this many days) and `most` (how many GPUs fit, unit by unit). Both take the
`Room` that the rules which count GPUs leave (R6 to R9); racks, halls and power (R1 to R3) and scope (R5) are theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from solver.cluster import UNLIMITED, Counts
from solver.racks import Flags, Level, window_min
from solver.snapshot import Request, Scope
from solver.standing import FIRM, Room, Standing
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY, block_multiple

_Value = TypeVar("_Value", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Ask:
    """A block that somebody would like: the terms of a request without its window and price.

    ``tenant`` null: nobody's, without a quota. ``contract`` null: on demand. ``recall_notice_days`` is set where the
    block is interruptible, and only there.
    """

    tenant: str | None
    contract: str | None
    gpus: int
    min_gpus: int
    days: int
    scope: Scope
    site: str | None
    interruptible: bool = False
    recall_notice_days: int | None = None

    @property
    def multiple(self) -> int:
        return block_multiple(self.gpus)

    @property
    def notice(self) -> int:
        """The recall notice in days; `FIRM` where it can't be recalled."""
        return FIRM if self.recall_notice_days is None else self.recall_notice_days


def ask_of(request: Request) -> Ask:
    """What a request asks for."""
    return Ask(
        tenant=request.tenant,
        contract=request.contract,
        gpus=request.gpus,
        min_gpus=request.min_gpus,
        days=request.days,
        scope=request.scope,
        site=request.site,
        interruptible=request.interruptible,
        recall_notice_days=request.recall_notice_days,
    )


def no_limit(standing: Standing) -> Room:
    """Room that no rule which counts GPUs restricts: what R1 to R3 and R5 alone allow."""
    days, sites = standing.firm().shape
    return Room(np.full(days, UNLIMITED), np.full((days, sites), UNLIMITED))


def room_for(standing: Standing, ask: Ask) -> Room:
    """What R6 to R9 leave to a block of these terms."""
    room = standing.hold_room(ask.contract, ask.notice).within(standing.quota_room(ask.tenant))
    return room if ask.contract is None else room.within(standing.contract_room(ask.contract))


def fits(standing: Standing, ask: Ask, room: Room, first: int, last: int) -> Flags:
    """For each start in ``[first, last)`` whether ``ask.min_gpus`` GPUs fit for ``ask.days`` days and end in time."""
    result = np.zeros(last - first, dtype=np.bool_)
    until = min(last, standing.cluster.days - ask.days + 1)
    if first < until:
        result[: until - first] = _Windows(standing, ask, room, first, until).fits(ask.min_gpus)
    return result


def most(standing: Standing, ask: Ask, room: Room, first: int, last: int, *, least: int = 1) -> Counts:
    """For each start in ``[first, last)`` and each unit of the ask's scope the most GPUs that fit there for
    ``ask.days`` days, in the ask's multiple and no more than it asks; 0 where fewer than ``least`` (1 or more) do.
    """
    result = np.zeros((last - first, len(standing.cluster.units(ask.scope).ids)), dtype=np.int64)
    until = min(last, standing.cluster.days - ask.days + 1)
    if first < until:
        result[: until - first] = _Windows(standing, ask, room, first, until).most(least)
    return result


def allowed_sites(standing: Standing, ask: Ask) -> Flags:
    """R5: the sites in which the block may stand, by its own site and its contract's."""
    own = None if ask.contract is None else standing.snapshot.contract_by_id[ask.contract].site
    ids = np.array(standing.cluster.sites.ids, dtype=np.str_)
    result: Flags = np.ones(len(ids), dtype=np.bool_)
    for site in (ask.site, own):
        if site is not None:
            result &= ids == site
    return result


class _Windows:
    """The windows ``[start, start + days)`` for the starts ``[first, last)``, all of which end by the horizon."""

    def __init__(self, standing: Standing, ask: Ask, room: Room, first: int, last: int) -> None:
        self.standing = standing
        self.cluster = standing.cluster
        self.racks = standing.racks
        self.ask = ask
        self.days, self.first, self.last = ask.days, first, last
        self.room = self._least(room.cluster)
        self.site_room: Counts = np.where(allowed_sites(standing, ask), self._least(room.site), 0)

    def fits(self, gpus: int) -> Flags:
        if gpus < GPUS_PER_RACK:
            return self._fits_on_a_rack(gpus)
        racks = gpus // GPUS_PER_RACK
        open_starts = self.room >= gpus
        if not open_starts.any():
            return open_starts
        match self.ask.scope:
            case "pod":
                return open_starts & self._fits_in_a("pod", racks)
            case "hall":
                return open_starts & self._fits_in_a("hall", racks)
            case _:
                fitting: Flags = self._racks_by_unit(racks).max(axis=1, initial=0) >= racks
                return open_starts & fitting

    def most(self, least: int) -> Counts:
        """GPUs, starts x units of the scope; 0 where there are fewer than ``least``."""
        if not (self.room >= least).any():  # the cheapest question, and mostly the last one
            return np.zeros((self.last - self.first, len(self.cluster.units(self.ask.scope).ids)), dtype=np.int64)
        if self.ask.gpus < GPUS_PER_RACK:
            gpus = self._trays_by_unit()
        else:
            least_racks = -(-least // GPUS_PER_RACK)
            racks = np.minimum(self._racks_by_unit(least_racks), self.room[:, None] // GPUS_PER_RACK)
            gpus = np.minimum(racks * GPUS_PER_RACK, self.ask.gpus)
        return np.where(gpus >= least, gpus, 0)

    def _fits_on_a_rack(self, gpus: int) -> Flags:
        halls = self.racks.tray_run(gpus)[self.first : self.last] >= self.days
        sites = self.site_room >= gpus
        in_a_hall: Flags = np.logical_or.reduce(halls & sites[:, self.cluster.site_of_hall], axis=1)
        return (self.room >= gpus) & in_a_hall

    def _fits_in_a(self, level: Level, racks: int) -> Flags:
        hall_open = (self._hall_room() >= racks) & (self._site_racks() >= racks)[:, self.cluster.site_of_hall]
        if not hall_open.any():
            return np.zeros(self.last - self.first, dtype=np.bool_)
        free = self.racks.free_run(level, racks, self.first, self.last) >= self.days
        result: Flags = np.logical_or.reduce(free & self._of_halls(level, hall_open), axis=1)
        return result

    def _racks_by_unit(self, least: int) -> Counts:
        """Whole racks that each unit of the scope has for a block, the limits of its hall and site counted in; exact
        where they are ``least`` or more.
        """
        in_site, hall_room = self._site_racks(), self._hall_room()
        limit = np.maximum(0, np.minimum(hall_room, in_site[:, self.cluster.site_of_hall]))
        level: Level = "pod" if self.ask.scope == "pod" else "hall"
        if self.ask.scope in ("pod", "hall"):
            by_unit = self._of_halls(level, limit)
            if (by_unit >= least).any():
                by_unit = np.minimum(self.racks.count(level, self.first, self.last, self.days), by_unit)
            return by_unit
        by_site = np.minimum(in_site, self.racks.by_site(limit))
        if (by_site.sum(axis=1) >= least).any():
            free = self.racks.count("hall", self.first, self.last, self.days)
            by_site = np.minimum(in_site, self.racks.by_site(np.minimum(free, limit)))
        return by_site if self.ask.scope == "site" else by_site.sum(axis=1, keepdims=True)

    def _trays_by_unit(self) -> Counts:
        """GPUs below 72 that each unit of the scope has on one rack for a block, by the ask's multiple."""
        everything = slice(0, len(self.cluster.rack_ids))
        trays = self.racks.trays(self.first, self.last - 1 + self.days, everything)
        by_rack = window_min(trays, 0, self.last - self.first, self.days).astype(np.int64)
        limit = np.minimum(self.site_room[:, self.cluster.sites.of_rack], self.room[:, None])
        by_rack = np.minimum(np.minimum(by_rack, limit), self.ask.gpus)
        return self.cluster.units(self.ask.scope).largest(by_rack - by_rack % GPUS_PER_TRAY)

    def _hall_room(self) -> Counts:
        return self._least(self.racks.hall_room)

    def _site_racks(self) -> Counts:
        """Whole racks that a block may have in each site (R3, and R7 and R8 there); none below 0."""
        power = self._least(self.racks.power_room)
        result: Counts = np.maximum(0, np.minimum(power, self.site_room // GPUS_PER_RACK))
        return result

    def _of_halls(self, level: Level, by_hall: NDArray[_Value]) -> NDArray[_Value]:
        return by_hall[:, self.cluster.hall_of_pod] if level == "pod" else by_hall

    def _least(self, by_day: Counts) -> Counts:
        return window_min(by_day, self.first, self.last, self.days)
