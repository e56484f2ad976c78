"""A draft of a program: what it may choose from, shortened by what its linear program holds to be too dear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from solver.engine.programs import solving
from solver.engine.programs.model import CENTS, Choice, Model, Taken
from solver.engine.programs.solving import Relaxed
from solver.engine.programs.ways import Way

_LEAST_GAIN = 1e-4
"""Of what is there: with less to gain a program is not worth its time."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a program may choose from: ways, those that are taken now, and who has to stand."""

    ways: list[Way]
    now: list[Taken]
    must: frozenset[int]


def no_smaller(ways: Iterable[Way], gpus: int) -> list[Way]:
    """The ways in which a block has ``gpus`` GPUs at least."""
    ways = [replace(way, fewest=max(way.fewest, gpus // way.wish.multiple)) for way in ways]
    return [way for way in ways if way.fewest <= way.most]


def shorten(model: Model, draft: Draft, tier: int, *, promising: float) -> bool:
    """Shut ways that cost more than this share of what the linear program could gain; with 1 no way is shut that could
    be in a better answer. False: nothing is to be gained at all.
    """
    relaxed = solving.relax(model.rows)
    if relaxed is None:
        return True
    now = CENTS * sum(item.value_usd for item in draft.now if item.way.wish.tier == tier)
    gain = relaxed.value - now
    if gain < _LEAST_GAIN * now:
        return False
    own = {id(item.way) for item in draft.now}
    for choice in model.choices:
        if id(choice.way) not in own and _potential(choice, relaxed) < -promising * gain:
            for variable in (choice.taken, *choice.steps.values()):
                model.rows.upper[variable] = 0
    return True


def _potential(choice: Choice, relaxed: Relaxed) -> float:
    """At most this much could the linear program's value change if the way were taken."""
    costs = relaxed.reduced_costs
    steps = zip(choice.steps.values(), choice.way.room, strict=True) if choice.steps else ()
    return float(costs[choice.taken] + sum(max(0.0, costs[variable]) * room for variable, room in steps))
