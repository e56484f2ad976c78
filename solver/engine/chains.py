"""Chains of improvement side by side: one worker each, joined after every leg at the best plan.

A leg is a piece of work that ends by rounds (deterministic) or by time: ruin and recreate, programs, or annealing.
OR-Tools and compiled code are loaded for those only, so that a worker starts fast and stays small.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from solver import cluster
from solver.decisions import Decisions
from solver.engine.admission import Guide
from solver.engine.annealing import compiled
from solver.engine.annealing.search import Annealing
from solver.engine.board import Board, Position
from solver.engine.crew import Crew
from solver.engine.improve import Chain
from solver.engine.programs import plain
from solver.engine.programs.neighbourhoods import Sizes
from solver.engine.watch import Watch
from solver.engine.wire import Stop
from solver.snapshot import Snapshot

_LEG_SECONDS, _LEG_SECONDS_OF_PROGRAMS = 4.0, 3.0
_ROUNDS_PER_PROGRAM = 100
"""A program counts for as much work as so many rounds of ruin and recreate."""
_ANNEALING_PER_ROUND = 100
"""Compiled rounds that count for one of ruin and recreate."""
_LEGS_BY_ROUNDS = 4
_LEAST_PATIENCE, _PATIENCE_PER_REQUEST = 500, 150
_GRACE_SECONDS = 0.5
"""How long a leg that ends by time is waited for."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What every piece of work is about: the snapshot, and what becomes of reservations."""

    snapshot: Snapshot
    decisions: Decisions


@dataclass(frozen=True, slots=True)
class Leg:
    """A piece of one chain: from ``positions`` on, for ``rounds`` rounds or ``seconds`` seconds; None: no limit.

    The threshold cools down while progress goes from ``progress_from`` to ``progress_to``, both in [0, 1].
    ``patience``: rounds without a better plan after which the leg gives up. ``deepest``: the last tier that counts;
    None: all. ``guide``: what says which room is worth how much. ``sizes``: the leg solves programs over neighbourhoods
    of these sizes, or, ``is_annealed``, runs in compiled code instead. ``closed``: tiers that have reached their bound,
    about which no program is.
    """

    positions: tuple[Position, ...]
    seed: str
    rounds: int | None
    seconds: float | None
    progress_from: float
    progress_to: float
    patience: int
    deepest: int | None = None
    guide: Guide | None = None
    sizes: Sizes | None = None
    closed: frozenset[int] = frozenset()
    is_annealed: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """A leg's best positions with their value by tier, whether it gave up, and how large its programs have become."""

    positions: tuple[Position, ...]
    values: dict[int, float]
    gave_up: bool
    sizes: Sizes | None = None


def improve(  # noqa: PLR0913 - what there is to know about a search
    problem: Problem,
    board: Board,
    crew: Crew,
    watch: Watch,
    *,
    reserve: float,
    guide: Guide | None = None,
    deepest: int | None = None,
    by_programs: bool = False,
) -> None:
    """Follow one chain for each hand of the crew, from the board's blocks on, and leave the best plan on the board.

    Ends at the work limit, ``reserve`` seconds before the time limit, on an interrupt, when the bounds are reached, or
    when every chain has given up. ``deepest``: the last tier that counts, the board is empty of those behind it.
    """
    best = Finished(board.positions(), board.values(), gave_up=False)
    sizes = [Sizes() if by_programs else None for _ in range(crew.hands)]
    for legs in _plan_legs(crew, watch, board, reserve=reserve, by_programs=by_programs):
        closed = frozenset(tier for tier in best.values if watch.has_met(tier, best.values))
        if all(tier in closed for tier in best.values if deepest is None or tier <= deepest):
            break
        started = [
            replace(leg, positions=best.positions, deepest=deepest, guide=guide, sizes=size, closed=closed)
            for leg, size in zip(legs, sizes, strict=False)  # hands may have been lost since
        ]
        finished = crew.run(run_leg, problem, started, enough=lambda: watch.seconds_left(reserve - _GRACE_SECONDS) == 0)
        best = max([best, *finished], key=lambda item: list(item.values.values()))
        if len(finished) == len(started):
            sizes = [item.sizes for item in finished]
        watch.values = dict(best.values)
        watch.tell("improvement" if deepest is None else "guided admission")
        if watch.interrupted or all(item.gave_up for item in finished):
            break
    board.set_up(best.positions)


