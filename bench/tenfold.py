"""``python -m bench.tenfold``: how long ten times Colossus would take. Simulated, from two measured sizes.

Each size is planned with as many rounds of improvement per request, and the receipts say how many seconds of work each
stage was: of the one process that leads, of the one aside that solves relaxations, of all workers. Seconds of work, not
of the clock, so that a busy machine measures the same. Each kind grows with the size as a power, fitted between the
two, and is added up for ten times Colossus: what leads is serial, what workers do is divided by their number.

What the estimate leaves out: the relaxations of the lowest tiers, which nothing waits for (a time limit gives those a
bound without a program), the network, and that a chain of improvement beside others is worth less than one that is so
much longer. The number of rounds is kept, not the value that they reach.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import landlord, sizes

RESULTS = Path(__file__).parent / "results"
TENFOLD = 10.0
WORKERS = (2, 4, 8, 16, 32, 64)
_MEASURED_WORKERS = 2
_LEFT_OUT = "bound"
_STEEPEST = 2.0
"""The largest power that is believed: two sizes near each other say little about ten times the larger one."""


@dataclass(frozen=True, slots=True)
class Work:
    """Seconds of work of one stage: serial, and divided among workers. ``sent_bytes`` to all workers together."""

    serial_seconds: float
    shared_seconds: float
    sent_bytes: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A run at ``times`` the size of Colossus; megabytes of the largest process."""

    times: float
    stages: dict[str, Work]
    memory_mib: float


def main() -> int:
    """Measure the two sizes, print the table, and write all of it to ``bench/results/``."""
    words = _words()
    small, large = (_measure(times, words) for times in sorted(words.sizes))
    rows = [_row(small, large, workers) for workers in WORKERS]
    _print(small, large, rows)
    RESULTS.mkdir(exist_ok=True)
    written = RESULTS / f"tenfold-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.json"
    content = {"simulated": True, "measured": [asdict(small), asdict(large)], "tenfold": rows}
    written.write_text(json.dumps(content, indent=1) + "\n")
    print(f"written to bench/results/{written.name}")
    return 0


def grown(small: float, large: float, sizes: tuple[float, float], to: float) -> float:
    """What grows from ``small`` to ``large`` between the two sizes as a power of the size, at size ``to``.

    Nothing shrinks, and what was not there at first grows in proportion.
    """
    if small <= 0 or large <= 0:
        return large * to / sizes[1]
    exponent = min(_STEEPEST, max(0.0, math.log(large / small) / math.log(sizes[1] / sizes[0])))
    return float(large * (to / sizes[1]) ** exponent)


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.tenfold", description=__doc__)
    parser.add_argument("--sizes", type=float, nargs=2, default=(0.5, 1.0), metavar="TIMES", help="of Colossus")
    parser.add_argument("--rounds", type=float, default=2.0, metavar="N", help="of improvement for each request")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _measure(times: float, words: argparse.Namespace) -> Measured:
    size = sizes.more_of_all(times)
    with tempfile.TemporaryDirectory() as folder:
        snapshot, receipt = Path(folder) / "snapshot.json", Path(folder) / "receipt.json"
        snapshot.write_text(json.dumps(landlord.snapshot(size, seed=words.seed)))
        command = [sys.executable, "-m", "solver", "plan", str(snapshot), "-o", "/dev/null", "--receipt", str(receipt)]
        command += ["--work-limit", str(round(words.rounds * size.requests)), "--workers", str(_MEASURED_WORKERS)]
        subprocess.run([*command, "--progress", "none"], check=True)
        return _read(times, json.loads(receipt.read_text()))


def _read(times: float, receipt: dict[str, Any]) -> Measured:
    stages = {
        stage["stage"]: Work(
            stage["own_seconds"] + stage["aside_seconds"], stage["worker_seconds"], stage["sent_bytes"]
        )
        for stage in receipt["stages"]
        if stage["stage"] != _LEFT_OUT
    }
    return Measured(times, stages, max(receipt["memory_mib"].values()))


def _row(small: Measured, large: Measured, workers: int) -> dict[str, float]:
    """The estimate for ten times Colossus on so many workers."""
    at = (small.times, large.times)
    serial = shared = sent = 0.0
    for name, there in large.stages.items():
        before = small.stages.get(name, Work(0.0, 0.0, 0.0))
        serial += grown(before.serial_seconds, there.serial_seconds, at, TENFOLD)
        total = grown(before.shared_seconds, there.shared_seconds, at, TENFOLD)
        shared += total / workers
        sent += grown(before.sent_bytes, there.sent_bytes, at, TENFOLD) * workers / _MEASURED_WORKERS
    memory = grown(small.memory_mib, large.memory_mib, at, TENFOLD)
    return {
        "workers": workers,
        "serial_seconds": serial,
        "shared_seconds": shared,
        "seconds": serial + shared,
        "sent_mib": sent / 2**20,
        "memory_gib": memory * (workers + 2) / 1024,
    }


def _print(small: Measured, large: Measured, rows: list[dict[str, float]]) -> None:
    print(f"Measured, seconds of work at {small.times:g} and {large.times:g} times Colossus:")
    for name, there in large.stages.items():
        before = small.stages.get(name, Work(0.0, 0.0, 0.0))
        print(
            f"  {name:18} serial {before.serial_seconds:7.2f} {there.serial_seconds:7.2f}"
            f"   workers {before.shared_seconds:7.2f} {there.shared_seconds:7.2f}"
        )
    print(f"Simulated, {TENFOLD:g} times Colossus:")
    print("  workers  serial s  workers' s    in all s  faster  sent MiB  memory GiB in all")
    for row in rows:
        print(
            f"  {row['workers']:7.0f}  {row['serial_seconds']:8.0f}  {row['shared_seconds']:10.0f}"
            f"  {row['seconds']:10.0f}  {rows[0]['seconds'] / row['seconds']:6.2f}"
            f"  {row['sent_mib']:8.0f}  {row['memory_gib']:11.1f}"
        )


if __name__ == "__main__":
    sys.exit(main())
