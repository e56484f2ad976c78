"""The search for the best repair: attempts with other recalls, orders and moves, from the plain one on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from solver.decisions import stands
from solver.engine import holds
from solver.engine.repair_attempt import Choices, Fate, Problem, attempt
from solver.engine.repair_ground import Lot
from solver.engine.repair_outcome import STEPS_BEFORE_VALUE, Score, decisions, score
from solver.engine.repair_timeline import pieces_of

MOST_LOTS = 40
MOST_ROUNDS = 300
SCOPES = ("pod", "hall", "site", "any")


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
    best = settle(problem, Choices({}, plain_order(problem)))
    if best.is_perfect:
        return best.fates
    for choices in _single_changes(problem, best):
        if deadline():
            return best.fates
        best = min(best, settle(problem, choices(best.choices)), key=lambda candidate: candidate.score)
    rounds = MOST_ROUNDS if 0 < len(problem.lots) <= MOST_LOTS else 0
    chance = random.Random(seed)  # noqa: S311 - a search, no secret
    for _ in range(rounds):
        if deadline() or best.is_perfect:
            break
        best = _not_worse(best, settle(problem, _mutated(problem, best.choices, chance)))
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
    while recall := _next_recall(problem, fates):
        choices = replace(choices, recalls=choices.recalls | recall)
        fates = attempt(problem, choices)
    return Candidate(choices, fates, score(problem, fates))


def _next_recall(problem: Problem, fates: list[Fate]) -> dict[int, int]:
    """R8: the cheapest recall on the first day on which one helps; empty where none is needed or possible."""
    if not any(fate.span for fate in fates if not fate.lot.firm):
        return {}
    standing = stands(problem.snapshot, replace(decisions(problem, fates), hold_shortfalls=()))
    measured = holds.measure(problem.snapshot, problem.cluster, standing)
    for gap in holds.recalls_needed(measured):
        for day in np.flatnonzero(gap.gpus):
            piece = problem.timeline.piece(problem.cluster.date(int(day)))
            can_go = [fate for fate in fates if _can_go(problem, fate, gap, piece)]
            if can_go:
                cheapest = min(can_go, key=lambda fate: (-fate.lot.reservation.tier, fate.lot.reservation.value_usd))
                return {cheapest.lot.number: piece}
    return {}


def _can_go(problem: Problem, fate: Fate, gap: holds.Gap, piece: int) -> bool:
    """Whether recalling the lot from ``piece`` on is allowed and narrows the gap."""
    notice = fate.lot.reservation.recall_notice_days
    if notice is None or gap.notice is None or notice < gap.notice or piece < fate.lot.earliest_end:
        return False
    sites = problem.ground.site_of
    here = (rack for rack, mask in fate.racks.items() if mask >> piece & 1)
    return any(gap.site is None or sites[rack] == gap.site for rack in here)


def _not_worse(best: Candidate, other: Candidate) -> Candidate:
    return other if other.score <= best.score else best


def _single_changes(problem: Problem, best: Candidate) -> Iterator[Callable[[Choices], Choices]]:
    """Each other end of an interruptible lot, latest first, and each move of one that may leave unharmed."""
    harmed = any(best.score[:STEPS_BEFORE_VALUE])
    if not harmed or len(problem.lots) > MOST_LOTS:
        return
    for lot in problem.lots:
        if not lot.firm:
            for piece in reversed(list(pieces_of(lot.span & problem.timeline.from_piece(lot.earliest_end)))):
                yield _Recall(lot.number, piece)
        elif lot.movable:
            yield _Displace(lot.number)


@dataclass(frozen=True, slots=True)
class _Recall:
    number: int
    piece: int

    def __call__(self, choices: Choices) -> Choices:
        return replace(choices, recalls=choices.recalls | {self.number: self.piece})


@dataclass(frozen=True, slots=True)
class _Displace:
    number: int

    def __call__(self, choices: Choices) -> Choices:
        return replace(choices, displaced=choices.displaced ^ {self.number})


def _mutated(problem: Problem, choices: Choices, chance: random.Random) -> Choices:
    """The choices with another order, or another end or move of one lot."""
    lot = chance.choice(problem.lots)
    ends = [*pieces_of(lot.span & problem.timeline.from_piece(lot.earliest_end)), None]
    if len(ends) > 1 and chance.random() < 0.5:
        recalls = {number: piece for number, piece in choices.recalls.items() if number != lot.number}
        end = chance.choice(ends)
        return replace(choices, recalls=recalls if end is None else recalls | {lot.number: end})
    if lot.movable and chance.random() < 0.3:
        return _Displace(lot.number)(choices)
    order = list(choices.order)
    one, other = chance.randrange(len(order)), chance.randrange(len(order))
    order[one], order[other] = order[other], order[one]
    return replace(choices, order=tuple(order))
