"""Contracts with their schedules and notices; the rate card."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import one_of
from migrations.triggers import forbid_overlap
from portal.models.types import ExactDecimal, UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "rates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", one_of("pod", "hall", "site", "any", name="ck_rates_scope"), nullable=False),
        sa.Column("interruptible", sa.Boolean(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("usd_per_gpu_hour", ExactDecimal(12, 6), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("usd_per_gpu_hour >= 0", name="ck_rates_usd_per_gpu_hour_not_negative"),
        sa.PrimaryKeyConstraint("id", name="pk_rates"),
        sa.UniqueConstraint("scope", "interruptible", "start", name="uq_rates_scope_interruptible_start"),
    )
    op.create_table(
        "contracts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("lock_in_until", sa.Date(), nullable=False),
        sa.Column("notice_days", sa.Integer(), nullable=False),
        sa.Column("notice_by", one_of("tenant", "provider", "either", name="ck_contracts_party"), nullable=False),
        sa.Column("booking_lead_days", sa.Integer(), nullable=False),
        sa.Column("move_notice_days", sa.Integer(), nullable=False),
        sa.Column("cancellation_days", sa.Integer(), nullable=False),
        sa.Column("cancellation_fee_percent", sa.Integer(), nullable=False),
        sa.Column("overage", sa.Boolean(), nullable=False),
        sa.Column("overage_rate", ExactDecimal(12, 6), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("assumption", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint('"end" > start', name="ck_contracts_end_after_start"),
        sa.CheckConstraint("cancellation_fee_percent BETWEEN 0 AND 100", name="ck_contracts_cancellation_fee_percent"),
        sa.CheckConstraint("lock_in_until >= start", name="ck_contracts_lock_in_not_before_start"),
        sa.CheckConstraint(
            "notice_days >= 0 AND booking_lead_days >= 0 AND move_notice_days >= 0 AND cancellation_days >= 0",
            name="ck_contracts_days_not_negative",
        ),
        sa.CheckConstraint("overage = (overage_rate IS NOT NULL)", name="ck_contracts_overage_has_rate"),
        sa.CheckConstraint("overage_rate >= 0", name="ck_contracts_overage_rate_not_negative"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_contracts_site_id"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_contracts_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contracts"),
        sa.UniqueConstraint("id", "tenant_id", name="uq_contracts_id_tenant_id"),
        sa.UniqueConstraint("public_id", name="uq_contracts_public_id"),
    )
    op.create_index("ix_contracts_tenant_id", "contracts", ["tenant_id"], unique=False)
    op.create_table(
        "commitment_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.CheckConstraint('"end" > start', name="ck_commitment_steps_end_after_start"),
        sa.CheckConstraint("gpus >= 0", name="ck_commitment_steps_gpus_not_negative"),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name="fk_commitment_steps_contract_id"),
        sa.PrimaryKeyConstraint("id", name="pk_commitment_steps"),
    )
    op.create_index("ix_commitment_steps_contract_id", "commitment_steps", ["contract_id"], unique=False)
    op.create_table(
        "fee_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("monthly_fee", ExactDecimal(18, 2), nullable=False),
        sa.CheckConstraint('"end" > start', name="ck_fee_steps_end_after_start"),
        sa.CheckConstraint("monthly_fee >= 0", name="ck_fee_steps_monthly_fee_not_negative"),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name="fk_fee_steps_contract_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fee_steps"),
    )
    op.create_index("ix_fee_steps_contract_id", "fee_steps", ["contract_id"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("party", one_of("tenant", "provider", "either", name="ck_notices_party"), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("state", one_of("running", "effective", "withdrawn", name="ck_notices_noticestate"), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("given_by_id", sa.Integer(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="ck_notices_withdrawn_state"),
        sa.CheckConstraint("party IN ('tenant', 'provider')", name="ck_notices_party_is_a_side"),
        sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)", name="ck_notices_withdrawn_at_and_by"),
        sa.CheckConstraint("ends_on >= given_on", name="ck_notices_ends_on_not_before_given_on"),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name="fk_notices_contract_id"),
        sa.ForeignKeyConstraint(["given_by_id"], ["users.id"], name="fk_notices_given_by_id"),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["users.id"], name="fk_notices_withdrawn_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_contract_id", "notices", ["contract_id"], unique=False)
    op.create_index(
        "uq_notices_one_per_contract",
        "notices",
        ["contract_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'withdrawn'"),
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    forbid_overlap("commitment_steps", "contract_id")
    forbid_overlap("fee_steps", "contract_id")


def downgrade() -> None:
    op.drop_table("rates")
    op.drop_table("notices")
    op.drop_table("fee_steps")
    op.drop_table("commitment_steps")
    op.drop_table("contracts")
