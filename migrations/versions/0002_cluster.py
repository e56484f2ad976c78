"""The cluster: sites, halls, pods, racks, outages, power limits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import one_of
from portal.models.types import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sites"),
        sa.UniqueConstraint("code", name="uq_sites_code"),
    )
    op.create_table(
        "halls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("spare_racks", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("spare_racks >= 0", name="ck_halls_spare_racks_not_negative"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_halls_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_halls"),
        sa.UniqueConstraint("code", name="uq_halls_code"),
    )
    op.create_index("ix_halls_site_id", "halls", ["site_id"], unique=False)
    op.create_table(
        "pods",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hall_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["hall_id"], ["halls.id"], name="fk_pods_hall_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pods"),
        sa.UniqueConstraint("code", name="uq_pods_code"),
    )
    op.create_index("ix_pods_hall_id", "pods", ["hall_id"], unique=False)
    op.create_table(
        "power_limits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("kw", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint('"end" > start', name="ck_power_limits_end_after_start"),
        sa.CheckConstraint("kw >= 0", name="ck_power_limits_kw_not_negative"),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["users.id"], name="fk_power_limits_recorded_by_id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_power_limits_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_power_limits"),
    )
    op.create_index("ix_power_limits_site_id", "power_limits", ["site_id"], unique=False)
    op.create_table(
        "racks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pod_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pod_id"], ["pods.id"], name="fk_racks_pod_id"),
        sa.PrimaryKeyConstraint("id", name="pk_racks"),
        sa.UniqueConstraint("code", name="uq_racks_code"),
    )
    op.create_index("ix_racks_pod_id", "racks", ["pod_id"], unique=False)
    op.create_table(
        "outages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rack_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=True),
        sa.Column("kind", one_of("failure", "maintenance", "absent", name="ck_outages_outagekind"), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint('"end" > start', name="ck_outages_end_after_start"),
        sa.ForeignKeyConstraint(["rack_id"], ["racks.id"], name="fk_outages_rack_id"),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["users.id"], name="fk_outages_recorded_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outages"),
    )
    op.create_index("ix_outages_rack_id", "outages", ["rack_id"], unique=False)


def downgrade() -> None:
    op.drop_table("power_limits")
    op.drop_table("outages")
    op.drop_table("racks")
    op.drop_table("pods")
    op.drop_table("halls")
    op.drop_table("sites")
