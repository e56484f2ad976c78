"""One repair by construction: recalls and an order are given, racks are found lot after lot (R1, R3, R5, R10, R11).

First every reservation loses the racks that an outage takes, then the ones that power takes. Then each gets what it
lacks, in the given order: one that is not frozen a new placement for its whole interval, else replacements.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from solver.cluster import Cluster, Units
from solver.engine.repair_ground import Ground, Lot, Racks, layers
from solver.engine.repair_timeline import Mask, Timeline, lowest, runs
from solver.snapshot import Snapshot


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
    """What an attempt is free to choose. ``recalls``: the piece on which an interruptible lot ends; ``order``: who gets
    racks first, and loses them to power last; ``displaced``: lots that are not frozen and leave their racks unharmed.
    """

    recalls: dict[int, int]
    order: tuple[int, ...]
    displaced: frozenset[int] = frozenset()


@dataclass(slots=True)
class Fate:
    """What becomes of a lot: the pieces on which it stands, its racks, and whether these are one new placement."""

    lot: Lot
    span: Mask
    racks: Racks
    moved: bool = False
    gone: list[Mask] = field(default_factory=list)
    dark: list[Mask] = field(default_factory=list)

    def short(self) -> tuple[Mask, ...]:
        """What is missing, in layers of one rack's GPUs."""
        return layers(self.racks, self.span, self.lot.racks)


def attempt(problem: Problem, choices: Choices) -> list[Fate]:
    """Every lot's fate under these choices; deterministic."""
    return _Attempt(problem, choices).run()


