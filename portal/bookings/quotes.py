"""What a block costs its tenant and what it is worth: tier and value are the provider's alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.bookings.booked import Booked, booked_under
from portal.bookings.terms import Problem, Terms, WrongTerms, own_contract
from portal.domain.errors import Invalid, NoRate
from portal.domain.money import HOURS_PER_DAY, ZERO, gpu_hours
from portal.domain.rates import Block, RateLine, agreed_rate, drawdown_value, line_on, price
from portal.domain.requests import default_tier
from portal.domain.states import Scope
from portal.models.contracts import Contract
from portal.models.rates import Rate
from portal.web.format import rate_text


@dataclass(frozen=True, slots=True)
class Quote:
    """A price with what it was made from.

    ``price`` is owed on top of any monthly fee: GPU-hours x ``rate`` on demand, overage x the contract's rate for a
    drawdown. ``tier`` and ``value`` are never shown to tenants.
    """

    hours: int
    price: Decimal
    rate: Decimal | None
    rate_id: int | None
    overage_hours: int
    overage_rate: Decimal | None
    tier: int
    value: Decimal


def card_rate(session: Session, *, scope: Scope, interruptible: bool, today: dt.date) -> Rate:
    """The line of the rate card that a quote made on ``today`` goes by. Raises `NoRate`."""
    rows = list(session.scalars(sa.select(Rate).where(Rate.scope == scope, Rate.interruptible == interruptible)))
    lines = {RateLine(row.scope, row.interruptible, row.start, row.usd_per_gpu_hour): row for row in rows}
    return lines[line_on(lines, scope=scope, interruptible=interruptible, day=today)]


def quote(session: Session, terms: Terms, *, start: dt.date, today: dt.date) -> Quote:
    """The price of the full block from ``start`` on. Raises `WrongTerms` where the rate card or the offer says no."""
    contract = own_contract(session, terms.tenant_id, terms.contract_id)
    if contract is None:
        return _on_demand(session, terms, today)
    return _drawdown(session, terms, contract, start)


def _on_demand(session: Session, terms: Terms, today: dt.date) -> Quote:
    try:
        card = card_rate(session, scope=terms.scope, interruptible=terms.interruptible, today=today)
    except NoRate as refusal:
        raise WrongTerms((Problem("contract", refusal.sentence),)) from refusal
    try:
        rate = agreed_rate(terms.rate, card.usd_per_gpu_hour)
    except Invalid as refusal:
        sentence = f"The rate card asks {rate_text(card.usd_per_gpu_hour)}: offer as much or more."
        raise WrongTerms((Problem("rate", sentence),)) from refusal
    amount = price(terms.gpus, terms.days, rate)
    return Quote(
        hours=gpu_hours(terms.gpus, terms.days),
        price=amount,
        rate=rate,
        rate_id=card.id,
        overage_hours=0,
        overage_rate=None,
        tier=default_tier(drawdown=False, interruptible=terms.interruptible),
        value=amount,
    )


def _drawdown(session: Session, terms: Terms, contract: Contract, start: dt.date) -> Quote:
    booked, end = booked_under(session, contract.id), start + dt.timedelta(terms.days)
    value = drawdown_value(
        contract.agreement, Block(terms.gpus, start, end), booked=booked, overage_rate=contract.overage_rate
    )
    over = _overage_gpu_days(contract, booked, terms.gpus, start, terms.days)
    return Quote(
        hours=gpu_hours(terms.gpus, terms.days),
        price=price(over, 1, contract.overage_rate) if contract.overage_rate is not None else ZERO,
        rate=None,
        rate_id=None,
        overage_hours=over * HOURS_PER_DAY,
        overage_rate=contract.overage_rate,
        tier=default_tier(drawdown=True, interruptible=False),
        value=value,
    )


def _overage_gpu_days(contract: Contract, booked: Booked, gpus: int, start: dt.date, days: int) -> int:
    """The block's GPUs above what is committed and not booked, summed over its days."""
    terms = contract.terms
    each_day = (start + dt.timedelta(n) for n in range(days))
    return sum(max(0, gpus - max(0, terms.committed(day) - booked(day))) for day in each_day)
