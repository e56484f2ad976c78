"""The search for the best repair: attempts with other recalls, orders and moves, from the plain one on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from solver.engine.repair_attempt import Choices, attempt
from solver.engine.repair_ground import Lot
from solver.engine.repair_moves import ImpossibleError
from solver.engine.repair_outcome import ground_under
from solver.engine.repair_recalls import next_recall
from solver.engine.repair_score import Score, outside_days, score
from solver.engine.repair_timeline import lowest, pieces_of
from solver.engine.repair_yard import Fate, Problem
from solver.snapshot import SCOPES

FEW_LOTS = 40
"""Up to so many reservations every change is tried, then changes by chance; beyond, recalls where somebody is short."""
ROUNDS = 200
WORK = 1.0
"""CP-SAT's deterministic units for one repair."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finished attempt."""

    choices: Choices
    fates: list[Fate]
    score: Score


def search(problem: Problem, *, seed: int, deadline: Callable[[], bool]) -> list[Fate]:
    """The best fates found; the same for the same seed unless the deadline cuts in."""
    best = settle(problem, Choices({}, plain_order(problem)))
    floor = _outside_anyway(problem, best)
    if _is_least(problem, best.score, floor) or deadline():
        return _without_vain_recalls(problem, best).fates
    from solver.engine.repair_effort import Effort
    from solver.engine.repair_exact import improve  # OR-Tools takes a second to load, and most landlords lost nothing

    exact = improve(problem, best.fates, Effort(seed, WORK, deadline))
    if exact is not None and exact.proven:
        return exact.fates
    best = _try_changes(problem, best, seed=seed, deadline=deadline)
    return exact.fates if exact is not None and exact.score < best.score else best.fates


def _try_changes(problem: Problem, best: Candidate, *, seed: int, deadline: Callable[[], bool]) -> Candidate:
    """The best of attempts with other choices, one after the other."""
    seen, floor = {_key(best.choices)}, _outside_anyway(problem, best)
    for change in _changes(problem, best, random.Random(seed)):  # noqa: S311 - a search, no secret
        if deadline() or _is_perfect(best.score, floor):
            break
        choices = change(best.choices)
        if _key(choices) in seen:
            continue
        seen.add(_key(choices))
        best = _better(problem, best, choices)
    return _without_vain_recalls(problem, best)


def _without_vain_recalls(problem: Problem, best: Candidate) -> Candidate:
    """Recalls of lots whose racks nobody took are given up, if that makes nothing worse."""
    ground = ground_under(problem, best.fates)
    recalls = dict(best.choices.recalls)
    for fate in best.fates:
        back = {rack: left for rack, mask in fate.lot.own.items() if (left := mask & fate.lot.span & ~fate.span)}
        if back and all(not mask & ~ground.free(rack, fate.lot.gpus) for rack, mask in back.items()):
            recalls.pop(fate.lot.number, None)
            for rack, mask in back.items():
                ground.put(rack, fate.lot.gpus, mask)
    return _better(problem, best, replace(best.choices, recalls=recalls))


def _better(problem: Problem, best: Candidate, choices: Choices) -> Candidate:
    """What comes of these choices, if that is possible and not worse than ``best``."""
    try:
        other = settle(problem, choices)
    except ImpossibleError:
        return best
    return other if other.score <= best.score else best


def _is_perfect(score: Score, outside_anyway: float) -> bool:
    """Nobody is short or recalled, nobody outside scope who could be inside, no hold is short."""
    firm, interruptible, outside, *rest, _, _ = score
    return not any((firm, interruptible, *rest)) and outside <= outside_anyway


def _is_least(problem: Problem, score: Score, outside_anyway: float) -> bool:
    """Perfect, and no more GPUs moved than there are on racks that the lots lack all of a day."""
    return _is_perfect(score, outside_anyway) and score[-2] <= sum(_moved_anyway(problem, lot) for lot in problem.lots)


def _moved_anyway(problem: Problem, lot: Lot) -> int:
    """GPUs that the lot cannot have on its own racks on some day."""
    dead, own = problem.ground.dead, lot.own.items()
    if lot.parts or not (lot.missing or any(dead[rack] & mask for rack, mask in own)):
        return 0
    most = 0
    for piece in pieces_of(lot.span):
        alive = sum(not dead[rack] >> piece & 1 for rack in lot.own)
        most = max(most, lot.racks - alive)
    return lot.gpus * most


def _outside_anyway(problem: Problem, plain: Candidate) -> float:
    """GPU-days outside scope of lots that nothing happens to and that may not be moved or recalled."""
    fixed = (fate for fate in plain.fates if fate.lot.firm and not fate.lot.movable and not fate.is_harmed)
    return sum(outside_days(problem, fate) for fate in fixed)


