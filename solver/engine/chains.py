"""Chains of improvement side by side: one process each, joined after every leg at the best plan.

A leg is a piece of work that ends by rounds (deterministic) or by time. The executor is Python's own interface: processes of
this machine, or a Dask cluster. No OR-Tools here, so that a worker starts fast and stays small.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context

from solver import cluster
from solver.decisions import Decisions
from solver.engine.board import Board, Position
from solver.engine.improve import Chain
from solver.engine.parameters import SolveParameters
from solver.engine.watch import OPTIMAL_GAP, Watch
from solver.snapshot import Snapshot

_POLL_SECONDS = 0.2
_LEG_SECONDS = 4.0
_LEGS_BY_ROUNDS = 4
_SMALL_PROBLEM = 40
_LEAST_PATIENCE, _PATIENCE_PER_REQUEST = 500, 150


@dataclass(frozen=True, slots=True)
class Problem:
    """What every leg works on. ``key`` tells problems apart, so that a process builds its board once."""

    key: str
    snapshot: Snapshot
    decisions: Decisions


@dataclass(frozen=True, slots=True)
class Leg:
    """A piece of one chain: from ``positions`` on, for ``rounds`` rounds or ``seconds`` seconds; None: no limit.

    The threshold cools down while progress goes from ``heat_from`` to ``heat_to``, both in [0, 1]. ``patience``: rounds
    without a better plan after which the leg gives up.
    """

    positions: tuple[Position, ...]
    seed: str
    rounds: int | None
    seconds: float | None
    progress_from: float
    progress_to: float
    patience: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A leg's best positions with their value by tier, and the rounds it took."""

    positions: tuple[Position, ...]
    values: dict[int, float]
    gave_up: bool


def improve(problem: Problem, board: Board, parameters: SolveParameters, watch: Watch, *, reserve: float) -> None:
    """Follow ``parameters.workers`` chains from the board's blocks on and leave the best plan found on the board.

    Ends at the work limit, ``reserve`` seconds before the time limit, on an interrupt, when the bounds are reached, or
    when every chain has given up.
    """
    best = Finished(board.positions(), board.values(), gave_up=False)
    with _runner(problem, board, parameters, watch) as run:
        for legs in _plan_legs(parameters, watch, board, reserve=reserve):
            finished = run([replace(leg, positions=best.positions) for leg in legs])
            best = max([best, *finished], key=lambda item: list(item.values.values()))
            watch.values = dict(best.values)
            watch.tell("improvement")
            if watch.is_closed(OPTIMAL_GAP) or watch.interrupted or all(item.gave_up for item in finished):
                break
    board.set_up(best.positions)


def _plan_legs(parameters: SolveParameters, watch: Watch, board: Board, *, reserve: float) -> Iterator[list[Leg]]:
    """The legs of all chains, one list after the other, until the work limit or the time limit is reached."""
    began, patience = watch.seconds, _LEAST_PATIENCE + _PATIENCE_PER_REQUEST * len(board.wishes)
    for number in itertools.count():
        left = watch.seconds_left(reserve)
        rounds = None if parameters.work_limit is None else -(-parameters.work_limit // _LEGS_BY_ROUNDS)
        if (rounds is not None and number * rounds >= parameters.work_limit) or (left is not None and left <= 0):  # type: ignore[operator]
            return
        seconds = None if left is None else min(_LEG_SECONDS, left)
        done, ahead = _progress(number, rounds, watch.seconds - began, seconds, left)
        yield [
            Leg((), f"{parameters.seed}/{number}/{chain}", rounds, seconds, done, ahead, patience)
            for chain in range(parameters.workers)
        ]


def _progress(
    number: int, rounds: int | None, spent: float, seconds: float | None, left: float | None
) -> tuple[float, float]:
    """The share of all improvement that is behind a leg when it starts, and when it ends."""
    if rounds is not None or seconds is None or left is None:
        return number / _LEGS_BY_ROUNDS, (number + 1) / _LEGS_BY_ROUNDS
    return spent / (spent + left), (spent + seconds) / (spent + left)


def run_leg(problem: Problem, leg: Leg, interrupted: Callable[[], bool] = lambda: False) -> Finished:
    """Run one leg on this process's board of the problem."""
    return _run_on(_board(problem), leg, interrupted)


def _run_on(board: Board, leg: Leg, interrupted: Callable[[], bool]) -> Finished:
    board.set_up(leg.positions)
    began = time.monotonic()

    def stop(rounds: int) -> bool:
        if leg.rounds is not None and rounds >= leg.rounds:
            return True
        return interrupted() or (leg.seconds is not None and time.monotonic() - began >= leg.seconds)

    def progress(rounds: int) -> float:
        shares = [0.0]
        if leg.rounds:
            shares.append(rounds / leg.rounds)
        if leg.seconds and leg.rounds is None:  # time must not steer a leg that is to be reproducible
            shares.append((time.monotonic() - began) / leg.seconds)
        return leg.progress_from + (leg.progress_to - leg.progress_from) * min(1.0, max(shares))

    chain = Chain(board, random.Random(leg.seed), patience=leg.patience)  # noqa: S311 - chance for a search, no secret
    best = chain.run(stop, progress)
    board.set_up(best)
    return Finished(best, board.values(), chain.gave_up)


@contextmanager
def _runner(
    problem: Problem, board: Board, parameters: SolveParameters, watch: Watch
) -> Iterator[Callable[[list[Leg]], list[Finished]]]:
    """How legs are run: in this process where one worker or a small problem makes others not worth their start."""
    few = parameters.workers == 1 or len(board.wishes) <= _SMALL_PROBLEM
    if parameters.scheduler is None and few:
        yield lambda legs: [_run_on(board, leg, lambda: watch.interrupted) for leg in legs[:1]]
        return
    with executor(parameters.workers, parameters.scheduler) as pool:
        yield lambda legs: _run_on_pool(pool, problem, legs, watch)


@contextmanager
def executor(workers: int, scheduler: str | None) -> Iterator[Executor]:
    """Processes of this machine, or of the Dask cluster whose scheduler listens at the address."""
    if scheduler is not None:
        from distributed import Client

        with Client(scheduler) as client:  # type: ignore[no-untyped-call] - distributed is not annotated
            yield client.get_executor(pure=False)
        return
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(os.getpid(),)
    )
    try:
        yield pool
    finally:
        processes = list((pool._processes or {}).values())  # noqa: SLF001 - the interface has no "stop at once" before 3.14
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()


def _run_on_pool(pool: Executor, problem: Problem, legs: list[Leg], watch: Watch) -> list[Finished]:
    """Run the legs side by side; those that are not finished when somebody interrupts are left out."""
    futures = [pool.submit(run_leg, problem, leg) for leg in legs]
    pending = set(futures)
    while pending and not watch.interrupted:
        _, pending = wait(pending, timeout=_POLL_SECONDS)
    return [future.result() for future in futures if future.done() and not future.cancelled()]


_boards: dict[str, Board] = {}


def _board(problem: Problem) -> Board:
    if problem.key not in _boards:
        _boards.clear()
        _boards[problem.key] = Board(problem.snapshot, cluster.build(problem.snapshot), problem.decisions)
    return _boards[problem.key]


def _start_worker(parent: int) -> None:
    """A worker leaves interrupts to its parent, and does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
