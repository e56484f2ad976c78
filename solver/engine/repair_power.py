"""R3 and R10: on days on which more racks stand in a site than it has power for, power takes the excess, no more."""

from __future__ import annotations

from collections.abc import Sequence

from solver.engine.repair_moves import ImpossibleError, relocate
from solver.engine.repair_timeline import Mask, ranges
from solver.engine.repair_yard import Fate, Yard


def cut_power(yard: Yard, order: Sequence[Fate]) -> None:
    """Get within power: who may be moved leaves where there is a place, then racks go dark, of the last lots first."""
    for site in sorted(yard.ground.limits):
        for fate in reversed(order):
            if fate.lot.movable and not fate.moved and _stands_in(yard, fate, site):
                relocate(yard, fate)
        while yard.ground.over[site]:
            victim = next(fate for fate in reversed(order) if _stands_in(yard, fate, site))
            _darken(yard, victim, site)


def relight(yard: Yard, order: Sequence[Fate]) -> None:
    """Racks whose power others have left in the meantime come back."""
    for fate in order:
        for rack, mask in list(fate.dark.items()):
            back = 0 if fate.moved else yard.ground.free(rack, fate.lot.gpus) & mask
            if back:
                yard.put(fate, rack, back)
                fate.dark[rack] &= ~back
            if not fate.dark[rack]:
                del fate.dark[rack]


def _stands_in(yard: Yard, fate: Fate, site: int) -> bool:
    """Whether the lot has a rack in the site on days on which it lacks power."""
    over = yard.ground.over[site]
    return any(mask & over and yard.ground.site_of[rack] == site for rack, mask, _ in fate.standing())


def _darken(yard: Yard, victim: Fate, site: int) -> None:
    """Take the victim's rack that stands longest without power; whoever shares it loses it too."""
    over, days = yard.ground.over[site], yard.problem.timeline.days
    here = [(rack, mask & over) for rack, mask, _ in victim.standing() if yard.ground.site_of[rack] == site]
    rack, taken = max(here, key=lambda step: (days(step[1]), -step[0]))
    for fate in yard.fates:
        if any(other == rack and mask & taken for other, mask, _ in fate.parts):
            yard.lift_parts(fate, taken)
        if lost := fate.racks.get(rack, 0) & taken:
            if fate.moved:
                raise ImpossibleError
            gone = yard.ground.since_dead(rack, fate.racks[rack])
            if lost & gone:
                _lose(yard, fate, rack, gone)
            if dark := lost & ~gone:
                fate.dark[rack] = fate.dark.get(rack, 0) | dark
                yard.lift(fate, rack, dark)


def _lose(yard: Yard, fate: Fate, rack: int, gone: Mask) -> None:
    """An outage that is over took the rack (R10): it stays as long as it can, but is one replacement of its own then
    and no rack that comes back after another one stood in.
    """
    fate.lost += ranges(gone)
    yard.lift(fate, rack, gone)
