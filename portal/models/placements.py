"""Placements: which GPUs of which rack a reservation or a standing offer has, and when.

One table for both, so that one constraint keeps two blocks off the same GPUs. Beside the checks here the migrations
add what metadata cannot say on both databases: the exclusion of two whole racks, and at most 72 GPUs per rack and day.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, interval
from portal.models.cluster import Rack
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY


class Placement(Base):
    """``gpus`` GPUs of one rack on each day of ``[start, end)``, for a reservation or for an offer, never both."""

    __tablename__ = "placements"
    __table_args__ = (
        interval(),
        sa.CheckConstraint("(reservation_id IS NULL) <> (offer_id IS NULL)", name="one_owner"),
        sa.CheckConstraint(
            f"gpus > 0 AND gpus <= {GPUS_PER_RACK} AND gpus % {GPUS_PER_TRAY} = 0", name="gpus_whole_trays"
        ),
        sa.Index("ix_placements_rack_id_start", "rack_id", "start"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rack_id: Mapped[int] = mapped_column(sa.ForeignKey("racks.id"))
    reservation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("reservations.id"), index=True)
    offer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("offers.id"), index=True)
    start: Mapped[dt.date]
    end: Mapped[dt.date]
    gpus: Mapped[int]

    rack: Mapped[Rack] = relationship()
