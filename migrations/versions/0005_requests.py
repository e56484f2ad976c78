"""Requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import json, one_of
from portal.models.types import ExactDecimal, UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            one_of(
                "draft", "submitted", "waitlisted", "accepted", "declined", "withdrawn", name="ck_requests_requeststate"
            ),
            nullable=False,
        ),
        sa.Column("min_gpus", sa.Integer(), nullable=False),
        sa.Column("earliest_start", sa.Date(), nullable=False),
        sa.Column("latest_start", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("extends_id", sa.Integer(), nullable=True),
        sa.Column("wants_waitlist", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reason", json(), nullable=True),
        sa.Column("counter_offers", json(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("approved_by_id", sa.Integer(), nullable=True),
        sa.Column("held_at", UtcDateTime(), nullable=True),
        sa.Column("held_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_by_id", sa.Integer(), nullable=True),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=True),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("scope", one_of("pod", "hall", "site", "any", name="ck_requests_scope"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("interruptible", sa.Boolean(), nullable=False),
        sa.Column("recall_notice_days", sa.Integer(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("value_usd", ExactDecimal(18, 2), nullable=False),
        sa.Column("rate", ExactDecimal(12, 6), nullable=True),
        sa.Column("rate_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "submitted_at IS NOT NULL OR state IN ('draft', 'withdrawn')", name="ck_requests_submitted_state"
        ),
        sa.CheckConstraint("(approved_at IS NULL) = (approved_by_id IS NULL)", name="ck_requests_approved_at_and_by"),
        sa.CheckConstraint("(held_at IS NULL) = (held_by_id IS NULL)", name="ck_requests_held_at_and_by"),
        sa.CheckConstraint("(decided_at IS NULL) = (decided_by_id IS NULL)", name="ck_requests_decided_at_and_by"),
        sa.CheckConstraint(
            "(submitted_at IS NULL) = (submitted_by_id IS NULL)", name="ck_requests_submitted_at_and_by"
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)", name="ck_requests_withdrawn_at_and_by"
        ),
        sa.CheckConstraint(
            "NOT (interruptible AND contract_id IS NOT NULL)", name="ck_requests_interruptible_on_demand"
        ),
        sa.CheckConstraint("days >= 1", name="ck_requests_days_positive"),
        sa.CheckConstraint("gpus % (CASE WHEN gpus >= 72 THEN 72 ELSE 4 END) = 0", name="ck_requests_gpus_multiple"),
        sa.CheckConstraint("gpus > 0", name="ck_requests_gpus_positive"),
        sa.CheckConstraint(
            "interruptible = (recall_notice_days IS NOT NULL)", name="ck_requests_interruptible_has_recall_notice"
        ),
        sa.CheckConstraint("latest_start >= earliest_start", name="ck_requests_latest_start_not_before_earliest"),
        sa.CheckConstraint(
            "min_gpus % (CASE WHEN gpus >= 72 THEN 72 ELSE 4 END) = 0", name="ck_requests_min_gpus_multiple"
        ),
        sa.CheckConstraint("min_gpus > 0 AND min_gpus <= gpus", name="ck_requests_min_gpus_range"),
        sa.CheckConstraint("rate >= 0", name="ck_requests_rate_not_negative"),
        sa.CheckConstraint("recall_notice_days >= 0", name="ck_requests_recall_notice_days_not_negative"),
        sa.CheckConstraint("tier >= 0 AND value_usd >= 0", name="ck_requests_tier_and_value_not_negative"),
        sa.ForeignKeyConstraint(["approved_by_id"], ["users.id"], name="fk_requests_approved_by_id"),
        sa.ForeignKeyConstraint(
            ["contract_id", "tenant_id"],
            ["contracts.id", "contracts.tenant_id"],
            name="fk_requests_contract_id_tenant_id",
        ),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name="fk_requests_decided_by_id"),
        *_extends_on_sqlite(),
        sa.ForeignKeyConstraint(["held_by_id"], ["users.id"], name="fk_requests_held_by_id"),
        sa.ForeignKeyConstraint(["rate_id"], ["rates.id"], name="fk_requests_rate_id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_requests_site_id"),
        sa.ForeignKeyConstraint(["submitted_by_id"], ["users.id"], name="fk_requests_submitted_by_id"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_requests_tenant_id"),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["users.id"], name="fk_requests_withdrawn_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sa.UniqueConstraint("id", "tenant_id", name="uq_requests_id_tenant_id"),
        sa.UniqueConstraint("public_id", name="uq_requests_public_id"),
    )
    op.create_index("ix_requests_contract_id", "requests", ["contract_id"], unique=False)
    op.create_index("ix_requests_state", "requests", ["state"], unique=False)
    op.create_index("ix_requests_tenant_id", "requests", ["tenant_id"], unique=False)


def _extends_on_sqlite() -> list[sa.ForeignKeyConstraint]:
    # Reservations do not exist yet, which SQLite does not mind; PostgreSQL gets the key with them.
    if op.get_bind().dialect.name != "sqlite":
        return []
    return [
        sa.ForeignKeyConstraint(
            ["extends_id", "tenant_id"],
            ["reservations.id", "reservations.tenant_id"],
            name="fk_requests_extends_id_tenant_id",
        )
    ]


def downgrade() -> None:
    op.drop_table("requests")
