"""Offers: blocks with racks that are held for a tenant's answer."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from portal.domain.offers import state_at
from portal.domain.states import OfferState, check_transition
from portal.models.base import Base, Versioned, interval, paired
from portal.models.blocks import BlockTerms, block_checks
from portal.models.cluster import Site
from portal.models.contracts import Contract
from portal.models.ids import maker
from portal.models.placements import Placement
from portal.models.requests import Request
from portal.models.tenants import Tenant
from portal.models.users import User


class Offer(BlockTerms, Versioned, Base):
    """A priced block on ``[start, end)`` that holds its racks until ``expires_at`` (an instant, exclusive).

    Expiry is decided when read: a standing row may have expired already, see ``portal.domain.offers``. Only a
    standing offer has placements; taking it hands them to its reservation, every other end deletes them.
    """

    __tablename__ = "offers"
    __table_args__ = (
        *block_checks(),
        interval(),
        sa.ForeignKeyConstraint(["request_id", "tenant_id"], ["requests.id", "requests.tenant_id"]),
        sa.UniqueConstraint("id", "tenant_id"),
        sa.CheckConstraint("expires_at > made_at", name="expires_after_made"),
        sa.CheckConstraint("(state IN ('taken', 'refused')) = (answered_at IS NOT NULL)", name="answered_state"),
        sa.CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_state"),
        paired("answered"),
        paired("withdrawn"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=maker("O"))
    state: Mapped[OfferState] = mapped_column(default=OfferState.STANDING, index=True)
    request_id: Mapped[int | None] = mapped_column(index=True)
    start: Mapped[dt.date]
    end: Mapped[dt.date]
    expires_at: Mapped[dt.datetime]
    note: Mapped[str] = mapped_column(sa.Text, default="")
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    answered_at: Mapped[dt.datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    tenant: Mapped[Tenant] = relationship()
    site: Mapped[Site | None] = relationship()
    contract: Mapped[Contract | None] = relationship(
        primaryjoin="Offer.contract_id == Contract.id", foreign_keys="Offer.contract_id"
    )
    request: Mapped[Request | None] = relationship(
        primaryjoin="Offer.request_id == Request.id", foreign_keys="Offer.request_id"
    )
    placements: Mapped[list[Placement]] = relationship(order_by="Placement.start, Placement.rack_id")
    made_by: Mapped[User] = relationship(foreign_keys=[made_by_id])

    def state_at(self, now: dt.datetime) -> OfferState:
        """What it is at this instant: expiry is decided here, not by a job."""
        return state_at(self.state, self.expires_at, now)


def expire_offers(session: Session, now: dt.datetime) -> list[Offer]:
    """Record what has come of offers whose time is over, and free the racks that they still bind.

    Their expiry is decided when they are read; only the placements need a hand. Whoever adds placements calls this
    first, under the capacity lock.
    """
    expired = list(session.scalars(sa.select(Offer).where(Offer.state == OfferState.STANDING, Offer.expires_at <= now)))
    for offer in expired:
        offer.state = check_transition(offer.state, OfferState.EXPIRED)
    if expired:
        session.execute(sa.delete(Placement).where(Placement.offer_id.in_([offer.id for offer in expired])))
    return expired
