"""The steps of § 5 as sums to be made as small as possible, in their order."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from solver.engine.exact import spread
from solver.engine.exact.courses import Course
from solver.engine.exact.groups import last_racks
from solver.engine.exact.model import Model, Sum, Var, is_certain, total
from solver.engine.exact.rules import Rules
from solver.engine.exact.wants import Field, Want
from solver.snapshot import Snapshot

MONEY_STEPS = 10**12
"""Of the sum of a tier's values, where they have no common step that is coarser; rounding stays far below 1e-6."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A cost in whole steps. ``least`` is a bound that needs no proof. With a ``tier`` the cost is minus its value, in
    ``per_usd`` steps for a dollar. ``is_early``: of step 1 or 2, where a request that is worth nothing counts nothing.
    """

    name: str
    cost: Sum
    least: int
    is_early: bool = False
    tier: int | None = None
    per_usd: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the goals are about."""

    model: Model
    ground: Field
    snapshot: Snapshot
    courses: Sequence[Course]
    wants: Sequence[Want]
    rules: Rules


def goals(parts: Parts) -> Iterator[Goal]:
    """Every goal that is not settled before."""
    steps = (
        Goal("firm shortfall", _short(parts, firm=True), 0, is_early=True),
        Goal("interruptible shortfall", _short(parts, firm=False), 0, is_early=True),
        Goal("outside scope", _outside(parts), 0, is_early=True),
        Goal("hold shortfall", _short_holds(parts), 0, is_early=True),
        *_values(parts),
        Goal("recalled", _recalled(parts), 0),
        Goal("moved", _moved(parts), 0),
        _least(parts, "extensions", _extensions(parts)),
        Goal("halls", _spread(parts, "hall"), 0),
        Goal("pods", _spread(parts, "pod"), 0),
        _least(parts, "delay", spread.delay(parts.ground.pieces, parts.wants)),
    )
    yield from (goal for goal in steps if goal.cost.terms)


def _least(parts: Parts, name: str, cost: Sum) -> Goal:
    return Goal(name, cost, parts.model.least(cost))


def _spread(parts: Parts, level: spread.Level) -> Sum:
    return spread.spread(parts.model, parts.ground, parts.snapshot, parts.wants, level)


def _short(parts: Parts, *, firm: bool) -> Sum:
    """Step 1: GPU-days."""
    result = Sum()
    for course in parts.courses:
        if course.lot.reservation.interruptible != firm:
            for piece in course.present:
                result = result.plus(course.short(piece), course.lot.gpus * parts.ground.pieces.days(piece))
    return result


def _outside(parts: Parts) -> Sum:
    """Step 1: GPU-days on which a reservation's racks lie in more than one unit of its scope."""
    result = Sum()
    for course in parts.courses:
        if course.lot.whole and course.lot.reservation.scope != "any":
            for piece in course.lot.span:
                result = result.plus(_stray(parts, course, piece), parts.ground.pieces.days(piece))
    return result


def _stray(parts: Parts, course: Course, piece: int) -> Sum:
    """GPUs of the reservation on a piece on which they lie in more than one unit, else 0."""
    lot, land, model = course.lot, parts.ground.land, parts.model
    result, scope = Sum(), lot.reservation.scope
    own = [rack for slot in range(len(lot.slots)) if (rack := lot.own_rack(slot, piece)) is not None]
    if course.stands is not None and len({land.unit(scope, rack) for rack in own}) > 1:
        result.add(course.stands[piece], len(own) * lot.gpus)
    units: dict[int, list[Var | None]] = defaultdict(list)
    for (_, _, rack), var in course.served(piece):
        units[land.unit(scope, rack)].append(var)
    if len(units) < 2:
        return result
    strays, most = model.boolean(), lot.reservation.gpus
    inside = [None if is_certain(served) else model.any_of(served) for served in units.values()]
    model.at_most(total((var, 1) for var in inside).plus(Sum([(strays, 1 - len(units))])), 1)
    gpus = model.count(most)
    served = total((var, lot.gpus) for _, var in course.served(piece))
    model.at_most(served.plus(Sum([(strays, most), (gpus, -1)])), most)
    return result.plus(Sum([(gpus, 1)]))


def _short_holds(parts: Parts) -> Sum:
    """Step 1: GPU-days (R12)."""
    return total((var, parts.ground.pieces.days(piece)) for (_, piece), var in parts.rules.shortfalls.items())


