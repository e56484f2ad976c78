"""Exact money: sums and products as fractions, rounded half-even to cents once, at the end."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

HOURS_PER_DAY = 24
ZERO = Decimal("0.00")


def to_cents(amount: Fraction | Decimal | int) -> Decimal:
    """US dollars rounded half-even to the cent."""
    return Decimal(round(Fraction(amount) * 100)).scaleb(-2)


def gpu_hours(gpus: int, days: int) -> int:
    """GPU-hours of ``gpus`` GPUs over ``days`` days of 24 hours."""
    return gpus * days * HOURS_PER_DAY
