"""The rate card: what a GPU-hour costs on demand."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.states import Scope
from portal.models.base import Base, HourlyRate


class Rate(Base):
    """The rate of a scope and interruptibility from ``start`` on, until the next one starts. Never edited."""

    __tablename__ = "rates"
    __table_args__ = (
        sa.UniqueConstraint("scope", "interruptible", "start"),
        sa.CheckConstraint("usd_per_gpu_hour >= 0", name="usd_per_gpu_hour_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[Scope]
    interruptible: Mapped[bool]
    start: Mapped[dt.date]
    usd_per_gpu_hour: Mapped[HourlyRate]
    created_at: Mapped[dt.datetime]
