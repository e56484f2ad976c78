"""``python -m bench.table RESULTS``: what was measured as Markdown tables, as ``docs/model.md`` shows them."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench import growth
from bench.value import ratio

Row = dict[str, Any]

_TIERS = ("0", "1")
_PEERS = ("by_price", "first_come")


def main(words: Sequence[str] | None = None) -> int:
    """Print a table of values and one of growth for each file of results."""
    parser = argparse.ArgumentParser(prog="python -m bench.table", description=__doc__)
    parser.add_argument("results", type=Path, nargs="+", metavar="RESULTS", help="files that the bench wrote")
    for path in parser.parse_args(words).results:
        results = json.loads(path.read_text())
        for line in [*values([*results.get("value", []), *results.get("traces", [])]), "", *growing(results)]:
            print(line)
    return 0


def values(rows: list[Row]) -> Iterator[str]:
    """A line for each group and limit: the median over its seeds, in brackets the worst; each baseline's median."""
    yield "| instances | seeds | seconds | tier 0: ours, by price, first come | tier 1: likewise | peak MiB |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for group, limit in dict.fromkeys((row["group"], row["time_limit"]) for row in rows):
        alike = [row for row in rows if (row["group"], row["time_limit"]) == (group, limit)]
        told = " | ".join(_tier(alike, tier) for tier in _TIERS)
        peak = max(row["peak_mib"] for row in alike)
        yield f"| `{group}` | {len(alike)} | {limit:g} | {told} | {peak:,} |"


def growing(results: Row) -> Iterator[str]:
    """A line for each step of growth, and the largest of all."""
    yield from (f"- {line}" for line in growth.lines(results.get("growth", [])))
    for row in results.get("memory", []):
        yield f"- {row['requests']:,} requests on {row['racks']:,} racks: at most {row['peak_mib']:,} MiB"
    for row in results.get("offers", []):
        yield f"- offers on `{row['instance']}`: {row['median_ms']} ms in the median of {row['questions']:,}"


def _tier(rows: list[Row], tier: str) -> str:
    """Nothing where nothing is to be had."""
    rows = [row for row in rows if row["tiers"].get(tier, {}).get("bound")]
    if not rows:
        return ""
    ours = sorted(ratio(row["tiers"][tier]["value"], row["tiers"][tier]["bound"]) for row in rows)
    told = [f"{statistics.median(ours):.3f} ({ours[0]:.3f})"]
    for name in _PEERS:
        shares = [ratio(row["baselines"][name]["values"].get(tier, 0.0), row["tiers"][tier]["bound"]) for row in rows]
        told.append(f"{statistics.median(shares):.3f}")
    return ", ".join(told)


if __name__ == "__main__":
    sys.exit(main())
