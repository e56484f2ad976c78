"""Requests: what tenants wish for."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.domain.states import RequestState
from portal.models.base import Base, Json, Versioned, paired
from portal.models.blocks import BlockTerms, block_checks, min_gpus_checks
from portal.models.cluster import Site
from portal.models.contracts import Contract
from portal.models.ids import maker
from portal.models.tenants import Tenant
from portal.models.users import User

_NEVER_SUBMITTED = "state IN ('draft', 'withdrawn')"


class Request(BlockTerms, Versioned, Base):
    """A wish for a block of ``days`` days that starts on a day of ``[earliest_start, latest_start]`` (both included).

    ``approved_at`` says that an approver looked at it and lets it be planned, ``held_at`` that an approver keeps it out
    of plans; without either it is planned. ``decided_at`` says who accepted, declined or waitlisted it
    (null where its window simply passed). ``reason`` and ``counter_offers`` are those of the published plan.
    """

    __tablename__ = "requests"
    __table_args__ = (
        *block_checks(),
        *min_gpus_checks(),
        sa.ForeignKeyConstraint(
            ["extends_id", "tenant_id"],
            ["reservations.id", "reservations.tenant_id"],
            use_alter=True,  # reservations refer to requests as well
        ),
        sa.UniqueConstraint(
            "id", "tenant_id"
        ),  # lets offers and reservations refer to a request of their own tenant only
        sa.CheckConstraint("latest_start >= earliest_start", name="latest_start_not_before_earliest"),
        sa.CheckConstraint("days >= 1", name="days_positive"),
        sa.CheckConstraint(f"submitted_at IS NOT NULL OR {_NEVER_SUBMITTED}", name="submitted_state"),
        paired("submitted"),
        paired("approved"),
        paired("held"),
        paired("decided"),
        paired("withdrawn"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=maker("Q"))
    state: Mapped[RequestState] = mapped_column(default=RequestState.DRAFT, index=True)
    min_gpus: Mapped[int]
    earliest_start: Mapped[dt.date]
    latest_start: Mapped[dt.date]
    days: Mapped[int]
    extends_id: Mapped[int | None]
    wants_waitlist: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(sa.Text, default="")
    reason: Mapped[Json | None]
    counter_offers: Mapped[Json] = mapped_column(default=list)
    created_at: Mapped[dt.datetime]
    submitted_at: Mapped[dt.datetime | None]
    submitted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    approved_at: Mapped[dt.datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    held_at: Mapped[dt.datetime | None]
    held_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    tenant: Mapped[Tenant] = relationship()
    site: Mapped[Site | None] = relationship()
    contract: Mapped[Contract | None] = relationship(
        primaryjoin="Request.contract_id == Contract.id", foreign_keys="Request.contract_id"
    )
    submitted_by: Mapped[User | None] = relationship(foreign_keys=[submitted_by_id])

    @property
    def approved_for_planning(self) -> bool:
        return self.approved_at is not None
