"""Taking a notice back: the side that gave it asks, the other one consents, and what the notice cut comes back.

That it was asked for is read from the audit trail, which keeps it for good. Offers that the notice ended and requests
that it returned stay as they are: their tenant asks again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.contracts.queries import contract_for
from portal.domain.errors import CapacityTaken, Conflict, NotAllowed
from portal.domain.notices import can_withdraw
from portal.domain.states import NoticeState, Party, ReservationState, check_transition
from portal.models.audit import AuditEntry
from portal.models.capacity import lock_capacity
from portal.models.cluster import Rack
from portal.models.contracts import Contract, Notice
from portal.models.offers import expire_offers
from portal.models.placements import Placement
from portal.models.reservations import Reservation
from portal.models.transactions import begin_write
from portal.notices.actions import tell
from portal.plans import placing
from portal.plans.fitting import Wish
from portal.plans.restoring import Gap, Missing, bring_back, missing
from portal.plans.segments import Stretch
from portal.plans.standing import standing_of
from portal.web.actor import Actor
from portal.web.format import day_range_text, gpus_text
from solver.terms import GPUS_PER_RACK

ASKED = "asked to withdraw the notice"
_SHORTENED = "shortened by notice"


def side_of(by: Actor) -> Party:
    """The side of a contract that this person acts for."""
    return Party.TENANT if by.is_tenant else Party.PROVIDER


def is_asked(session: Session, notice: Notice) -> bool:
    """Whether the side that gave the notice has asked to take it back."""
    asked = sa.select(AuditEntry.id).where(AuditEntry.thing == _thing(notice), AuditEntry.action == ASKED)
    return session.scalar(asked.limit(1)) is not None


def ask_to_withdraw(session: Session, *, public_id: str, by: Actor, now: dt.datetime, today: dt.date) -> Notice:
    """Ask the other party to let a running notice be taken back. Raises `NotAllowed`, `Conflict`."""
    begin_write(session)
    notice = _running(contract_for(session, by, public_id), today)
    if side_of(by) is not notice.party:
        raise NotAllowed(f"The {notice.party} gave this notice: only the {notice.party} can ask to take it back.")
    if is_asked(session, notice):
        raise Conflict("This was asked already. The other party has to answer.")
    contract = notice.contract
    told = None if notice.party is Party.TENANT else contract.tenant_id
    tell(session, "notice_withdrawal_asked", tenant_id=told, now=now, contract=contract.public_id)
    record(session, by=by, action=ASKED, thing=_thing(notice), now=now, tenant_id=contract.tenant_id)
    return notice


def consent_to_withdrawal(session: Session, *, public_id: str, by: Actor, now: dt.datetime, today: dt.date) -> Notice:
    """Take a running notice back with the other party's consent: the term, its holds and the reservations return.

    Raises `CapacityTaken`, naming days and GPUs, where what would come back no longer fits; `NotAllowed` for the side
    that gave the notice; `Conflict` where nobody asked.
    """
    lock_capacity(session)
    expire_offers(session, now)
    contract = contract_for(session, by, public_id)
    notice = _running(contract, today)
    if side_of(by) is notice.party:
        raise NotAllowed("You gave this notice: taking it back needs the other party's consent.")
    if not is_asked(session, notice):
        raise Conflict(f"The {notice.party} has not asked to take this notice back.")
    before = missing(standing_of(session, today=today, now=now))
    notice.state = check_transition(notice.state, NoticeState.WITHDRAWN)
    notice.withdrawn_at, notice.withdrawn_by_id = now, by.user_id
    _check_holds(session, before, today=today, now=now)  # first: it names the very days
    restored = _Restoration(session, notice, today, now).restore()
    _check_holds(session, before, today=today, now=now)  # again: blocks above the commitment need more than its hold
    _announce(session, notice, restored, by=by, now=now)
    return notice


@dataclass(frozen=True, slots=True)
class _Restoration:
    """What one notice took from reservations, given back."""

    session: Session
    notice: Notice
    today: dt.date
    now: dt.datetime

    def restore(self) -> list[Reservation]:
        """Shortened reservations go on on their own racks, those that never started get new ones."""
        cut = self.session.scalars(self._cut_by_the_notice()).all()
        ends = self._ends_before(cut)
        shortened = [row for row in cut if row.public_id in ends]
        gaps = [gap for row in shortened for gap in self._lengthen(row, ends[row.public_id])]
        if gaps:
            raise CapacityTaken(_no_longer_fits(gaps))
        self.session.flush()
        self._place_anew([row for row in cut if row.public_id not in ends])
        return list(cut)

    def _cut_by_the_notice(self) -> sa.Select[Reservation]:
        mine = sa.select(Reservation).where(Reservation.contract_id == self.notice.contract_id)
        by_notice = mine.where(Reservation.ended_as == ReservationState.ENDED_BY_NOTICE)
        return by_notice.where(Reservation.ended_at == self.notice.given_at).order_by(Reservation.id)

    def _ends_before(self, reservations: Sequence[Reservation]) -> Mapping[str, dt.date]:
        """The end that each shortened reservation had, as the trail says: it may have been shorter than promised."""
        things = [f"reservation {row.public_id}" for row in reservations]
        entries = sa.select(AuditEntry).where(AuditEntry.thing.in_(things), AuditEntry.action == _SHORTENED)
        found = self.session.scalars(entries.where(AuditEntry.at == self.notice.given_at))
        ends = {each.thing.removeprefix("reservation "): (each.before or {})["end"] for each in found}
        return {public_id: dt.date.fromisoformat(end) for public_id, end in ends.items()}

    def _lengthen(self, reservation: Reservation, end: dt.date) -> list[Gap]:
        """On from the day of the cut on the racks of the day before; what others have taken since is named."""
        cut = reservation.end
        last = [row for row in reservation.placements if row.end == cut]
        taken = [row for row in last if _use_by_others(self.session, row, cut, end) + row.gpus > GPUS_PER_RACK]
        if taken:
            return [Gap(cut, end, sum(row.gpus for row in taken))]
        for row in last:
            row.end = end
        reservation.end = end
        reservation.original_end = None if reservation.original_end == end else reservation.original_end
        _unmark(reservation)
        return []

    def _place_anew(self, reservations: Sequence[Reservation]) -> None:
        if not reservations:
            return
        standing = standing_of(self.session, today=self.today, now=self.now)
        racks = dict(self.session.execute(sa.select(Rack.code, Rack.id)).all())
        gaps, placed = [], []
        for row in reservations:
            found = bring_back(standing, row.public_id, _wish(row, self.notice.contract), row.start)
            if found is None:
                gaps.append(Gap(row.start, row.end, row.gpus))
                continue
            _unmark(row)
            placed.append((row, [Stretch(rack, row.start, row.end, gpus) for rack, gpus in found.items()]))
        if gaps:
            raise CapacityTaken(_no_longer_fits(gaps))
        placing.put(self.session, placed, racks)
        self.session.flush()


def _check_holds(session: Session, before: Missing, *, today: dt.date, now: dt.datetime) -> None:
    """R7, R8: no hold lacks more than it did before the withdrawal."""
    session.flush()
    gaps = missing(standing_of(session, today=today, now=now)).beyond(before)
    if gaps:
        raise CapacityTaken(_no_longer_fits(gaps))


def _running(contract: Contract, today: dt.date) -> Notice:
    notice = contract.notice
    if notice is None:
        raise Conflict("No notice runs under this contract.")
    if not can_withdraw(notice.state, notice.ends_on, today):
        raise Conflict("This notice has taken effect: the contract has ended. Make a new contract instead.")
    return notice


def _use_by_others(session: Session, placement: Placement, start: dt.date, end: dt.date) -> int:
    """The most GPUs of the rack that other blocks use on a day of ``[start, end)``."""
    shared = sa.select(Placement).where(Placement.rack_id == placement.rack_id, Placement.id != placement.id)
    others = session.scalars(shared.where(Placement.start < end, Placement.end > start)).all()
    days = {start, *(row.start for row in others if row.start > start)}
    return max(sum(row.gpus for row in others if row.start <= day < row.end) for day in days)


def _unmark(reservation: Reservation) -> None:
    reservation.ended_as = reservation.ended_on = reservation.ended_at = reservation.ended_by_id = None


def _wish(reservation: Reservation, contract: Contract) -> Wish:
    return Wish(
        tenant=contract.tenant.public_id,
        contract=contract.public_id,
        gpus=reservation.gpus,
        min_gpus=reservation.gpus,
        days=(reservation.end - reservation.start).days,
        scope=reservation.scope,
        site=reservation.site.code if reservation.site else None,
    )


def _no_longer_fits(gaps: Iterable[Gap]) -> str:
    named = "; ".join(f"{gpus_text(gap.gpus)} on {day_range_text(gap.start, gap.end)}" for gap in gaps)
    return (
        f"The notice stays: what its withdrawal would restore no longer fits beside other commitments. "
        f"Missing are {named}."
    )


def _thing(notice: Notice) -> str:
    return f"notice {notice.id} of {notice.contract.public_id}"[:64]


def _announce(
    session: Session, notice: Notice, restored: Sequence[Reservation], *, by: Actor, now: dt.datetime
) -> None:
    """Both sides are told; the trail says what came back and ends with the notice itself."""
    contract = notice.contract
    for tenant_id in (contract.tenant_id, None):
        tell(session, "notice_withdrawn", tenant_id=tenant_id, now=now, contract=contract.public_id)
    for row in restored:
        after = {"end": row.end.isoformat()}
        thing = f"reservation {row.public_id}"
        record(session, by=by, action="restored", thing=thing, now=now, after=after, tenant_id=row.tenant_id)
        told = {"reservation": row.public_id, **after}
        tell(session, "reservation_restored", tenant_id=row.tenant_id, now=now, **told)
    before = {"given_on": notice.given_on, "ends_on": notice.ends_on, "party": notice.party}
    thing = f"contract {contract.public_id}"
    record(
        session, by=by, action="withdrew the notice", thing=thing, now=now, before=before, tenant_id=contract.tenant_id
    )
