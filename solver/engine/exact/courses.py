"""Reservations as variables: kept, moved, recalled; or treated as a frozen one whose racks were taken (R10, R11)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from solver.engine.exact.lots import Lot
from solver.engine.exact.model import Model, Owner, Sum, Use, Var, total
from solver.engine.exact.wants import Field

Service = dict[tuple[int, int, int], Var | None]  # by slot, piece and rack; None: for certain


@dataclass(slots=True)
class Course:
    """What may become of one reservation.

    ``keeps`` is 1 on a piece before a recall (None: for certain). If it may be moved, one of ``stays`` (on all its own
    racks), ``goes`` (one new placement) and ``bends`` (as a frozen one that lost racks) is 1.
    ``anew`` counts the racks of its new placement by group. ``stands`` is 1 on a piece on which it is there and stays;
    None where it bends for certain. ``present`` is 1 on a piece on which it is there and bends; empty where it can't.
    Then ``serves`` is 1 where the slot has the rack, and ``assigned`` where the rack stands in, with or without room.
    """

    lot: Lot
    keeps: dict[int, Var | None] = field(default_factory=dict)
    stays: Var | None = None
    goes: Var | None = None
    bends: Var | None = None
    anew: dict[int, Var] = field(default_factory=dict)
    serves: Service = field(default_factory=dict)
    assigned: dict[tuple[int, int, int], Var] = field(default_factory=dict)
    present: dict[int, Var | None] = field(default_factory=dict)
    stands: dict[int, Var | None] | None = None

    @property
    def may_bend(self) -> bool:
        return bool(self.present)

    def served(self, piece: int) -> list[tuple[tuple[int, int, int], Var | None]]:
        """What serves it on a piece when it bends."""
        return [item for item in self.serves.items() if item[0][1] == piece]

    def short(self, piece: int) -> Sum:
        """Slots without a rack on a piece."""
        if piece not in self.present:
            return Sum()
        there = total([(self.present[piece], len(self.lot.slots))])
        return there.plus(total((var, 1) for _, var in self.served(piece)), -1)


def course(model: Model, ground: Field, lot: Lot) -> Course:
    """The reservation's variables and uses, but for stand-ins (`solver.engine.exact.standins`)."""
    result = Course(lot)
    _recall(model, result)
    if lot.is_taken_from and not lot.movable:
        result.present = dict(result.keeps)
        return result
    if lot.movable:
        _choose(model, ground, result)
    if result.bends is not None:
        result.present = {piece: model.both(result.bends, keeps) for piece, keeps in result.keeps.items()}
    _stay(model, ground, result)
    return result


def owner(lot: Lot) -> Owner:
    reservation = lot.reservation
    return Owner(reservation.id, False, reservation.recall_notice_days, reservation.tenant, reservation.contract)


def _recall(model: Model, result: Course) -> None:
    """R11: once recalled it stays away."""
    result.keeps = dict.fromkeys(result.lot.span)
    before: Var | None = None
    for piece in result.lot.recalls:
        result.keeps[piece] = keeps = model.boolean()
        if before is not None:
            model.cp.add_implication(keeps, before)
        before = keeps


def _choose(model: Model, ground: Field, result: Course) -> None:
    """R10: not frozen, it keeps its racks or gets one new placement; where none exists it bends."""
    lot = result.lot
    stays, goes = model.boolean(), model.boolean()
    result.stays, result.goes = stays, goes
    ways = Sum([(stays, 1), (goes, 1)])
    if lot.is_taken_from:
        result.bends = model.boolean()
        ways.add(result.bends)
    model.equal(ways, 1)
    for piece in lot.span:
        if any(lost[piece - lot.span.start] for lost in lot.lost):
            _unless(model, stays, result.keeps[piece])
    _go(model, ground, result, goes)


def _go(model: Model, ground: Field, result: Course, goes: Var) -> None:
    """Groups with room on all days that it is there for, in its site and in one unit of its scope."""
    lot = result.lot
    units: dict[int, list[int]] = defaultdict(list)
    for number, group in enumerate(ground.groups):
        if lot.site in (None, group.site) and group.least_room(_certain(result)) >= lot.gpus:
            units[ground.land.unit(lot.reservation.scope, group.racks[0])].append(number)
    options = Sum()
    for groups in units.values():
        chosen = model.boolean()
        options.add(chosen)
        for number in groups:
            result.anew[number] = model.count(min(len(ground.groups[number].racks), len(lot.slots)))
        racks = total((result.anew[number], 1) for number in groups)
        model.equal(racks.plus(Sum([(chosen, len(lot.slots))]), -1), 0)
    model.equal(options.plus(Sum([(goes, 1)]), -1), 0)
    for number, var in result.anew.items():
        _use_anew(model, ground, result, number, var)


def _certain(result: Course) -> range:
    """The pieces on which no recall can have ended it."""
    return range(result.lot.span.start, result.lot.recallable)


def _use_anew(model: Model, ground: Field, result: Course, number: int, racks: Var) -> None:
    lot, room = result.lot, ground.groups[number].room
    model.uses.append(Use(owner(lot), number, _certain(result), racks, lot.gpus, racks))
    for piece in lot.recalls:
        if room[piece] < lot.gpus:
            _unless(model, racks, result.keeps[piece])
            continue
        there = model.both(racks, result.keeps[piece])
        model.uses.append(Use(owner(lot), number, range(piece, piece + 1), there, lot.gpus, there))


def _stay(model: Model, ground: Field, result: Course) -> None:
    """Its own racks while it stays; a fixed reservation's are uses for certain."""
    lot = result.lot
    result.stands = {piece: model.both(result.stays, keeps) for piece, keeps in result.keeps.items()}
    for first, last, racks in _stretches(lot):
        there = {piece: result.stands[piece] for piece in range(first, last)}
        for begin, end in _runs(there):
            var = there[begin]
            model.uses += [Use(owner(lot), ground.group_of[r], range(begin, end), var, lot.gpus, var) for r in racks]


def _stretches(lot: Lot) -> list[tuple[int, int, list[int]]]:
    """The runs of pieces with the same own racks that nothing has taken."""
    result: list[tuple[int, int, list[int]]] = []
    for piece in lot.span:
        own = [lot.own_rack(slot, piece) for slot in range(len(lot.slots))]
        racks = sorted(rack for rack in own if rack is not None)
        if result and result[-1][2] == racks:
            result[-1] = (result[-1][0], piece + 1, racks)
        else:
            result.append((piece, piece + 1, racks))
    return result


def _runs(there: dict[int, Var | None]) -> list[tuple[int, int]]:
    """The runs of pieces with the same variable."""
    runs: list[tuple[int, int]] = []
    for piece, var in there.items():
        if runs and runs[-1][1] == piece and there[runs[-1][0]] is var:
            runs[-1] = (runs[-1][0], piece + 1)
        else:
            runs.append((piece, piece + 1))
    return runs


def _unless(model: Model, var: Var, other: Var | None) -> None:
    """``var`` is 0 where ``other`` is 1."""
    if other is None:
        model.at_most(Sum([(var, 1)]), 0)
    else:
        model.at_most(Sum([(var, 1), (other, 1)]), 1)
