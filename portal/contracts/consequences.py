"""What a notice brings about: listed before it is confirmed, and carried out from the same list."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.contract import NoticeEffect, effect_of_notice, fees_between, full_term_value
from portal.domain.requests import OPEN_STATES, reaches_beyond
from portal.domain.reservations import is_live
from portal.models.contracts import Contract
from portal.models.offers import Offer
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.plans.export_blocks import standing_offers


@dataclass(frozen=True, slots=True)
class Consequences:
    """What happens when notice of ``contract`` is given on ``effect.given_on``.

    ``cut`` is the first day that reservations lose: the contract's end, never before today, for history stays.
    ``shortened`` reservations begin before it and end on it; ``dropped`` ones begin on it or later and never start.
    """

    contract: Contract
    today: dt.date
    effect: NoticeEffect
    shortened: Sequence[Reservation]
    dropped: Sequence[Reservation]
    offers: Sequence[Offer]
    requests: Sequence[Request]

    @property
    def cut(self) -> dt.date:
        return max(self.effect.ends_on, self.today)

    @property
    def full_term(self) -> Decimal:
        return full_term_value(self.contract.agreement)

    @property
    def payable_without(self) -> Decimal:
        """The fees from today to the contract's own end."""
        return fees_between(self.contract.agreement.fees, max(self.contract.start, self.today), self.contract.end)

    @property
    def payable(self) -> Decimal:
        """The fees from today to the day on which the notice ends the contract."""
        start = max(self.contract.start, self.today)
        return fees_between(self.contract.agreement.fees, start, self.effect.ends_on)

    @property
    def touches_blocks(self) -> bool:
        return bool(self.shortened or self.dropped or self.offers or self.requests)

    @property
    def digest(self) -> str:
        """Changes whenever the list does: who confirms it has seen this very one."""
        return hashlib.sha256("\n".join(self._lines()).encode()).hexdigest()[:16]

    def _lines(self) -> Iterator[str]:
        yield f"{self.effect.given_on} {self.effect.ends_on} {self.effect.forgone} {self.cut}"
        for reservation in (*self.shortened, *self.dropped):
            yield f"{reservation.public_id} {reservation.gpus} {reservation.start} {reservation.end}"
        for offer in self.offers:
            yield f"{offer.public_id} {offer.gpus} {offer.start} {offer.end}"
        for request in self.requests:
            yield f"{request.public_id} {request.gpus} {request.earliest_start} {request.days}"


def consequences_of(
    session: Session, contract: Contract, *, given_on: dt.date, today: dt.date, now: dt.datetime
) -> Consequences:
    """What notice given on ``given_on`` would do, as this session's transaction sees it; nothing is written."""
    effect = effect_of_notice(contract.agreement, given_on)
    cut = max(effect.ends_on, today)
    beyond = [row for row in _live(session, contract, today) if row.end > cut]
    return Consequences(
        contract=contract,
        today=today,
        effect=effect,
        shortened=[row for row in beyond if row.start < cut],
        dropped=[row for row in beyond if row.start >= cut],
        offers=_standing(session, contract, now),
        requests=[row for row in _open(session, contract) if _reaches_beyond(row, effect.ends_on, today)],
    )


def _live(session: Session, contract: Contract, today: dt.date) -> list[Reservation]:
    mine = sa.select(Reservation).where(Reservation.contract_id == contract.id, Reservation.ended_as.is_(None))
    rows = session.scalars(mine.order_by(Reservation.start, Reservation.id))
    return [row for row in rows if is_live(row.start, row.end, row.ending, today)]


def _standing(session: Session, contract: Contract, now: dt.datetime) -> list[Offer]:
    mine = standing_offers(now).where(Offer.contract_id == contract.id)
    return list(session.scalars(mine.order_by(Offer.start, Offer.id)))


def _open(session: Session, contract: Contract) -> list[Request]:
    mine = sa.select(Request).where(Request.contract_id == contract.id, Request.state.in_(OPEN_STATES))
    return list(session.scalars(mine.order_by(Request.id)))


def _reaches_beyond(request: Request, end: dt.date, today: dt.date) -> bool:
    return reaches_beyond(max(request.earliest_start, today), request.days, end)
