"""R10 for a reservation that is not frozen: one new placement for its whole interval, in scope and site."""

from __future__ import annotations

from collections.abc import Sequence

from solver.engine.repair_ground import Part
from solver.engine.repair_yard import Fate, Yard
from solver.terms import GPUS_PER_RACK


class ImpossibleError(Exception):
    """A displaced lot can neither be placed anew nor stay where it is."""


def relocate(yard: Yard, fate: Fate) -> bool:
    """A new placement on as many of the lot's own racks as possible. False, and nothing changed: there is none."""
    before = yard.lift_all(fate)
    if _settle_anew(yard, fate):
        return True
    yard.put_back(fate, before)
    return False


def displace(yard: Yard, fates: Sequence[Fate], skips: Sequence[int]) -> None:
    """New placements for several lots that may swap racks; each leaves as many of its best places to others as its skip
    says. Raises `ImpossibleError` where one finds no place and its own is taken.
    """
    carrying = {site: counts[:] for site, counts in yard.ground.carrying.items()}
    before = [yard.lift_all(fate) for fate in fates]
    for fate, stood, skip in zip(fates, before, skips, strict=True):
        if not _settle_anew(yard, fate, skip=skip):
            _go_back(yard, fate, stood)
    for site, counts in carrying.items():
        highest = map(max, counts, yard.ground.limits[site])
        if any(now > most for now, most in zip(yard.ground.carrying[site], highest, strict=True)):
            raise ImpossibleError  # power may not take more than it would where everybody stood


def _go_back(yard: Yard, fate: Fate, before: list[Part]) -> None:
    if any(mask & ~yard.ground.unloaded(rack, gpus) for rack, mask, gpus in before):
        raise ImpossibleError
    yard.put_back(fate, before)


def _settle_anew(yard: Yard, fate: Fate, *, skip: int = 0) -> bool:
    homes = _homes(yard, fate, leave=skip > 0)
    fate.moved = any(_settle(yard, fate, racks) for racks in (*homes[skip:], *homes[:skip]))
    return fate.moved


def _homes(yard: Yard, fate: Fate, *, leave: bool) -> list[list[int]]:
    """For each unit of scope with room enough its free racks, best first, its own ones last where it is to leave; and
    the best unit first: where it has to change fewest racks, then nearest, then where fewest more are free.
    """
    lot, of_rack = fate.lot, yard.problem.units(fate.lot).of_rack
    by_unit: dict[int, list[int]] = {}
    for rack, free in yard.openings(fate, fate.span):
        if free == fate.span:
            by_unit.setdefault(int(of_rack[rack]), []).append(rack)

    def dislike(rack: int) -> tuple[bool, bool, int]:
        fresh = lot.gpus < GPUS_PER_RACK and not yard.ground.shared[rack]
        return (rack in lot.own) == leave, fresh, rack

    def cost(racks: list[int]) -> tuple[int, int, int]:
        new = [rack for rack in racks[: lot.racks] if rack not in lot.own]
        return len(new), sum(yard.problem.distance(lot, rack) for rack in new), len(racks)

    homes = [sorted(racks, key=dislike) for racks in by_unit.values() if len(racks) >= lot.racks]
    return sorted(homes, key=cost)


def _settle(yard: Yard, fate: Fate, racks: list[int]) -> bool:
    """Stand on the first of ``racks`` as long as there is power for them; False, and nothing changed: there is none."""
    for rack in racks:
        if len(fate.racks) < fate.lot.racks and not fate.span & ~yard.ground.free(rack, fate.lot.gpus):
            yard.put(fate, rack, fate.span)
    if len(fate.racks) == fate.lot.racks:
        return True
    yard.lift_all(fate)
    return False
