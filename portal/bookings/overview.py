"""A tenant's overview: capacity by day against the commitment, and the next dates that matter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy.orm import Session

from portal.bookings import queries
from portal.bookings.booked import Booked, booked_of
from portal.domain.contract import first_notice_date, last_notice_date
from portal.domain.states import Party
from portal.models.contracts import Contract
from portal.models.offers import Offer
from portal.models.reservations import Reservation
from portal.web.charts.axis import Window
from portal.web.charts.step import Line, Series, StepView, step_view
from portal.web.format import day_text, gpus_racks_text, instant_text

DATES_AHEAD_DAYS = 400
_ON_DEMAND = "On demand"


@dataclass(frozen=True, slots=True)
class Date:
    """A day that matters: what happens or must be done by then. ``target`` is an endpoint's kind and public id."""

    day: dt.date
    title: str
    note: str
    icon: str
    target: tuple[str, str] | None = None
    is_deadline: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """GPUs of one day. ``unbooked`` are committed and not booked."""

    booked: int
    committed: int
    unbooked: int
    on_demand: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """A tenant's contracts and reservations, read once."""

    contracts: Sequence[Contract]
    reservations: Sequence[Reservation]

    def booked(self, contract: Contract | None) -> Booked:
        """What is booked under a contract; null: on demand."""
        wanted = contract.id if contract else None
        return booked_of(row for row in self.reservations if row.contract_id == wanted)


def holdings_of(session: Session, tenant_id: int) -> Holdings:
    return Holdings(queries.contracts_of(session, tenant_id), queries.all_reservations(session, tenant_id))


def figures(holdings: Holdings, day: dt.date) -> Figures:
    """What the tenant has and may have on ``day``."""
    committed, booked = 0, 0
    unbooked = 0
    for contract in holdings.contracts:
        promised, mine = contract.terms.committed(day), holdings.booked(contract)(day)
        committed, booked, unbooked = committed + promised, booked + mine, unbooked + max(0, promised - mine)
    on_demand = holdings.booked(None)(day)
    return Figures(booked=booked + on_demand, committed=committed, unbooked=unbooked, on_demand=on_demand)


def chart(holdings: Holdings, window: Window) -> StepView:
    """Booked GPUs by contract, stacked, against the line of all commitments."""
    series = [
        Series(f"Booked, {contract.public_id}", holdings.booked(contract).steps, index)
        for index, contract in enumerate(holdings.contracts)
    ]
    on_demand = holdings.booked(None).steps
    if on_demand:
        series.append(Series(_ON_DEMAND, on_demand, len(series)))
    return step_view(window, series, [Line("Committed", _commitments(holdings.contracts), "capacity")])


def dates(holdings: Holdings, offers: Sequence[Offer], today: dt.date) -> list[Date]:
    """What comes in the next 400 days, the soonest first."""
    found = [*_offer_dates(offers), *_reservation_dates(holdings.reservations, today)]
    for contract in holdings.contracts:
        found += [*_ramp_dates(contract), *_booking_dates(contract, holdings.booked(contract), today)]
        found += _notice_dates(contract, today)
    until = today + dt.timedelta(DATES_AHEAD_DAYS)
    return sorted((date for date in found if today <= date.day < until), key=lambda date: date.day)


def _commitments(contracts: Sequence[Contract]) -> dict[dt.date, int]:
    days = {day for c in contracts for step in c.terms.commitments_in_force() for day in (step.start, step.end)}
    return {day: sum(contract.terms.committed(day) for contract in contracts) for day in days}


def _offer_dates(offers: Sequence[Offer]) -> Iterator[Date]:
    for offer in offers:
        said = (
            f"{gpus_racks_text(offer.gpus)} from {day_text(offer.start)}; it expires {instant_text(offer.expires_at)}"
        )
        yield Date(offer.expires_at.date(), "Offer to answer", said, "offer", ("offer", offer.public_id), True)


def _reservation_dates(reservations: Sequence[Reservation], today: dt.date) -> Iterator[Date]:
    for row in reservations:
        if not row.is_live(today):
            continue
        end, target = min(row.end, row.ended_on or row.end), ("reservation", row.public_id)
        yield Date(row.start, "Reservation starts", gpus_racks_text(row.gpus), "reservation", target)
        yield Date(end - dt.timedelta(1), "Reservation's last day", gpus_racks_text(row.gpus), "reservation", target)


def _ramp_dates(contract: Contract) -> Iterator[Date]:
    steps = list(contract.terms.commitments_in_force())
    for before, after in pairwise(steps):
        if before.gpus != after.gpus:
            change = f"from {before.gpus:,} to {gpus_racks_text(after.gpus)}"
            word = "rises" if after.gpus > before.gpus else "falls"
            yield Date(after.start, f"Commitment {word}", f"{contract.public_id}, {change}", "contract")
    end = contract.terms.effective_end
    yield Date(end - dt.timedelta(1), "Contract's last day", contract.public_id, "contract")


def _booking_dates(contract: Contract, booked: Booked, today: dt.date) -> Iterator[Date]:
    """By when commitment that is not booked must be: after that day the provider may sell its first day to others."""
    unbooked_before = None
    for start in _change_days(contract, booked, today):
        unbooked = max(0, contract.terms.committed(start) - booked(start))
        if unbooked > (unbooked_before or 0):
            deadline = start - dt.timedelta(contract.booking_lead_days)
            day = max(today, deadline)
            first = max(start, today + dt.timedelta(contract.booking_lead_days))
            said = (
                f"{gpus_racks_text(unbooked)} of {contract.public_id} are not booked from {day_text(first)} on; "
                "after this day the first of them may go to others"
            )
            yield Date(day, "Booking deadline", said, "calendar", ("capacity", contract.public_id), True)
        unbooked_before = unbooked


def _change_days(contract: Contract, booked: Booked, today: dt.date) -> list[dt.date]:
    """The first day on which a hold counts, and each later one on which commitment or bookings change."""
    first = contract.terms.holds_from(today)
    steps = contract.terms.commitments_in_force()
    days = {day for step in steps for day in (step.start, step.end)} | set(booked.steps)
    return [first, *sorted(day for day in days if day > first)]


def _notice_dates(contract: Contract, today: dt.date) -> Iterator[Date]:
    first = first_notice_date(contract.agreement, Party.TENANT, today)
    if first is None:
        return
    if first > today:
        yield Date(first, "Notice can be given", f"{contract.public_id}: {contract.notice_days} days", "notice")
    last = last_notice_date(contract.agreement)
    if last is not None and last >= today:
        said = f"{contract.public_id}: after this day it runs to its end"
        yield Date(last, "Last day to give notice", said, "notice", None, True)
