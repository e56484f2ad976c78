"""``python -m bench.traces FOLDER -o OUT``: logs of real clusters as snapshots, so that plans meet real demand.

A trace is a CSV file, plain or gzipped, with the columns ``request_id, tenant, gpus, submitted_at_s, duration_s``;
seconds count from the trace's own zero, other columns are ignored. Its span, from the first submission to the last
end, is stretched to a year, and a GPU counts as nine, so that a node of 8 becomes a rack of 72. Jobs under half a day
are left out. There are so many racks that the demand is one and a half times what they carry. What no log knows comes
from the seed: how late a block may start, and the price of a GPU-day, lognormal by tenant and by job.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import gzip
import json
import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.dates import TODAY, day
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY

DAYS = 365
OVERSUBSCRIBED = 1.5
SHORTEST_DAYS = 0.5
LATEST_DELAY_DAYS = 7
GPUS_PER_TRACED_GPU = 9
RACKS_PER_POD, PODS_PER_HALL = 8, 8
USD_PER_GPU_DAY, TENANT_SPREAD, JOB_SPREAD = 97.0, 0.3, 0.4
_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Job:
    """A line of a trace: ``gpus`` from ``submitted_s`` on for ``seconds``, both on the trace's clock."""

    id: str
    tenant: str
    gpus: int
    submitted_s: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Block:
    """A job on the year's calendar: ``gpus`` in a block's multiple, day numbers from `TODAY`."""

    job: Job
    gpus: int
    start: int
    days: int
    submitted_day: float


def main(words: Sequence[str] | None = None) -> int:
    """Write one snapshot for each trace of the folder and say what is in it."""
    said = _parser().parse_args(words)
    said.output.mkdir(parents=True, exist_ok=True)
    for path in trace_files(said.folder):
        content = snapshot(read(path), seed=said.seed)
        written = said.output / f"{name_of(path)}.json.gz"
        written.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
        racks = sum(len(pod["racks"]) for hall in content["sites"][0]["halls"] for pod in hall["pods"])
        print(f"{written.name}: {len(content['requests']):,} requests, {racks} racks")
    return 0


def trace_files(folder: Path) -> list[Path]:
    """The CSV files of the folder that are traces, by name."""
    found = sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")])
    return [path for path in found if set(_lines(path)[0].split(",")) >= _COLUMNS]


def name_of(path: Path) -> str:
    """The file's name without its endings."""
    return path.name.split(".")[0]


def read(path: Path) -> list[Job]:
    """The jobs of a trace, in order of submission."""
    jobs = [
        Job(
            row["request_id"],
            row["tenant"],
            int(row["gpus"]),
            float(row["submitted_at_s"]),
            float(row["duration_s"]),
        )
        for row in csv.DictReader(_lines(path))
    ]
    return sorted(jobs, key=lambda job: job.submitted_s)


def blocks(jobs: Sequence[Job]) -> list[Block]:
    """The jobs of half a day and more on the year's calendar."""
    zero = min(job.submitted_s for job in jobs)
    span = max(job.submitted_s + job.seconds for job in jobs) - zero
    stretch = DAYS / span
    return [
        _block(job, (job.submitted_s - zero) * stretch, job.seconds * stretch)
        for job in jobs
        if job.seconds * stretch >= SHORTEST_DAYS
    ]


def snapshot(jobs: Sequence[Job], *, seed: int) -> dict[str, Any]:
    """A snapshot as JSON content, with these jobs as its requests."""
    chance = random.Random(seed)  # noqa: S311  # chance for a benchmark, no secret
    wanted = blocks(jobs)
    demand = sum(block.gpus * block.days for block in wanted) / GPUS_PER_RACK / DAYS
    tenants = sorted({block.job.tenant for block in wanted})
    prices = {tenant: USD_PER_GPU_DAY * chance.lognormvariate(0, TENANT_SPREAD) for tenant in tenants}
    return {
        "format": "berth.snapshot/1",
        "today": TODAY.isoformat(),
        "horizon_end": day(DAYS),
        "product": "gb300-nvl72",
        "gpus_per_rack": GPUS_PER_RACK,
        "gpus_per_tray": GPUS_PER_TRAY,
        "rack_kw": 140.0,
        "sites": [{"id": "s1", "power_limits": [], "halls": _halls(math.ceil(demand / OVERSUBSCRIBED))}],
        "outages": [],
        "tenants": [{"id": tenant, "name": tenant, "max_gpus": None} for tenant in tenants],
        "contracts": [],
        "reservations": [],
        "requests": [_request(block, prices[block.job.tenant], chance) for block in wanted],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.traces", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the traces are")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="where the snapshots go")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    return parser


def _lines(path: Path) -> list[str]:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines()


def _block(job: Job, submitted_day: float, length: float) -> Block:
    days = min(DAYS, math.ceil(length))
    return Block(job, _gpus(job.gpus), min(int(submitted_day), DAYS - days), days, submitted_day)


def _gpus(traced: int) -> int:
    """Nine times as many, up to the next multiple of a tray or, from a rack on, of a rack."""
    gpus = traced * GPUS_PER_TRACED_GPU
    multiple = GPUS_PER_TRAY if gpus < GPUS_PER_RACK else GPUS_PER_RACK
    return -(-gpus // multiple) * multiple


def _halls(racks: int) -> list[dict[str, Any]]:
    """Pods of 8 racks in halls of 8 pods, the last of each as full as need be."""
    halls: list[dict[str, Any]] = []
    for number in range(racks):
        hall, pod = number // (RACKS_PER_POD * PODS_PER_HALL), number // RACKS_PER_POD
        if hall == len(halls):
            halls.append({"id": f"h{hall:02}", "spare_racks": 0, "pods": []})
        if number % RACKS_PER_POD == 0:
            halls[hall]["pods"].append({"id": f"p{pod:03}", "racks": []})
        halls[hall]["pods"][-1]["racks"].append(f"p{pod:03}r{number % RACKS_PER_POD}")
    return halls


def _request(block: Block, usd_per_gpu_day: float, chance: random.Random) -> dict[str, Any]:
    usd = usd_per_gpu_day * chance.lognormvariate(0, JOB_SPREAD)
    latest = min(block.start + chance.randint(0, LATEST_DELAY_DAYS), DAYS - block.days)
    return {
        "id": block.job.id,
        "tenant": block.job.tenant,
        "contract": None,
        "tier": 1,
        "value_usd": round(usd * block.gpus * block.days, 2),
        "gpus": block.gpus,
        "min_gpus": block.gpus,
        "earliest_start": day(block.start),
        "latest_start": day(latest),
        "days": block.days,
        "scope": "any",
        "site": None,
        "interruptible": False,
        "recall_notice_days": None,
        "extends": None,
        "submitted_at": _submitted(block.submitted_day),
    }


def _submitted(day: float) -> str:
    """All of it is known today: what was submitted through the trace's year is dated into the year before."""
    midnight = dt.datetime.combine(TODAY, dt.time(), dt.UTC) - dt.timedelta(DAYS)
    return (midnight + dt.timedelta(seconds=int(day * _SECONDS_PER_DAY))).strftime("%Y-%m-%dT%H:%M:%SZ")


_COLUMNS = {"request_id", "tenant", "gpus", "submitted_at_s", "duration_s"}

if __name__ == "__main__":
    sys.exit(main())