def _plan_legs(crew: Crew, watch: Watch, board: Board, *, reserve: float, by_programs: bool) -> Iterator[list[Leg]]:
    """The legs of all chains, one list after the other, until the work limit or the time limit is reached."""
    parameters = crew.parameters
    began, patience = watch.seconds, _LEAST_PATIENCE + _PATIENCE_PER_REQUEST * len(board.wishes)
    for number in itertools.count():
        left = watch.seconds_left(reserve)
        rounds = None if parameters.work_limit is None else -(-parameters.work_limit // _LEGS_BY_ROUNDS)
        if (rounds is not None and number * rounds >= parameters.work_limit) or (left is not None and left <= 0):  # type: ignore[operator]
            return
        seconds = None if left is None else min(_LEG_SECONDS_OF_PROGRAMS if by_programs else _LEG_SECONDS, left)
        done, ahead = _progress(number, rounds, watch.seconds - began, seconds, left)
        yield [
            Leg(
                (),
                f"{parameters.seed}/{number}/{chain}",
                rounds,
                seconds,
                done,
                ahead,
                patience,
                is_annealed=(number + chain) % 2 == 1,
            )
            for chain in range(crew.hands)
        ]


def _progress(
    number: int, rounds: int | None, spent: float, seconds: float | None, left: float | None
) -> tuple[float, float]:
    """The share of all improvement that is behind a leg when it starts, and when it ends."""
    if rounds is not None or seconds is None or left is None:
        return number / _LEGS_BY_ROUNDS, (number + 1) / _LEGS_BY_ROUNDS
    return spent / (spent + left), (spent + seconds) / (spent + left)


def run_leg(problem: Problem, leg: Leg, enough: Stop) -> Finished:
    """Run one leg on this process's board of the problem."""
    board = board_of(problem)
    board.set_up(leg.positions)
    began = time.monotonic()

    def stop(rounds: int) -> bool:
        if leg.rounds is not None and rounds >= leg.rounds:
            return True
        return enough() or (leg.seconds is not None and time.monotonic() - began >= leg.seconds)

    def progress(rounds: int) -> float:
        shares = [0.0]
        if leg.rounds:
            shares.append(rounds / leg.rounds)
        if leg.seconds and leg.rounds is None:  # time must not steer a leg that is to be reproducible
            shares.append((time.monotonic() - began) / leg.seconds)
        return leg.progress_from + (leg.progress_to - leg.progress_from) * min(1.0, max(shares))

    chance = random.Random(leg.seed)  # noqa: S311 - chance for a search, no secret
    if leg.sizes is not None:
        if leg.is_annealed and not plain.share(board) and compiled.is_ready(wait=leg.rounds is not None):
            return _run_annealing(board, leg, chance, stop, progress)
        return _run_programs(board, leg, replace(leg.sizes), chance, stop, enough)
    chain = Chain(board, chance, guide=leg.guide, patience=leg.patience, deepest=leg.deepest)
    best = chain.run(stop, progress)
    board.set_up(best)
    return Finished(best, board.values(), chain.gave_up)


def _run_annealing(
    board: Board, leg: Leg, chance: random.Random, stop: Callable[[int], bool], progress: Callable[[int], float]
) -> Finished:
    """The leg as annealing: it is hot when it begins and cool when it ends."""
    search = Annealing(board, chance, deepest=leg.deepest, closed=leg.closed)

    def progress_of_leg(rounds: int) -> float:
        behind = progress(rounds // _ANNEALING_PER_ROUND) - leg.progress_from
        return behind / (leg.progress_to - leg.progress_from)

    best = search.run(lambda rounds: stop(rounds // _ANNEALING_PER_ROUND), progress_of_leg)
    return Finished(best, board.values(), gave_up=False, sizes=leg.sizes)


def _run_programs(
    board: Board, leg: Leg, sizes: Sizes, chance: random.Random, stop: Callable[[int], bool], enough: Stop
) -> Finished:
    """The leg as programs, which need OR-Tools."""
    began = time.monotonic()
    from solver.engine.programs.intervals import Intervals
    from solver.engine.programs.search import Programs

    def seconds_left() -> float | None:
        return None if leg.seconds is None or leg.rounds is not None else leg.seconds - (time.monotonic() - began)

    def stop_programs(programs: int) -> bool:
        return stop(_ROUNDS_PER_PROGRAM * programs)

    share = plain.share(board)
    if share and chance.random() < share:
        in_intervals = Intervals(board, chance, deepest=leg.deepest, closed=leg.closed)
        best = in_intervals.run(stop_programs, seconds_left, enough)
    else:
        search = Programs(board, chance, sizes, guide=leg.guide, deepest=leg.deepest, closed=leg.closed)
        best = search.run(stop_programs, seconds_left)
    return Finished(best, board.values(), gave_up=False, sizes=sizes)


def board_of(problem: Problem) -> Board:
    """This thread's board of the problem, built when it is first asked for."""
    if getattr(_here, "problem", None) is not problem:
        lend(problem, Board(problem.snapshot, cluster.build(problem.snapshot), problem.decisions))
    board: Board = _here.board
    return board


def lend(problem: Problem, board: Board) -> None:
    """Let work that this thread does itself use this board of the problem."""
    _here.problem, _here.board = problem, board


def get_ready(problem: Problem, _: None, __: Stop) -> None:
    """Build this process's board before it is needed."""
    board_of(problem)


_here = threading.local()
"""The last problem and its board. A board is for one thread: a Dask worker may have several."""
