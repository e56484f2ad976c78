"""Runs of the solver and the plans they made."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.domain.states import PlanState, RunCause, RunState
from portal.models.base import Base, Json, Versioned, paired
from portal.models.ids import maker
from portal.models.users import User


class Run(Base):
    """One run of the solver. A running one is alive while the process ``pid`` on ``host`` that started at
    ``process_started_at`` (seconds since 1970, as the operating system says it) is alive. At most one runs.
    """

    __tablename__ = "runs"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('queued', 'cancelled') OR (started_at IS NOT NULL AND pid IS NOT NULL "
            "AND process_started_at IS NOT NULL AND host IS NOT NULL)",
            name="started_by_a_process",
        ),
        sa.CheckConstraint(
            "(state IN ('finished', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name="finished_state"
        ),
        sa.CheckConstraint("time_limit_s > 0", name="time_limit_positive"),
        sa.Index(
            "uq_runs_one_running",
            "state",
            unique=True,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=maker("S"))
    state: Mapped[RunState] = mapped_column(default=RunState.QUEUED)
    cause: Mapped[RunCause] = mapped_column(default=RunCause.ASKED)
    queued_at: Mapped[dt.datetime]
    queued_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    """Who asked; null: the clock or a loss of capacity did, see ``cause``."""
    started_at: Mapped[dt.datetime | None]
    heartbeat_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    pid: Mapped[int | None]
    process_started_at: Mapped[float | None]
    host: Mapped[str | None] = mapped_column(sa.String(255))
    progress: Mapped[Json | None]
    log: Mapped[str] = mapped_column(sa.Text, default="")
    seed: Mapped[int] = mapped_column(default=0)
    time_limit_s: Mapped[float] = mapped_column(default=60.0)
    error: Mapped[str] = mapped_column(sa.Text, default="")

    queued_by: Mapped[User | None] = relationship()
    plan: Mapped[Plan | None] = relationship(back_populates="run")


class Plan(Versioned, Base):
    """What one run answered to one snapshot, both kept as the bytes of their files (gzip).

    ``fingerprint`` is what the database was when the snapshot was taken, see ``portal.domain.staleness``.
    At most one plan is proposed and at most one is published.
    """

    __tablename__ = "plans"
    __table_args__ = (
        sa.CheckConstraint("status IN ('optimal', 'feasible')", name="status"),
        sa.CheckConstraint(
            "(state IN ('published', 'superseded')) = (published_at IS NOT NULL)", name="published_state"
        ),
        sa.CheckConstraint("(state IN ('discarded', 'superseded')) = (closed_at IS NOT NULL)", name="closed_state"),
        paired("published"),
        sa.Index(
            "uq_plans_one_proposed_one_published",
            "state",
            unique=True,
            sqlite_where=sa.text("state IN ('proposed', 'published')"),
            postgresql_where=sa.text("state IN ('proposed', 'published')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=maker("P"))
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("runs.id"), unique=True)
    state: Mapped[PlanState] = mapped_column(default=PlanState.PROPOSED)
    today: Mapped[dt.date]
    snapshot_gz: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    snapshot_sha256: Mapped[str] = mapped_column(sa.String(64))
    plan_gz: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    fingerprint: Mapped[Json] = mapped_column(deferred=True)
    status: Mapped[str] = mapped_column(sa.String(16))
    tiers: Mapped[Json]
    """Per tier ``value_usd``, ``bound_usd`` and ``gap``, as in the plan's file."""
    seconds: Mapped[float]
    left_out: Mapped[Json] = mapped_column(default=list)
    """Public ids of requests that the plan decides and that were left out when it was published."""
    proposed_at: Mapped[dt.datetime]
    published_at: Mapped[dt.datetime | None]
    published_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    closed_at: Mapped[dt.datetime | None]
    """When it was discarded or superseded."""

    run: Mapped[Run] = relationship(back_populates="plan")
    published_by: Mapped[User | None] = relationship()
