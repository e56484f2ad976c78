"""The spark line of a tile: a hint of how a number went, never read alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 84, 30
_EDGE = 2


@dataclass(frozen=True, slots=True)
class Spark:
    """Paths within 84 by 30, and what they show in words."""

    line: str
    area: str
    label: str


def spark_view(values: Sequence[float], label: str) -> Spark:
    """The values from left to right, the lowest at the bottom; at least two."""
    if len(values) < 2:
        raise ValueError("a spark line needs two values")
    low, high = min(values), max(values)
    spread = (high - low) or 1
    step = WIDTH / (len(values) - 1)
    points = [
        f"{index * step:.1f},{HEIGHT - _EDGE - (value - low) / spread * (HEIGHT - 2 * _EDGE):.1f}"
        for index, value in enumerate(values)
    ]
    line = "M" + "L".join(points)
    return Spark(line=line, area=f"{line}V{HEIGHT}H0Z", label=label)
