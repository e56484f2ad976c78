"""Settings that people change while Berth runs: one row."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Versioned

ONLY_ID = 1


class Settings(Versioned, Base):
    """The one row. ``business_day`` null: today in UTC; the demo fixes it. Migrations put the row there."""

    __tablename__ = "settings"
    __table_args__ = (
        sa.CheckConstraint(f"id = {ONLY_ID}", name="only_row"),
        sa.CheckConstraint(
            "horizon_days >= 1 AND on_demand_move_notice_days >= 0 AND offer_hours >= 1 AND rack_kw > 0",
            name="ranges",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=ONLY_ID)
    business_day: Mapped[dt.date | None]
    product: Mapped[str] = mapped_column(sa.String(64), default="gb300-nvl72")
    rack_kw: Mapped[float] = mapped_column(default=140.0)
    horizon_days: Mapped[int] = mapped_column(default=1136)
    """A plan decides this many days from the business day on."""
    on_demand_move_notice_days: Mapped[int] = mapped_column(default=14)
    offer_hours: Mapped[int] = mapped_column(default=48)
    """How long a new offer stands unless its maker says otherwise."""
