"""``python -m solver plan SNAPSHOT``"""

from __future__ import annotations

import json
import os
import time

import click
import psutil
from rich.console import Console

from solver import files
from solver import snapshot as snapshots
from solver.commands import summary
from solver.commands.interrupts import heard
from solver.commands.progress import listener_for, tiers_table
from solver.commands.receipt import receipt_of
from solver.commands.refusal import refusing
from solver.engine.parameters import DEFAULT_TIME_LIMIT_SECONDS, SolveParameters
from solver.engine.watch import Watch
from solver.plan import Plan
from solver.promise_text import percent

_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command("plan")
@click.argument("snapshot")
@click.option("-o", "--output", default="-", metavar="PLAN", help="Where the plan goes; - is standard output.")
@click.option("--receipt", metavar="FILE", help="Write versions, parameters, and each stage's time and gain.")
@click.option("--time-limit", type=_POSITIVE, metavar="SECONDS", help="60 unless a work limit is given.")
@click.option("--work-limit", type=click.IntRange(min=0), metavar="N", help="Rounds of improvement in each worker.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes; as many as cores unless given.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler that lends the processes.")
@click.option("--progress", type=click.Choice(["auto", "json", "none"]), default="auto", show_default=True)
def command(  # noqa: PLR0913  # one parameter for each word of the command
    snapshot: str,
    output: str,
    receipt: str | None,
    time_limit: float | None,
    work_limit: int | None,
    workers: int | None,
    seed: int,
    scheduler: str | None,
    progress: str,
) -> None:
    """Plan SNAPSHOT: accept or decline every request, and say why."""
    if time_limit is None and work_limit is None:
        time_limit = DEFAULT_TIME_LIMIT_SECONDS
    watch = Watch(time_limit)
    with refusing(), heard(watch.interrupt):
        for path in (output, *([receipt] if receipt else [])):
            files.check_writable(path)
        loaded = snapshots.load(snapshot)
        watch.restart(after=seconds_of_start())
        parameters = SolveParameters(time_limit, work_limit, workers or os.cpu_count() or 1, seed, scheduler)
        with listener_for(progress) as watch.listener:
            made = _solve(loaded, parameters, watch)
        files.write_bytes(output, files.dump(made))
        if receipt is not None:
            text = json.dumps(receipt_of(loaded, parameters, made, watch), indent=1)
            files.write_bytes(receipt, f"{text}\n".encode())
        _summary(made, watch)


_LOADED_AT = time.time()


def seconds_of_start() -> float:
    """Seconds from the start of the process until its own modules were there: the time limit counts them too."""
    return max(0.0, _LOADED_AT - float(psutil.Process().create_time()))


def _solve(loaded: snapshots.Loaded, parameters: SolveParameters, watch: Watch) -> Plan:
    from solver.engine.crew import NoScheduler
    from solver.engine.solve import solve

    try:
        return solve(loaded, parameters, watch)
    except NoScheduler as unreachable:
        raise click.BadParameter(str(unreachable), param_hint="--scheduler") from None


def _summary(made: Plan, watch: Watch) -> None:
    console = Console(stderr=True, highlight=False)
    table = tiers_table("")
    for tier in made.tiers:
        table.add_row(str(tier.tier), f"{tier.value_usd:,.0f}", f"{tier.bound_usd:,.0f}", percent(tier.gap))
    for warning in watch.warnings:
        console.print(f"warning: {warning}")
    console.print(table)
    for line in summary.lines(made, interrupted=watch.interrupted):
        console.print(line, markup=False)
