"""The state of one repair while it is made: the ground, and what has become of each lot so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from solver.cluster import Cluster, Units
from solver.engine.repair_ground import Ground, Lot, Part, Racks
from solver.engine.repair_timeline import Mask, Timeline, ranges
from solver.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be repaired; ``ground`` carries nothing yet."""

    snapshot: Snapshot
    cluster: Cluster
    timeline: Timeline
    ground: Ground
    lots: tuple[Lot, ...]

    def units(self, lot: Lot) -> Units:
        """The units in one of which the lot has to lie (R5)."""
        return self.cluster.units(lot.reservation.scope)

    def distance(self, lot: Lot, rack: int) -> int:
        """How far a rack is from those that the snapshot gives the lot: 0 in one of their pods, 1 halls, 2 sites, 3."""
        near = [*lot.own, *(other for other, _, _ in lot.parts)]
        levels = (self.cluster.pods.of_rack, self.cluster.halls.of_rack, self.cluster.sites.of_rack)
        return next((d for d, of_rack in enumerate(levels) if any(of_rack[rack] == of_rack[own] for own in near)), 3)

    def sites(self, lot: Lot) -> Sequence[int]:
        """The sites in which the lot may stand (R5)."""
        return range(len(self.cluster.sites.ids)) if lot.site is None else (lot.site,)


@dataclass(slots=True, eq=False)
class Fate:
    """What becomes of a lot: the pieces on which it stands, its racks, and whether these are one new placement.

    ``lost`` are ranges, one for each rack that an outage took; ``dark`` are the pieces on which power takes a rack.
    ``short`` are ranges on which so many GPUs stay missing. On the racks of ``parts`` it has less than it needs of one.
    """

    lot: Lot
    span: Mask
    racks: Racks
    moved: bool = False
    lost: list[Mask] = field(default_factory=list)
    dark: Racks = field(default_factory=dict)
    short: list[tuple[Mask, int]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def standing(self) -> list[Part]:
        """Every rack with the pieces on which the lot stands on it, and how many GPUs it has there."""
        return [*((rack, mask, self.lot.gpus) for rack, mask in self.racks.items()), *self.parts]

    @property
    def is_harmed(self) -> bool:
        """Whether it lacks a rack that an outage or power took."""
        return bool(self.lost or self.dark) and not self.moved


class Yard:
    """The ground under the lots, first as the snapshot has them but without the racks that outages take (R10)."""

    def __init__(self, problem: Problem, ends: dict[int, int]) -> None:
        """``ends``: the piece on which a lot of this number is recalled."""
        self.problem = problem
        self.ground = problem.ground.copy()
        self.fates = [self._stand(lot, ends.get(lot.number)) for lot in problem.lots]

    def _stand(self, lot: Lot, end: int | None) -> Fate:
        timeline = self.problem.timeline
        span = lot.span & timeline.between(0, timeline.pieces if end is None else end)
        fate = Fate(lot, span, {})
        for rack, mask in lot.own.items():
            gone = self.ground.from_outage(rack, mask & span)
            fate.lost += ranges(gone)
            if kept := mask & span & ~gone:
                self.put(fate, rack, kept)
        for rack, mask, gpus in lot.parts:
            if kept := mask & span & ~self.ground.from_outage(rack, mask & span):
                self.put_part(fate, (rack, kept, gpus))
        fate.lost += [missing & span for missing in lot.missing if missing & span]
        return fate

    def put(self, fate: Fate, rack: int, mask: Mask) -> None:
        """Let the lot stand on ``rack``."""
        self.ground.put(rack, fate.lot.gpus, mask)
        fate.racks[rack] = fate.racks.get(rack, 0) | mask

    def lift(self, fate: Fate, rack: int, mask: Mask) -> None:
        """Take the lot off ``rack``."""
        self.ground.lift(rack, fate.lot.gpus, mask)
        fate.racks[rack] &= ~mask
        if not fate.racks[rack]:
            del fate.racks[rack]

    def put_part(self, fate: Fate, part: Part) -> None:
        """Let the lot have some of its GPUs on a rack."""
        rack, mask, gpus = part
        self.ground.put(rack, gpus, mask)
        fate.parts.append(part)

    def lift_parts(self, fate: Fate, mask: Mask) -> list[Part]:
        """Take the lot off the racks on which it has some of its GPUs on ``mask``; what stood there is answered."""
        before = fate.parts
        lifted = [(rack, pieces & mask, gpus) for rack, pieces, gpus in before if pieces & mask]
        fate.parts = [(rack, pieces & ~mask, gpus) for rack, pieces, gpus in before if pieces & ~mask]
        for rack, pieces, gpus in lifted:
            self.ground.lift(rack, gpus, pieces)
        return lifted

    def lift_all(self, fate: Fate) -> list[Part]:
        """Take the lot off all its racks; where it stood is answered."""
        before = fate.standing()
        for rack, mask in list(fate.racks.items()):
            self.lift(fate, rack, mask)
        self.lift_parts(fate, fate.span)
        return before

    def put_back(self, fate: Fate, before: Iterable[Part]) -> None:
        """Undo `lift_all`."""
        for rack, mask, gpus in before:
            if gpus == fate.lot.gpus:
                self.put(fate, rack, mask)
            else:
                self.put_part(fate, (rack, mask, gpus))

    def openings(self, fate: Fate, mask: Mask) -> list[tuple[int, Mask]]:
        """The racks in its site (R5) that can take one rack's part of the lot more on pieces of ``mask``."""
        return self.ground.openings(self.problem.sites(fate.lot), fate.lot.gpus, mask)

    def has_idle_rack(self, fate: Fate, mask: Mask) -> bool:
        """R11: whether the lot must not be short on ``mask``."""
        return self.ground.has_idle_rack(self.problem.sites(fate.lot), mask)
