"""The crew: processes that share the work of one solve, of this machine or of a Dask cluster.

The interface is Python's own `concurrent.futures.Executor`. The processes are started when they are first needed, and
do not outlive the solve.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from typing import TypeVar

from solver.engine.parameters import SolveParameters
from solver.engine.watch import Watch

Result = TypeVar("Result")
_POLL_SECONDS = 0.2
_CONNECT_SECONDS = 10
_SMALL_PROBLEM = 40
"""Requests up to which one process is done before others start."""


class NoScheduler(Exception):
    """No Dask scheduler answers at the address."""

    def __init__(self, address: str) -> None:
        super().__init__(f"no Dask scheduler answers at {address}")


class Crew:
    """``hands`` pieces of work are done side by side; with one hand and no scheduler, in this process."""

    def __init__(self, parameters: SolveParameters, watch: Watch, requests: int, stack: ExitStack) -> None:
        self.parameters = parameters
        small = requests <= _SMALL_PROBLEM and parameters.scheduler is None
        self.hands = 1 if small else parameters.workers
        self._watch = watch
        self._stack = stack
        self._executor: Executor | None = None

    @property
    def is_alone(self) -> bool:
        """Whether this process does all the work itself."""
        return self.hands == 1 and self.parameters.scheduler is None

    def run(
        self, work: Callable[..., Result], pieces: list[tuple[object, ...]], alone: Callable[[], list[Result]]
    ) -> list[Result]:
        """The results of ``work(*piece)`` in order; those not ready when somebody interrupts are left out.

        A crew that `is_alone` calls ``alone`` instead.
        """
        if self.is_alone:
            return alone()
        executor = self.start()
        futures = [executor.submit(work, *piece) for piece in pieces]
        pending = set(futures)
        while pending and not self._watch.interrupted:
            _, pending = wait(pending, timeout=_POLL_SECONDS)
        return [future.result() for future in futures if future.done() and not future.cancelled()]

    def start(self) -> Executor:
        """The executor, started if it was not yet."""
        if self._executor is None:
            self._executor = self._stack.enter_context(_executor(self.hands, self.parameters.scheduler))
        return self._executor


@contextmanager
def crew(parameters: SolveParameters, watch: Watch, requests: int) -> Iterator[Crew]:
    """The crew for a solve with this many requests; its processes end with the block.

    Raises `NoScheduler` before any work is done where the parameters name one that does not answer.
    """
    with ExitStack() as stack:
        hands = Crew(parameters, watch, requests, stack)
        if parameters.scheduler is not None:
            hands.start()
        yield hands


@contextmanager
def _executor(workers: int, scheduler: str | None) -> Iterator[Executor]:
    """Processes of this machine, or of the Dask cluster whose scheduler listens at the address."""
    if scheduler is not None:
        from distributed import Client

        try:
            connected = Client(scheduler, timeout=_CONNECT_SECONDS)  # type: ignore[no-untyped-call]  # not annotated
        except (OSError, ValueError):
            raise NoScheduler(scheduler) from None
        with connected as client:
            yield client.get_executor(pure=False)
        return
    context = get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(os.getpid(),))
    try:
        yield pool
    finally:
        processes = list((pool._processes or {}).values())  # noqa: SLF001  # no "stop at once" in 3.11's interface
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()


def _start_worker(parent: int) -> None:
    """A worker leaves interrupts to its parent, and does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
