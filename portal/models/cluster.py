"""The cluster: site, hall, pod, rack, in the order in which they were recorded; what takes capacity away."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.domain.states import OutageKind
from portal.models.base import Base, Versioned, interval


class Site(Base):
    """Halls that share one power feed. ``code`` is the site's id in snapshots, as for every unit below it."""

    __tablename__ = "sites"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    position: Mapped[int]

    halls: Mapped[list[Hall]] = relationship(back_populates="site", order_by="Hall.position, Hall.id")
    power_limits: Mapped[list[PowerLimit]] = relationship(
        back_populates="site", order_by="PowerLimit.start, PowerLimit.id"
    )


class Hall(Versioned, Base):
    """Pods on one fabric. Of its racks, ``spare_racks`` are there for promises, not for sale (R2)."""

    __tablename__ = "halls"
    __table_args__ = (sa.CheckConstraint("spare_racks >= 0", name="spare_racks_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("sites.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    position: Mapped[int]
    spare_racks: Mapped[int] = mapped_column(default=0)

    site: Mapped[Site] = relationship(back_populates="halls")
    pods: Mapped[list[Pod]] = relationship(back_populates="hall", order_by="Pod.position, Pod.id")


class Pod(Base):
    """Racks below one leaf fabric."""

    __tablename__ = "pods"

    id: Mapped[int] = mapped_column(primary_key=True)
    hall_id: Mapped[int] = mapped_column(sa.ForeignKey("halls.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(64), unique=True)
    position: Mapped[int]

    hall: Mapped[Hall] = relationship(back_populates="pods")
    racks: Mapped[list[Rack]] = relationship(back_populates="pod", order_by="Rack.position, Rack.id")


class Rack(Base):
    """72 GPUs in 18 trays of 4."""

    __tablename__ = "racks"

    id: Mapped[int] = mapped_column(primary_key=True)
    pod_id: Mapped[int] = mapped_column(sa.ForeignKey("pods.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(64), unique=True)
    position: Mapped[int]

    pod: Mapped[Pod] = relationship(back_populates="racks")


class Outage(Versioned, Base):
    """A rack out of use on ``[start, end)``; ``end`` null: until someone ends it. Outages of a rack may overlap."""

    __tablename__ = "outages"
    __table_args__ = (interval(),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rack_id: Mapped[int] = mapped_column(sa.ForeignKey("racks.id"), index=True)
    start: Mapped[dt.date]
    end: Mapped[dt.date | None]
    kind: Mapped[OutageKind]
    note: Mapped[str] = mapped_column(sa.Text, default="")
    recorded_at: Mapped[dt.datetime]
    recorded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    rack: Mapped[Rack] = relationship()


class PowerLimit(Versioned, Base):
    """At most ``kw`` kilowatts for a site on ``[start, end)``; where limits overlap the lowest holds (R3)."""

    __tablename__ = "power_limits"
    __table_args__ = (interval(), sa.CheckConstraint("kw >= 0", name="kw_not_negative"))

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("sites.id"), index=True)
    start: Mapped[dt.date]
    end: Mapped[dt.date]
    kw: Mapped[float]
    note: Mapped[str] = mapped_column(sa.Text, default="")
    recorded_at: Mapped[dt.datetime]
    recorded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    site: Mapped[Site] = relationship(back_populates="power_limits")
