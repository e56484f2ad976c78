"""One repair by construction: recalls and an order are given, racks are found lot after lot (R1, R3, R5, R10, R11).

First every reservation loses the racks that an outage takes, then the ones that power takes. Then each gets what it
lacks, in the given order: one that is not frozen a new placement for its whole interval, else replacements.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from solver.cluster import Cluster, Units
from solver.engine.repair_chain import GuardedChain, Link
from solver.engine.repair_ground import Ground, Lot, Racks
from solver.engine.repair_timeline import Mask, Timeline, lowest, ranges, runs
from solver.snapshot import Snapshot
from solver.terms import GPUS_PER_RACK


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be repaired; ``ground`` carries nothing yet."""

    snapshot: Snapshot
    cluster: Cluster
    timeline: Timeline
    ground: Ground
    lots: tuple[Lot, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What an attempt is free to choose, by the number of the lot.

    ``recalls``: the piece on which an interruptible lot ends. ``order``: who gets racks first, and loses them to power
    last. ``displaced``: lots that are not frozen and leave their racks before anything else happens, and how many of
    the places that suit them best they leave to others. ``shortest_first``: whose short losses are made good first.
    """

    recalls: dict[int, int]
    order: tuple[int, ...]
    displaced: dict[int, int] = field(default_factory=dict)
    shortest_first: frozenset[int] = frozenset()


class ImpossibleError(Exception):
    """A displaced lot can neither be placed anew nor go back."""


@dataclass(slots=True)
class Fate:
    """What becomes of a lot: the pieces on which it stands, its racks, and whether these are one new placement.

    ``lost`` and ``short`` are ranges, one for each rack that was taken and for each that nothing replaces there.
    """

    lot: Lot
    span: Mask
    racks: Racks
    moved: bool = False
    lost: list[Mask] = field(default_factory=list)
    short: list[Mask] = field(default_factory=list)

    @property
    def is_harmed(self) -> bool:
        """Whether it lacks a rack that an outage or power took."""
        return bool(self.lost) and not self.moved


def attempt(problem: Problem, choices: Choices) -> list[Fate]:
    """Every lot's fate under these choices. Raises `ImpossibleError` where they contradict each other."""
    return _Attempt(problem, choices).run()


class _Attempt:
    def __init__(self, problem: Problem, choices: Choices) -> None:
        self.problem = problem
        self.choices = choices
        self.ground = problem.ground.copy()
        self.fates = [self._stand(lot) for lot in problem.lots]
        self.order = [self.fates[number] for number in choices.order]

    def run(self) -> list[Fate]:
        self._displace()
        for site in sorted(self.ground.limits):
            self._cut_power(site)
        while any(self._relocate(fate) for fate in self.order if fate.is_harmed and fate.lot.movable):
            pass  # who left made room, perhaps for one that found none before
        for fate in self.order:
            self._replace(fate)
        return self.fates

    def _stand(self, lot: Lot) -> Fate:
        """Put the lot where the snapshot has it, without the racks that outages take from it (R10)."""
        timeline = self.problem.timeline
        end = self.choices.recalls.get(lot.number, timeline.pieces)
        span = lot.span & timeline.between(0, end)
        fate = Fate(lot, span, {})
        for rack, mask in lot.own.items():
            hit = mask & span & self.ground.dead[rack]
            gone = mask & span & timeline.from_piece(lowest(hit)) if hit else 0
            if gone:
                fate.lost += ranges(gone)
            if kept := mask & span & ~gone:
                self.ground.put(rack, lot.gpus, kept)
                fate.racks[rack] = kept
        fate.lost += [run for missing in lot.missing for run in ranges(missing & span)]
        return fate

    def _displace(self) -> None:
        """Lift every displaced lot before the first one settles, so that they may swap racks."""
        displaced = [fate for fate in self.order if fate.lot.number in self.choices.displaced and fate.span]
        before = [dict(fate.racks) for fate in displaced]
        for fate in displaced:
            self._lift_all(fate)
        for fate, racks in zip(displaced, before, strict=True):
            if not self._settle_anew(fate, skip=self.choices.displaced[fate.lot.number]):
                self._go_back(fate, racks)

    def _go_back(self, fate: Fate, racks: Racks) -> None:
        for rack, mask in racks.items():
            if mask & ~self.ground.unloaded(rack, fate.lot.gpus):
                raise ImpossibleError
            self._put(fate, rack, mask)

    def _cut_power(self, site: int) -> None:
        """R10: power takes racks on the days of excess, no more than the excess; who can leave, leaves."""
        for fate in reversed(self.order):
            if fate.lot.movable and not fate.moved and self._stands_in(fate, site, self.ground.over[site]):
                self._relocate(fate)
        while excess := self.ground.over[site]:
            victims = (fate for fate in reversed(self.order) if self._stands_in(fate, site, excess))
            self._darken(next(victims), site, excess)

    def _stands_in(self, fate: Fate, site: int, mask: Mask) -> bool:
        return any(pieces & mask and self.ground.site_of[rack] == site for rack, pieces in fate.racks.items())

    def _darken(self, victim: Fate, site: int, excess: Mask) -> None:
        """Take the victim's rack that stands longest in the excess; whoever shares it loses it too."""
        days = self.problem.timeline.days
        here = [
            (days(mask & excess), -rack) for rack, mask in victim.racks.items() if self.ground.site_of[rack] == site
        ]
        rack = -max(here)[1]
        taken = victim.racks[rack] & excess
        for fate in self.fates:
            if lost := fate.racks.get(rack, 0) & taken:
                fate.lost += ranges(lost)
                self._lift(fate, rack, lost)

    def _replace(self, fate: Fate) -> None:
        """R10: a replacement for every rack taken, longest first, in one unit of its scope where that is possible."""
        if not fate.is_harmed:
            return
        home = self._home(fate)
        longest_first = fate.lot.number not in self.choices.shortest_first
        for lost in sorted(fate.lost, key=self.problem.timeline.days, reverse=longest_first):
            for rack, mask in self._chain(fate, lost, home):
                self._put(fate, rack, mask)
                lost &= ~mask
            fate.short += ranges(lost)

    def _home(self, fate: Fate) -> int:
        """The unit of scope that has most of the lot's racks; where it has lost all, the one with most room."""
        days, of_rack = self.problem.timeline.days, self._units(fate).of_rack
        by_unit: Counter[int] = Counter()
        for rack, mask in fate.racks.items():
            by_unit[int(of_rack[rack])] += days(mask)
        if not by_unit:
            for unit, found in groupby(self._steps(fate, fate.span), key=lambda step: int(of_rack[step[0]])):
                by_unit[unit] = sum(sorted((days(mask) for _, mask in found), reverse=True)[: fate.lot.racks])
        return max(by_unit, key=lambda unit: (by_unit[unit], -unit), default=-1)

    def _steps(self, fate: Fate, lost: Mask) -> list[tuple[int, Mask]]:
        free, gpus = self.ground.free, fate.lot.gpus
        steps = [(rack, free(rack, gpus) & lost & ~fate.racks.get(rack, 0)) for rack in self._candidates(fate)]
        return [(rack, mask) for rack, mask in steps if mask]

    def _chain(self, fate: Fate, lost: Mask, home: int) -> list[tuple[int, Mask]]:
        """R10: one replacement for the taken rack, and one more each time that is taken in turn. R11: none at all where
        what it leaves short is a range that another rack could stand in for alone.
        """
        steps = self._steps(fate, lost)
        whole = [rack for rack, mask in steps if mask == lost]
        if whole:
            return [(min(whole, key=lambda rack: self._strangeness(fate, rack, home)), lost)]
        links = [link for step in steps for link in self._links(fate, lost, step)]
        chain = self._best_chain(fate, lost, links, home)
        used = 0
        for _, mask in chain:
            used |= mask
        if not any(self._is_open(fate, mask) for mask in ranges(lost & ~used)):
            return chain
        return GuardedChain(links, lost, self.problem.timeline, lambda mask: self._is_open(fate, mask)).best()

    def _strangeness(self, fate: Fate, rack: int, home: int) -> tuple[bool, bool, bool, int]:
        """The less, the better a replacement: in its scope, a rack of its own, one that carries others already."""
        of_rack = self._units(fate).of_rack
        known = rack in fate.racks or rack in fate.lot.own
        return int(of_rack[rack]) != home, not known, not self.ground.shared[rack], rack

    def _best_chain(self, fate: Fate, lost: Mask, links: list[Link], home: int) -> list[tuple[int, Mask]]:
        """The chain that covers most days, then most of them in scope, with the fewest racks."""
        timeline, of_rack = self.problem.timeline, self._units(fate).of_rack
        nothing: tuple[tuple[int, int, int], list[tuple[int, Mask]]] = ((0, 0, 0), [])
        best: dict[int | None, tuple[tuple[int, int, int], list[tuple[int, Mask]]]] = {None: nothing}
        for start in [*sorted({link.taken for link in links if link.taken is not None}, reverse=True), 0]:
            rest, top = lost & timeline.from_piece(start), nothing
            for link in links:
                if not (use := link.mask & rest):
                    continue
                (tail_days, tail_home, tail_racks), tail = best[link.taken]
                days = timeline.days(use)
                at_home = days if int(of_rack[link.rack]) == home else 0
                score = (days + tail_days, at_home + tail_home, tail_racks - 1)
                if score > top[0]:
                    top = (score, [(link.rack, use), *tail])
            best[start] = top
        return best[0][1]

    def _links(self, fate: Fate, lost: Mask, step: tuple[int, Mask]) -> Iterator[Link]:
        """A rack's free pieces between the outages and full sites that would take it in turn, and when one does."""
        rack, mask = step
        end = lost.bit_length()
        span = self.problem.timeline.between(lowest(lost), end)
        for first, last in runs(span & self.ground.alive(rack, fate.lot.gpus)):
            if use := mask & self.problem.timeline.between(first, last):
                by_outage, in_use = self.ground.dead[rack] >> last & 1, use >> (last - 1) & 1
                yield Link(rack, use, last if last < end and (by_outage or in_use) else None)

    def _is_open(self, fate: Fate, mask: Mask) -> bool:
        """R11: whether a rack in the lot's site is healthy, within power and free on all of ``mask``."""
        return any(self.ground.free(rack, GPUS_PER_RACK) & mask == mask for rack in self._candidates(fate))

    def _candidates(self, fate: Fate) -> Sequence[int]:
        site = fate.lot.site
        if site is None:
            return range(len(self.ground.dead))
        sites = self.problem.cluster.sites
        return range(int(sites.first[site]), int(sites.last[site]))

    def _units(self, fate: Fate) -> Units:
        return self.problem.cluster.units(fate.lot.reservation.scope)

    def _relocate(self, fate: Fate) -> bool:
        """R10: one new placement for the whole interval, in scope and site, on as many of its own racks as possible.
        False, and nothing changed, where there is none.
        """
        before = dict(fate.racks)
        self._lift_all(fate)
        if self._settle_anew(fate):
            return True
        for rack, mask in before.items():
            self._put(fate, rack, mask)
        return False

    def _settle_anew(self, fate: Fate, *, skip: int = 0) -> bool:
        homes = self._homes(fate, leave=skip > 0)
        fate.moved = any(self._settle(fate, racks) for racks in (*homes[skip:], *homes[:skip]))
        return fate.moved

    def _homes(self, fate: Fate, *, leave: bool) -> list[list[int]]:
        """For each unit of scope with room enough its free racks, the best ones first; the best unit first."""
        units, lot = self._units(fate), fate.lot
        by_unit: dict[int, list[int]] = {}
        for rack in self._candidates(fate):
            if self.ground.free(rack, lot.gpus) & fate.span == fate.span:
                by_unit.setdefault(int(units.of_rack[rack]), []).append(rack)
        homes = [sorted(racks, key=lambda rack: self._dislike(lot, rack, leave)) for racks in by_unit.values()]
        return sorted((racks for racks in homes if len(racks) >= lot.racks), key=lambda racks: self._cost(lot, racks))

    def _dislike(self, lot: Lot, rack: int, leave: bool) -> tuple[bool, bool, int]:
        fresh = lot.gpus < GPUS_PER_RACK and not self.ground.shared[rack]
        return (rack in lot.own) == leave, fresh, rack

    def _cost(self, lot: Lot, racks: list[int]) -> tuple[int, int]:
        """How many racks the lot has to change in this unit; then how many more are free there."""
        return sum(rack not in lot.own for rack in racks[: lot.racks]), len(racks)

    def _settle(self, fate: Fate, racks: list[int]) -> bool:
        for rack in racks:
            if len(fate.racks) < fate.lot.racks and self.ground.free(rack, fate.lot.gpus) & fate.span == fate.span:
                self._put(fate, rack, fate.span)
        if len(fate.racks) == fate.lot.racks:
            return True
        self._lift_all(fate)
        return False

    def _put(self, fate: Fate, rack: int, mask: Mask) -> None:
        self.ground.put(rack, fate.lot.gpus, mask)
        fate.racks[rack] = fate.racks.get(rack, 0) | mask

    def _lift_all(self, fate: Fate) -> None:
        for rack, mask in list(fate.racks.items()):
            self._lift(fate, rack, mask)

    def _lift(self, fate: Fate, rack: int, mask: Mask) -> None:
        self.ground.lift(rack, fate.lot.gpus, mask)
        fate.racks[rack] &= ~mask
        if not fate.racks[rack]:
            del fate.racks[rack]