class _Attempt:
    def __init__(self, problem: Problem, choices: Choices) -> None:
        self.problem = problem
        self.choices = choices
        self.ground = problem.ground.copy()
        self.fates = [self._stand(lot) for lot in problem.lots]
        self.order = [self.fates[number] for number in choices.order]

    def run(self) -> list[Fate]:
        for fate in self.order:
            if fate.lot.number in self.choices.displaced:
                self._relocate(fate, leave=True)
        for site in sorted(self.ground.limits):
            self._cut_power(site)
        for fate in self.order:
            self._mend(fate)
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
                fate.gone.append(gone)
            if kept := mask & span & ~gone:
                self.ground.put(rack, lot.gpus, kept)
                fate.racks[rack] = kept
        fate.gone += [missing & span for missing in lot.missing if missing & span]
        return fate

    def _cut_power(self, site: int) -> None:
        """R10: power takes racks on the days of excess, no more than the excess; who can leave, leaves."""
        for fate in reversed(self.order):
            if fate.lot.movable and not fate.moved and self._stands_in(fate, site, self.ground.excess(site)):
                self._relocate(fate)
        while excess := self.ground.excess(site):
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
                fate.dark.append(lost)
                self._lift(fate, rack, lost)

    def _mend(self, fate: Fate) -> None:
        """R10: a new placement where that is allowed and possible, else a replacement for every rack taken."""
        if not fate.gone and not fate.dark:
            return
        if fate.lot.movable and self._relocate(fate):
            return
        for lost in sorted(fate.gone, key=self.problem.timeline.days, reverse=True):
            for rack, mask in self._chain(fate, lost):
                self._put(fate, rack, mask)
        for lost in fate.dark:
            self._light(fate, lost)

    def _light(self, fate: Fate, lost: Mask) -> None:
        """Replace a rack that has no power, by several where none has it all the time."""
        while lost:
            steps = self._steps(fate, lost)
            if not steps:
                return
            best = max(steps, key=lambda step: self._worth(fate, step))
            self._put(fate, *best)
            lost &= ~best[1]

    def _steps(self, fate: Fate, lost: Mask) -> list[tuple[int, Mask]]:
        free, gpus = self.ground.free, fate.lot.gpus
        steps = [(rack, free(rack, gpus) & lost & ~fate.racks.get(rack, 0)) for rack in self._candidates(fate)]
        return [(rack, mask) for rack, mask in steps if mask]

    def _worth(self, fate: Fate, step: tuple[int, Mask]) -> tuple[int, int, int, int]:
        rack, mask = step
        days = self.problem.timeline.days(mask)
        known = rack in fate.racks or rack in fate.lot.own
        return days, days if self._at_home(fate, rack, mask) else 0, int(known), -rack

    def _chain(self, fate: Fate, lost: Mask) -> list[tuple[int, Mask]]:
        """R10: one replacement for a rack that an outage took, and one more each time an outage takes that in turn."""
        steps = self._steps(fate, lost)
        whole = [step for step in steps if step[1] == lost]
        if whole:
            best = max(whole, key=lambda step: self._worth(fate, step))
            if self._at_home(fate, *best):
                return [best]
        return self._best_chain(fate, lost, steps)

    def _best_chain(self, fate: Fate, lost: Mask, steps: list[tuple[int, Mask]]) -> list[tuple[int, Mask]]:
        """The chain that covers most days, then most of them in scope, with the fewest racks."""
        links = [link for step in steps for link in self._links(lost, step)]
        ends = sorted({last for _, _, last in links if last is not None}, reverse=True)
        best: dict[int, tuple[tuple[int, int, int], list[tuple[int, Mask]]]] = {}
        for start in [*ends, 0]:
            rest = lost & self.problem.timeline.from_piece(start)
            top: tuple[tuple[int, int, int], list[tuple[int, Mask]]] = ((0, 0, 0), [])
            for rack, mask, last in links:
                if not (use := mask & rest):
                    continue
                tail = best[last] if last is not None else ((0, 0, 0), [])
                days = self.problem.timeline.days(use)
                home = days if self._at_home(fate, rack, use) else 0
                score = (days + tail[0][0], home + tail[0][1], tail[0][2] - 1)
                if score > top[0]:
                    top = (score, [(rack, use), *tail[1]])
            best[start] = top
        return best[0][1]

    def _links(self, lost: Mask, step: tuple[int, Mask]) -> Iterator[tuple[int, Mask, int | None]]:
        """A rack's free pieces in each of its healthy runs, and the piece on which an outage ends it, if one does."""
        rack, mask = step
        end = lost.bit_length()
        span = self.problem.timeline.between(lowest(lost), end)
        for first, last in runs(span & ~self.ground.dead[rack]):
            if use := mask & self.problem.timeline.between(first, last):
                yield rack, use, last if last < end else None

    def _candidates(self, fate: Fate) -> Sequence[int]:
        site = fate.lot.site
        if site is None:
            return range(len(self.ground.dead))
        sites = self.problem.cluster.sites
        return range(int(sites.first[site]), int(sites.last[site]))

    def _at_home(self, fate: Fate, rack: int, mask: Mask) -> bool:
        """R5: whether the rack is in the unit of scope in which the lot's other racks are on these pieces."""
        of_rack = self._units(fate).of_rack
        home = of_rack[rack]
        return all(of_rack[other] == home for other, pieces in fate.racks.items() if pieces & mask)

    def _units(self, fate: Fate) -> Units:
        return self.problem.cluster.units(fate.lot.reservation.scope)

    def _relocate(self, fate: Fate, *, leave: bool = False) -> bool:
        """R10: one new placement for the whole interval, in scope and site, on as many of its own racks as possible (on
        as few as possible where it is to ``leave``). False, and nothing changed, where there is none.
        """
        before = dict(fate.racks)
        for rack, mask in before.items():
            self._lift(fate, rack, mask)
        for racks in self._homes(fate, leave=leave):
            if self._settle(fate, racks):
                fate.moved = True
                return True
        for rack, mask in before.items():
            self._put(fate, rack, mask)
        return False

    def _homes(self, fate: Fate, *, leave: bool) -> list[list[int]]:
        """For each unit of scope with room enough its free racks, the best ones first; the best unit first."""
        units, lot = self._units(fate), fate.lot
        by_unit: dict[int, list[int]] = {}
        for rack in self._candidates(fate):
            if self.ground.free(rack, lot.gpus) & fate.span == fate.span:
                by_unit.setdefault(int(units.of_rack[rack]), []).append(rack)
        homes = [sorted(racks, key=lambda rack: self._dislike(lot, rack, leave)) for racks in by_unit.values()]
        homes = [racks for racks in homes if len(racks) >= lot.racks]
        return sorted(
            homes, key=lambda racks: (sum(self._dislike(lot, r, leave)[0] for r in racks[: lot.racks]), len(racks))
        )

    def _dislike(self, lot: Lot, rack: int, leave: bool) -> tuple[bool, bool, int]:
        fresh = lot.gpus < 72 and not self.ground.shared[rack]
        return (rack in lot.own) == leave, fresh, rack

    def _settle(self, fate: Fate, racks: list[int]) -> bool:
        for rack in racks:
            if len(fate.racks) < fate.lot.racks and self.ground.free(rack, fate.lot.gpus) & fate.span == fate.span:
                self._put(fate, rack, fate.span)
        if len(fate.racks) == fate.lot.racks:
            return True
        for rack in list(fate.racks):
            self._lift(fate, rack, fate.span)
        return False

    def _put(self, fate: Fate, rack: int, mask: Mask) -> None:
        self.ground.put(rack, fate.lot.gpus, mask)
        fate.racks[rack] = fate.racks.get(rack, 0) | mask

    def _lift(self, fate: Fate, rack: int, mask: Mask) -> None:
        self.ground.lift(rack, fate.lot.gpus, mask)
        fate.racks[rack] &= ~mask
        if not fate.racks[rack]:
            del fate.racks[rack]