def plain_order(problem: Problem) -> tuple[int, ...]:
    """Firm before interruptible, high tiers first, narrow scopes first, large blocks first."""

    def key(lot: Lot) -> tuple[bool, int, int, int, int]:
        reservation = lot.reservation
        return not lot.firm, reservation.tier, SCOPES.index(reservation.scope), -reservation.gpus, lot.number

    return tuple(lot.number for lot in sorted(problem.lots, key=key))


def settle(problem: Problem, choices: Choices) -> Candidate:
    """An attempt, with the recalls that R8 demands beside those of ``choices``."""
    fates = attempt(problem, choices)
    while recall := next_recall(problem, fates):
        choices = replace(choices, recalls=choices.recalls | recall)
        fates = attempt(problem, choices)
    return Candidate(choices, fates, score(problem, fates))


Change = Callable[[Choices], Choices]


def _changes(problem: Problem, plain: Candidate, chance: random.Random) -> Iterator[Change]:
    """Changes to try, one after the other, each on the best choices so far."""
    if len(problem.lots) > FEW_LOTS:
        yield from _recalls_for_room(problem, plain) if any(plain.score[:2]) else ()
        return
    if any(plain.score[:3]):
        yield from _recalls_for_room(problem, plain)
    single = [change for lot in problem.lots for change in _changes_of(problem, lot)]
    yield from single
    for _ in range(ROUNDS if any((*plain.score[:3], *plain.score[4:-2])) else 0):
        one, other = _by_chance(problem, single, chance), _by_chance(problem, single, chance)
        yield one if chance.random() < 0.5 else _Both(one, other)


def _recalls_for_room(problem: Problem, plain: Candidate) -> Iterator[Change]:
    """Recall all interruptible lots from the first day on which racks are missing, then only the cheapest of them."""
    lost = (mask for fate in plain.fates for mask in (*fate.lost, *fate.dark.values()))
    first = min(map(lowest, lost), default=0)
    lots = [lot for lot in problem.lots if not lot.firm and lot.span >> max(first, lot.earliest_end)]
    lots.sort(key=lambda lot: (-lot.reservation.tier, lot.reservation.value_usd))
    ends = tuple((lot.number, max(first, lot.earliest_end)) for lot in lots)
    for quarters in (4, 1, 2):
        yield _RecallOnly(ends[: (len(ends) * quarters + 3) // 4])


def _by_chance(problem: Problem, single: list[Change], chance: random.Random) -> Change:
    if not single or chance.random() < 0.3:
        return _Swap(chance.randrange(len(problem.lots)), chance.randrange(len(problem.lots)))
    return chance.choice(single)


def _changes_of(problem: Problem, lot: Lot) -> Iterator[Change]:
    """Other ends of an interruptible lot, latest first; other places of one that may be moved."""
    if not lot.firm:
        for piece in reversed(list(pieces_of(lot.span & problem.timeline.from_piece(lot.earliest_end)))):
            yield _Recall(lot.number, piece)
        yield _Keep(lot.number)
    if lot.movable:
        for skip in range(3):
            yield _Displace(lot.number, skip)
        yield _Stay(lot.number)


@dataclass(frozen=True, slots=True)
class _Recall:
    number: int
    piece: int

    def __call__(self, choices: Choices) -> Choices:
        return replace(choices, recalls=choices.recalls | {self.number: self.piece})


@dataclass(frozen=True, slots=True)
class _RecallOnly:
    ends: tuple[tuple[int, int], ...]

    def __call__(self, choices: Choices) -> Choices:
        return replace(choices, recalls=dict(self.ends))


@dataclass(frozen=True, slots=True)
class _Keep:
    number: int

    def __call__(self, choices: Choices) -> Choices:
        return replace(choices, recalls=_without(choices.recalls, self.number))


@dataclass(frozen=True, slots=True)
class _Displace:
    number: int
    skip: int

    def __call__(self, choices: Choices) -> Choices:
        return replace(choices, displaced=choices.displaced | {self.number: self.skip})


@dataclass(frozen=True, slots=True)
class _Stay:
    number: int

    def __call__(self, choices: Choices) -> Choices:
        return replace(choices, displaced=_without(choices.displaced, self.number))


@dataclass(frozen=True, slots=True)
class _Swap:
    one: int
    other: int

    def __call__(self, choices: Choices) -> Choices:
        order = list(choices.order)
        order[self.one], order[self.other] = order[self.other], order[self.one]
        return replace(choices, order=tuple(order))


@dataclass(frozen=True, slots=True)
class _Both:
    one: Change
    other: Change

    def __call__(self, choices: Choices) -> Choices:
        return self.other(self.one(choices))


def _without(numbers: dict[int, int], number: int) -> dict[int, int]:
    return {other: value for other, value in numbers.items() if other != number}


def _key(choices: Choices) -> tuple[object, ...]:
    recalls, displaced = sorted(choices.recalls.items()), sorted(choices.displaced.items())
    return tuple(recalls), choices.order, tuple(displaced)
