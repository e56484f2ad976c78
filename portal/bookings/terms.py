"""The terms of a request as someone typed them, and what is wrong with them: each fault beside its field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.days import day_text, last_day_text
from portal.domain.errors import Invalid, NotFound
from portal.domain.requests import check_size
from portal.domain.states import Scope
from portal.models.cluster import Site
from portal.models.contracts import Contract
from portal.models.offers import Offer
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.models.tenants import Tenant
from portal.plans.export import horizon_end
from portal.plans.fitting import Wish
from solver.terms import add_days


@dataclass(frozen=True, slots=True)
class Terms:
    """A wish for ``days`` days from a start in ``[earliest_start, latest_start]`` (both included), rows by id.

    ``contract_id`` null: on demand. ``rate`` is what the tenant offers per GPU-hour; null: what the rate card asks.
    """

    tenant_id: int
    contract_id: int | None
    gpus: int
    min_gpus: int
    earliest_start: dt.date
    latest_start: dt.date
    days: int
    scope: Scope
    site_id: int | None = None
    recall_notice_days: int | None = None
    rate: Decimal | None = None
    extends_id: int | None = None
    wants_waitlist: bool = False
    note: str = ""

    @property
    def interruptible(self) -> bool:
        return self.recall_notice_days is not None

    def block(self, *, gpus: int, start: dt.date, days: int, scope: Scope) -> Terms:
        """The same terms for this very block."""
        return replace(self, gpus=gpus, min_gpus=gpus, earliest_start=start, latest_start=start, days=days, scope=scope)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field, as a sentence that says what to do."""

    field: str
    sentence: str


class WrongTerms(Invalid):
    """Terms that cannot be asked for; ``problems`` name the fields."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__(" ".join(problem.sentence for problem in problems))


def terms_of(request: Request) -> Terms:
    """The terms of a request as it stands."""
    return Terms(
        tenant_id=request.tenant_id,
        contract_id=request.contract_id,
        gpus=request.gpus,
        min_gpus=request.min_gpus,
        earliest_start=request.earliest_start,
        latest_start=request.latest_start,
        days=request.days,
        scope=request.scope,
        site_id=request.site_id,
        recall_notice_days=request.recall_notice_days,
        rate=request.rate,
        extends_id=request.extends_id,
        wants_waitlist=request.wants_waitlist,
        note=request.note,
    )


def terms_of_offer(offer: Offer) -> Terms:
    """The terms of an offered block: one size, one start."""
    return Terms(
        tenant_id=offer.tenant_id,
        contract_id=offer.contract_id,
        gpus=offer.gpus,
        min_gpus=offer.gpus,
        earliest_start=offer.start,
        latest_start=offer.start,
        days=(offer.end - offer.start).days,
        scope=offer.scope,
        site_id=offer.site_id,
        recall_notice_days=offer.recall_notice_days,
        rate=offer.rate,
    )


def wish_of(session: Session, terms: Terms) -> Wish:
    """The terms by public ids, for `portal.plans.fitting`."""
    tenant = session.get_one(Tenant, terms.tenant_id)
    contract = own_contract(session, terms.tenant_id, terms.contract_id)
    site = session.get(Site, terms.site_id) if terms.site_id else None
    return Wish(
        tenant=tenant.public_id,
        contract=contract.public_id if contract else None,
        gpus=terms.gpus,
        min_gpus=terms.min_gpus,
        days=terms.days,
        scope=terms.scope,
        site=site.code if site else None,
        recall_notice_days=terms.recall_notice_days,
    )


def own_contract(session: Session, tenant_id: int, contract_id: int | None) -> Contract | None:
    """The tenant's contract; null for on demand. Raises `NotFound` for one of somebody else."""
    if contract_id is None:
        return None
    own = sa.select(Contract).where(Contract.tenant_id == tenant_id, Contract.id == contract_id)
    contract = session.scalars(own).one_or_none()
    if contract is None:
        raise NotFound("There is no such contract. Choose one from the list.")
    return contract


def check(session: Session, terms: Terms, today: dt.date) -> None:
    """Raise `WrongTerms` with everything that keeps these terms from being asked for on ``today``."""
    found = tuple(problems(session, terms, today))
    if found:
        raise WrongTerms(found)


def problems(session: Session, terms: Terms, today: dt.date) -> Iterator[Problem]:
    """One fault per field at most, in the order of the form."""
    yield from _size(session, terms)
    yield from _window(session, terms, today)
    yield from _contract(session, terms, today)
    yield from _recall(terms)
    yield from _extends(session, terms, today)


def _size(session: Session, terms: Terms) -> Iterator[Problem]:
    try:
        check_size(terms.gpus, terms.gpus)
    except Invalid as wrong:
        yield Problem("gpus", wrong.sentence)
        return
    try:
        check_size(terms.gpus, terms.min_gpus)
    except Invalid as wrong:
        yield Problem("min_gpus", wrong.sentence)
    limit = session.get_one(Tenant, terms.tenant_id).max_gpus
    if limit is not None and terms.min_gpus > limit:
        yield Problem(
            "gpus", f"Your limit is {limit:,} GPUs at a time. Ask for no more, or ask the provider to raise it."
        )


def _window(session: Session, terms: Terms, today: dt.date) -> Iterator[Problem]:
    if terms.latest_start < terms.earliest_start:
        yield Problem("latest_start", "The latest start lies before the earliest one.")
        return
    if terms.latest_start < today:
        yield Problem("latest_start", f"This day has passed. The first day that can be asked for is {day_text(today)}.")
        return
    if terms.days < 1:
        yield Problem("days", "A block lasts one day or more.")
        return
    end, first = horizon_end(session, today), max(terms.earliest_start, today)
    if add_days(first, terms.days) > end:
        yield Problem("days", f"Capacity is planned up to {last_day_text(end)} so far: the block must end by then.")


def _contract(session: Session, terms: Terms, today: dt.date) -> Iterator[Problem]:
    """R6 and R5: a drawdown has a start at which the contract is in force throughout, in the contract's site."""
    contract = own_contract(session, terms.tenant_id, terms.contract_id)
    if contract is None:
        return
    if terms.interruptible:
        yield Problem("interruptible", "Interruptible blocks are on demand: choose on demand, or a firm block.")
    if contract.site_id is not None and terms.site_id not in (None, contract.site_id):
        yield Problem("site", f"{contract.public_id} is for {contract.site.name if contract.site else 'one site'}.")
    end, first = contract.terms.effective_end, max(terms.earliest_start, today, contract.start)
    if first > terms.latest_start or add_days(first, terms.days) > end:
        days = f"{day_text(contract.start)} to {last_day_text(end)}"
        yield Problem(
            "contract", f"{contract.public_id} is in force from {days}: the block must lie within these days."
        )


def _recall(terms: Terms) -> Iterator[Problem]:
    if terms.recall_notice_days is not None and terms.recall_notice_days < 0:
        yield Problem("recall_notice_days", "Notice is a number of days, 0 or more.")


def _extends(session: Session, terms: Terms, today: dt.date) -> Iterator[Problem]:
    if terms.extends_id is None:
        return
    own = sa.select(Reservation).where(Reservation.tenant_id == terms.tenant_id, Reservation.id == terms.extends_id)
    reservation = session.scalars(own).one_or_none()
    if reservation is None or not reservation.is_live(today):
        yield Problem("extends", "This reservation has ended. Choose one that is scheduled or active.")