def _values(parts: Parts) -> Iterator[Goal]:
    """Step 2: what is accepted, less the share of what is recalled, tier by tier."""
    worth: dict[int, list[tuple[Var, Fraction]]] = defaultdict(list)
    lost: dict[int, Fraction] = defaultdict(Fraction)
    for want in parts.wants:
        request = want.request
        share = _usd(request.value_usd) * want.multiple / request.gpus
        worth[request.tier] += [(take.units, share) for take in want.takes]
    for course in parts.courses:
        reservation = course.lot.reservation
        for piece in course.lot.recalls:
            share = Fraction(parts.ground.pieces.days(piece), (reservation.end - reservation.start).days)
            value = _usd(reservation.value_usd) * share
            lost[reservation.tier] += value
            worth[reservation.tier].append((_certainly(course.keeps[piece]), value))
    for tier, terms in sorted(worth.items()):
        per_usd = _scale(parts.model, terms)
        cost = total((var, -math.ceil(usd * per_usd)) for var, usd in terms)
        cost.constant = math.floor(lost[tier] * per_usd)
        yield Goal(f"tier {tier}", cost, parts.model.least(cost), is_early=True, tier=tier, per_usd=per_usd)


def _certainly(var: Var | None) -> Var:
    if var is None:
        raise AssertionError("a piece that a recall may take away has a variable")
    return var


def _usd(value: float) -> Fraction:
    """The number as it is written in a file."""
    return Fraction(repr(value))


def _scale(model: Model, terms: Iterable[tuple[Var, Fraction]]) -> Fraction:
    """Steps for a dollar: the coarsest that hold every value, if that is not too fine for the solver's numbers."""
    terms = [term for term in terms if term[1]]
    if not terms:
        return Fraction(1)
    common = math.lcm(*(usd.denominator for _, usd in terms))
    step = Fraction(math.gcd(*(usd.numerator * (common // usd.denominator) for _, usd in terms)), common)
    most = sum((usd * model.upper[var.index] for var, usd in terms), Fraction())
    return 1 / step if most / step <= MONEY_STEPS else Fraction(MONEY_STEPS) / most


def _recalled(parts: Parts) -> Sum:
    """Step 3: GPU-days."""
    result = Sum()
    for course in parts.courses:
        for piece in course.lot.recalls:
            gpu_days = course.lot.reservation.gpus * parts.ground.pieces.days(piece)
            result = result.plus(Sum([(_certainly(course.keeps[piece]), -gpu_days)], gpu_days))
    return result


def _moved(parts: Parts) -> Sum:
    """Step 3: GPUs on racks that the snapshot's placement does not have."""
    result = Sum()
    for course in parts.courses:
        lot = course.lot
        for number, racks in course.anew.items():
            if not lot.known.intersection(parts.ground.groups[number].racks):
                result.add(racks, lot.gpus)
        served = defaultdict(list)
        for (_, _, rack), var in course.serves.items():
            if rack not in lot.known:
                served[rack].append(var)
        for uses in served.values():
            result.add(parts.model.any_of(uses), lot.gpus)
    return result


def _extensions(parts: Parts) -> Sum:
    """Step 4: GPUs of extensions on the racks that the extended reservation has on its last day, as a cost."""
    result, courses = Sum(), {course.lot.reservation.id: course for course in parts.courses}
    last = last_racks(parts.snapshot, parts.ground.land)
    for want in parts.wants:
        if want.request.extends is None:
            continue
        course = courses.get(want.request.extends)
        for take in want.takes:
            racks = parts.ground.groups[take.group].racks
            if course is None or course.lot.is_fixed:
                kept = take.units if last[want.request.extends].issuperset(racks) else None
            else:
                kept = _kept(parts, course, racks[0], take.units)
            if kept is not None:
                result.add(kept, -want.multiple)
    return result


def _kept(parts: Parts, course: Course, rack: int, units: Var) -> Var | None:
    """``units`` where the reservation has the rack on its last day under the plan, else 0."""
    piece, most = course.lot.span.stop - 1, parts.model.upper[units.index]
    has = [var for (_, _, r), var in course.served(piece) if r == rack]
    if course.stands is not None and rack in [course.lot.own_rack(s, piece) for s in range(len(course.lot.slots))]:
        has.append(course.stands[piece])
    group = parts.ground.group_of[rack]
    if group in course.anew:
        has.append(parts.model.both(course.anew[group], course.keeps[piece]))
    if not has or is_certain(has):
        return units if has else None
    kept = parts.model.count(most)
    parts.model.at_most(Sum([(kept, 1), (units, -1)]), 0)
    parts.model.at_most(total((var, -most) for var in has).plus(Sum([(kept, 1)])), 0)
    return kept
