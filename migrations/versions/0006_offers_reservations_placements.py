"""Offers, reservations and the placements of both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import one_of
from migrations.triggers import drop_function, forbid_double_racks
from portal.models.types import ExactDecimal, UtcDateTime

revision = "0006"
down_revision = "0005"

EXTENDS = "fk_requests_extends_id_tenant_id"


def upgrade() -> None:
    op.create_table(
        "offers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            one_of("standing", "taken", "refused", "expired", "withdrawn", name="ck_offers_offerstate"),
            nullable=False,
        ),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_by_id", sa.Integer(), nullable=True),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=True),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("scope", one_of("pod", "hall", "site", "any", name="ck_offers_scope"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("interruptible", sa.Boolean(), nullable=False),
        sa.Column("recall_notice_days", sa.Integer(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("value_usd", ExactDecimal(18, 2), nullable=False),
        sa.Column("rate", ExactDecimal(12, 6), nullable=True),
        sa.Column("rate_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="ck_offers_withdrawn_state"),
        sa.CheckConstraint(
            "(state IN ('taken', 'refused')) = (answered_at IS NOT NULL)", name="ck_offers_answered_state"
        ),
        sa.CheckConstraint('"end" > start', name="ck_offers_end_after_start"),
        sa.CheckConstraint("(answered_at IS NULL) = (answered_by_id IS NULL)", name="ck_offers_answered_at_and_by"),
        sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)", name="ck_offers_withdrawn_at_and_by"),
        sa.CheckConstraint("NOT (interruptible AND contract_id IS NOT NULL)", name="ck_offers_interruptible_on_demand"),
        sa.CheckConstraint("expires_at > made_at", name="ck_offers_expires_after_made"),
        sa.CheckConstraint("gpus % (CASE WHEN gpus >= 72 THEN 72 ELSE 4 END) = 0", name="ck_offers_gpus_multiple"),
        sa.CheckConstraint("gpus > 0", name="ck_offers_gpus_positive"),
        sa.CheckConstraint(
            "interruptible = (recall_notice_days IS NOT NULL)", name="ck_offers_interruptible_has_recall_notice"
        ),
        sa.CheckConstraint("rate >= 0", name="ck_offers_rate_not_negative"),
        sa.CheckConstraint("recall_notice_days >= 0", name="ck_offers_recall_notice_days_not_negative"),
        sa.CheckConstraint("tier >= 0 AND value_usd >= 0", name="ck_offers_tier_and_value_not_negative"),
        sa.ForeignKeyConstraint(["answered_by_id"], ["users.id"], name="fk_offers_answered_by_id"),
        sa.ForeignKeyConstraint(
            ["contract_id", "tenant_id"],
            ["contracts.id", "contracts.tenant_id"],
            name="fk_offers_contract_id_tenant_id",
        ),
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name="fk_offers_made_by_id"),
        sa.ForeignKeyConstraint(["rate_id"], ["rates.id"], name="fk_offers_rate_id"),
        sa.ForeignKeyConstraint(
            ["request_id", "tenant_id"], ["requests.id", "requests.tenant_id"], name="fk_offers_request_id_tenant_id"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_offers_site_id"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_offers_tenant_id"),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["users.id"], name="fk_offers_withdrawn_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_offers"),
        sa.UniqueConstraint("id", "tenant_id", name="uq_offers_id_tenant_id"),
        sa.UniqueConstraint("public_id", name="uq_offers_public_id"),
    )
    op.create_index("ix_offers_contract_id", "offers", ["contract_id"], unique=False)
    op.create_index("ix_offers_request_id", "offers", ["request_id"], unique=False)
    op.create_index("ix_offers_state", "offers", ["state"], unique=False)
    op.create_index("ix_offers_tenant_id", "offers", ["tenant_id"], unique=False)
    op.create_table(
        "reservations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("offer_id", sa.Integer(), nullable=True),
        sa.Column("plan_id", sa.Integer(), nullable=True),
        sa.Column("extends_id", sa.Integer(), nullable=True),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("original_end", sa.Date(), nullable=True),
        sa.Column("move_notice_days", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column(
            "ended_as",
            one_of(
                "scheduled",
                "active",
                "completed",
                "cancelled",
                "recalled",
                "ended_by_notice",
                name="ck_reservations_reservationstate",
            ),
            nullable=True,
        ),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=True),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("scope", one_of("pod", "hall", "site", "any", name="ck_reservations_scope"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("interruptible", sa.Boolean(), nullable=False),
        sa.Column("recall_notice_days", sa.Integer(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("value_usd", ExactDecimal(18, 2), nullable=False),
        sa.Column("rate", ExactDecimal(12, 6), nullable=True),
        sa.Column("rate_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "ended_as IN ('cancelled', 'ended_by_notice', 'recalled')", name="ck_reservations_ended_as_recorded_ending"
        ),
        sa.CheckConstraint('"end" > start', name="ck_reservations_end_after_start"),
        sa.CheckConstraint("(ended_as IS NULL) = (ended_at IS NULL)", name="ck_reservations_ended_as_and_at"),
        sa.CheckConstraint("(ended_as IS NULL) = (ended_on IS NULL)", name="ck_reservations_ended_as_and_on"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by_id IS NULL)", name="ck_reservations_ended_at_and_by"),
        sa.CheckConstraint(
            "NOT (interruptible AND contract_id IS NOT NULL)", name="ck_reservations_interruptible_on_demand"
        ),
        sa.CheckConstraint(
            "gpus % (CASE WHEN gpus >= 72 THEN 72 ELSE 4 END) = 0", name="ck_reservations_gpus_multiple"
        ),
        sa.CheckConstraint("gpus > 0", name="ck_reservations_gpus_positive"),
        sa.CheckConstraint(
            "interruptible = (recall_notice_days IS NOT NULL)", name="ck_reservations_interruptible_has_recall_notice"
        ),
        sa.CheckConstraint("move_notice_days >= 0", name="ck_reservations_move_notice_days_not_negative"),
        sa.CheckConstraint('original_end >= "end"', name="ck_reservations_original_end_not_before_end"),
        sa.CheckConstraint("rate >= 0", name="ck_reservations_rate_not_negative"),
        sa.CheckConstraint("recall_notice_days >= 0", name="ck_reservations_recall_notice_days_not_negative"),
        sa.CheckConstraint("tier >= 0 AND value_usd >= 0", name="ck_reservations_tier_and_value_not_negative"),
        sa.ForeignKeyConstraint(
            ["contract_id", "tenant_id"],
            ["contracts.id", "contracts.tenant_id"],
            name="fk_reservations_contract_id_tenant_id",
        ),
        sa.ForeignKeyConstraint(["ended_by_id"], ["users.id"], name="fk_reservations_ended_by_id"),
        sa.ForeignKeyConstraint(
            ["extends_id", "tenant_id"],
            ["reservations.id", "reservations.tenant_id"],
            name="fk_reservations_extends_id_tenant_id",
        ),
        sa.ForeignKeyConstraint(
            ["offer_id", "tenant_id"], ["offers.id", "offers.tenant_id"], name="fk_reservations_offer_id_tenant_id"
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_reservations_plan_id"),
        sa.ForeignKeyConstraint(["rate_id"], ["rates.id"], name="fk_reservations_rate_id"),
        sa.ForeignKeyConstraint(
            ["request_id", "tenant_id"],
            ["requests.id", "requests.tenant_id"],
            name="fk_reservations_request_id_tenant_id",
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_reservations_site_id"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_reservations_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reservations"),
        sa.UniqueConstraint("id", "tenant_id", name="uq_reservations_id_tenant_id"),
        sa.UniqueConstraint("offer_id", name="uq_reservations_offer_id"),
        sa.UniqueConstraint("public_id", name="uq_reservations_public_id"),
    )
    op.create_index("ix_reservations_contract_id", "reservations", ["contract_id"], unique=False)
    op.create_index("ix_reservations_request_id", "reservations", ["request_id"], unique=False)
    op.create_index("ix_reservations_tenant_id", "reservations", ["tenant_id"], unique=False)
    op.create_table(
        "placements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rack_id", sa.Integer(), nullable=False),
        sa.Column("reservation_id", sa.Integer(), nullable=True),
        sa.Column("offer_id", sa.Integer(), nullable=True),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.CheckConstraint('"end" > start', name="ck_placements_end_after_start"),
        sa.CheckConstraint("(reservation_id IS NULL) <> (offer_id IS NULL)", name="ck_placements_one_owner"),
        sa.CheckConstraint("gpus > 0 AND gpus <= 72 AND gpus % 4 = 0", name="ck_placements_gpus_whole_trays"),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name="fk_placements_offer_id"),
        sa.ForeignKeyConstraint(["rack_id"], ["racks.id"], name="fk_placements_rack_id"),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservations.id"], name="fk_placements_reservation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_placements"),
    )
    op.create_index("ix_placements_offer_id", "placements", ["offer_id"], unique=False)
    op.create_index("ix_placements_rack_id_start", "placements", ["rack_id", "start"], unique=False)
    op.create_index("ix_placements_reservation_id", "placements", ["reservation_id"], unique=False)
    if op.get_bind().dialect.name != "sqlite":
        op.create_foreign_key(EXTENDS, "requests", "reservations", ["extends_id", "tenant_id"], ["id", "tenant_id"])
    forbid_double_racks()


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(EXTENDS, "requests", type_="foreignkey")
    op.drop_table("placements")
    drop_function("ck_placements_rack_gpus")
    op.drop_table("reservations")
    op.drop_table("offers")
