"""Builds the demo landlord the way real ones come about: imported, asked, planned by the solver, published.

Nothing is put into tables behind the rules' backs, so the demo is also a test of the whole way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.auth import actions as auth
from portal.auth.passwords import Passwords
from portal.bookings import request_actions
from portal.bookings.terms import Terms
from portal.clock import Clock
from portal.config import Settings
from portal.demo.story import LANDLORD, Person, Story, Wish
from portal.domain.errors import Conflict
from portal.domain.states import Role
from portal.landlord import file
from portal.landlord.actions import import_landlord
from portal.models import migrate
from portal.models.capacity import lock_capacity
from portal.models.contracts import Contract
from portal.models.settings import Settings as SettingsRow
from portal.models.tenants import Tenant
from portal.models.transactions import begin_write
from portal.models.users import User
from portal.plans import solving
from portal.plans.publish import publish
from portal.plans.work import Moment
from portal.web.actor import Actor, process_actor

SAY = Callable[[str], None]
_BY = process_actor("berth demo")


@dataclass(frozen=True, slots=True)
class Demo:
    """What building needs: an empty database, the settings for it, the story, and whom to tell of progress."""

    engine: sa.Engine
    settings: Settings
    story: Story
    say: SAY
    solver_seconds: float = 10.0


def is_built(engine: sa.Engine) -> bool:
    """Whether a landlord is in this database already."""
    if migrate.current(engine) is None:
        return False
    with Session(engine) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Tenant)) != 0


def build(demo: Demo) -> None:
    """Build the demo landlord. Raises a `DomainError` where a rule refuses the story, which tests rule out."""
    demo.say("Making the database")
    migrate.upgrade(demo.engine.url)
    demo.say("Importing the landlord: sites, racks, tenants, contracts, rates")
    _set_day(demo, demo.story.first_day)
    _import(demo)
    _add_people(demo)
    _ask(demo, demo.story.before, demo.story.first_day)
    demo.say("Planning what was asked for, and publishing the plan")
    _plan_and_publish(demo)
    _set_day(demo, demo.story.today)
    _ask(demo, demo.story.open_, demo.story.today)


def _set_day(demo: Demo, day: dt.date) -> None:
    with Session(demo.engine) as session:
        lock_capacity(session)
        session.scalars(sa.select(SettingsRow)).one().business_day = day
        session.commit()


def _import(demo: Demo) -> None:
    with Session(demo.engine) as session:
        import_landlord(session, file.read(LANDLORD), by=_BY, now=Clock().now())
        session.commit()


def _add_people(demo: Demo) -> None:
    passwords = Passwords.of(demo.settings)
    with Session(demo.engine) as session:
        begin_write(session)
        tenants = _tenants(session)
        for person in demo.story.people:
            new = _user(person, tenants, demo.story.password)
            auth.add_user(session, new=new, passwords=passwords, by=_BY, now=Clock().now())
        session.commit()


def _user(person: Person, tenants: dict[str, int], password: str) -> auth.NewUser:
    tenant_id = None if person.tenant is None else tenants[person.tenant]
    return auth.NewUser(person.email, person.name, person.role, tenant_id, password)


def _ask(demo: Demo, wishes: Iterable[Wish], today: dt.date) -> None:
    with Session(demo.engine) as session:
        begin_write(session)
        tenants = _tenants(session)
        contracts = dict(session.execute(sa.select(Contract.public_id, Contract.id)).all())
        session.rollback()
        for wish in wishes:
            terms = _terms(wish, tenants[wish.tenant], None if wish.contract is None else contracts[wish.contract])
            owner = _person(session, Role.OWNER, tenants[wish.tenant])
            request_actions.submit_new(session, terms=terms, by=owner, now=Clock().now(), today=today)
            session.commit()


def _terms(wish: Wish, tenant_id: int, contract_id: int | None) -> Terms:
    return Terms(
        tenant_id=tenant_id,
        contract_id=contract_id,
        gpus=wish.gpus,
        min_gpus=wish.min_gpus or wish.gpus,
        earliest_start=wish.earliest,
        latest_start=wish.latest or wish.earliest,
        days=wish.days,
        scope=wish.scope,
        recall_notice_days=wish.recall_notice_days,
        wants_waitlist=wish.waitlist,
        note=wish.note,
    )


def _plan_and_publish(demo: Demo) -> None:
    workshop = solving.Workshop(
        engine=demo.engine, workers=demo.settings.solver_workers, time_limit_s=demo.solver_seconds, by=_BY
    )
    outcome = solving.solve_now(workshop)
    if outcome.plan is None:
        raise Conflict(f"The demo's first plan could not be made: {outcome.error}")
    with Session(demo.engine) as session:
        approver = _person(session, Role.APPROVER, None)
        session.rollback()
        publish(
            session, plan_id=outcome.plan, moment=Moment(by=approver, now=Clock().now(), today=demo.story.first_day)
        )
        session.commit()


def _person(session: Session, role: Role, tenant_id: int | None) -> Actor:
    user = session.scalars(
        sa.select(User).where(User.role == role, User.tenant_id == tenant_id).order_by(User.id)
    ).first()
    if user is None:
        raise Conflict(f"The demo's story has no {role}.")
    actor = auth.actor_of(user, "berth demo")
    session.rollback()
    return actor


def _tenants(session: Session) -> dict[str, int]:
    return dict(session.execute(sa.select(Tenant.public_id, Tenant.id)).all())
