"""A plan's two files as they are stored: compressed bytes, parsed when they are needed."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import lru_cache

from portal.models.plans import Plan
from solver import plan as plans
from solver import snapshot as snapshots


@dataclass(frozen=True, slots=True)
class Files:
    """A snapshot and the plan that was made from it. Both are immutable, so they may be shared."""

    snapshot: snapshots.Snapshot
    plan: plans.Plan


def files_of(plan: Plan) -> Files:
    """The plan's files; those looked at last are kept in memory, as parsing large ones takes its time."""
    return _parsed(_Packed(plan.snapshot_gz, plan.plan_gz))


@dataclass(frozen=True, slots=True)
class _Packed:
    snapshot: bytes
    plan: bytes


@lru_cache(maxsize=3)
def _parsed(packed: _Packed) -> Files:
    snapshot = snapshots.parse(gzip.decompress(packed.snapshot)).snapshot
    return Files(snapshot, plans.parse(gzip.decompress(packed.plan)))
