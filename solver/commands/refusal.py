"""How a bad file is refused: every fault on a line of its own, exit code 2, nothing written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from solver.files import BadFile

BAD_INPUT = 2


@contextmanager
def refusing() -> Iterator[None]:
    """Turn a refused file into its faults on standard error and exit code 2."""
    try:
        yield
    except BadFile as refused:
        count = len(refused.faults)
        click.echo(f"{refused.name} is refused: {count} fault{'s' if count != 1 else ''}.", err=True)
        for fault in refused.faults:
            click.echo(f"  {fault}", err=True)
        sys.exit(BAD_INPUT)
    except BrokenPipeError:
        sys.exit(0)


def snapshot_and_plan_differ(snapshot: str, plan: str) -> None:
    """Standard input can be read once: refuse a call that names it for both files."""
    if snapshot == "-" and plan == "-":
        raise click.UsageError("SNAPSHOT and PLAN can't both be standard input.")
