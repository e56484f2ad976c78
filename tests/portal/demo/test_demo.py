"""The demo landlord as `berth demo` builds it: once for all tests here, with the real solver."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from portal.app import create_app
from portal.config import load_settings
from portal.demo.story import story
from portal.domain.states import PlanState, RequestState, Role
from portal.models.cluster import Hall, Pod, PowerLimit, Rack, Site
from portal.models.contracts import Contract
from portal.models.engine import make_engine
from portal.models.plans import Plan
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.models.settings import Settings
from portal.models.tenants import Tenant
from portal.models.users import User
from portal.plans.stored import files_of
from portal.web.database import db
from solver.verify.check import broken_rules
from tests.portal.web.visitor import Page, Visitor

BERTH = [sys.executable, "-c", "from portal.cli import main; main()"]


class Terminal:
    """A terminal in which `berth demo` is typed, with a folder of its own for its data."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "berth.db"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BERTH_")}
        self.environment = {**kept, "BERTH_VAR_DIR": str(folder), "PYTHONPATH": str(Path.cwd())}

    def build(self, *words: str, code: int = 0) -> str:
        """What it said; it must end with this code."""
        command = [*BERTH, "demo", "--build-only", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that was built; the processes of one test run share it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "demo"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "berth.db").exists():
            (folder / "said").write_text(Terminal(folder).build(), encoding="utf-8")
    return folder


@pytest.fixture
def terminal(built: Path, tmp_path: Path) -> Terminal:
    """Beside a copy of the demo that this test may change."""
    shutil.copyfile(built / "berth.db", tmp_path / "berth.db")
    return Terminal(tmp_path)


@pytest.fixture
def demo(terminal: Terminal) -> Iterator[Session]:
    """The demo's rows."""
    engine = make_engine(f"sqlite:///{terminal.database}", poolclass=sa.NullPool)
    with Session(engine) as session:
        yield session


@pytest.fixture
def portal(terminal: Terminal) -> Iterator[Flask]:
    """The demo's pages."""
    app = create_app(load_settings({"BERTH_MODE": "demo", "BERTH_VAR_DIR": str(terminal.database.parent)}))
    yield app
    with app.app_context():
        db.engine.dispose()


def test_the_logins_are_printed(built: Path) -> None:
    """One for each role, their password, and where the portal is."""
    said = (built / "said").read_text(encoding="utf-8")

    assert {role for role in Role if f"  {role} " in said} == set(Role)
    assert story().password in said
    assert "Today is 22 November 2026 here. The portal: http://127.0.0.1:8080" in said


def test_the_cluster_is_the_one_near_memphis(demo: Session) -> None:
    """3,072 racks of 72 in two sites of 8 and 4 halls, 32 pods of 8 racks in each."""
    racks = demo.execute(
        sa.select(
            Site.code, sa.func.count(Hall.id.distinct()), sa.func.count(Pod.id.distinct()), sa.func.count(Rack.id)
        )
        .join(Hall, Hall.site_id == Site.id)
        .join(Pod, Pod.hall_id == Hall.id)
        .join(Rack, Rack.pod_id == Pod.id)
        .group_by(Site.code)
    ).all()

    assert {tuple(row) for row in racks} == {("memphis", 8, 256, 2048), ("southaven", 4, 128, 1024)}
    assert 3072 * 72 == 221_184


def test_southaven_is_under_a_power_limit_for_a_quarter(demo: Session) -> None:
    """98,000 kW at 140 kW a rack are 700 of its 1,024 racks."""
    limits = [(row.site.code, row.start, row.end, row.kw) for row in demo.scalars(sa.select(PowerLimit))]

    assert limits == [("southaven", dt.date(2027, 3, 1), dt.date(2027, 6, 1), 98_000.0)]


def test_the_demo_has_its_day(demo: Session) -> None:
    """Fixed, so that it never ages."""
    assert demo.scalars(sa.select(Settings.business_day)).one() == dt.date(2026, 11, 22)


def test_a_plan_is_published_and_passes_verify(demo: Session) -> None:
    """Reservations came of all that was asked for before, but for Granite's, which together exceed its quota."""
    plan = demo.scalars(sa.select(Plan)).one()
    files = files_of(plan)

    assert plan.state is PlanState.PUBLISHED
    assert broken_rules(files.snapshot, files.plan) == []
    assert len(files.plan.accepted) + len(files.plan.declined) == len(story().before)
    assert demo.scalar(sa.select(sa.func.count()).select_from(Reservation)) == len(files.plan.accepted)
    declined = demo.scalars(sa.select(Request).where(Request.state == RequestState.DECLINED))
    assert [row.tenant.public_id for row in declined] == ["granite"]


