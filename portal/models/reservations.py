"""Reservations: blocks that have been promised."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.domain.reservations import Ending, is_live, state_on
from portal.domain.states import RECORDED_ENDINGS, ReservationState
from portal.models.base import Base, Versioned, interval, paired
from portal.models.blocks import BlockTerms, block_checks
from portal.models.cluster import Site
from portal.models.contracts import Contract
from portal.models.ids import maker
from portal.models.offers import Offer
from portal.models.placements import Placement
from portal.models.requests import Request
from portal.models.tenants import Tenant

_ENDINGS = ", ".join(f"'{ending}'" for ending in sorted(RECORDED_ENDINGS))


class Reservation(BlockTerms, Versioned, Base):
    """A block promised for ``[start, end)``. Its state on a day is derived, see ``portal.domain.reservations``.

    A recall or a notice shortens ``end`` and keeps the first promise in ``original_end``. ``ended_as`` records how it
    ended, and ``ended_on`` the first day on which it is so; a reservation ended before its start keeps its dates and
    loses its placements.
    """

    __tablename__ = "reservations"
    __table_args__ = (
        *block_checks(),
        interval(),
        sa.ForeignKeyConstraint(["request_id", "tenant_id"], ["requests.id", "requests.tenant_id"]),
        sa.ForeignKeyConstraint(["offer_id", "tenant_id"], ["offers.id", "offers.tenant_id"]),
        sa.ForeignKeyConstraint(["extends_id", "tenant_id"], ["reservations.id", "reservations.tenant_id"]),
        sa.UniqueConstraint("id", "tenant_id"),
        sa.CheckConstraint("move_notice_days >= 0", name="move_notice_days_not_negative"),
        sa.CheckConstraint('original_end >= "end"', name="original_end_not_before_end"),
        sa.CheckConstraint(f"ended_as IN ({_ENDINGS})", name="ended_as_recorded_ending"),
        sa.CheckConstraint("(ended_as IS NULL) = (ended_on IS NULL)", name="ended_as_and_on"),
        sa.CheckConstraint("(ended_as IS NULL) = (ended_at IS NULL)", name="ended_as_and_at"),
        paired("ended"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=maker("R"))
    request_id: Mapped[int | None] = mapped_column(index=True)
    offer_id: Mapped[int | None] = mapped_column(unique=True)
    plan_id: Mapped[int | None] = mapped_column(sa.ForeignKey("plans.id"))
    """The plan that published it; null: it came from an offer or an import."""
    extends_id: Mapped[int | None]
    start: Mapped[dt.date]
    end: Mapped[dt.date]
    original_end: Mapped[dt.date | None]
    move_notice_days: Mapped[int]
    created_at: Mapped[dt.datetime]
    ended_as: Mapped[ReservationState | None]
    ended_on: Mapped[dt.date | None]
    ended_at: Mapped[dt.datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    tenant: Mapped[Tenant] = relationship()
    site: Mapped[Site | None] = relationship()
    contract: Mapped[Contract | None] = relationship(
        primaryjoin="Reservation.contract_id == Contract.id", foreign_keys="Reservation.contract_id"
    )
    request: Mapped[Request | None] = relationship(
        primaryjoin="Reservation.request_id == Request.id", foreign_keys="Reservation.request_id"
    )
    offer: Mapped[Offer | None] = relationship(
        primaryjoin="Reservation.offer_id == Offer.id", foreign_keys="Reservation.offer_id"
    )
    extends: Mapped[Reservation | None] = relationship(
        primaryjoin="Reservation.extends_id == Reservation.id",
        foreign_keys="Reservation.extends_id",
        remote_side="Reservation.id",
    )
    placements: Mapped[list[Placement]] = relationship(order_by="Placement.start, Placement.rack_id")

    @property
    def ending(self) -> Ending | None:
        """The recorded ending, if there is one."""
        if self.ended_as is None or self.ended_on is None:
            return None
        return Ending(self.ended_as, self.ended_on)

    def state_on(self, day: dt.date) -> ReservationState:
        """What it is on ``day``."""
        return state_on(self.start, self.end, self.ending, day)

    def is_live(self, day: dt.date) -> bool:
        """Whether it still binds capacity on ``day`` or later."""
        return is_live(self.start, self.end, self.ending, day)
