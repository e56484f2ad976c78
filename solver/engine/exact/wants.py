"""Requests as variables: accepted at one start, in one unit of the scope, on so many racks of each group (R4, R5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from solver.engine.exact.groups import Group
from solver.engine.exact.land import Land
from solver.engine.exact.model import Model, Owner, Sum, Use, Var, total
from solver.engine.exact.pieces import Pieces, starts
from solver.snapshot import Request, Snapshot
from solver.terms import GPUS_PER_RACK, block_multiple


@dataclass(frozen=True, slots=True)
class Take:
    """Racks of one group from a start on: ``racks`` counts them, ``units`` is the size there in racks or trays."""

    start: int
    group: int
    racks: Var
    units: Var


@dataclass(frozen=True, slots=True)
class Want:
    """One request. ``chosen``: a Boolean for each start and unit; at most one of them is 1."""

    request: Request
    chosen: tuple[tuple[int, Var], ...]
    takes: tuple[Take, ...]

    @property
    def multiple(self) -> int:
        return block_multiple(self.request.gpus)

    @property
    def accepted(self) -> Sum:
        return total((var, 1) for _, var in self.chosen)

    @property
    def units(self) -> Sum:
        """The size of the block in its multiple."""
        return total((take.units, 1) for take in self.takes)


@dataclass(frozen=True, slots=True)
class Field:
    """Where blocks may stand: the land by piece, its racks in groups (``group_of``: each rack's), and ``excess``, the
    racks for which power is lacking (sites x pieces, R10).
    """

    land: Land
    pieces: Pieces
    groups: Sequence[Group]
    group_of: dict[int, int]
    excess: Sequence[Sequence[int]]


def want(model: Model, field: Field, snapshot: Snapshot, request: Request, most: Sequence[int]) -> Want:
    """The request's variables and uses; ``most``: the GPUs that it could have by R6 and R9 on each piece."""
    chosen: list[tuple[int, Var]] = []
    takes: list[Take] = []
    for start in starts(snapshot, request):
        span = field.pieces.span(start, start + request.days)
        if min(most[piece] for piece in span) < request.min_gpus:
            continue
        for groups in _units(field, snapshot, request, span):
            found = _option(model, field, request, start, groups)
            if found is not None:
                chosen.append((start, found[0]))
                takes += found[1]
    model.at_most(total((var, 1) for _, var in chosen), 1)
    result = Want(request, tuple(chosen), tuple(takes))
    model.uses += [_use(field, result, take) for take in takes]
    return result


def _units(field: Field, snapshot: Snapshot, request: Request, span: range) -> list[list[int]]:
    """R1, R5: the groups with room throughout, by unit; each rack is a unit for a block smaller than one."""
    bound = snapshot.site_of(request)
    least = min(request.min_gpus, GPUS_PER_RACK)
    units: dict[int, list[int]] = defaultdict(list)
    for number, group in enumerate(field.groups):
        in_site = bound is None or field.land.site_number[bound] == group.site
        if in_site and group.least_room(span) >= least:
            rack = group.racks[0]
            units[rack if least < GPUS_PER_RACK else field.land.unit(request.scope, rack)].append(number)
    return list(units.values())


def _option(
    model: Model, field: Field, request: Request, start: int, groups: list[int]
) -> tuple[Var, list[Take]] | None:
    multiple = block_multiple(request.gpus)
    least, most = request.min_gpus // multiple, request.gpus // multiple
    if request.gpus < GPUS_PER_RACK:
        return _shared_option(model, start, groups[0], least, most)
    there = {group: min(most, len(field.groups[group].racks)) for group in groups}
    most = min(most, sum(there.values()))
    if most < least:
        return None
    chosen = model.boolean()
    takes = [Take(start, group, var, var) for group, var in ((g, model.count(n)) for g, n in there.items())]
    racks = total((take.racks, 1) for take in takes)
    if least == most:
        model.equal(racks.plus(Sum([(chosen, least)]), -1), 0)
    else:
        model.at_most(racks.plus(Sum([(chosen, most)]), -1), 0)
        model.at_most(Sum([(chosen, least)]).plus(racks, -1), 0)
    return chosen, takes


def _shared_option(model: Model, start: int, group: int, least: int, most: int) -> tuple[Var, list[Take]]:
    """A block smaller than a rack: its size counts trays, and is the largest or nothing where it cannot vary."""
    chosen = model.boolean()
    trays = model.count(most)
    model.at_most(Sum([(trays, 1), (chosen, -most)]), 0)
    model.at_most(Sum([(chosen, least), (trays, -1)]), 0)
    return chosen, [Take(start, group, chosen, trays)]


def _use(field: Field, want: Want, take: Take) -> Use:
    request = want.request
    owner = Owner(request.id, True, request.recall_notice_days, request.tenant, request.contract)
    span = field.pieces.span(take.start, take.start + request.days)
    return Use(owner, take.group, span, take.units, want.multiple, take.racks)
