"""Progress of a solve: JSON lines for programs, a live display for a terminal, both on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from solver.engine.watch import Event, Listener
from solver.promise_text import percent, table_of


@contextmanager
def listener_for(kind: str) -> Iterator[Listener | None]:
    """The listener for ``json``, ``none`` or ``auto`` (live where standard error is a terminal, else none)."""
    if kind == "json":
        yield _print_json
    elif kind == "auto" and sys.stderr.isatty():
        with Live(console=Console(stderr=True), transient=True) as live:
            yield lambda event: live.update(_table(event))
    else:
        yield None


def tiers_table(title: str) -> Table:
    """An empty table of what the tiers are worth."""
    return table_of(title, ["tier"], ["value, USD", "bound, USD", "gap"])


def as_json(event: Event) -> str:
    """The event as one line; tiers are keys, as text. ``warning`` is there where something went wrong."""
    content = {
        "stage": event.stage,
        "values": {str(tier): value for tier, value in event.values.items()},
        "bounds": {str(tier): value for tier, value in event.bounds.items()},
        "gaps": {str(tier): value for tier, value in event.gaps.items()},
        "seconds": round(event.seconds, 3),
    }
    return json.dumps(content if event.warning is None else content | {"warning": event.warning})


def _print_json(event: Event) -> None:
    sys.stderr.write(as_json(event) + "\n")
    sys.stderr.flush()


def _table(event: Event) -> Table:
    table = tiers_table(f"{event.stage}, {event.seconds:.1f} s")
    for tier, value in event.values.items():
        bound, gap = event.bounds.get(tier), event.gaps.get(tier)
        table.add_row(
            str(tier), f"{value:,.0f}", "" if bound is None else f"{bound:,.0f}", "" if gap is None else percent(gap)
        )
    return table
