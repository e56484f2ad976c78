"""The capacity row, the settings row, the outbox, the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import json
from migrations.triggers import drop_function, forbid_changes
from portal.models.types import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("thing", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=True),
        sa.Column("before", json(), nullable=True),
        sa.Column("after", json(), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.UniqueConstraint("hash", name="uq_audit_hash"),
        sa.UniqueConstraint("previous_hash", name="uq_audit_previous_hash"),
    )
    op.create_index("ix_audit_tenant_id", "audit", ["tenant_id"], unique=False)
    op.create_index("ix_audit_thing", "audit", ["thing"], unique=False)
    op.create_table(
        "capacity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_capacity_only_row"),
        sa.PrimaryKeyConstraint("id", name="pk_capacity"),
    )
    op.create_table(
        "settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=True),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("rack_kw", sa.Double(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("on_demand_move_notice_days", sa.Integer(), nullable=False),
        sa.Column("offer_hours", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "horizon_days >= 1 AND on_demand_move_notice_days >= 0 AND offer_hours >= 1 AND rack_kw > 0",
            name="ck_settings_ranges",
        ),
        sa.CheckConstraint("id = 1", name="ck_settings_only_row"),
        sa.PrimaryKeyConstraint("id", name="pk_settings"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=True),
        sa.Column("payload", json(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_outbox_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_sent_at", "outbox", ["sent_at"], unique=False)
    op.create_index("ix_outbox_tenant_id", "outbox", ["tenant_id"], unique=False)
    forbid_changes("audit")
    op.execute("INSERT INTO capacity (id, version) VALUES (1, 0)")
    op.execute(
        "INSERT INTO settings (id, product, rack_kw, horizon_days, on_demand_move_notice_days, offer_hours, version) "
        "VALUES (1, 'gb300-nvl72', 140.0, 1136, 14, 48, 1)"
    )


def downgrade() -> None:
    op.drop_table("audit")
    drop_function("ck_audit_append_only")
    op.drop_table("outbox")
    op.drop_table("settings")
    op.drop_table("capacity")
