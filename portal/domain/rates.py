"""What a block costs and what it is worth: value = GPU-hours x rate, US dollars, rounded half-even to cents once.

Rates are US dollars per GPU-hour. A quote keeps the line of the rate card that it was made from.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from portal.domain.contract import Agreement
from portal.domain.days import day_text
from portal.domain.errors import Invalid, NoRate
from portal.domain.money import HOURS_PER_DAY, gpu_hours, to_cents
from portal.domain.states import Scope


@dataclass(frozen=True, slots=True)
class RateLine:
    """A line of the rate card, from ``start`` on until the next line of its scope and interruptibility."""

    scope: Scope
    interruptible: bool
    start: dt.date
    usd_per_gpu_hour: Decimal


@dataclass(frozen=True, slots=True)
class Block:
    """``gpus`` GPUs on each day of ``[start, end)``."""

    gpus: int
    start: dt.date
    end: dt.date


def line_on(lines: Iterable[RateLine], *, scope: Scope, interruptible: bool, day: dt.date) -> RateLine:
    """The line of the rate card that a quote made on ``day`` goes by. Raises `NoRate` where there is none."""
    fitting = [
        line for line in lines if (line.scope, line.interruptible) == (scope, interruptible) and line.start <= day
    ]
    if not fitting:
        kind = "interruptible" if interruptible else "firm"
        raise NoRate(
            f"The rate card has no rate for {kind} blocks of scope {scope} on {day_text(day)}. "
            "Ask the provider for one."
        )
    return max(fitting, key=lambda line: line.start)


def agreed_rate(offered: Decimal | None, card: Decimal) -> Decimal:
    """The rate of an on-demand block: what the tenant offers, the card's where it offers none.

    Raises `Invalid` where the offer is below the card.
    """
    if offered is None:
        return card
    if offered < card:
        raise Invalid(f"The rate card asks {card} US dollars per GPU-hour. Offer as much or more.")
    return offered


def price(gpus: int, days: int, rate: Decimal) -> Decimal:
    """The price of a block at one rate."""
    return to_cents(gpu_hours(gpus, days) * Fraction(rate))


def drawdown_value(
    agreement: Agreement, block: Block, *, booked: Callable[[dt.date], int], overage_rate: Decimal | None
) -> Decimal:
    """The value of a block charged to a contract, with ``booked`` GPUs of the contract promised to others per day.

    Within the commitment a GPU-hour is worth the month's fee / the month's committed GPU-hours, above it the overage
    rate (nothing where the contract has none: such a block cannot be accepted, R6).
    """
    over = Fraction(overage_rate or 0)
    rates: dict[tuple[int, int], Fraction] = {}
    total = Fraction(0)
    for day in (block.start + dt.timedelta(days=n) for n in range((block.end - block.start).days)):
        month = (day.year, day.month)
        if month not in rates:
            rates[month] = commitment_rate(agreement, day)
        within = min(block.gpus, max(0, agreement.terms.committed(day) - booked(day)))
        total += within * rates[month] + (block.gpus - within) * over
    return to_cents(total * HOURS_PER_DAY)


def commitment_rate(agreement: Agreement, day: dt.date) -> Fraction:
    """The fee of the day's calendar month / the month's committed GPU-hours; 0 where nothing is committed."""
    days = _days_of_month(day)
    committed = sum(agreement.terms.committed(each) for each in days)
    if not committed:
        return Fraction(0)
    fee = sum((_monthly_fee(agreement, each) for each in days if agreement.terms.in_force(each)), Fraction(0))
    return fee / len(days) / (committed * HOURS_PER_DAY)


def _monthly_fee(agreement: Agreement, day: dt.date) -> Fraction:
    return next((Fraction(fee.monthly) for fee in agreement.fees if fee.start <= day < fee.end), Fraction(0))


def _days_of_month(day: dt.date) -> list[dt.date]:
    return [day.replace(day=n) for n in range(1, calendar.monthrange(day.year, day.month)[1] + 1)]
