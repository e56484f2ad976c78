"""Runs of the solver and their plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import json, one_of
from portal.models.types import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            one_of("queued", "running", "finished", "failed", "cancelled", name="ck_runs_runstate"),
            nullable=False,
        ),
        sa.Column("cause", one_of("asked", "nightly", "repair", name="ck_runs_runcause"), nullable=False),
        sa.Column("queued_at", UtcDateTime(), nullable=False),
        sa.Column("queued_by_id", sa.Integer(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("process_started_at", sa.Double(), nullable=True),
        sa.Column("host", sa.String(length=255), nullable=True),
        sa.Column("progress", json(), nullable=True),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("time_limit_s", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('finished', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name="ck_runs_finished_state"
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'cancelled') OR (started_at IS NOT NULL AND pid IS NOT NULL "
            "AND process_started_at IS NOT NULL AND host IS NOT NULL)",
            name="ck_runs_started_by_a_process",
        ),
        sa.CheckConstraint("time_limit_s > 0", name="ck_runs_time_limit_positive"),
        sa.ForeignKeyConstraint(["queued_by_id"], ["users.id"], name="fk_runs_queued_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("public_id", name="uq_runs_public_id"),
    )
    op.create_index(
        "uq_runs_one_running",
        "runs",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            one_of("proposed", "published", "discarded", "superseded", name="ck_plans_planstate"),
            nullable=False,
        ),
        sa.Column("today", sa.Date(), nullable=False),
        sa.Column("snapshot_gz", sa.LargeBinary(), nullable=False),
        sa.Column("snapshot_sha256", sa.String(length=64), nullable=False),
        sa.Column("plan_gz", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", json(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("tiers", json(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("left_out", json(), nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("published_by_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('discarded', 'superseded')) = (closed_at IS NOT NULL)", name="ck_plans_closed_state"
        ),
        sa.CheckConstraint(
            "(state IN ('published', 'superseded')) = (published_at IS NOT NULL)", name="ck_plans_published_state"
        ),
        sa.CheckConstraint("status IN ('optimal', 'feasible')", name="ck_plans_status"),
        sa.CheckConstraint("(published_at IS NULL) = (published_by_id IS NULL)", name="ck_plans_published_at_and_by"),
        sa.ForeignKeyConstraint(["published_by_id"], ["users.id"], name="fk_plans_published_by_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_plans_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
        sa.UniqueConstraint("public_id", name="uq_plans_public_id"),
        sa.UniqueConstraint("run_id", name="uq_plans_run_id"),
    )
    op.create_index(
        "uq_plans_one_proposed_one_published",
        "plans",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state IN ('proposed', 'published')"),
        postgresql_where=sa.text("state IN ('proposed', 'published')"),
    )


def downgrade() -> None:
    op.drop_table("plans")
    op.drop_table("runs")
