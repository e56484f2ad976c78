"""The search for the best repair: attempts with other recalls, orders and moves, from the plain one on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from solver.engine.repair_attempt import Choices, attempt
from solver.engine.repair_ground import Lot
from solver.engine.repair_moves import ImpossibleError
from solver.engine.repair_recalls import next_recall
from solver.engine.repair_score import Score, score
from solver.engine.repair_timeline import pieces_of
from solver.engine.repair_yard import Fate, Problem
from solver.snapshot import SCOPES

MOST_LOTS = 40
"""With more reservations than these the plain attempt stands, with the recalls that R8 demands."""
ROUNDS = 300


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finished attempt."""

    choices: Choices
    fates: list[Fate]
    score: Score

    @property
    def is_perfect(self) -> bool:
        """Nobody is short, outside scope or recalled."""
        return not any(self.score[:-1])


def search(problem: Problem, *, seed: int, deadline: Callable[[], bool]) -> list[Fate]:
    """The best fates found; the same for the same seed unless the deadline cuts in."""
    plain = settle(problem, Choices({}, plain_order(problem)))
    if plain.is_perfect or len(problem.lots) > MOST_LOTS:
        return plain.fates
    best, seen = plain, {_key(plain.choices)}
    for change in _changes(problem, random.Random(seed)):  # noqa: S311 - a search, no secret
        if deadline() or best.is_perfect:
            break
        choices = change(best.choices)
        if _key(choices) in seen:
            continue
        seen.add(_key(choices))
        try:
            other = settle(problem, choices)
        except ImpossibleError:
            continue
        if other.score <= best.score:
            best = other
    return best.fates


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


def _changes(problem: Problem, chance: random.Random) -> Iterator[Change]:
    """Each single change first, then as many again by chance, one or two at a time."""
    single = [change for lot in problem.lots for change in _changes_of(problem, lot)]
    yield from single
    if not problem.lots:
        return
    for _ in range(ROUNDS):
        one, other = (
            _Swap(chance.randrange(len(problem.lots)), chance.randrange(len(problem.lots)))
            if not single or chance.random() < 0.3
            else chance.choice(single)
            for _ in range(2)
        )
        yield one if chance.random() < 0.5 else _Both(one, other)


def _changes_of(problem: Problem, lot: Lot) -> Iterator[Change]:
    """Other ends of an interruptible lot, latest first; other places of one that may be moved; other replacements."""
    if not lot.firm:
        for piece in reversed(list(pieces_of(lot.span & problem.timeline.from_piece(lot.earliest_end)))):
            yield _Recall(lot.number, piece)
        yield _Keep(lot.number)
    if lot.movable:
        for skip in range(3):
            yield _Displace(lot.number, skip)
        yield _Stay(lot.number)
    yield _ShortestFirst(lot.number)


@dataclass(frozen=True, slots=True)
class _Recall:
    number: int
    piece: int

    def __call__(self, choices: Choices) -> Choices:
        return replace(choices, recalls=choices.recalls | {self.number: self.piece})


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
class _ShortestFirst:
    number: int

    def __call__(self, choices: Choices) -> Choices:
        return replace(choices, shortest_first=choices.shortest_first ^ {self.number})


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
    return tuple(recalls), choices.order, tuple(displaced), choices.shortest_first
