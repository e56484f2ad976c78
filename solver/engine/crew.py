"""The crew: processes that share the work of one solve, of this machine or of a Dask cluster.

Results depend on the content and the piece alone, never on the process that does the work. So a process that is lost
costs time and nothing else: its pieces are done by others, or in this process where no others are left.
"""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from functools import partial
from multiprocessing import parent_process
from typing import Any, Generic, TypeAlias

from solver.engine import beside, wire
from solver.engine.parameters import SolveParameters
from solver.engine.pools import DaskPool, LocalPool, NoScheduler, Pool, WorkersLost
from solver.engine.watch import Watch
from solver.engine.wire import Content, Finished, Missing, Parcel, Piece, Result, Stop, Work

__all__ = ["Batch", "Crew", "NoScheduler", "crew"]

_POLL_SECONDS = 0.05
_SMALL_PROBLEM = 40
"""Requests up to which one process is done before others start."""
_MOST_LOSSES = 3
"""After so many losses this process goes on alone: what kills workers, lack of memory say, would go on."""
_GRACE_SECONDS, _PATIENCE_SECONDS = 1.0, 1.0
"""How long an answer from aside is waited for when it is late, and workers who were asked to end."""
_TIMES_ASIDE = 2


_Waiting: TypeAlias = dict[Future[Finished[Result] | Missing], int]


