"""A plan's receipt: what made it, with what, and what each stage took and gained."""

from __future__ import annotations

import platform
import resource
from dataclasses import asdict
from importlib.metadata import version

from solver.engine.parameters import SolveParameters
from solver.engine.watch import Watch
from solver.plan import Plan
from solver.snapshot import Loaded

_LIBRARIES = ("ortools", "numpy", "pydantic", "distributed")


def receipt_of(loaded: Loaded, parameters: SolveParameters, plan: Plan, watch: Watch) -> dict[str, object]:
    """Everything needed to understand, and with a work limit to repeat, this solve. Times in seconds, values in USD."""
    return {
        "format": "berth.receipt/1",
        "snapshot_sha256": loaded.sha256,
        "versions": {
            "berth": version("berth"),
            "python": platform.python_version(),
            **{name: version(name) for name in _LIBRARIES},
        },
        "parameters": asdict(parameters),
        "status": plan.status,
        "interrupted": watch.interrupted,
        "tiers": [tier.model_dump() for tier in plan.tiers],
        "stages": [asdict(stage) for stage in watch.stages],
        "warnings": watch.warnings,
        "sent_bytes": watch.sent_bytes,
        "memory_mib": peak_mib(),
        "seconds": plan.seconds,
    }


def peak_mib() -> dict[str, int]:
    """The most memory that this process had at once, and the most that one of its processes had that ended, in MiB."""
    return {
        "solver": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "largest_worker": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
