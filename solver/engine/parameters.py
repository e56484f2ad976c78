"""What a caller may set about a solve."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_TIME_LIMIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SolveParameters:
    """Limits and sources of chance of one solve.

    ``time_limit_seconds``: wall time of the whole solve; None: no limit, which needs a ``work_limit``.
    ``work_limit``: rounds of improvement in each worker's chain (deterministic work); None: until time is up.
    ``workers``: processes, 1 or more; each follows a chain of its own. ``seed``: any whole number.
    ``scheduler``: address of a Dask scheduler that lends the processes instead; None: this machine.
    """

    time_limit_seconds: float | None = DEFAULT_TIME_LIMIT_SECONDS
    work_limit: int | None = None
    workers: int = 1
    seed: int = 0
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.time_limit_seconds is None and self.work_limit is None:
            raise ValueError("a solve needs a time limit or a work limit")
        if self.time_limit_seconds is not None and not self.time_limit_seconds > 0:
            raise ValueError(f"the time limit must be positive, not {self.time_limit_seconds}")
        if self.work_limit is not None and self.work_limit < 0:
            raise ValueError(f"the work limit must not be negative, not {self.work_limit}")
        if self.workers < 1:
            raise ValueError(f"a solve needs at least one worker, not {self.workers}")
