"""One repair by construction: recalls, an order and moves are given, racks are found lot after lot.

First every reservation loses the racks that an outage takes, then the ones that power takes. Then each gets what it
lacks: one that is not frozen a new placement for its whole interval, else replacements.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from solver.engine.repair_moves import displace, relocate
from solver.engine.repair_power import cut_power, relight
from solver.engine.repair_replace import replace_lost
from solver.engine.repair_yard import Fate, Problem, Yard


@dataclass(frozen=True, slots=True)
class Choices:
    """What an attempt is free to choose, by the number of the lot.

    ``recalls``: the piece on which an interruptible lot ends. ``order``: who gets racks first, and loses them to power
    last. ``displaced``: lots that are not frozen and leave their racks before anything else happens, and how many of
    the places that suit them best they leave to others.
    """

    recalls: dict[int, int]
    order: tuple[int, ...]
    displaced: dict[int, int] = field(default_factory=dict)


def attempt(problem: Problem, choices: Choices) -> list[Fate]:
    """Every lot's fate under these choices. Raises `ImpossibleError` where they contradict each other."""
    yard = Yard(problem, choices.recalls)
    order = [yard.fates[number] for number in choices.order]
    displaced = [fate for fate in order if fate.lot.number in choices.displaced and fate.span]
    displace(yard, displaced, [choices.displaced[fate.lot.number] for fate in displaced])
    cut_power(yard, order)
    while any(relocate(yard, fate) for fate in order if fate.is_harmed and fate.lot.movable):
        pass  # who left made room, perhaps for one that found none before
    relight(yard, order)
    for fate in order:
        replace_lost(yard, fate)
    return yard.fates
