"""``make bench``: value against the proven bound, beside two baselines in the same run; results as JSON.

Instances are the ones this module makes from seeds, and those in the folder that ``--instances`` names, where there is
one. Ratios and counts are what to compare; seconds depend on the machine and are only noted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import baselines, market
from solver import snapshot as snapshots
from solver.engine.parameters import SolveParameters
from solver.engine.solve import solve
from solver.engine.watch import Event, Watch
from solver.verify.check import broken_rules

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Solve every instance with every seed, print a line for each, and write all of it to ``bench/results/``."""
    words = _words()
    rows = []
    for name, loaded in _instances(words):
        first_come, greedy = (
            baselines.values(loaded, baselines.by_arrival),
            baselines.values(loaded, baselines.by_price),
        )
        for seed in range(words.seeds):
            row = _measured(name, loaded, seed, words) | {"first_come": first_come, "greedy": greedy}
            rows.append(row)
            print(_line(row), flush=True)
    RESULTS.mkdir(exist_ok=True)
    written = RESULTS / f"solver-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.json"
    written.write_text(json.dumps({"machine": platform.processor() or platform.machine(), "rows": rows}, indent=1))
    print(f"written to bench/results/{written.name}")
    return 0 if all(not row["broken"] for row in rows) else 1


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--instances", type=Path, default=Path("../shared/data/instances"), metavar="FOLDER")
    parser.add_argument("--only", default="", metavar="TEXT", help="instances whose name has this in it")
    parser.add_argument("--time-limit", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    return parser.parse_args()


def _instances(words: argparse.Namespace) -> Iterator[tuple[str, snapshots.Loaded]]:
    for racks, requests in ((96, 150), (384, 600), (1536, 1200)):
        name = f"market-{racks}"
        if words.only in name:
            yield name, snapshots.parse(json.dumps(market.market(racks=racks, requests=requests, seed=0)).encode())
    for path in sorted(words.instances.glob("*.json.gz")) if words.instances.is_dir() else []:
        if words.only in path.name:
            yield path.name.removesuffix(".json.gz"), snapshots.load(str(path))


def _measured(name: str, loaded: snapshots.Loaded, seed: int, words: argparse.Namespace) -> dict[str, Any]:
    course: list[dict[str, Any]] = []

    def note(event: Event) -> None:
        course.append({"stage": event.stage, "seconds": round(event.seconds, 2), "values": dict(event.values)})

    watch = Watch(words.time_limit, note)
    plan = solve(loaded, SolveParameters(words.time_limit, workers=words.workers, seed=seed), watch)
    return {
        "instance": name,
        "seed": seed,
        "requests": len(loaded.snapshot.requests),
        "tiers": [tier.model_dump() for tier in plan.tiers],
        "accepted": len(plan.accepted),
        "seconds": plan.seconds,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "broken": [broken.text for broken in broken_rules(loaded.snapshot, plan)],
        "course": course,
    }


def _line(row: dict[str, Any]) -> str:
    ratios = []
    for number, tier in enumerate(row["tiers"][:2]):
        shares = [values[number] for values in ([tier["value_usd"]] * 2, row["greedy"], row["first_come"])]
        ratios.append(" / ".join(f"{share / tier['bound_usd']:.3f}" if tier["bound_usd"] else "-" for share in shares))
    told = "; ".join(f"tier {i}: {ratio}" for i, ratio in enumerate(ratios))
    state = "BROKEN" if row["broken"] else "valid"
    return (
        f"{row['instance']:16} seed {row['seed']}  ours / greedy / first come: {told}  {row['seconds']:.0f} s, {state}"
    )


if __name__ == "__main__":
    sys.exit(main())
