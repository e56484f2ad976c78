"""The solver's money (floats of its files) as exact cents for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from portal.domain.money import to_cents


@dataclass(frozen=True, slots=True)
class TierLine:
    """A tier's value beside the bound that was proven for it; null while none is. ``gap`` is a share of the bound."""

    tier: int
    value: Decimal
    bound: Decimal | None
    gap: float | None


def usd(amount: float) -> Decimal:
    """US dollars to the cent."""
    return to_cents(Fraction(amount))


def tier_lines(tiers: Sequence[Mapping[str, Any]]) -> list[TierLine]:
    """The tiers of a plan."""
    return [TierLine(t["tier"], usd(t["value_usd"]), usd(t["bound_usd"]), t["gap"]) for t in tiers]


def progress_lines(progress: Mapping[str, Any] | None) -> list[TierLine]:
    """The tiers of a progress event: what is reached and proven so far."""
    if not progress:
        return []
    bounds, gaps = progress.get("bounds", {}), progress.get("gaps", {})
    return [
        TierLine(int(tier), usd(value), usd(bounds[tier]) if tier in bounds else None, gaps.get(tier))
        for tier, value in sorted(progress.get("values", {}).items(), key=lambda item: int(item[0]))
    ]
