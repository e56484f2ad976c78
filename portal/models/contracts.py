"""Contracts with their schedules, and the notices given under them."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.domain.contract import Agreement, Fee
from portal.domain.states import NoticeState, Party
from portal.models.base import Base, HourlyRate, Money, Versioned, interval, paired
from portal.models.cluster import Site
from portal.models.ids import maker
from portal.models.tenants import Tenant
from portal.models.users import User
from solver.terms import Commitment, Terms


class Contract(Versioned, Base):
    """A tenant's agreement for ``[start, end)``; what it means on a day is computed, see ``portal.domain.contract``.

    Days ahead (``notice_days``, ``booking_lead_days``, ``move_notice_days``, ``cancellation_days``) are 0 or more.
    A reservation cancelled fewer than ``cancellation_days`` before its start still owes
    ``cancellation_fee_percent`` of its price.
    """

    __tablename__ = "contracts"
    __table_args__ = (
        interval(),
        sa.UniqueConstraint("id", "tenant_id"),  # lets blocks refer to a contract of their own tenant only
        sa.CheckConstraint("lock_in_until >= start", name="lock_in_not_before_start"),
        sa.CheckConstraint(
            "notice_days >= 0 AND booking_lead_days >= 0 AND move_notice_days >= 0 AND cancellation_days >= 0",
            name="days_not_negative",
        ),
        sa.CheckConstraint("cancellation_fee_percent BETWEEN 0 AND 100", name="cancellation_fee_percent"),
        sa.CheckConstraint("overage = (overage_rate IS NOT NULL)", name="overage_has_rate"),
        sa.CheckConstraint("overage_rate >= 0", name="overage_rate_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=maker("C"))
    tenant_id: Mapped[int] = mapped_column(sa.ForeignKey("tenants.id"), index=True)
    start: Mapped[dt.date]
    end: Mapped[dt.date]
    lock_in_until: Mapped[dt.date]
    notice_days: Mapped[int]
    notice_by: Mapped[Party]
    booking_lead_days: Mapped[int]
    move_notice_days: Mapped[int]
    cancellation_days: Mapped[int] = mapped_column(default=0)
    cancellation_fee_percent: Mapped[int] = mapped_column(default=0)
    overage: Mapped[bool]
    overage_rate: Mapped[HourlyRate | None]
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sites.id"))
    assumption: Mapped[str] = mapped_column(sa.Text, default="")
    """What of these terms is assumed rather than known; empty: nothing. Shown beside them."""

    tenant: Mapped[Tenant] = relationship()
    site: Mapped[Site | None] = relationship()
    commitment_steps: Mapped[list[CommitmentStep]] = relationship(
        back_populates="contract", order_by="CommitmentStep.start", cascade="all, delete-orphan"
    )
    fee_steps: Mapped[list[FeeStep]] = relationship(
        back_populates="contract", order_by="FeeStep.start", cascade="all, delete-orphan"
    )
    notices: Mapped[list[Notice]] = relationship(back_populates="contract", order_by="Notice.id")

    @property
    def notice(self) -> Notice | None:
        """The one notice that was not withdrawn, or none."""
        return next((notice for notice in self.notices if notice.state is not NoticeState.WITHDRAWN), None)

    @property
    def terms(self) -> Terms:
        """What this contract means on a day, the notice that was not withdrawn included."""
        return Terms(
            start=self.start,
            end=self.end,
            lock_in_until=self.lock_in_until,
            notice_days=self.notice_days,
            notice_given_on=None if self.notice is None else self.notice.given_on,
            booking_lead_days=self.booking_lead_days,
            commitments=tuple(Commitment(step.start, step.end, step.gpus) for step in self.commitment_steps),
        )

    @property
    def agreement(self) -> Agreement:
        """What this contract is worth, see ``portal.domain.contract``."""
        fees = tuple(Fee(step.start, step.end, step.monthly_fee) for step in self.fee_steps)
        return Agreement(terms=self.terms, fees=fees, notice_by=self.notice_by)


class CommitmentStep(Base):
    """``gpus`` GPUs committed on each day of ``[start, end)``. Steps of a contract never overlap."""

    __tablename__ = "commitment_steps"
    __table_args__ = (interval(), sa.CheckConstraint("gpus >= 0", name="gpus_not_negative"))

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(sa.ForeignKey("contracts.id"), index=True)
    start: Mapped[dt.date]
    end: Mapped[dt.date]
    gpus: Mapped[int]

    contract: Mapped[Contract] = relationship(back_populates="commitment_steps")


class FeeStep(Base):
    """``monthly_fee`` US dollars per calendar month on each day of ``[start, end)``. Steps never overlap."""

    __tablename__ = "fee_steps"
    __table_args__ = (interval(), sa.CheckConstraint("monthly_fee >= 0", name="monthly_fee_not_negative"))

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(sa.ForeignKey("contracts.id"), index=True)
    start: Mapped[dt.date]
    end: Mapped[dt.date]
    monthly_fee: Mapped[Money]

    contract: Mapped[Contract] = relationship(back_populates="fee_steps")


class Notice(Versioned, Base):
    """Notice of a contract: given on a UTC day, it ends the contract at ``ends_on``, the first day out of force.

    At most one that is not withdrawn per contract. The other party asks for and consents to a withdrawal.
    """

    __tablename__ = "notices"
    __table_args__ = (
        paired("withdrawn"),
        sa.CheckConstraint("ends_on >= given_on", name="ends_on_not_before_given_on"),
        sa.CheckConstraint("party IN ('tenant', 'provider')", name="party_is_a_side"),
        sa.CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_state"),
        sa.Index(
            "uq_notices_one_per_contract",
            "contract_id",
            unique=True,
            sqlite_where=sa.text("state <> 'withdrawn'"),
            postgresql_where=sa.text("state <> 'withdrawn'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(sa.ForeignKey("contracts.id"), index=True)
    party: Mapped[Party]
    given_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    state: Mapped[NoticeState] = mapped_column(default=NoticeState.RUNNING)
    document: Mapped[str] = mapped_column(sa.Text, default="")
    """What an admin entered as proof of an earlier day of receipt; empty: received through the portal."""
    given_at: Mapped[dt.datetime]
    given_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    contract: Mapped[Contract] = relationship(back_populates="notices")
    given_by: Mapped[User] = relationship(foreign_keys=[given_by_id])