class Crew:
    """``hands`` pieces of work are done side by side; with one hand and no scheduler, in this process."""

    def __init__(self, parameters: SolveParameters, watch: Watch, requests: int) -> None:
        self.parameters = parameters
        self.hands = 1 if requests <= _SMALL_PROBLEM and parameters.scheduler is None else parameters.workers
        # A process that is itself a worker starts no others: on a Dask cluster it may not, and it is left as a whole.
        self._is_small = requests <= _SMALL_PROBLEM or parent_process() is not None
        self._watch = watch
        self._pool: Pool | None = None
        self._beside: LocalPool | None = None
        self._under_way: list[Future[wire.Finished[Any]]] = []
        self._then: Callable[[Any], object] | None = None
        self._losses = 0
        self._deserted = False
        self._starting: Sequence[Future[Any]] = ()
        self._parcel: Parcel[object] | None = None

    @property
    def is_alone(self) -> bool:
        """Whether this process does all the work itself."""
        return self._deserted or (self.hands == 1 and self.parameters.scheduler is None)

    def run(
        self,
        work: Work[Content, Piece, Result],
        content: Content,
        pieces: Sequence[Piece],
        *,
        enough: Stop | None = None,
        patience: float = _PATIENCE_SECONDS,
    ) -> list[Result]:
        """The results of ``work`` on each piece, in order: all of them, or at least one where ``enough`` says so.

        ``enough`` None: where somebody interrupts. Workers are asked to end then, and waited for ``patience`` seconds.
        """
        return self.finish(self.begin(work, content, pieces), enough=enough, patience=patience)

    def begin(
        self, work: Work[Content, Piece, Result], content: Content, pieces: Sequence[Piece]
    ) -> Batch[Content, Piece, Result]:
        """Have the workers begin with `run`, for `finish` to wait for, while this process does something else."""
        batch = Batch(work, content, pieces)
        if self._watch.interrupted and not self._is_ready():
            self._drop_pool()
        if not self.is_alone:
            try:
                batch.sent = self._submit(batch, self._workers())
            except WorkersLost as lost:
                self._lose(lost)
        return batch

    def finish(
        self,
        batch: Batch[Content, Piece, Result],
        *,
        enough: Stop | None = None,
        patience: float = _PATIENCE_SECONDS,
    ) -> list[Result]:
        """What `run` returns, for a batch that has begun and nothing else since."""
        stop = enough or self._is_interrupted
        while not self.is_alone and batch.open:
            self._try(batch, stop, patience)
            if stop():
                break
        batch.finish_here(stop, all_of_it=self.is_alone)
        return batch.in_order()

    def aside(self, function: Callable[..., Result], *arguments: object, seconds: float | None) -> Result | None:
        """``function(*arguments)``, in a process that can be left: where it is late, somebody interrupts or it is lost.

        None then. Small problems are no work: they are done here.
        """
        if self._watch.interrupted:
            return None
        if self._is_small:
            return function(*arguments)
        enough = self.enough_after(None if seconds is None else seconds + _GRACE_SECONDS)
        for _ in range(_TIMES_ASIDE):
            if enough():
                break
            try:
                return self._wait_aside(function, arguments, enough)
            except WorkersLost as lost:
                self._watch.warn(f"{lost}; it is done again or left out")
                self._leave_aside()
        return None

    def begin_aside(
        self,
        function: Callable[..., Result],
        *arguments: object,
        then: Callable[[Result], object] | None = None,
    ) -> None:
        """Have ``function(*arguments)`` done in the process aside while other work goes on; one at a time.

        ``then``: what to do there with its result, as soon as somebody waits for workers.
        """
        self._under_way, self._then = [], then
        if not self._watch.interrupted:
            self._submit_aside(function, *arguments)

    def finish_aside(self, seconds: float | None) -> object | None:
        """What `begin_aside` has led to, waiting so long for it: the last result that there is.

        None: it was not begun, is late or is lost.
        """
        futures, self._under_way, self._then = self._under_way, [], None
        if not futures or self._beside is None:
            return None
        enough = self.enough_after(seconds)
        while not futures[-1].done() and not enough():
            wait(futures, timeout=_POLL_SECONDS)
            self._watch.beat()
        result = None
        try:
            for future in futures:
                if future.done():
                    finished = self._beside.answer(future)
                    self._watch.aside_seconds += finished.seconds
                    result = finished.result
        except WorkersLost as lost:
            self._watch.warn(f"{lost}; it is left out")
            self._leave_aside()
            return result
        if not futures[-1].done():
            self._leave_aside()
        return result

    def _submit_aside(self, function: Callable[..., object], *arguments: object) -> None:
        if self._is_small:
            return
        try:
            self._under_way.append(self._pool_aside().submit(partial(wire.measured, function), *arguments))
        except WorkersLost as lost:
            self._watch.warn(f"{lost}; it is left out")

    def _go_on_aside(self) -> None:
        """Begin what is to be done with what `begin_aside` has led to. A failure is told when it is asked for."""
        if self._then is None or not self._under_way or not self._under_way[0].done():
            return
        then, self._then = self._then, None
        if self._under_way[0].exception() is None:
            self._submit_aside(then, self._under_way[0].result().result)

    def _wait_aside(
        self, function: Callable[..., Result], arguments: tuple[object, ...], enough: Stop
    ) -> Result | None:
        pool = self._pool_aside()
        future = pool.submit(partial(wire.measured, function), *arguments)
        while not future.done() and not enough():
            wait([future], timeout=_POLL_SECONDS)
            self._watch.beat()
        if future.done():
            finished = pool.answer(future)
            self._watch.aside_seconds += finished.seconds
            return finished.result
        self._leave_aside()
        return None

    def prepare(self, work: Work[Content, None, object], content: Content) -> None:
        """Start the processes that will be needed, and have each do ``work`` on the content, without waiting."""
        if self._watch.interrupted:
            return
        if not self._is_small:
            self._pool_aside().submit(beside.get_ready)
        if self.is_alone:
            return
        batch = Batch(work, content, [None] * self.hands)
        try:
            self._starting = tuple(self._submit(batch, self._workers()))
        except WorkersLost as lost:
            self._lose(lost)

    def enough_after(self, seconds: float | None) -> Stop:
        """Whether somebody has interrupted, or it is more than so many seconds from now; None: it never is."""
        is_late = self._after(seconds)
        return lambda: self._watch.interrupted or is_late()

    def connect(self) -> None:
        """Raises `NoScheduler` where the parameters name one that does not answer."""
        if self.parameters.scheduler is not None:
            self._workers()

    def close(self) -> None:
        """End all processes at once; what is asked for from now on is done here."""
        self._drop_pool()
        self._leave_aside()
        self._deserted = True

    @staticmethod
    def _after(seconds: float | None) -> Stop:
        until = math.inf if seconds is None else time.monotonic() + seconds
        return lambda: time.monotonic() > until

    def _is_interrupted(self) -> bool:
        return self._watch.interrupted

    def _is_ready(self) -> bool:
        """Whether the workers have begun and can be asked at once."""
        return self._pool is not None and all(future.done() for future in self._starting)

    def _try(self, batch: Batch[Content, Piece, Result], stop: Stop, patience: float) -> None:
        """Have the open pieces done by the workers; losses are noted, and the rest stays open."""
        try:
            pool = self._workers()
            waiting, batch.sent = batch.sent or self._submit(batch, pool), {}
            self._collect(batch, pool, waiting, stop)
            if waiting:
                pool.halt()
                self._collect(batch, pool, waiting, self._after(patience))
            if waiting:
                self._drop_pool()  # who is not waited for must not be in the way of what comes next
            elif not self._watch.interrupted:
                pool.resume()
        except WorkersLost as lost:
            self._lose(lost)

    def _collect(self, batch: Batch[Content, Piece, Result], pool: Pool, waiting: _Waiting[Result], stop: Stop) -> None:
        """Take results as they come, until all are there or ``stop``."""
        while waiting and not stop():
            done, _ = wait(waiting, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                self._take(batch, pool, waiting, future)
            pool.look()
            self._go_on_aside()
            self._watch.beat()

    def _submit(self, batch: Batch[Content, Piece, Result], pool: Pool) -> _Waiting[Result]:
        """Send the open pieces; the first for each hand with the content, where it is new to the pool."""
        parcel = self._packed(batch.content)
        is_new = parcel.key not in pool.known
        pool.known.add(parcel.key)
        return {
            self._send(batch, pool, number, with_content=is_new and turn < self.hands): number
            for turn, number in enumerate(batch.open)
        }

    def _send(
        self, batch: Batch[Content, Piece, Result], pool: Pool, number: int, *, with_content: bool
    ) -> Future[Finished[Result] | Missing]:
        parcel = self._packed(batch.content)
        packed = parcel.packed if with_content else None
        piece = pickle.dumps(batch.pieces[number], pickle.HIGHEST_PROTOCOL)
        self._watch.sent_bytes += len(piece) + len(packed or b"")
        return pool.submit(wire.carry_out, batch.work, parcel.key, packed, piece)

    def _take(
        self,
        batch: Batch[Content, Piece, Result],
        pool: Pool,
        waiting: _Waiting[Result],
        future: Future[Finished[Result] | Missing],
    ) -> None:
        """Take a piece's result, or send the piece again with the content that its process does not have."""
        number, answer = waiting.pop(future), pool.answer(future)
        if isinstance(answer, Missing):
            waiting[self._send(batch, pool, number, with_content=True)] = number
            return
        batch.results[number] = answer.result
        self._watch.worker_seconds += answer.seconds

    def _packed(self, content: Content) -> Parcel[Content]:
        """The content as a parcel; the last one is remembered."""
        if self._parcel is None or self._parcel.content is not content:
            self._parcel = wire.pack(content)
        return self._parcel  # type: ignore[return-value]  # it holds this very content

    def _workers(self) -> Pool:
        if self._pool is None:
            scheduler = self.parameters.scheduler
            self._pool = LocalPool(self.hands) if scheduler is None else DaskPool(scheduler)
        return self._pool

    def _lose(self, lost: WorkersLost) -> None:
        """Note a loss; after too many of them, or where nobody is left, the crew is this process."""
        self._losses += 1
        self._deserted = lost.for_good or self._losses >= _MOST_LOSSES
        if self._deserted and self.parameters.work_limit is None:
            self.hands = 1  # time is better spent on one chain than on several in turn
        self._drop_pool()
        if not self._watch.interrupted:
            self._watch.warn(
                f"{lost}; " + ("this process goes on alone" if self._deserted else "its work is done again")
            )

    def _drop_pool(self) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        self._deserted = self._deserted or self._watch.interrupted  # no time to start others

    def _pool_aside(self) -> LocalPool:
        """The process aside; a new one where the last was left."""
        if self._beside is None:
            self._beside = LocalPool(1)
        return self._beside

    def _leave_aside(self) -> None:
        self._under_way, self._then = [], None
        if self._beside is not None:
            self._beside.close()
            self._beside = None


class Batch(Generic[Content, Piece, Result]):
    """Pieces of work on one content, which of them are under way, and the results so far."""

    def __init__(self, work: Work[Content, Piece, Result], content: Content, pieces: Sequence[Piece]) -> None:
        self.work = work
        self.content = content
        self.pieces = pieces
        self.results: dict[int, Result] = {}
        self.sent: _Waiting[Result] = {}

    @property
    def open(self) -> list[int]:
        """The numbers of the pieces without a result."""
        return [number for number in range(len(self.pieces)) if number not in self.results]

    def finish_here(self, stop: Stop, *, all_of_it: bool) -> None:
        """Do open pieces in this process: all of them until ``stop``, or what is needed for one result at least."""
        for number in self.open:
            if self.results and (stop() or not all_of_it):
                return
            self.results[number] = self.work(self.content, self.pieces[number], stop)

    def in_order(self) -> list[Result]:
        return [self.results[number] for number in sorted(self.results)]


@contextmanager
def crew(parameters: SolveParameters, watch: Watch, requests: int) -> Iterator[Crew]:
    """The crew for a solve with this many requests; its processes end with the block.

    Raises `NoScheduler` before any work is done where the parameters name one that does not answer.
    """
    hands = Crew(parameters, watch, requests)
    try:
        hands.connect()
        yield hands
    finally:
        hands.close()
