"""What the process aside does: OR-Tools loads there, and whoever waits for it can be interrupted meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.snapshot import Snapshot

if TYPE_CHECKING:
    from solver.engine.bound import Relaxation
    from solver.engine.programs.tiers import Proof


def get_ready() -> None:
    """Load what relaxations need."""
    import solver.engine.bound
    import solver.engine.programs.tiers  # noqa: F401


def relax(
    snapshot: Snapshot,
    cluster: Cluster,
    decisions: Decisions,
    *,
    tier: int,
    reached: Mapping[int, float],
    deadline_seconds: float | None,
) -> Relaxation:
    """As `solver.engine.bound.relax`."""
    from solver.engine import bound

    return bound.relax(snapshot, cluster, decisions, tier=tier, reached=reached, deadline_seconds=deadline_seconds)


def guide(  # noqa: PLR0913 - all that a relaxation is about
    snapshot: Snapshot,
    cluster: Cluster,
    decisions: Decisions,
    *,
    tier: int,
    reached: Mapping[int, float],
    accepted: Mapping[str, int],
    deadline_seconds: float | None,
) -> Relaxation:
    """The tier's linear relaxation with exactly the ``accepted`` requests (to GPUs) above. No bound, but a guide."""
    from solver.engine import bound
    from solver.engine.relaxation import build, given

    problem = build.build(snapshot, cluster, decisions, tier=tier, reached=reached)
    return bound.relax_linearly(given.given(problem, accepted), deadline_seconds)


def sharpen(relaxation: Relaxation, reached: Mapping[int, float], seconds: float | None) -> Relaxation:
    """As `solver.engine.bound.sharpen`, for all of the ``seconds``; None: as much work as it takes by itself."""
    from solver.engine import bound

    return bound.sharpen(relaxation, reached, seconds, bound.LAST_EFFORT if seconds is None else bound.ENDLESS_EFFORT)


def cut(relaxation: Relaxation, *, seconds: float) -> Relaxation:
    """As `solver.engine.bound.cut`."""
    from solver.engine import bound

    return bound.cut(relaxation, seconds)


def prove(
    snapshot: Snapshot,
    cluster: Cluster,
    decisions: Decisions,
    *,
    tier: int,
    reached: Mapping[int, float],
    seconds: float | None,
) -> Proof | None:
    """As `solver.engine.programs.tiers.prove`."""
    from solver.engine.programs import tiers

    return tiers.prove(snapshot, cluster, decisions, tier=tier, reached=reached, seconds=seconds)
