"""Tenants: who rents."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.states import TenantKind
from portal.models.base import Base, Versioned


class Tenant(Versioned, Base):
    """A tenant; ``max_gpus`` is its quota (R9), null: no limit. The public id is a chosen word, never a number."""

    __tablename__ = "tenants"
    __table_args__ = (sa.CheckConstraint("max_gpus >= 0", name="max_gpus_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200), unique=True)
    kind: Mapped[TenantKind] = mapped_column(default=TenantKind.CUSTOMER)
    max_gpus: Mapped[int | None]
