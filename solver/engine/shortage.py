"""What one declined request lacks at one start: GPUs by day in the unit that comes closest, and who has them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from solver.cluster import Counts, unchanged
from solver.engine.survey import Survey, allowed_pods, largest_first
from solver.fit import Ask, allowed_sites, fits, most, room_for
from solver.plan import Holder, ReasonCode, Shortage
from solver.racks import Flags
from solver.reasons import CLUSTER, MOST_RIVALS
from solver.standing import Block, Kind, Room, Standing
from solver.terms import GPUS_PER_RACK


@dataclass(frozen=True, slots=True)
class Missing:
    """GPUs missing in ``unit`` on each day of the window, and who stands in the way there, largest first."""

    unit: str
    by_day: Counts
    holders: list[Holder]


def ranges(missing: Missing, start: dt.date) -> list[Shortage]:
    """The missing GPUs as ranges of days; the window begins on ``start``."""
    return [
        Shortage(
            unit=missing.unit,
            start=start + dt.timedelta(first),
            end=start + dt.timedelta(last),
            gpus=int(missing.by_day[first]),
        )
        for first, last in unchanged(len(missing.by_day), missing.by_day)
        if missing.by_day[first] > 0
    ]


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit of the request's scope, its number among them, and its pods ``[first, last)``."""

    name: str
    number: int
    pods: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Case:
    """A request at one start, against one survey; ``ask.gpus`` is the least that the request would take."""

    survey: Survey
    ask: Ask
    start: int

    @property
    def standing(self) -> Standing:
        return self.survey.standing

    @property
    def days(self) -> slice:
        return slice(self.start, self.start + self.ask.days)

    @property
    def _racks(self) -> int:
        """Racks that the block takes, whole or in part."""
        return max(1, self.ask.gpus // GPUS_PER_RACK)

    def missing(self, code: ReasonCode) -> Missing:
        """What the rule of this code lacks, and the reservations, holds and losses that it lacks them for."""
        match code:
            case "contract" | "quota":
                by_day = self._below(self._own_limit(code)[self.days])
                return Missing(CLUSTER, by_day, self._own_blocks("reservation", code, by_day))
            case "hold":
                by_day = self._held_back()
                return Missing(CLUSTER, by_day, self._holds(by_day))
            case _:
                unit, by_day = self._closest_unit()
                return Missing(unit.name, by_day, self.in_unit(unit, by_day))

    def taken(self, alone: Survey) -> Missing:
        """The same where accepted blocks made the difference: they are the holders. ``alone``: without them.

        In a unit that comes closest, yet would be too full without them, what else stands there is a holder as well.
        """
        own = itertools.chain.from_iterable(self._own_rivals(code) for code in ("contract", "quota"))
        if fits(self.standing, self.ask, self.survey.no_limit, self.start, self.start + 1).all():
            rivals = self._rivals_of_holds(np.full(self.ask.days, self.ask.gpus))
            return Missing(CLUSTER, self._held_back(), _largest_rivals([*own, *rivals]))
        unit, by_day = self._closest_unit(alone)
        racks = self.survey.fits_by_day(self.ask, self.survey.no_limit, unit.number, self.start)
        rivals = [*self._rivals_of_holds(racks), *self._rivals_of_racks(unit, by_day)]
        holders = [*_largest_rivals([*own, *rivals]), *self._besides(unit, alone)]
        return Missing(unit.name, by_day, largest_first(holders))

    def _besides(self, unit: _Unit, alone: Survey) -> list[Holder]:
        """Who would stand in the way in this unit without any accepted block."""
        case = replace(self, survey=alone)
        room, fitting = room_for(alone.standing, self.ask), int(self._largest_alone(alone)[unit.number])
        if fitting >= self.ask.gpus:
            return []
        by_day = self._below(alone.fits_by_day(self.ask, room, unit.number, self.start))
        return case.in_unit(unit, self._at_least(by_day, fitting))

    def in_unit(self, unit: _Unit, by_day: Counts) -> list[Holder]:
        """The reservations, holds and losses that keep the block from this unit on the days that are short."""
        blocks = self.survey.census.holders("reservation", unit.pods, self._flags(by_day))
        losses = self.survey.obstacles(unit.pods, self.start + np.flatnonzero(by_day), self._racks)
        holds = self._holds(self._below(self._within(room_for(self.standing, self.ask))))
        return largest_first({*blocks, *losses, *holds})

    def _own_rivals(self, code: ReasonCode) -> list[Holder]:
        """R6, R9: accepted blocks that fill the request's own contract or quota."""
        if code == "contract" and self.ask.contract is None:
            return []
        return self._own_blocks("accepted", code, self._below(self._own_limit(code)[self.days]))

    def _rivals_of_holds(self, racks: Counts) -> list[Holder]:
        """R7, R8: accepted blocks on the days on which the rows leave less than the GPUs for which there are ``racks``,
        wherever these rows count. (Where there are no racks, those who have them fill the rows as well.)
        """
        room = self.standing.hold_room(self.ask.contract, self.ask.notice)
        lacking = np.where(self._within(room) < racks, 1, 0)
        everywhere = bool((room.cluster[self.days] < racks).any())
        pods = allowed_pods(self.survey.cluster, allowed_sites(self.standing, self.ask))
        pods = (0, len(self.survey.cluster.pods.ids)) if everywhere else pods
        return self.survey.census.holders("accepted", pods, self._flags(lacking), MOST_RIVALS)

    def _rivals_of_racks(self, unit: _Unit, by_day: Counts) -> list[Holder]:
        """R1 to R3: those in the unit; a small block needs no other rack opened where one of theirs would do."""
        inside = self.survey.census.holders("accepted", unit.pods, self._flags(by_day), MOST_RIVALS)
        reach = self._reach(unit, by_day)
        if reach == unit.pods or (inside and self.ask.gpus < GPUS_PER_RACK):
            return inside
        return self.survey.census.holders("accepted", reach, self._flags(by_day), MOST_RIVALS)

    def _reach(self, unit: _Unit, by_day: Counts) -> tuple[int, int]:
        """The pods whose blocks leave the unit too little: its own, or its hall's (R2) or site's (R3) where they have
        less left than the unit has free racks.
        """
        if self.ask.scope == "any" or unit.pods[0] == unit.pods[1]:
            return unit.pods
        cluster, racks = self.survey.cluster, self.standing.racks
        short = self.start + np.flatnonzero(by_day)
        hall, site = int(cluster.hall_of_pod[unit.pods[0]]), int(cluster.site_of_pod[unit.pods[0]])
        free = self.survey.free_in_pod[short, slice(*unit.pods)].sum(axis=1).clip(max=self._racks)
        if (racks.power_room[short, site] < free).any():
            return self.survey.pods_of("site", site)
        if self.ask.scope == "pod" and (racks.hall_room[short, hall] < free).any():
            return self.survey.pods_of("hall", hall)
        return unit.pods

    def _own_limit(self, code: ReasonCode) -> Counts:
        """R6 or R9: what the contract or the quota leaves by day."""
        if code == "contract" and self.ask.contract is not None:
            return self.standing.contract_room(self.ask.contract)
        return self.standing.quota_room(self.ask.tenant)

    def _own_blocks(self, kind: Kind, code: ReasonCode, by_day: Counts) -> list[Holder]:
        """The blocks that fill the contract or the quota on the days that are short."""

        def is_own(block: Block) -> bool:
            return block.contract == self.ask.contract if code == "contract" else block.tenant == self.ask.tenant

        if not by_day.any():
            return []
        short = np.concatenate(([0], np.cumsum(self._flags(by_day))))
        return largest_first(
            Holder(kind=kind, id=block.id, gpus=block.gpus)
            for block in self.standing.blocks.values()
            if block.kind == kind and is_own(block) and short[block.last] > short[block.first]
        )

    def _within(self, room: Room) -> Counts:
        """GPUs that a room leaves over the cluster by day; the block may have to lie in one site."""
        in_sites = np.where(allowed_sites(self.standing, self.ask), room.site[self.days], 0)
        by_site = in_sites.sum(axis=1) if self.ask.scope == "any" else in_sites.max(axis=1, initial=0)
        result: Counts = np.minimum(room.cluster[self.days], by_site)
        return result - result % self.ask.multiple

    def _held_back(self) -> Counts:
        """The same under R6 to R9, on every day alike where the window as a whole lacks more than its worst day."""
        largest = most(self.standing, self.ask, room_for(self.standing, self.ask), self.start, self.start + 1)
        return self._at_least(self._below(self._within(room_for(self.standing, self.ask))), int(largest.max(initial=0)))

    def _holds(self, by_day: Counts) -> list[Holder]:
        """Other contracts whose hold the block may not use. Where reservations stand on spares, those as well."""
        short = self.start + np.flatnonzero(by_day)
        room = self.standing.hold_room(self.ask.contract, self.ask.notice)
        everywhere = bool((room.cluster[short] < self.ask.gpus).any())
        sites = np.array(self.survey.cluster.sites.ids)[allowed_sites(self.standing, self.ask)]
        found = [
            Holder(kind="hold", id=contract.id, gpus=int(held.max(initial=0)))
            for contract in self.standing.snapshot.contracts
            if contract.id != self.ask.contract
            and contract.booking_lead_days < self.ask.notice
            and (everywhere or contract.site in sites)
            and (held := self.standing.held(contract)[short]).max(initial=0) > 0
        ]
        return largest_first([*found, *self._spares_in_use(short)])

    def _spares_in_use(self, short: Counts) -> list[Holder]:
        """Halls in which reservations stand on spare racks: the site's count of GPUs for sale runs out before racks."""
        pods = allowed_pods(self.survey.cluster, allowed_sites(self.standing, self.ask))
        over = np.flatnonzero(self.standing.racks.hall_room[short].min(axis=0, initial=0) < 0)
        ids = {self.survey.cluster.halls.ids[hall] for hall in over.tolist()}
        obstacles = self.survey.obstacles(pods, short, self._racks)
        return [holder for holder in obstacles if holder.kind == "spare" and holder.id in ids]

    def _closest_unit(self, alone: Survey | None = None) -> tuple[_Unit, Counts]:
        """The unit of the scope with the fewest GPUs missing over the window under all rules, and how many on each day;
        of such units rather one that has room ``alone``.

        All rules: so many GPUs more, and the block fits. Where each single day has more racks free than the window as a
        whole, the whole window is short.
        """
        room = room_for(self.standing, self.ask)
        largest = most(self.standing, self.ask, room, self.start, self.start + 1)[0]
        free = self.survey.free_rack_days(self.ask.scope, self.days.start, self.days.stop)
        owed = self.survey.owed_racks(self.ask.scope, self.days.start, self.days.stop)
        full = np.zeros_like(largest) if alone is None else largest - self._largest_alone(alone)
        order = np.lexsort((-free, owed, full, -largest, ~self._allowed_units()))
        if not len(order):  # a cluster without a single unit of this scope
            return _Unit(CLUSTER, 0, (0, 0)), np.full(self.ask.days, self.ask.gpus)
        unit = int(order[0])
        by_day = self._below(self.survey.fits_by_day(self.ask, room, unit, self.start))
        name = self.survey.cluster.units(self.ask.scope).ids[unit]
        return _Unit(name, unit, self._pods(unit)), self._at_least(by_day, int(largest[unit]))

    def _largest_alone(self, alone: Survey) -> Counts:
        """GPUs that fit in each unit without any accepted block."""
        room = room_for(alone.standing, self.ask)
        result: Counts = most(alone.standing, self.ask, room, self.start, self.start + 1)[0]
        return result

    def _allowed_units(self) -> Flags:
        cluster, sites = self.survey.cluster, allowed_sites(self.standing, self.ask)
        match self.ask.scope:
            case "pod":
                return sites[cluster.site_of_pod]
            case "hall":
                return sites[cluster.site_of_hall]
            case "site":
                return sites
            case "any":
                return np.ones(1, dtype=np.bool_)

    def _pods(self, unit: int) -> tuple[int, int]:
        if self.ask.scope == "any":
            return allowed_pods(self.survey.cluster, allowed_sites(self.standing, self.ask))
        return self.survey.pods_of(self.ask.scope, unit)

    def _below(self, limit: Counts) -> Counts:
        """GPUs missing by day where ``limit`` is what there is, in the block's multiple."""
        result: Counts = np.maximum(0, self.ask.gpus - (limit - limit % self.ask.multiple))
        return result

    def _at_least(self, by_day: Counts, fitting: int) -> Counts:
        """GPUs missing by day; on every day alike where the window as a whole lacks more than its worst day."""
        lacking = self.ask.gpus - fitting
        return by_day if int(by_day.max()) >= lacking else np.full_like(by_day, lacking)

    def _flags(self, by_day: Counts) -> Flags:
        """The days of the plan on which something is missing."""
        flags = np.zeros(self.survey.cluster.days, dtype=np.bool_)
        flags[self.days] = by_day > 0
        return flags


def _largest_rivals(rivals: Iterable[Holder]) -> list[Holder]:
    """Each once, with the most that it has."""
    most_of: dict[str, Holder] = {}
    for rival in rivals:
        known = most_of.setdefault(rival.id, rival)
        most_of[rival.id] = max(known, rival, key=lambda holder: holder.gpus)
    return largest_first(most_of.values())[:MOST_RIVALS]
