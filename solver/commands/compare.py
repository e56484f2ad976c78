"""``python -m solver compare SNAPSHOT SCENARIOS``"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console

from solver import files
from solver import snapshot as snapshots
from solver.commands.interrupts import heard
from solver.commands.plan import seconds_of_start
from solver.commands.refusal import refusing
from solver.commands.tables import show
from solver.compare import differences, text
from solver.compare.answer import Comparison
from solver.engine.parameters import DEFAULT_TIME_LIMIT_SECONDS, SolveParameters
from solver.engine.watch import Watch
from solver.plan import Plan
from solver.scenarios import reading
from solver.snapshot import Loaded

_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command("compare")
@click.argument("snapshot")
@click.argument("scenarios")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where the answer goes; - is standard output.")
@click.option("--time-limit", type=_POSITIVE, metavar="SECONDS", help="For all together; 60 unless work is limited.")
@click.option("--work-limit", type=click.IntRange(min=0), metavar="N", help="Rounds of improvement in each solve.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Solves side by side; as many as cores.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler that lends the processes.")
def command(  # noqa: PLR0913  # one parameter for each word of the command
    snapshot: str,
    scenarios: str,
    output: str,
    time_limit: float | None,
    work_limit: int | None,
    workers: int | None,
    seed: int,
    scheduler: str | None,
) -> None:
    """Plan SNAPSHOT as it is and under each of SCENARIOS, and say what differs and what that is worth."""
    if snapshot == scenarios == files.STANDARD:
        raise click.UsageError("SNAPSHOT and SCENARIOS can't both be standard input.")
    if time_limit is None and work_limit is None:
        time_limit = DEFAULT_TIME_LIMIT_SECONDS
    watch = Watch(time_limit)
    with refusing(), heard(watch.interrupt):
        files.check_writable(output)
        loaded = snapshots.load(snapshot)
        changed = reading.load(scenarios, loaded.snapshot)
        watch.restart(after=seconds_of_start())
        with _reachable():
            parameters = SolveParameters(time_limit, work_limit, _side_by_side(workers, scheduler), seed, scheduler)
            plans = _planned([loaded, *(each.loaded for each in changed)], parameters, watch)
        seconds, cut = round(watch.seconds, 3), watch.interrupted
        found = differences.compare(loaded, changed, plans, seed=seed, seconds=seconds, interrupted=cut)
        _answer(found, output, watch)


@contextmanager
def _reachable() -> Iterator[None]:
    from solver.engine.pools import NoScheduler

    try:
        yield
    except NoScheduler as unreachable:
        raise click.BadParameter(str(unreachable), param_hint="--scheduler") from None


def _side_by_side(workers: int | None, scheduler: str | None) -> int:
    from solver.compare.run import threads_of

    return workers or (os.cpu_count() or 1 if scheduler is None else threads_of(scheduler))


def _planned(loaded: list[Loaded], parameters: SolveParameters, watch: Watch) -> list[Plan | None]:
    from solver.compare.run import plan_all

    if not sys.stderr.isatty():
        return plan_all(loaded, parameters, watch)
    with Console(stderr=True).status(f"Planning {len(loaded)} snapshots, {parameters.workers} at a time"):
        return plan_all(loaded, parameters, watch)


def _answer(comparison: Comparison, output: str, watch: Watch) -> None:
    """The JSON answer where it is asked for; people read the tables, on whichever of both streams is free."""
    for warning in watch.warnings:
        click.echo(f"warning: {warning}", err=True)
    on_terminal = output == files.STANDARD and sys.stdout.isatty()
    if not on_terminal:
        files.write_bytes(output, files.dump(comparison))
    show(text.tables(comparison), on_error=not on_terminal)
