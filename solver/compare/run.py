"""Solves side by side: each snapshot is planned by one process alone, as many at a time as there are workers."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from solver import files
from solver.engine.crew import Crew, crew
from solver.engine.parameters import SolveParameters
from solver.engine.pools import NoScheduler
from solver.engine.watch import Watch
from solver.engine.wire import Stop
from solver.plan import Plan
from solver.snapshot import Loaded

_CONNECT_SECONDS = 10
_START_SECONDS = 2.5
"""Seconds in which worker processes start and load what they need (measured, 2 cores)."""
_PATIENCE_SECONDS = 1.5
"""How long solves that are under way may take to end when somebody interrupts."""
_LEAST_SHARE = 0.5
"""Of its time, what a solve gets at least: beside the start of processes, and where those before it were late."""
_LEAST_SECONDS = 1e-3


@dataclass(frozen=True, slots=True)
class _Task:
    """The solve of one snapshot, which ends by ``ends_at``, in seconds of the clock that all machines share."""

    number: int
    loaded: Loaded
    ends_at: float


def plan_all(loaded: Sequence[Loaded], parameters: SolveParameters, watch: Watch) -> list[Plan | None]:
    """A plan for each snapshot, in order; null for those not ready when somebody interrupted.

    ``parameters.workers`` solves run side by side, and all get the same time: the watch's limit holds for all of them
    together. Each plan is the one that a solve with one worker finds; equal snapshots share one. Raises `NoScheduler`.
    """
    digests = [files.sha256(files.dump(each.snapshot)) for each in loaded]
    different = dict(zip(reversed(digests), reversed(loaded), strict=True))  # of equal ones the first
    order = [different[digest] for digest in dict.fromkeys(digests)]
    with crew(parameters, watch, sum(len(each.snapshot.requests) for each in order)) as hands:
        alone, tasks = _shared_out(order, parameters, watch, hands)
        plans = dict(hands.run(_plan, alone, tasks, patience=_PATIENCE_SECONDS))
        if plans.get(0) is None:  # its process did not hear the interrupt in time: what begins now ends at once
            plans[0] = _plan(alone, tasks[0], lambda: watch.interrupted)[1]
    found = {digest: plans.get(number) for number, digest in enumerate(dict.fromkeys(digests))}
    return [_of_its_own(found[digest], each) for digest, each in zip(digests, loaded, strict=True)]


def threads_of(scheduler: str) -> int:
    """How many solves the workers of the Dask cluster carry out at a time. Raises `NoScheduler`."""
    from distributed import Client

    try:
        client: Any = Client(scheduler, timeout=_CONNECT_SECONDS)  # type: ignore[no-untyped-call]  # not annotated
    except (OSError, ValueError):
        raise NoScheduler(scheduler) from None
    with client:
        threads: dict[str, int] = client.nthreads()
    return max(1, sum(threads.values()))


def _of_its_own(plan: Plan | None, loaded: Loaded) -> Plan | None:
    """The plan under the digest of this snapshot's own bytes."""
    return None if plan is None else plan.model_copy(update={"snapshot_sha256": loaded.sha256})


def _shared_out(
    order: Sequence[Loaded], parameters: SolveParameters, watch: Watch, hands: Crew
) -> tuple[SolveParameters, list[_Task]]:
    """What holds for every solve, with the same share of the time that is left; ``hands`` go on side by side."""
    left = watch.seconds_left()
    if left is None:
        tasks = [_Task(number, each, math.inf) for number, each in enumerate(order)]
        return SolveParameters(None, parameters.work_limit, 1, parameters.seed), tasks
    left, now = max(left, _LEAST_SECONDS), time.time()
    useful = left if hands.is_alone else max(left - _START_SECONDS, _LEAST_SHARE * left)
    share = useful / -(-len(order) // hands.hands)
    begin = now + left - useful
    tasks = [_Task(number, each, begin + share * (number // hands.hands + 1)) for number, each in enumerate(order)]
    return SolveParameters(share, parameters.work_limit, 1, parameters.seed), tasks


def _plan(alone: SolveParameters, task: _Task, stop: Stop) -> tuple[int, Plan | None]:
    """The number of the snapshot with its plan. After an interrupt none is begun, but the first: it makes an answer."""
    if task.number and stop():
        return task.number, None
    from solver.engine.solve import solve  # OR-Tools: loaded by who needs it

    limit = alone.time_limit_seconds
    if limit is not None:
        limit = min(limit, max(task.ends_at - time.time(), _LEAST_SHARE * limit))
    return task.number, solve(task.loaded, replace(alone, time_limit_seconds=limit), _Heeding(limit, stop))


class _Heeding(Watch):
    """A watch that counts as interrupted once ``stop`` says so."""

    def __init__(self, time_limit_seconds: float | None, stop: Stop) -> None:
        super().__init__(time_limit_seconds)
        self._stop = stop

    @property
    def interrupted(self) -> bool:
        if self._stop():
            self.interrupt()
        return super().interrupted

    def seconds_left(self, reserve: float = 0.0) -> float | None:
        return 0.0 if self.interrupted else super().seconds_left(reserve)
