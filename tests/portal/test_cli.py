"""The `berth` command, as a person types it."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.states import PlanState, Role, RunState
from portal.models.engine import make_engine
from portal.models.plans import Plan, Run
from portal.models.settings import Settings
from portal.models.users import User
from tests.portal import factories
from tests.portal.factories import TODAY

BERTH = [sys.executable, "-c", "from portal.cli import main; main()"]
LANDLORD = """
format = "berth.landlord/1"
[[tenants]]
id = "alpha"
name = "Alpha"
"""


class Shell:
    """A terminal with settings for one database."""

    def __init__(self, url: sa.URL, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BERTH_")}
        far_off = f"{dt.datetime.now(dt.UTC) + dt.timedelta(hours=12):%H:%M}"  # no nightly run while a worker is tested
        own = {"BERTH_MODE": "test", "BERTH_VAR_DIR": str(folder), "BERTH_NIGHTLY_RUN_AT": far_off}
        address = {"BERTH_DATABASE_URL": url.render_as_string(hide_password=False)}
        solver = {"BERTH_SOLVER_TIME_LIMIT_S": "5", "BERTH_SOLVER_WORKERS": "1"}
        self.environment = {**kept, **own, **solver, **address, "PYTHONPATH": str(Path.cwd())}

    def run(self, *words: str, code: int = 0, typed: str = "", **environment: str) -> str:
        """What the command said; it must end with this code."""
        done = subprocess.run(
            [*BERTH, *words],
            env={**self.environment, **environment},
            cwd=self.folder,
            input=typed,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*BERTH, *words], env={**self.environment, **environment}, stderr=subprocess.DEVNULL)


@pytest.fixture
def shell(sqlite_url: sa.URL, tmp_path: Path) -> Shell:
    """A terminal beside a clean SQLite database."""
    return Shell(sqlite_url, tmp_path)


@pytest.fixture
def rows(sqlite_url: sa.URL) -> Session:
    """The same database."""
    return Session(make_engine(sqlite_url, poolclass=sa.NullPool))


def test_help_names_every_command_whatever_the_settings_are(shell: Shell) -> None:
    said = shell.run("--help", BERTH_MODE="nonsense")

    for name in ("db", "demo-day", "import", "run", "serve", "shell", "solve", "user", "worker"):
        assert f"\n  {name} " in said


def test_a_wrong_setting_stops_a_command_with_a_sentence(shell: Shell) -> None:
    assert "BERTH_MODE must be one of" in shell.run("solve", code=2, BERTH_MODE="nonsense")


def test_a_database_that_is_not_up_to_date_says_what_to_do(tmp_path: Path) -> None:
    fresh = Shell(sa.make_url(f"sqlite:///{tmp_path}/fresh.db"), tmp_path)

    assert "Run: berth db upgrade" in fresh.run("solve", code=1)

    assert "The database is at revision" in fresh.run("db", "upgrade")
    assert "The database is at revision None" in fresh.run("db", "downgrade", "base", "--yes") + fresh.run(
        "db", "upgrade", "base"
    )


def test_a_person_is_added_who_may_sign_in(shell: Shell, rows: Session) -> None:
    words = ["user", "add", "ann@example.com", "--name", "Ann", "--role", "approver"]

    assert "ann@example.com may sign in as approver." in shell.run(*words, typed="a long password\n" * 2)

    person = rows.scalars(sa.select(User)).one()
    assert (person.email, person.role) == ("ann@example.com", Role.APPROVER)
    assert "already" in shell.run(*words, code=1, typed="another password\n" * 2)


def test_a_file_is_imported_once(shell: Shell) -> None:
    path = shell.folder / "landlord.toml"
    path.write_text(LANDLORD, encoding="utf-8")

    assert "Imported 0 racks, 1 tenants" in shell.run("import", str(path))
    assert "Recorded already: tenant alpha" in shell.run("import", str(path), code=1)


def test_a_bad_file_is_refused_and_nothing_is_imported(shell: Shell) -> None:
    path = shell.folder / "landlord.toml"
    path.write_text("[[tenants]]\nid = 7\n", encoding="utf-8")

    assert "tenants" in shell.run("import", str(path), code=2)


def test_the_demo_day_moves_on(shell: Shell, rows: Session) -> None:
    rows.scalars(sa.select(Settings)).one().business_day = TODAY
    rows.commit()

    assert "The business day is 2026-11-25." in shell.run("demo-day", "+3")
    assert rows.scalars(sa.select(Settings.business_day)).one() == dt.date(2026, 11, 25)
    rows.rollback()


def test_the_demo_day_is_never_moved_back_nor_in_production(shell: Shell) -> None:
    assert "never moved back" in shell.run("demo-day", "--", "-3", code=2)
    secret = {"BERTH_MODE": "production", "BERTH_SECRET_KEY": "0123456789abcdef" * 3}
    assert "In production the business day is the UTC day." in shell.run("demo-day", "+3", code=1, **secret)


def test_a_solve_proposes_a_plan(shell: Shell, rows: Session) -> None:
    factories.cluster(rows)
    factories.submitted_request(rows)
    rows.commit()

    said = shell.run("solve")

    plan = rows.scalars(sa.select(Plan)).one()
    assert (plan.state, plan.tiers[0]["tier"]) == (PlanState.PROPOSED, 1)
    assert f"proposed plan {plan.public_id}." in said


def test_a_second_solve_says_who_is_running(shell: Shell, rows: Session) -> None:
    own = psutil.Process()
    values = {"pid": own.pid, "host": os.uname().nodename, "process_started_at": own.create_time()}
    run = factories.run(rows, RunState.RUNNING, **values)
    rows.commit()

    assert f"Run {run.public_id}, asked for by a command, has been under way" in shell.run("solve", code=3)


def test_a_second_solve_waits_where_it_is_asked_to(shell: Shell, rows: Session) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(5)"]) as other:
        started = psutil.Process(other.pid).create_time()
        values = {"pid": other.pid, "host": os.uname().nodename, "process_started_at": started}
        lost = factories.run(rows, RunState.RUNNING, **values)
        rows.commit()

        assert "proposed plan" in shell.run("solve", "--wait")

    rows.rollback()
    assert lost.state is RunState.FAILED


def test_a_worker_ends_cleanly_when_it_is_told_to(shell: Shell, rows: Session) -> None:
    factories.run(rows)
    rows.commit()
    process = shell.start("worker")
    try:
        deadline = time.monotonic() + 60
        while rows.scalars(sa.select(Run.state)).one() is not RunState.FINISHED:
            rows.rollback()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()


def test_the_portal_is_served(shell: Shell, free_port: int) -> None:
    process = shell.start("serve", BERTH_PORT=str(free_port))
    try:
        assert _answer(f"http://127.0.0.1:{free_port}/healthz") == b'{"status":"ok"}\n'
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _answer(address: str) -> bytes:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own address
                body: bytes = answer.read()
                return body
        except OSError:
            assert time.monotonic() < deadline, "nothing answers"
            time.sleep(0.2)
