"""``python -m bench.picture RESULTS``: value against time for each group of instances, and growth, as SVG files.

A curve is the median over the seeds, its band reaches from the worst to the best of them. The share that is missing to
the bound is drawn on a logarithmic scale, so that 0.98 and 0.99 are as far apart as 0.8 and 0.9.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import growth
from bench.chart import HEIGHT, WIDTH, Label, Line, Panel, Scale, Style, Tick, draw, points, spread
from bench.value import ratio

Row = dict[str, Any]

DOCS = Path(__file__).parent.parent / "docs" / "bench"
_TIERS = ("0", "1")
_LEAST_GAP = 0.002
_FIRST_SECOND = 0.5
_STEPS = 120
_SHARES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
_SECONDS = (0.5, 1, 2, 5, 15, 60, 180, 600)
_ALLOWED_PER_DOUBLING = 2.5
_PEERS: tuple[tuple[Style, str, str], ...] = (("price", "by_price", "by price"), ("come", "first_come", "first come"))


def main(words: Sequence[str] | None = None) -> int:
    """Draw what the results hold, one file for each group of instances and one for growth."""
    parser = argparse.ArgumentParser(prog="python -m bench.picture", description=__doc__)
    parser.add_argument("results", type=Path, nargs="+", metavar="RESULTS", help="files that the bench wrote")
    parser.add_argument("-o", "--output", type=Path, default=DOCS, metavar="FOLDER", help="docs/bench unless given")
    said = parser.parse_args(words)
    said.output.mkdir(parents=True, exist_ok=True)
    for path in said.results:
        for name, text in pictures(json.loads(path.read_text())).items():
            (said.output / name).write_text(text)
            print(name)
    return 0


def pictures(results: Row) -> dict[str, str]:
    """SVG text by file name: of each group the rows with its longest time limit."""
    groups: dict[str, list[Row]] = {}
    for row in [*results.get("value", []), *results.get("traces", [])]:
        groups.setdefault(row["group"], []).append(row)
    drawn = {}
    for name, rows in groups.items():
        longest = max(row["time_limit"] for row in rows)
        drawn[f"{name}.svg"] = of_group(name, [row for row in rows if row["time_limit"] == longest])
    if grown := results.get("growth"):
        drawn["growth.svg"] = of_growth(grown)
    return drawn


def of_group(name: str, rows: list[Row]) -> str:
    """Value against time, a panel for each of the first two tiers in which there is something to be had."""
    tiers = [tier for tier in _TIERS if any(row["tiers"].get(tier, {}).get("bound") for row in rows)]
    panels = [_of_tier(number, tier, rows) for number, tier in enumerate(tiers)]
    largest = max(rows, key=lambda row: row["requests"])
    seeds = f"{len(rows)} seed" + ("s" if len(rows) > 1 else "")
    title = f"{name}: {largest['requests']:,} requests, {largest['racks']:,} racks, {largest['days']:,} days, {seeds}"
    ends = "; ".join(f"{panel.title}: {label.text}" for panel in panels for label in panel.labels)
    return draw(title, f"Value as a share of the proven bound against seconds. {ends}.", panels)


def of_growth(rows: list[Row]) -> str:
    """Seconds to the best ratio that a whole family reached, beside what 2.5 times per doubling would be."""
    families = list(dict.fromkeys(row["family"] for row in rows))
    panels = [
        _of_family(number, [row for row in rows if row["family"] == family]) for number, family in enumerate(families)
    ]
    ends = "; ".join(f"{panel.title}: {label.text}" for panel in panels for label in panel.labels)
    return draw(
        "Time to the same ratio", f"Seconds until tiers 0 and 1 stand at a share of their bounds. {ends}.", panels
    )


def _of_tier(number: int, tier: str, rows: list[Row]) -> Panel:
    limit = rows[0]["time_limit"]
    x, y = Scale(_FIRST_SECOND, limit, 0, WIDTH), Scale(_LEAST_GAP, 1.0, 0, HEIGHT)
    rows = [row for row in rows if row["tiers"].get(tier, {}).get("bound")]
    times = [_FIRST_SECOND * (limit / _FIRST_SECOND) ** (step / _STEPS) for step in range(_STEPS + 1)]
    shares = [sorted(_share_at(row, tier, time) for row in rows) for time in times]
    worst = [(x.at(time), y.at(1 - each[0])) for time, each in zip(times, shares, strict=True)]
    best = [(x.at(time), y.at(1 - each[-1])) for time, each in zip(times, shares, strict=True)]
    middle = [(x.at(time), y.at(1 - statistics.median(each))) for time, each in zip(times, shares, strict=True)]
    reached = statistics.median(_final(row, tier) for row in rows)
    lines, labels = [Line("ours", points(middle))], [Label("ours", y.at(1 - reached), f"Berth {reached:.3f}")]
    for style, key, said in _PEERS:
        share = statistics.median(_peer(row, tier, key) for row in rows)
        at = y.at(1 - share)
        lines.append(Line(style, points([(0, at), (WIDTH, at)])))
        labels.append(Label(style, at, f"{said} {share:.3f}"))
    lines.append(Line("bound", points([(0, 0), (WIDTH, 0)])))
    labels.append(Label("bound", 0, "bound 1"))
    return Panel(
        number,
        title=f"tier {tier}",
        x_title="seconds",
        x_ticks=[Tick(x.at(each), f"{each:g}") for each in _SECONDS if each <= limit],
        y_ticks=[Tick(y.at(1 - each), f"{each:g}") for each in _SHARES],
        lines=lines,
        labels=spread(labels),
        band=points([*best, *reversed(worst)]),
    )


def _of_family(number: int, rows: list[Row]) -> Panel:
    extents = [row["extent"] for row in rows]
    common = [share for share in growth.RATIOS if all(growth.reached(row, share) for row in rows)]
    share = common[-1] if common else None
    seconds = [growth.reached(row, share) or _FIRST_SECOND for row in rows] if share else []
    x = Scale(extents[0], max(extents[-1], extents[0] + 1), 0, WIDTH)
    y = Scale(_FIRST_SECOND, _SECONDS[-1], HEIGHT, 0)
    reached = [(x.at(extent), y.at(each)) for extent, each in zip(extents, seconds, strict=False)]
    lines, labels = [Line("ours", points(reached))], []
    if share:
        doublings = [math.log2(extent / extents[0]) for extent in extents]
        allowed = [y.at(seconds[0] * _ALLOWED_PER_DOUBLING**each) for each in doublings]
        lines.append(Line("bound", points(zip((x.at(each) for each in extents), allowed, strict=True))))
        labels = [Label("ours", reached[-1][1], f"to {share:.2f}"), Label("bound", allowed[-1], "2.5 per doubling")]
    return Panel(
        number,
        title=rows[0]["family"],
        x_title=rows[0]["family"],
        x_ticks=[Tick(x.at(each), f"{each:,}") for each in extents],
        y_ticks=[Tick(y.at(each), f"{each:g} s") for each in _SECONDS],
        lines=lines,
        labels=spread(labels),
    )


def _share_at(row: Row, tier: str, seconds: float) -> float:
    """The share of the bound that the run had reached; 0 before its first value."""
    reached = [point["ratios"].get(tier, 0.0) for point in row["course"] if point["seconds"] <= seconds]
    return float(reached[-1]) if reached else 0.0


def _final(row: Row, tier: str) -> float:
    result = row["tiers"][tier]
    return ratio(result["value"], result["bound"])


def _peer(row: Row, tier: str, name: str) -> float:
    return ratio(row["baselines"][name]["values"].get(tier, 0.0), row["tiers"][tier]["bound"])


if __name__ == "__main__":
    sys.exit(main())
