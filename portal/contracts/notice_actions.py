"""Giving notice: the row, and everything that follows from it, in one transaction under the capacity lock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.contracts.consequences import Consequences, consequences_of
from portal.contracts.queries import contract_for
from portal.domain.errors import ConsequencesChanged, NotAllowed
from portal.domain.notices import check_notice, check_receipt
from portal.domain.states import OfferState, Party, RequestState, ReservationState, check_transition
from portal.models.capacity import lock_capacity
from portal.models.contracts import Contract, Notice
from portal.models.offers import Offer, expire_offers
from portal.models.placements import Placement
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.notices.actions import tell
from portal.plans import placing
from portal.web.actor import Actor


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A notice by ``party``, received on ``given_on``; ``document`` proves an earlier day or one on paper.

    ``seen`` is the digest of the consequences that were confirmed; null: none were shown.
    """

    party: Party
    given_on: dt.date
    document: str = ""
    seen: str | None = None


def give_notice(
    session: Session, *, public_id: str, new: NewNotice, by: Actor, now: dt.datetime, today: dt.date
) -> Notice:
    """Give notice of a contract: its reservations beyond the end are shortened, its offers end, its requests that
    reach beyond are drafts again.

    Raises `NotFound`, `NotAllowed`, `NoticeRefused` with the first day on which notice can be given, and
    `ConsequencesChanged`.
    """
    lock_capacity(session)
    expire_offers(session, now)
    contract = contract_for(session, by, public_id)
    check_side(by, new)
    check_receipt(new.given_on, today=today, has_document=bool(new.document))
    ends_on = check_notice(contract.agreement, new.party, new.given_on)
    found = consequences_of(session, contract, given_on=new.given_on, today=today, now=now)
    if new.seen is not None and new.seen != found.digest:
        raise ConsequencesChanged("What this notice brings about has changed since you read it. Read it again.")
    notice = Notice(
        contract=contract,
        party=new.party,
        given_on=new.given_on,
        ends_on=ends_on,
        document=new.document,
        given_at=now,
        given_by_id=by.user_id,
    )
    session.add(notice)
    session.flush()
    _Change(session, contract, by, now, today).carry_out(found)
    _announce(session, notice, by=by, now=now)
    return notice


def check_side(by: Actor, new: NewNotice) -> None:
    """A tenant's people speak for the tenant; an admin enters a tenant's notice only with the paper it came on."""
    if by.is_tenant and new.party is not Party.TENANT:
        raise NotAllowed("You can give notice for your own side only.")
    if not by.is_tenant and new.party is Party.TENANT and not new.document:
        raise NotAllowed("To enter the tenant's notice, name the document that it came with.")


@dataclass(frozen=True, slots=True)
class _Change:
    """One notice being carried out."""

    session: Session
    contract: Contract
    by: Actor
    now: dt.datetime
    today: dt.date

    def carry_out(self, found: Consequences) -> None:
        for reservation in found.shortened:
            self._shorten(reservation, found.cut)
        for reservation in found.dropped:
            self._drop(reservation)
        for offer in found.offers:
            self._end_offer(offer)
        for request in found.requests:
            self._return(request)
        self.session.flush()

    def _shorten(self, reservation: Reservation, cut: dt.date) -> None:
        before = reservation.end
        placing.clear(self.session, reservation, today=cut)
        self._mark(reservation, on=cut)
        reservation.original_end, reservation.end = reservation.original_end or before, cut
        self._say(reservation, before, "reservation_shortened", "shortened by notice", end=cut)

    def _drop(self, reservation: Reservation) -> None:
        placing.clear(self.session, reservation, today=reservation.start)
        self._mark(reservation, on=self.today)
        self._say(reservation, reservation.end, "reservation_ended", "ended by notice", end=None)

    def _mark(self, reservation: Reservation, *, on: dt.date) -> None:
        state = reservation.state_on(self.today)
        reservation.ended_as = check_transition(state, ReservationState.ENDED_BY_NOTICE)
        reservation.ended_on, reservation.ended_at, reservation.ended_by_id = on, self.now, self.by.user_id

    def _end_offer(self, offer: Offer) -> None:
        offer.state = check_transition(offer.state, OfferState.WITHDRAWN)
        offer.withdrawn_at, offer.withdrawn_by_id = self.now, self.by.user_id
        self.session.execute(sa.delete(Placement).where(Placement.offer_id == offer.id))
        self._tell("offer_withdrawn", offer=offer.public_id)
        self._record("withdrew by notice", f"offer {offer.public_id}", {"state": OfferState.STANDING}, {})

    def _return(self, request: Request) -> None:
        before = request.state
        request.state = check_transition(before, RequestState.DRAFT)
        request.approved_at = request.approved_by_id = request.held_at = request.held_by_id = None
        self._tell("request_returned", request=request.public_id)
        self._record("returned by notice", f"request {request.public_id}", {"state": before}, {"state": request.state})

    def _say(self, reservation: Reservation, before: dt.date, kind: str, action: str, *, end: dt.date | None) -> None:
        after = end.isoformat() if end else None
        self._tell(kind, reservation=reservation.public_id, end=after)
        thing = f"reservation {reservation.public_id}"
        self._record(action, thing, {"end": before.isoformat()}, {"end": after})

    def _tell(self, kind: str, **payload: str | None) -> None:
        contract = self.contract
        tell(self.session, kind, tenant_id=contract.tenant_id, now=self.now, contract=contract.public_id, **payload)

    def _record(self, action: str, thing: str, before: dict[str, object], after: dict[str, object]) -> None:
        record(
            self.session,
            by=self.by,
            action=action,
            thing=thing,
            now=self.now,
            before=before,
            after=after,
            tenant_id=self.contract.tenant_id,
        )


def _announce(session: Session, notice: Notice, *, by: Actor, now: dt.datetime) -> None:
    """Both sides are told, and the trail ends with the notice itself."""
    contract = notice.contract
    said = {
        "party": notice.party.value,
        "given_on": notice.given_on.isoformat(),
        "ends_on": notice.ends_on.isoformat(),
    }
    for tenant_id in (contract.tenant_id, None):
        tell(session, "notice_given", tenant_id=tenant_id, now=now, contract=contract.public_id, **said)
    after = {**said, "document": notice.document}
    thing = f"contract {contract.public_id}"
    record(session, by=by, action="gave notice", thing=thing, after=after, now=now, tenant_id=contract.tenant_id)
