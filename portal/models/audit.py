"""The audit trail: append-only, each entry carrying the hash of the one before. The database refuses changes to it."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Json


class AuditEntry(Base):
    """Who did what to which thing, when, from where, before and after.

    No foreign keys, on purpose: the trail must neither block nor be changed by live data.
    """

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    actor_id: Mapped[int | None]
    actor: Mapped[str] = mapped_column(sa.String(254))
    """The person's e-mail address then, or the name of the process that acted."""
    origin: Mapped[str] = mapped_column(sa.String(64), default="")
    """The address it came from, or the command."""
    action: Mapped[str] = mapped_column(sa.String(64))
    thing: Mapped[str] = mapped_column(sa.String(64), index=True)
    """Kind and public id, such as ``request Q-7GK2QX4M``."""
    tenant_id: Mapped[int | None] = mapped_column(index=True)
    before: Mapped[Json | None]
    after: Mapped[Json | None]
    previous_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
