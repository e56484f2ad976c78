"""``make bench``: the solver's value against its proven bound, its growth, its memory, how fast offers are answered.

Without options: generated instances only, about half an hour. Prints as it goes and writes everything to one JSON file
in ``bench/results/``; ``python -m bench.picture`` draws it. Ratios are what to compare; seconds depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import growth, instances, machine, questions, value
from bench.instances import Instance
from bench.run import Failed, run
from bench.sizes import Size

Row = dict[str, Any]

RESULTS = Path(__file__).parent / "results"
PARTS = ("value", "growth", "memory", "offers", "traces")
SIZES = ("tiny", "perfect-small", "perfect-middle", "perfect-large", "hall", "colossus", "years")
QUICK_LIMITS = {"tiny": 2.0, "perfect-small": 5.0, "hall": 10.0, "colossus": 20.0}
FILES_LIMIT, GROWTH_LIMIT, QUICK_GROWTH_LIMIT, OFFERS_LIMIT = 60.0, 45.0, 8.0, 15.0
QUESTIONS, QUICK_QUESTIONS = 2000, 200


@dataclass(slots=True)
class Results:
    """What was measured so far; the file is written anew after every row, so that a bench cut short leaves its rows."""

    path: Path
    content: Row = field(default_factory=dict)

    def add(self, part: str, row: Row) -> None:
        self.content.setdefault(part, []).append(row)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.content, indent=1) + "\n")


def main(words: Sequence[str] | None = None) -> int:
    """Measure the parts that are asked for. Exit code 1: a plan broke a rule, or the command failed."""
    said = _parser().parse_args(words)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    results = Results(said.output or RESULTS / f"bench-{stamp}.json")
    results.content |= {"format": "berth.bench/1", "measured": stamp, "machine": machine.facts(), "seeds": said.seeds}
    for part in said.only:
        _MEASURES[part](said, results)
    print(f"written to {results.path.name}")
    rows = [row for part in ("value", "growth", "memory", "traces") for row in results.content.get(part, [])]
    return 1 if "failed" in results.content or any(row["broken"] for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=_names(PARTS), default=PARTS, metavar="PARTS", help=", ".join(PARTS))
    parser.add_argument("--sizes", type=_names(SIZES), default=SIZES, metavar="SIZES", help=", ".join(SIZES))
    parser.add_argument("--instances", type=Path, metavar="FOLDER", help="snapshots (*.json.gz), instead of sizes")
    parser.add_argument("--traces", type=Path, metavar="FOLDER", help="traces (*.csv, *.csv.gz), for that part")
    parser.add_argument("--named", default="", metavar="TEXT", help="of those, what has this in its name")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--limit", type=float, metavar="SECONDS", help="of every run, instead of its size's own")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--quick", action="store_true", help="one seed, short limits, small sizes: two minutes")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of bench/results/bench-….json")
    return parser


def _names(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def names(text: str) -> tuple[str, ...]:
        found = tuple(text.split(","))
        if unknown := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(known)}")
        return found

    return names


def _value(said: argparse.Namespace, results: Results) -> None:
    print("value / bound: ours / greedy by price / first come, first served")
    for instance in _instances(said):
        _measure(instance, said, results, "value")


def _traces(said: argparse.Namespace, results: Results) -> None:
    if said.traces is None:
        return
    print("real demand: ours / greedy by price / first come, first served")
    limits = (said.limit or FILES_LIMIT,)
    for instance in instances.of_traces(said.traces, seeds=1 if said.quick else said.seeds, time_limits=limits):
        if said.named in instance.name:
            _measure(instance, said, results, "traces")


def _measure(instance: Instance, said: argparse.Namespace, results: Results, part: str) -> None:
    peers: dict[str, Row] | None = None
    for limit in (said.limit,) if said.limit else instance.time_limits:
        row = _row(instance, limit, said, results, peers)
        if row is not None:
            peers = row["baselines"]
            results.add(part, row)
            print(value.line(row), flush=True)


def _row(
    instance: Instance, limit: float, said: argparse.Namespace, results: Results, peers: dict[str, Row] | None
) -> Row | None:
    """One measurement; None: the command failed, which is noted, and the bench goes on."""
    try:
        return value.measure(instance, time_limit=limit, workers=said.workers, peers=peers)
    except Failed as failed:
        results.add("failed", {"instance": instance.name, "seed": instance.seed, "said": str(failed)})
        print(f"{instance.name} seed {instance.seed}: FAILED: {str(failed).splitlines()[-1:]}", flush=True)
        return None


def _instances(said: argparse.Namespace) -> Iterator[Instance]:
    seeds = 1 if said.quick else said.seeds
    if said.instances is not None:
        found = instances.in_folder(said.instances, seeds=seeds, time_limits=(FILES_LIMIT,))
        yield from (instance for instance in found if said.named in instance.name)
        return
    for name in said.sizes:
        for seed in range(seeds):
            instance = instances.made(name, seed=seed)
            if said.quick and name in QUICK_LIMITS:
                yield instance.within(QUICK_LIMITS[name])
            elif not said.quick:
                yield instance


def _growth(said: argparse.Namespace, results: Results) -> None:
    print("growth: seconds until tiers 0 and 1 stand at a share of their bounds")
    families = growth.quick_families() if said.quick else growth.families()
    limit = said.limit or (QUICK_GROWTH_LIMIT if said.quick else GROWTH_LIMIT)
    rows: list[Row] = []
    measured: dict[Size, Row | None] = {}
    for family, extent, size in families:
        if size not in measured:
            measured[size] = _row(growth.instance(family, extent, size), limit, said, results, {})
        row = measured[size]
        if row is not None:
            rows.append(row | {"family": family, "extent": extent})
            results.add("growth", rows[-1])
            print(value.line(row), flush=True)
    for line in growth.lines(rows):
        print(line)


def _memory(said: argparse.Namespace, results: Results) -> None:
    if said.quick:
        return
    row = _row(growth.largest(), said.limit or GROWTH_LIMIT, said, results, {})
    if row is None:
        return
    results.add("memory", row)
    print(f"the largest: {row['requests']:,} requests, {row['racks']:,} racks: {row['peak_mib']:,} MiB at the most")


def _offers(said: argparse.Namespace, results: Results) -> None:
    instance = instances.made("colossus", seed=0)
    plan = run(instance.data, seed=0, time_limit=OFFERS_LIMIT, workers=said.workers).plan
    asked = QUICK_QUESTIONS if said.quick else QUESTIONS
    row = questions.measure(instance.loaded(), plan, questions=asked, seed=0)
    results.add("offers", {"instance": instance.name} | row)
    print(f"offers on {instance.name}: {row['median_ms']} ms in the median, {row['p95_ms']} ms in 19 of 20")


_MEASURES: dict[str, Callable[[argparse.Namespace, Results], None]] = {
    "value": _value,
    "growth": _growth,
    "memory": _memory,
    "offers": _offers,
    "traces": _traces,
}

if __name__ == "__main__":
    sys.exit(main())
