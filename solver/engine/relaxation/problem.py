"""The linear relaxation over the cluster that gives the bound of a tier: what its columns and rows are.

A request is a *choice* with one column per start; so is the recall of an interruptible reservation, with negative
GPUs and a negative value. A *meter* adds up one kind of load by day (all firm blocks, the interruptible ones with a
notice, what is booked on a contract ...), and a *limit* bounds a sum of meters and holds on every day. Time is cut
into the spans between two events, on which nothing changes. See ``docs/model.md`` for why each row holds in every
valid plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
MeterKind = Literal["firm", "interruptible", "booked", "promised"]


@dataclass(frozen=True, slots=True)
class Meter:
    """A kind of load: firm blocks, interruptible ones with at least ``notice`` days, all blocks booked on a contract
    or promised to a tenant (``owner``); in one site, or over the cluster where ``site`` is null.
    """

    kind: MeterKind
    site: int | None = None
    notice: int = 0
    owner: str = ""

    def order(self) -> tuple[str, int, int, str]:
        """A key that sorts meters always alike."""
        return self.kind, -1 if self.site is None else self.site, self.notice, self.owner


@dataclass(frozen=True, slots=True)
class Choice:
    """A block in full has ``gpus``; it is taken in steps of ``unit`` GPUs, none or between ``fewest`` and ``most`` of
    them, and in one of its columns at most. ``request`` is null for a recall, whose GPUs are negative.
    """

    request: str | None
    tier: int
    gpus: int
    unit: int
    fewest: int
    most: int
    meters: frozenset[Meter]

    @property
    def share(self) -> float:
        """The part of the block in full that it can be at most."""
        return self.most * self.unit / self.gpus


@dataclass(frozen=True, slots=True)
class Columns:
    """One way to take a choice each: the spans ``[first, last)`` on which it loads its meters, and its value in USD.

    Sorted by choice; ``start`` is the day, the other arrays count spans.
    """

    choice: Indices
    start: Indices
    first: Indices
    last: Indices
    value: Floats


@dataclass(frozen=True, slots=True)
class Hold:
    """R7: GPUs held for a contract, at least ``due`` less what accepted blocks book on it, by span."""

    contract: str
    due: Floats

    @property
    def booked(self) -> Meter:
        """What accepted blocks charged to the contract use."""
        return Meter("booked", owner=self.contract)


@dataclass(frozen=True, slots=True)
class Limit:
    """The sum of ``meters`` and of the ``holds`` (numbers) is at most ``right`` GPUs on each span (inf: no row)."""

    rule: str
    meters: frozenset[Meter]
    holds: tuple[int, ...]
    right: Floats


@dataclass(frozen=True, slots=True)
class Missing:
    """GPUs that a plan without more shortfall may lack: ``budget`` GPU-days in all, at most ``most`` on a span. They
    count in no meter of ``meters``.
    """

    budget: float
    most: Floats
    meters: frozenset[Meter]


@dataclass(frozen=True, slots=True)
class Problem:
    """One tier's relaxation: most value of ``tier`` while each tier of ``reached`` (USD) keeps its value."""

    tier: int
    spans: Indices
    choices: tuple[Choice, ...]
    columns: Columns
    holds: tuple[Hold, ...]
    limits: tuple[Limit, ...]
    missing: tuple[Missing, ...]
    reached: Mapping[int, float]

    @property
    def lengths(self) -> Indices:
        """Days of each span; ``spans`` holds the first day of each and the horizon."""
        result: Indices = np.diff(self.spans)
        return result


@dataclass(frozen=True, slots=True)
class Duals:
    """Multipliers of the rows: USD per GPU and span for limits and holds (number x spans), USD per USD for the tiers
    above. Any numbers give a valid bound.
    """

    limits: Floats
    holds: Floats
    reached: dict[int, float]
