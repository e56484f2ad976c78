"""``berth solve`` and ``berth worker``."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import replace

import click
import sqlalchemy as sa

from portal.commands.support import engine_of, refusing, settings
from portal.config import Settings
from portal.domain.states import RunState
from portal.plans import runs, solving
from portal.plans.worker import POLL_S, Worker
from portal.web.actor import process_actor

_BUSY = 3


@click.command()
@click.option("--wait", is_flag=True, help="Wait for a run that is under way instead of saying who runs.")
@click.option("--time-limit", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="For this run only.")
def solve(wait: bool, time_limit: float | None) -> None:
    """Plan what the database says now, and store the plan as proposed."""
    checked = settings()
    workshop = _workshop(checked, engine_of(checked), "berth solve")
    if time_limit is not None:
        workshop = replace(workshop, time_limit_s=time_limit)
    with refusing():
        outcome = _solve(workshop, wait=wait)
    if outcome.plan is None:
        raise click.ClickException(f"Run {outcome.run} {outcome.state}. {outcome.error}".rstrip())
    click.echo(f"Run {outcome.run} proposed plan {outcome.plan}.")


@click.command()
def worker() -> None:
    """Carry out the runs that people ask for, and the nightly one."""
    checked = settings()
    stop = threading.Event()
    workshop = _workshop(checked, engine_of(checked), "berth worker", stop)
    click.echo(f"Waiting for runs; the nightly one starts at {checked.nightly_run_at:%H:%M} UTC.", err=True)
    Worker(workshop=workshop, nightly_at=checked.nightly_run_at, stop=stop).work()


def _solve(workshop: solving.Workshop, *, wait: bool) -> solving.Outcome:
    while True:
        try:
            return solving.solve_now(workshop)
        except runs.RunnerBusy as busy:
            if not wait:
                click.echo(busy.sentence, err=True)
                raise SystemExit(_BUSY) from None
        if workshop.stop.is_set():
            return solving.Outcome("", RunState.CANCELLED, None, "Told to stop while it waited.")
        time.sleep(POLL_S)


def _workshop(checked: Settings, engine: sa.Engine, name: str, stop: threading.Event | None = None) -> solving.Workshop:
    """Where runs are carried out. SIGTERM and Ctrl-C end the run under way with the best plan so far."""
    told = stop or threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    return solving.Workshop(
        engine=engine,
        workers=checked.solver_workers,
        time_limit_s=checked.solver_time_limit_s,
        stop=told,
        by=process_actor(name),
    )
