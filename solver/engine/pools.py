"""Where pieces of work are carried out: processes of this machine, or of a Dask cluster.

Both may lose processes at any time: `WorkersLost` says so, and whether asking again makes sense.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar

from solver.engine import wire

Result = TypeVar("Result")
INTERRUPTS = frozenset({signal.SIGINT, signal.SIGTERM})
_CLOSING_SECONDS = 0.5
_CONNECT_SECONDS = 10
_CLOSE_SECONDS = 1
_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 10.0
"""How long a cluster may be without any worker."""


class NoScheduler(Exception):
    """No Dask scheduler answers at the address."""

    def __init__(self, address: str) -> None:
        super().__init__(f"no Dask scheduler answers at {address}")


class WorkersLost(Exception):
    """Work was lost with the processes that had it. ``for_good``: there are no others to ask."""

    def __init__(self, text: str, *, for_good: bool) -> None:
        super().__init__(text)
        self.for_good = for_good


class Pool(Protocol):
    """Processes that carry out what is submitted. ``known``: digests of contents that were sent to it before."""

    known: set[str]

    def submit(self, function: Callable[..., Result], *arguments: object) -> Future[Result]:
        """Have ``function(*arguments)`` carried out; raises `WorkersLost` where nobody can."""

    def answer(self, future: Future[Result]) -> Result:
        """The result of a future that is done; raises `WorkersLost` where its process was."""

    def look(self) -> None:
        """Raise `WorkersLost` where waiting any longer is in vain."""

    def halt(self) -> None:
        """Have what is under way, and all to come, end soon with what it has, where the processes can hear that."""

    def resume(self) -> None:
        """What is to come is no longer halted."""

    def close(self) -> None:
        """End the processes, or the connection to them, at once."""


class LocalPool:
    """Processes of this machine. They leave interrupts to their parent, and do not outlive it."""

    def __init__(self, workers: int) -> None:
        self.known: set[str] = set()
        context = get_context("spawn")
        self._halted = context.RawValue("b", 0)  # without a lock: who is killed can't hold it
        self._pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_start_worker, initargs=(os.getpid(), self._halted)
        )

    def submit(self, function: Callable[..., Result], *arguments: object) -> Future[Result]:
        try:
            with held_interrupts():  # a process that this starts inherits the mask: interrupts never reach it
                return self._pool.submit(function, *arguments)
        except BrokenExecutor:
            raise _ended_early() from None

    def answer(self, future: Future[Result]) -> Result:
        try:
            return future.result()
        except BrokenExecutor:
            raise _ended_early() from None

    def look(self) -> None:
        """A process that ends breaks every future that waits for it, so there is nothing to look for."""

    def halt(self) -> None:
        self._halted.value = 1

    def resume(self) -> None:
        self._halted.value = 0

    def close(self) -> None:
        # 3.11 has no "stop at once". Its own thread is waited for: else Python's end may find it half closed.
        processes = list((self._pool._processes or {}).values())  # noqa: SLF001
        manager: Any = self._pool._executor_manager_thread  # noqa: SLF001
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        if manager is not None:
            manager.join(_CLOSING_SECONDS)


class DaskPool:
    """Processes of the Dask cluster whose scheduler listens at the address. Dask itself replaces workers it loses."""

    def __init__(self, scheduler: str) -> None:
        from distributed import Client

        self.known: set[str] = set()
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # losses are told by us, in one sentence
        try:
            self._client: Any = Client(scheduler, timeout=_CONNECT_SECONDS)  # type: ignore[no-untyped-call]
        except (OSError, ValueError):
            raise NoScheduler(scheduler) from None
        self._executor: Executor = self._client.get_executor(pure=False)  # type: ignore[no-untyped-call]
        self._seen = time.monotonic()
        self._closed = threading.Event()
        threading.Thread(target=self._keep_looking, daemon=True).start()

    def submit(self, function: Callable[..., Result], *arguments: object) -> Future[Result]:
        if self._client.status != "running":
            raise _nobody_left()
        future: Future[Result] = self._executor.submit(function, *arguments)
        return future

    def answer(self, future: Future[Result]) -> Result:
        from distributed import KilledWorker

        try:
            return future.result()
        except (CancelledError, KilledWorker):
            raise WorkersLost("the cluster lost the workers that had the work", for_good=False) from None

    def look(self) -> None:
        if time.monotonic() - self._seen > _PATIENCE_SECONDS:
            raise _nobody_left()

    def halt(self) -> None:
        """Pieces on other machines end by the seconds or rounds that they were given."""

    def resume(self) -> None:
        """Nothing was halted."""

    def close(self) -> None:
        self._closed.set()
        with suppress(OSError, TimeoutError):
            self._client.close(timeout=_CLOSE_SECONDS)

    def _keep_looking(self) -> None:
        """Note when workers were last seen; beside the solve, for a scheduler that is gone answers late or never."""
        while not self._closed.wait(_LOOK_SECONDS):
            with suppress(OSError, TimeoutError, CancelledError, RuntimeError):
                if self._client.nthreads():
                    self._seen = time.monotonic()


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the block is left."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ended_early() -> WorkersLost:
    return WorkersLost("a worker process ended before its work was done", for_good=False)


def _nobody_left() -> WorkersLost:
    return WorkersLost("the cluster has no worker left", for_good=True)


def _start_worker(parent: int, halted: Any) -> None:
    wire.obey(lambda: bool(halted.value))
    threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
