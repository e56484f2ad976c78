"""People who sign in, and the server's side of their sessions."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.domain.states import TENANT_ROLES, Role
from portal.models.base import Base, Versioned
from portal.models.tenants import Tenant

_TENANT_ROLES = ", ".join(f"'{role}'" for role in sorted(TENANT_ROLES))


class User(Versioned, Base):
    """A person. Tenant roles belong to a tenant, provider roles to none. The e-mail address is kept in lower case."""

    __tablename__ = "users"
    __table_args__ = (
        sa.CheckConstraint(f"(tenant_id IS NOT NULL) = (role IN ({_TENANT_ROLES}))", name="tenant_role_has_tenant"),
        sa.CheckConstraint("email = lower(email)", name="email_lower_case"),
        sa.CheckConstraint("length(email) > 0 AND length(name) > 0", name="named"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    password_hash: Mapped[str] = mapped_column(sa.String(255))
    role: Mapped[Role]
    tenant_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tenants.id"), index=True)
    created_at: Mapped[dt.datetime]
    disabled_at: Mapped[dt.datetime | None]

    tenant: Mapped[Tenant | None] = relationship()
    sessions: Mapped[list[UserSession]] = relationship(back_populates="user")


class UserSession(Base):
    """One signed-in browser. Only the SHA-256 of its token is stored (64 hexadecimal digits)."""

    __tablename__ = "user_sessions"
    __table_args__ = (sa.CheckConstraint("expires_at > created_at", name="expires_after_creation"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_at: Mapped[dt.datetime]
    last_seen_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    user_agent: Mapped[str] = mapped_column(sa.String(400), default="")

    user: Mapped[User] = relationship(back_populates="sessions")
