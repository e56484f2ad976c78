"""What requests, offers and reservations have in common: the terms of a block, and its checks."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.states import Scope
from portal.models.base import HourlyRate, Money
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY


class BlockTerms:
    """The tenant's terms of a block. ``rate`` is in US dollars per GPU-hour, ``value_usd`` the whole block's.

    ``tier`` is the provider's alone: it is never shown to tenants.
    """

    tenant_id: Mapped[int] = mapped_column(sa.ForeignKey("tenants.id"), index=True)
    contract_id: Mapped[int | None] = mapped_column(index=True)
    gpus: Mapped[int]
    scope: Mapped[Scope]
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sites.id"))
    interruptible: Mapped[bool] = mapped_column(default=False)
    recall_notice_days: Mapped[int | None]
    tier: Mapped[int]
    value_usd: Mapped[Money]
    rate: Mapped[HourlyRate | None]
    rate_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rates.id"))
    """The line of the rate card that the quote was made from; null: the contract's own rate."""


def block_checks() -> tuple[sa.Constraint, ...]:
    """The rules of `BlockTerms`: block sizes, and the contract of the block's own tenant."""
    return (
        sa.ForeignKeyConstraint(["contract_id", "tenant_id"], ["contracts.id", "contracts.tenant_id"]),
        sa.CheckConstraint("gpus > 0", name="gpus_positive"),
        sa.CheckConstraint(f"gpus % {_multiple_of('gpus')} = 0", name="gpus_multiple"),
        sa.CheckConstraint("tier >= 0 AND value_usd >= 0", name="tier_and_value_not_negative"),
        sa.CheckConstraint("rate >= 0", name="rate_not_negative"),
        sa.CheckConstraint("interruptible = (recall_notice_days IS NOT NULL)", name="interruptible_has_recall_notice"),
        sa.CheckConstraint("recall_notice_days >= 0", name="recall_notice_days_not_negative"),
        sa.CheckConstraint("NOT (interruptible AND contract_id IS NOT NULL)", name="interruptible_on_demand"),
    )


def min_gpus_checks() -> tuple[sa.CheckConstraint, ...]:
    """The least size of a request lies in the multiple of the full one (R4)."""
    return (
        sa.CheckConstraint("min_gpus > 0 AND min_gpus <= gpus", name="min_gpus_range"),
        sa.CheckConstraint(f"min_gpus % {_multiple_of('gpus')} = 0", name="min_gpus_multiple"),
    )


def _multiple_of(column: str) -> str:
    return f"(CASE WHEN {column} >= {GPUS_PER_RACK} THEN {GPUS_PER_RACK} ELSE {GPUS_PER_TRAY} END)"
