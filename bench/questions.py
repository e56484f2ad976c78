"""How long an answer of `solver.offers` takes on a plan that is loaded."""

from __future__ import annotations

import random
import statistics
import time
from typing import Any

from solver import cluster as clusters
from solver import decisions, offers
from solver import standing as standings
from solver.offers import Ask
from solver.plan import Plan
from solver.snapshot import SCOPES, Loaded
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY

_LARGEST_RACKS, _LONGEST_DAYS = 64, 180
_MILLISECONDS = 1000


def measure(loaded: Loaded, plan: Plan, *, questions: int, seed: int) -> dict[str, Any]:
    """Seconds to load, then milliseconds an answer (median, 95th percentile, most) for questions from a seed."""
    began = time.monotonic()
    cluster = clusters.build(loaded.snapshot)
    standing = standings.of(loaded.snapshot, cluster, decisions.of_plan(plan))
    seconds = time.monotonic() - began
    chance = random.Random(seed)  # noqa: S311  # chance for a benchmark, no secret
    taken = []
    for _ in range(questions):
        ask = _ask(chance, cluster.days)
        began = time.perf_counter()
        offers.ranges(standing, ask, 0, cluster.days)
        taken.append((time.perf_counter() - began) * _MILLISECONDS)
    percentiles = statistics.quantiles(taken, n=20)
    return {
        "questions": questions,
        "load_seconds": round(seconds, 3),
        "median_ms": round(statistics.median(taken), 2),
        "p95_ms": round(percentiles[-1], 2),
        "most_ms": round(max(taken), 2),
    }


def _ask(chance: random.Random, days: int) -> Ask:
    """A firm block on demand of any size from a tray to 64 racks, in any scope."""
    shares = chance.random() < 0.1
    trays = chance.randint(1, GPUS_PER_RACK // GPUS_PER_TRAY - 1)
    gpus = GPUS_PER_TRAY * trays if shares else GPUS_PER_RACK * chance.randint(1, _LARGEST_RACKS)
    length = chance.randint(1, min(_LONGEST_DAYS, days))
    return Ask(
        tenant=None, contract=None, gpus=gpus, min_gpus=gpus, days=length, scope=chance.choice(SCOPES), site=None
    )
