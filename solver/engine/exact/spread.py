"""Step 5 of § 5: halls and pods beyond the fewest that an empty cluster would need, and days of delay."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Literal

from solver.engine.exact.land import Land
from solver.engine.exact.model import Model, Sum, total
from solver.engine.exact.pieces import Pieces
from solver.engine.exact.wants import Field, Want
from solver.snapshot import Snapshot
from solver.terms import GPUS_PER_RACK

Level = Literal["hall", "pod"]


def spread(model: Model, ground: Field, snapshot: Snapshot, wants: Iterable[Want], level: Level) -> Sum:
    """Units of a level that accepted blocks use, less the fewest that they need."""
    result = Sum()
    for want in wants:
        by_unit = defaultdict(list)
        for take in want.takes:
            by_unit[ground.land.unit(level, ground.groups[take.group].racks[0])].append(take.racks)
        if want.multiple == GPUS_PER_RACK and len(by_unit) > 1:
            used = total((model.any_of(racks), 1) for racks in by_unit.values())
            result = result.plus(used).plus(_needed(model, ground.land, snapshot, want, level), -1)
    return result


def delay(pieces: Pieces, wants: Iterable[Want]) -> Sum:
    """Days between the earliest start and the start."""
    return total(
        (var, start - pieces.number(want.request.earliest_start)) for want in wants for start, var in want.chosen
    )


def fewest(land: Land, snapshot: Snapshot, want: Want, level: Level) -> list[int]:
    """The fewest units of the level with 0, 1, 2 … racks together, in one unit of the scope, in an empty cluster."""
    bound = snapshot.site_of(want.request)
    scopes: dict[int, Counter[int]] = defaultdict(Counter)
    for rack in land.racks:
        if bound is None or land.site_number[bound] == land.site[rack]:
            scopes[land.unit(want.request.scope, rack)][land.unit(level, rack)] += 1
    result: dict[int, int] = {}
    for sizes in scopes.values():
        racks = 0
        for count, size in enumerate(sorted(sizes.values(), reverse=True), start=1):
            for more in range(racks + 1, racks + size + 1):
                result[more] = min(result.get(more, count), count)
            racks += size
    return [0, *(result[racks] for racks in sorted(result))]


def _needed(model: Model, land: Land, snapshot: Snapshot, want: Want, level: Level) -> Sum:
    """The fewest units for the size that is accepted; made as large as the size allows."""
    needs = fewest(land, snapshot, want, level)
    least, most = (gpus // GPUS_PER_RACK for gpus in (want.request.min_gpus, want.request.gpus))
    result = total((var, needs[least]) for _, var in want.chosen)
    for racks in range(least + 1, min(most, len(needs) - 1) + 1):
        if needs[racks] > needs[racks - 1]:
            reaches = model.boolean()
            model.at_most(Sum([(reaches, racks)]).plus(want.units, -1), 0)
            result.add(reaches, needs[racks] - needs[racks - 1])
    return result
