"""A plan's receipt: what made it, with what, and what each stage took and gained."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version

from solver.engine.parameters import SolveParameters
from solver.engine.watch import Watch
from solver.plan import Plan
from solver.snapshot import Loaded

_LIBRARIES = ("ortools", "numpy", "pydantic")


def receipt_of(loaded: Loaded, parameters: SolveParameters, plan: Plan, watch: Watch) -> dict[str, object]:
    """Everything needed to understand, and with a work limit to repeat, this solve. Times in seconds."""
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
        "stages": watch.stages,
        "seconds": plan.seconds,
    }
