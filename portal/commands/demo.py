"""``berth demo``: builds the demo landlord where it is not there yet, and serves it until Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from portal.commands.support import refusing, settings
from portal.config import Mode, Settings
from portal.demo.build import Demo, build, is_built
from portal.demo.story import Story, story
from portal.models.engine import make_engine

_GRACE_SECONDS = 15
_POLL_SECONDS = 0.2


@click.command()
@click.option("--reset", is_flag=True, help="Throw the demo's data away first.")
@click.option("--build-only", is_flag=True, help="Build the landlord and stop.")
def demo(reset: bool, build_only: bool) -> None:
    """Serve the demo landlord, with a worker beside it, until Ctrl-C."""
    os.environ.setdefault("BERTH_MODE", Mode.DEMO)
    os.environ.setdefault("BERTH_VAR_DIR", str(Path("var/demo").resolve()))
    os.environ.setdefault("BERTH_LOG_LEVEL", "warning")
    checked = settings()
    if checked.is_production:
        raise click.ClickException("This is a production installation; the demo is not for it. Unset BERTH_MODE.")
    if not build_only:
        _check_port(checked)
    told = story()
    _make(checked, told, reset=reset)
    _print_logins(checked, told)
    if not build_only:
        _serve()


def _make(checked: Settings, told: Story, *, reset: bool) -> None:
    """Build what is not there. A SQLite file is built beside its place and renamed when it is whole."""
    target = _file_of(checked.database_url)
    if reset and target is not None:
        _remove(target)
    elif reset:
        raise click.ClickException("demo-reset only empties SQLite files. Empty this database yourself.")
    if target is None:
        _build(checked, told, checked.database_url)
        return
    if target.exists():
        return
    building = target.with_name(f"building-{target.name}")
    _remove(building)
    _build(checked, told, f"sqlite:///{building}")
    building.replace(target)


def _build(checked: Settings, told: Story, url: str) -> None:
    engine = make_engine(url)
    try:
        if not is_built(engine):
            with refusing():
                build(Demo(engine, checked, told, say=lambda line: click.echo(f"{line} …", err=True)))
    finally:
        engine.dispose()


def _file_of(url: str) -> Path | None:
    parsed = sa.make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _remove(database: Path) -> None:
    for path in (database, database.with_name(f"{database.name}-wal"), database.with_name(f"{database.name}-shm")):
        path.unlink(missing_ok=True)


def _check_port(checked: Settings) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((checked.host, checked.port))
        except OSError:
            at = f"{checked.host}:{checked.port}"
            raise click.ClickException(f"Something listens at {at} already. Stop it, or set BERTH_PORT.") from None


def _print_logins(checked: Settings, told: Story) -> None:
    console = Console(highlight=False)
    table = Table("sign in as", "role", "of", box=None, pad_edge=False)
    for person in told.people:
        table.add_row(person.email, str(person.role), person.tenant or "the provider")
    console.print(table)
    console.print(f"The password of all: {told.password}")
    console.print(f"Today is {told.today:%d %B %Y} here. The portal: http://{checked.host}:{checked.port}")


def _serve() -> None:
    """The server and the worker as processes of their own; when one ends, or Ctrl-C comes, both end."""
    berth = shutil.which("berth", path=str(Path(sys.executable).parent)) or "berth"
    processes = [subprocess.Popen([berth, word], start_new_session=True) for word in ("serve", "worker")]  # noqa: S603
    stopping = [False]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.__setitem__(0, True))
    while not stopping[0] and all(process.poll() is None for process in processes):
        time.sleep(_POLL_SECONDS)
    _end(processes)
    if not stopping[0]:
        raise click.ClickException("A part of the demo ended by itself; what it said stands above.")


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