def test_requests_are_open(demo: Session) -> None:
    """As many as the story has, none decided, from tenants of every tier."""
    waiting = list(demo.scalars(sa.select(Request).where(Request.state == RequestState.SUBMITTED)))

    assert sorted(row.gpus for row in waiting) == sorted(wish.gpus for wish in story().open_)
    assert {row.tier for row in waiting} == {0, 1, 2}


def test_the_queue_shows_what_is_open(portal: Flask) -> None:
    """To an approver who signs in as printed."""
    page = _sign_in(portal, "approver@berth.example").get("/approvals")

    assert f"{len(story().open_)} requests wait for a decision" in page.tree.text
    assert "Fathom Climate (invented), 72,000 GPUs (1,000 racks)" in page.tree.text


def test_what_is_assumed_is_said_on_every_contract(portal: Flask, demo: Session) -> None:
    """To the provider and to the tenant whose contract it is; the Reflection page tells what is known as well."""
    contracts = list(demo.scalars(sa.select(Contract)))
    admin = _sign_in(portal, "admin@berth.example")

    assert len(contracts) == 5
    for contract in contracts:
        assert contract.assumption in _text(admin.get(f"/contracts/{contract.public_id}"))
    owner = _sign_in(portal, "owner@reflection.example")
    assert "Assumed: 43,200 GPUs" in _text(owner.get("/contracts/reflection-2026"))


def test_everyone_of_the_story_may_sign_in(portal: Flask, demo: Session) -> None:
    """An owner for each tenant, and one person for each role."""
    people = list(demo.scalars(sa.select(User)))
    owned = {person.tenant.public_id for person in people if person.role is Role.OWNER and person.tenant}

    assert {person.role for person in people} == set(Role)
    assert owned == set(demo.scalars(sa.select(Tenant.public_id)))
    for email in ("viewer@reflection.example", "auditor@berth.example"):
        _sign_in(portal, email)


def test_a_second_start_keeps_the_data(terminal: Terminal, demo: Session) -> None:
    """Nothing is built again; what was changed meanwhile is still there."""
    demo.scalars(sa.select(Tenant).where(Tenant.public_id == "helix")).one().name = "Helix, renamed"
    demo.commit()

    said = terminal.build()

    assert "Importing" not in said
    assert demo.scalar(sa.select(Tenant.name).where(Tenant.public_id == "helix")) == "Helix, renamed"


def test_a_reset_starts_over_and_throws_away_what_was_half_built(terminal: Terminal, demo: Session) -> None:
    """Building happens beside the place of the file, and a building that was broken off is not gone on with."""
    half = terminal.database.with_name("building-berth.db")
    shutil.copyfile(terminal.database, half)
    with Session(make_engine(f"sqlite:///{half}", poolclass=sa.NullPool)) as rows:
        rows.execute(sa.update(User).where(User.role == Role.AUDITOR).values(name="Half built"))
        rows.commit()
    demo.execute(sa.update(Settings).values(business_day=dt.date(2027, 5, 1)))
    demo.commit()
    demo.close()

    assert "Importing" in terminal.build("--reset")

    assert not half.exists()
    assert demo.scalars(sa.select(Settings.business_day)).one() == story().today
    assert demo.scalars(sa.select(User.name).where(User.role == Role.AUDITOR)).one() == "Demo auditor"


def test_a_production_installation_is_left_alone(tmp_path: Path) -> None:
    """The demo never writes into it."""
    terminal = Terminal(tmp_path)
    terminal.environment |= {"BERTH_MODE": "production", "BERTH_SECRET_KEY": "0123456789abcdef" * 3}

    assert "the demo is not for it" in terminal.build(code=1)

    assert not terminal.database.exists()


def _sign_in(portal: Flask, email: str) -> Visitor:
    visitor = Visitor(portal)
    visitor.sign_in(email, story().password)
    assert "Sign in" not in visitor.get("/account").tree.one("h1").text
    return visitor


def _text(page: Page) -> str:
    return page.tree.text
