"""Attempts at one tier: sweeps where a relaxation guides them, else admission in every order and under every policy,
then chance in the order of the best.

Each hand of the crew takes its share of the attempts. OR-Tools is loaded for exchanges only: a worker starts fast.
"""

from __future__ import annotations

import itertools
import math
import random
import time
from dataclasses import dataclass, field

from solver.engine import admission
from solver.engine.admission import Guide, Order
from solver.engine.board import Board, Position
from solver.engine.chains import Problem, board_of
from solver.engine.crew import Crew
from solver.engine.policy import POLICIES, TIGHT, Policy
from solver.engine.sweep import Sweeper
from solver.engine.watch import has_met
from solver.engine.wire import Stop
from solver.engine.wishes import Wish

_NOISES = (0.03, 0.1, 0.25)
_ROUNDS_FOR_A_SWEEP = 200
"""The long selection has so many rounds at most for each sweep that is allowed: work is limited, not sweeps alone."""
_FULL_SHARE = 0.7
"""Of the time, in which sweeps place everything anew: where there is much time, more than the few that there are."""
_GRACE_SECONDS = 3.0
"""How long hands whose time is up are waited for: the attempt that they make then may be long."""


@dataclass(frozen=True, slots=True)
class Task:
    """A hand's attempts at ``tier`` on top of ``positions``: sweeps where a relaxation guides them, else each
    ``step``-th way from ``first`` on and then noisy ones.

    ``seconds``: when to stop, after one attempt at least; None: no limit. ``more``: the most sweeps or noisy ones.
    ``enough_usd``: the tier's bound, None where it is not known. ``is_large``: no programs over
    pods follow; sweeps have most of the time, and programs improve their selections.
    """

    tier: int
    positions: tuple[Position, ...]
    guides: tuple[Guide, ...]
    first: int
    step: int
    seconds: float | None
    more: int
    enough_usd: float | None
    seed: str
    is_large: bool = False


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
    clock = _Clock(task.seconds, stop)
    board = board_of(problem)
    chance = random.Random(task.seed)  # noqa: S311 - chance for a search, no secret
    if task.guides[0].fractions:
        return _sweep(board, task, chance, clock)
    best = _plainly(board, task, clock)
    return best if _is_enough(best, task) else _with_noise(board, task, best, chance, clock)


def _sweep(board: Board, task: Task, chance: random.Random, clock: _Clock) -> Best:
    """Sweeps; the plain ways only where no sweep places all that must stand."""
    board.set_up(task.positions)
    rounds = _ROUNDS_FOR_A_SWEEP * task.more
    sweeper = Sweeper(board, task.tier, task.guides[-1], chance, rounds=rounds, is_large=task.is_large)

    def swept() -> Best:
        return Best(sweeper.values[-1] if sweeper.values else -math.inf, task.first, sweeper.best)

    def stop(sweeps: int) -> bool:
        late = clock.is_late() and (sweeper.swept > 0 or clock.stop())
        return sweeps >= task.more or late or _is_enough(swept(), task)

    def progress(sweeps: int) -> float:
        return clock.share if task.seconds is not None else sweeps / max(1, task.more)

    full_until = _FULL_SHARE if task.is_large and task.seconds is not None else 0.0
    sweeper.run(stop, progress, clock.stop, full_until=full_until)
    if sweeper.best:
        return swept()
    return _plainly(board, task, clock)


def _plainly(board: Board, task: Task, clock: _Clock) -> Best:
    """The best of the hand's plain ways; at least one is tried."""
    ways = list(itertools.product(POLICIES, admission.ways(*task.guides)))
    best: Best | None = None
    for number in range(task.first % len(ways), len(ways), task.step):
        if best is not None and (clock.is_late() or _is_enough(best, task)):
            break
        policy, way = ways[number]
        value, positions = _attempt(board, task, policy, way, clock.stop)
        if best is None or value > best.value_usd:
            best = Best(value, number, positions)
    if best is None:
        raise AssertionError("a task makes one attempt at least")
    return best


def _with_noise(board: Board, task: Task, best: Best, chance: random.Random, clock: _Clock) -> Best:
    ways = list(itertools.product(POLICIES, admission.ways(*task.guides)))
    for _ in range(task.more):
        if clock.is_late() or _is_enough(best, task):
            break
        policy, (order, starts) = ways[best.number]
        way = (_noisy(order, chance, chance.choice(_NOISES)), starts)
        value, positions = _attempt(board, task, policy, way, clock.stop)
        if value > best.value_usd:
            best = Best(value, best.number, positions)
    return best


@dataclass(slots=True)
class _Clock:
    """The time that a task may take; without ``seconds`` it takes as long as it takes, until somebody says ``stop``."""

    seconds: float | None
    stop: Stop
    began: float = field(default_factory=time.monotonic)

    @property
    def share(self) -> float:
        """How much of the time is gone, in [0, 1]."""
        return 0.0 if not self.seconds else min(1.0, (time.monotonic() - self.began) / self.seconds)

    def is_late(self) -> bool:
        """Whether the time is gone."""
        return self.stop() or (self.seconds is not None and time.monotonic() - self.began > self.seconds)


def _is_enough(best: Best, task: Task) -> bool:
    return task.enough_usd is not None and has_met(best.value_usd, task.enough_usd)


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
