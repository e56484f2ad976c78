"""Attempts at one tier: admission in every order and under every policy, then with chance in the order of the best.

Each hand of the crew takes its share of the attempts. No OR-Tools here, so that a worker starts fast.
"""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass

from solver.engine import admission
from solver.engine.admission import Guide, Order
from solver.engine.board import Board, Position
from solver.engine.chains import Problem, board_of
from solver.engine.crew import Crew
from solver.engine.policy import POLICIES, TIGHT, Policy
from solver.engine.watch import OPTIMAL_GAP
from solver.engine.wire import Stop
from solver.engine.wishes import Wish

_NOISES = (0.03, 0.1, 0.25)
_GRACE_SECONDS = 3.0
"""How long hands whose time is up are waited for: the attempt that they make then may be long."""


@dataclass(frozen=True, slots=True)
class Task:
    """A hand's attempts at ``tier`` on top of ``positions``: each ``step``-th way from ``first`` on, then noisy ones.

    ``seconds``: when to stop, after one attempt at least; None: no limit. ``noisy``: the most noisy ones.
    ``enough_usd``: the tier's bound, None where it is not known.
    """

    tier: int
    positions: tuple[Position, ...]
    guides: tuple[Guide, ...]
    first: int
    step: int
    seconds: float | None
    noisy: int
    enough_usd: float | None
    seed: str


@dataclass(frozen=True, slots=True)
class Best:
    """The tier's highest value, the number of the attempt that reached it, and what stands then."""

    value_usd: float
    number: int
    positions: tuple[Position, ...]

    @property
    def rank(self) -> tuple[float, int]:
        return self.value_usd, -self.number


def best_of(problem: Problem, crew: Crew, tasks: list[Task]) -> tuple[Position, ...]:
    """What the best attempt of all the crew's hands leaves standing, the first of equals."""
    seconds = tasks[0].seconds
    enough = crew.enough_after(None if seconds is None else seconds + _GRACE_SECONDS)
    done = crew.run(carry_out, problem, tasks, enough=enough)
    return max(done, key=lambda best: best.rank).positions


def carry_out(problem: Problem, task: Task, stop: Stop) -> Best:
    """Make the task's attempts on this process's board of the problem, one at least."""
    board = board_of(problem)
    until = None if task.seconds is None else time.monotonic() + task.seconds
    chance = random.Random(task.seed)  # noqa: S311 - chance for a search, no secret
    ways = list(itertools.product(POLICIES, admission.ways(*task.guides)))
    plain = range(task.first % len(ways), len(ways), task.step)
    best: Best | None = None
    for turn in range(len(plain) + task.noisy):
        late = stop() or (until is not None and time.monotonic() > until)
        if best is not None and (late or _is_enough(best, task)):
            break
        number = plain[turn] if best is None or turn < len(plain) else best.number
        policy, (order, starts) = ways[number]
        if turn >= len(plain):
            order = _noisy(order, chance, chance.choice(_NOISES))
        value, positions = _attempt(board, task, policy, (order, starts), stop)
        if best is None or value > best.value_usd:
            best = Best(value, number, positions)
    if best is None:
        raise AssertionError("a task makes one attempt at least")
    return best


def _is_enough(best: Best, task: Task) -> bool:
    return task.enough_usd is not None and best.value_usd >= task.enough_usd * (1 - OPTIMAL_GAP)


def _attempt(
    board: Board, task: Task, policy: Policy, way: tuple[Order, admission.Starts], stop: Stop
) -> tuple[float, tuple[Position, ...]]:
    board.set_up(task.positions)
    board.policy = policy
    admission.fill(board, task.tier, *way, stop)
    board.policy = TIGHT
    return board.values()[task.tier], board.positions()


def _noisy(order: Order, chance: random.Random, noise: float) -> Order:
    """The order with chance in all but its first key, where it has more than one."""

    def noisy(wish: Wish) -> tuple[float, ...]:
        keys = order(wish)
        kept = len(keys) > 1
        return (*keys[:kept], *(key * chance.uniform(1 - noise, 1 + noise) for key in keys[kept:]))

    return noisy
