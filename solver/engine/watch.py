"""When to stop, and what to tell those who wait: the deadline, an interrupt, and progress events."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """Where a solve stands: ``values`` and ``bounds`` in USD by tier, ``seconds`` since its start.

    ``warning``: what went wrong on the way, where this event says so; the solve goes on.
    """

    stage: str
    values: Mapping[int, float]
    bounds: Mapping[int, float]
    seconds: float
    warning: str | None = None

    @property
    def gaps(self) -> dict[int, float]:
        """``(bound - value) / bound`` by tier, where a bound is known."""
        return {tier: gap(self.values.get(tier, 0.0), bound) for tier, bound in self.bounds.items()}


@dataclass(frozen=True, slots=True)
class Stage:
    """What a stage took and gained: ``values`` and ``bounds`` after it in USD by tier, ``gained``: what it added.

    ``seconds`` are the clock's. The others are seconds of work, however busy the machine is: of this process, of the
    one aside that solves relaxations, and of all workers together.
    """

    stage: str
    seconds: float
    own_seconds: float
    aside_seconds: float
    worker_seconds: float
    sent_bytes: int
    values: Mapping[int, float]
    gained: Mapping[int, float]
    bounds: Mapping[int, float]


Listener = Callable[[Event], None]
OPTIMAL_GAP = 1e-6
_SLACK = 1e-9
"""Sums of the same values in another order are apart by less."""
_BEAT_SECONDS = 5.0
"""So long a listener is told nothing at the most, while somebody calls `Watch.beat`."""


def gap(value: float, bound: float) -> float:
    """``(bound - value) / bound``, 0 where the bound is 0."""
    return (bound - value) / bound if bound else 0.0


def has_met(value: float, bound: float) -> bool:
    """Whether a value has met its bound, as far as a gap counts."""
    return bound - value <= OPTIMAL_GAP * abs(bound)


@dataclass(frozen=True, slots=True)
class _Proof:
    """No plan in which each tier of ``reached`` is worth that much is worth more than ``usd``."""

    usd: float
    reached: Mapping[int, float]

    def covers(self, values: Mapping[int, float]) -> bool:
        return all(values.get(tier, 0.0) >= usd - _SLACK * abs(usd) for tier, usd in self.reached.items())


@dataclass(slots=True)
class Watch:
    """The time since the solve began, its limit, and whether somebody asked it to stop."""

    time_limit_seconds: float | None
    listener: Listener | None = None
    values: dict[int, float] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    aside_seconds: float = 0.0
    worker_seconds: float = 0.0
    sent_bytes: int = 0
    under_way: str = ""
    """The stage that is being worked at; empty: nobody said."""
    _proofs: dict[int, list[_Proof]] = field(default_factory=dict)
    _told: float = 0.0
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

    @property
    def bounds(self) -> dict[int, float]:
        """The bounds in USD by tier, as far as there are any, of plans worth what this one is in the tiers above."""
        found = {tier: self.bound(tier, self.values) for tier in sorted(self._proofs)}
        return {tier: bound for tier, bound in found.items() if bound is not None}

    def bounded(self, tier: int, usd: float, reached: Mapping[int, float]) -> None:
        """Note that no plan that keeps the values ``reached`` in tiers above is worth more than ``usd`` in this one."""
        self._proofs.setdefault(tier, []).append(_Proof(usd, dict(reached)))

    def bound(self, tier: int, values: Mapping[int, float]) -> float | None:
        """The least bound of the tier that holds for plans of these ``values`` in the tiers above; None: there is none.

        A better plan may be worth less in a tier above than one for which a bound was proven, where it is worth more
        in the tier above that: such a bound says nothing then.
        """
        return min((proof.usd for proof in self._proofs.get(tier, ()) if proof.covers(values)), default=None)

    def has_met(self, tier: int, values: Mapping[int, float]) -> bool:
        """Whether the tier's value has met its bound, as far as a gap counts."""
        bound = self.bound(tier, values)
        return bound is not None and has_met(values[tier], bound)

    def is_closed(self) -> bool:
        """Whether every tier's value has met its bound."""
        return all(self.has_met(tier, self.values) for tier in self.values)

    def stage(self, name: str) -> None:
        """A stage has ended: note what it took and gained, and tell the listener."""
        before = self.stages[-1].values if self.stages else {}
        self.stages.append(
            Stage(
                stage=name,
                seconds=self.seconds - sum(stage.seconds for stage in self.stages),
                own_seconds=time.process_time() - sum(stage.own_seconds for stage in self.stages),
                aside_seconds=self.aside_seconds - sum(stage.aside_seconds for stage in self.stages),
                worker_seconds=self.worker_seconds - sum(stage.worker_seconds for stage in self.stages),
                sent_bytes=self.sent_bytes - sum(stage.sent_bytes for stage in self.stages),
                values=dict(self.values),
                gained={tier: value - before.get(tier, 0.0) for tier, value in self.values.items()},
                bounds=self.bounds,
            )
        )
        self.tell(name)

    def tell(self, stage: str) -> None:
        self._send(Event(stage, dict(self.values), self.bounds, self.seconds))

    def beat(self) -> None:
        """Tell where the solve stands, where nothing was told for a while: it takes its time, and it goes on."""
        if self.under_way and self.seconds - self._told >= _BEAT_SECONDS:
            self.tell(self.under_way)

    def warn(self, text: str) -> None:
        """Something went wrong, and the solve goes on."""
        self.warnings.append(text)
        self._send(Event("warning", dict(self.values), self.bounds, self.seconds, text))

    def _send(self, event: Event) -> None:
        self._told = event.seconds
        if self.listener is not None:
            self.listener(event)
