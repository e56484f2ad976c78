"""When to stop, and what to tell those who wait: the deadline, an interrupt, and progress events."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """Where a solve stands: ``values`` and ``bounds`` in USD by tier, ``seconds`` since its start."""

    stage: str
    values: Mapping[int, float]
    bounds: Mapping[int, float]
    seconds: float

    @property
    def gaps(self) -> dict[int, float]:
        """``(bound - value) / bound`` by tier, where a bound is known."""
        return {tier: gap(self.values.get(tier, 0.0), bound) for tier, bound in self.bounds.items()}


Listener = Callable[[Event], None]
OPTIMAL_GAP = 1e-6


def gap(value: float, bound: float) -> float:
    """``(bound - value) / bound``, 0 where the bound is 0."""
    return (bound - value) / bound if bound else 0.0


@dataclass(slots=True)
class Watch:
    """The time since the solve began, its limit, and whether somebody asked it to stop."""

    time_limit_seconds: float | None
    listener: Listener | None = None
    values: dict[int, float] = field(default_factory=dict)
    bounds: dict[int, float] = field(default_factory=dict)
    stages: list[dict[str, object]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _interrupted: bool = False

    def restart(self, *, after: float) -> None:
        """Count from now on, with ``after`` seconds spent already."""
        self._began = time.monotonic() - after

    def interrupt(self) -> None:
        """Ask the solve to return the best plan it has."""
        self._interrupted = True

    @property
    def interrupted(self) -> bool:
        return self._interrupted

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def seconds_left(self, reserve: float = 0.0) -> float | None:
        """Seconds until ``reserve`` seconds before the limit, 0 after it or an interrupt; None: no limit."""
        if self._interrupted:
            return 0.0
        if self.time_limit_seconds is None:
            return None
        return max(0.0, self.time_limit_seconds - reserve - self.seconds)

    def is_closed(self, tolerance: float) -> bool:
        """Whether every tier's value has met its bound, within ``tolerance`` of the bound."""
        return all(
            tier in self.bounds and self.bounds[tier] - value <= tolerance * abs(self.bounds[tier])
            for tier, value in self.values.items()
        )

    def stage(self, name: str) -> None:
        """A stage has ended: note its time and what it reached, and tell the listener."""
        before = sum(float(str(stage["seconds"])) for stage in self.stages)
        self.stages.append({"stage": name, "seconds": self.seconds - before, "values": dict(self.values)})
        self.tell(name)

    def tell(self, stage: str) -> None:
        if self.listener is not None:
            self.listener(Event(stage, dict(self.values), dict(self.bounds), self.seconds))
