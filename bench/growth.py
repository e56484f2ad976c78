"""How the time to the same ratio grows with requests, racks and days."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from bench import sizes
from bench.instances import Instance, of_size
from bench.sizes import Size

Row = dict[str, Any]
REQUESTS = (1220, 2440, 4880, 10_000)
HALLS = (3, 6, 12, 24, 48)
DAYS = (180, 365, 730)
QUICK_TIMES = (1 / 12, 1 / 6)
LARGEST = "largest"
RATIOS = (0.80, 0.85, 0.88, 0.90, 0.92, 0.94, 0.96)
_TIERS = ("0", "1")


def families() -> Iterator[tuple[str, int, Size]]:
    """What grows, how far, and the size; Colossus is one of each."""
    for requests in REQUESTS:
        yield "requests", requests, sizes.more_requests(requests)
    for halls in HALLS:
        size = sizes.more_racks(halls)
        yield "racks", size.racks, size
    for days in DAYS:
        yield "days", days, sizes.more_days(days)


def quick_families() -> Iterator[tuple[str, int, Size]]:
    """Two small ones."""
    for times in QUICK_TIMES:
        size = sizes.more_of_all(times)
        yield "racks and requests", size.racks, size


def largest() -> Instance:
    """The most that is asked of the solver: 10,000 requests on 12,288 racks."""
    return of_size(sizes.LARGEST, LARGEST, seed=0)


def instance(family: str, extent: int, size: Size) -> Instance:
    """The one instance of this size; all are made from the same seed."""
    return of_size(size, f"{family}={extent}", seed=0)


def reached(row: Row, ratio: float) -> float | None:
    """Seconds until tiers 0 and 1 both stood at this share of their bound or above; None: they never did."""
    for point in row["course"]:
        if all(point["ratios"].get(tier, 1.0) >= ratio for tier in _TIERS):
            return float(point["seconds"])
    return None


def lines(rows: list[Row]) -> Iterator[str]:
    """For each step of a family: how many times the time to the best ratio that both reached."""
    for before, after in pairwise(rows):
        if before["family"] != after["family"]:
            continue
        times = [(ratio, reached(before, ratio), reached(after, ratio)) for ratio in RATIOS]
        both = [(ratio, one, other) for ratio, one, other in times if one and other]
        step = f"{after['family']} {before['extent']:,} to {after['extent']:,}"
        if not both:
            yield f"{step}: no ratio from {RATIOS[0]:.2f} on that both reached"
            continue
        ratio, one, other = both[-1]
        yield f"{step}: to {ratio:.2f} in {one:.1f} s and {other:.1f} s, {other / one:.1f} times"
