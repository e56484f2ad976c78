"""The journeys' landlord: imported, with people, and a first plan made by the real solver and published.

Aurora has 576 GPUs for 400 days from today, Borealis 1,152 for 90; of 3,456 GPUs 1,728 are free meanwhile.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.auth import actions as auth
from portal.auth.passwords import Passwords
from portal.bookings import request_actions
from portal.bookings.terms import Terms
from portal.clock import Clock
from portal.config import Settings, load_settings
from portal.domain.states import Role, Scope
from portal.landlord import file
from portal.landlord.actions import import_landlord
from portal.models.capacity import lock_capacity
from portal.models.contracts import Contract
from portal.models.engine import make_engine
from portal.models.settings import Settings as SettingsRow
from portal.models.tenants import Tenant
from portal.models.transactions import begin_write
from portal.models.users import User
from portal.plans import solving
from portal.plans.publish import publish
from portal.plans.work import Moment
from portal.web.actor import Actor, process_actor

TODAY = dt.date(2026, 11, 22)
PASSWORD = "quiet harbour lamp"
TENANTS = {"aurora": "Aurora Labs", "borealis": "Borealis AI", "cirrus": "Cirrus Models"}
PROVIDERS = (Role.OPERATOR, Role.APPROVER, Role.ADMIN)
BOOKED = (("aurora", 576, 400), ("borealis", 1152, 90))
_BY = process_actor("a test")


def build(url: sa.URL) -> None:
    """Build it in a migrated, empty database."""
    engine = make_engine(url, poolclass=sa.NullPool)
    settings = load_settings({"BERTH_MODE": "test", "BERTH_DATABASE_URL": url.render_as_string(hide_password=False)})
    with Session(engine) as session:
        _import(session)
        _add_people(session, settings)
        for tenant, gpus, days in BOOKED:
            ask(session, tenant, gpus, days)
    plan = solve(engine)
    with Session(engine) as session:
        by = _person(session, "approver@berth.example")
        publish(session, plan_id=plan, moment=Moment(by=by, now=Clock().now(), today=TODAY))
        session.commit()


def solve(engine: sa.Engine) -> str:
    """Have the real solver propose a plan, and return its public id."""
    outcome = solving.solve_now(solving.Workshop(engine=engine, workers=1, time_limit_s=2.0, by=_BY))
    assert outcome.plan is not None, outcome.error
    return outcome.plan


def ask(session: Session, tenant: str, gpus: int, days: int) -> str:
    """The tenant's owner asks for a block in one hall from today on, from its contract if it has one; its public id."""
    contract = session.scalar(sa.select(Contract.id).where(Contract.public_id == f"{tenant}-2026"))
    terms = Terms(
        tenant_id=session.scalars(sa.select(Tenant.id).where(Tenant.public_id == tenant)).one(),
        contract_id=contract,
        gpus=gpus,
        min_gpus=gpus,
        earliest_start=TODAY,
        latest_start=TODAY,
        days=days,
        scope=Scope.HALL,
    )
    by = _person(session, f"owner@{tenant}.example")
    made = request_actions.submit_new(session, terms=terms, by=by, now=Clock().now(), today=TODAY).public_id
    session.commit()
    return made


def _import(session: Session) -> None:
    import_landlord(session, file.read(Path(__file__).with_name("landlord.toml")), by=_BY, now=Clock().now())
    session.commit()
    lock_capacity(session)
    session.scalars(sa.select(SettingsRow)).one().business_day = TODAY
    session.commit()


def _add_people(session: Session, settings: Settings) -> None:
    begin_write(session)
    tenants = dict(session.execute(sa.select(Tenant.public_id, Tenant.id)).all())
    people = [(f"owner@{tenant}.example", f"{tenant.title()} owner", Role.OWNER, tenants[tenant]) for tenant in TENANTS]
    people += [(f"{role}@berth.example", f"Berth {role}", role, None) for role in PROVIDERS]
    for email, name, role, tenant_id in people:
        new = auth.NewUser(email, name, role, tenant_id, PASSWORD)
        auth.add_user(session, new=new, passwords=Passwords.of(settings), by=_BY, now=Clock().now())
    session.commit()


def _person(session: Session, email: str) -> Actor:
    actor = auth.actor_of(session.scalars(sa.select(User).where(User.email == email)).one(), "127.0.0.1")
    session.rollback()
    return actor
