"""Two people at the same instant, as separate processes on PostgreSQL: exactly one wins, the other is told why."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.states import OfferState
from portal.models.engine import make_engine
from portal.models.offers import Offer
from portal.models.placements import Placement
from portal.models.reservations import Reservation
from tests.portal.bookings.landlord import JAN, Landlord, landlord, offered
from tests.portal.factories import NOW, TODAY

# Each waits at a line on standard input, so that all of them begin together.
ACT = """
import datetime as dt, sys
from sqlalchemy.orm import Session
from portal.bookings import offer_actions as actions
from portal.bookings.terms import Terms
from portal.domain.errors import DomainError
from portal.domain.states import Role, Scope
from portal.models.engine import make_engine
from portal.web.actor import Actor

url, what, subject, user, tenant, now, today, start = sys.argv[1:9]
now, today, start = dt.datetime.fromisoformat(now), dt.date.fromisoformat(today), dt.date.fromisoformat(start)
engine = make_engine(url)
with Session(engine) as session:
    by = Actor(int(user), "x", "x@example.com", Role.OWNER, int(tenant), "192.0.2.1")
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        if what == "take":
            actions.take(session, public_id=subject, by=by, now=now, today=today)
        elif what == "withdraw":
            actions.withdraw(session, public_id=subject, by=by, now=now)
        else:
            terms = Terms(int(tenant), None, int(subject), int(subject), start, start, 30, Scope.ANY)
            new = actions.NewOffer(terms, now + dt.timedelta(hours=1))
            actions.make(session, new=new, by=by, now=now, today=today)
        session.commit()
        print("done", flush=True)
    except DomainError as refusal:
        print(refusal.code, flush=True)
engine.dispose()
"""


@pytest.fixture
def session(postgresql_url: sa.URL) -> Iterator[Session]:
    engine = make_engine(postgresql_url)
    with Session(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture
def town(session: Session) -> Landlord:
    return landlord(session)


def race(url: sa.URL, actors: list[tuple[str, str, int, int]]) -> Counter[str]:
    """Start one process per (what, subject, user, tenant), let them go at once, and count their answers."""
    moment = [NOW.isoformat(), TODAY.isoformat(), JAN.isoformat()]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", ACT, url.render_as_string(hide_password=False), *map(str, actor), *moment],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for actor in actors
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return Counter(process.communicate(timeout=60)[0].strip() for process in started)


def test_an_offer_is_taken_once(session: Session, town: Landlord, postgresql_url: sa.URL) -> None:
    """Three people of the tenant press the button: one reservation, two refusals."""
    public_id = offered(session, town, gpus=144).public_id
    session.rollback()
    user, tenant = town.booker.user_id or 0, town.booker.tenant_id or 0

    answers = race(postgresql_url, [("take", public_id, user, tenant)] * 3)

    assert answers == {"done": 1, "offer_closed": 2}
    assert len(session.scalars(sa.select(Reservation)).all()) == 1
    assert session.scalars(sa.select(sa.func.sum(Placement.gpus))).one() == 144


def test_taken_or_withdrawn_never_both(session: Session, town: Landlord, postgresql_url: sa.URL) -> None:
    public_id = offered(session, town).public_id
    session.rollback()
    user, tenant = town.booker.user_id or 0, town.booker.tenant_id or 0

    answers = race(
        postgresql_url,
        [("take", public_id, user, tenant), ("withdraw", public_id, town.approver.user_id or 0, tenant)],
    )

    assert answers == {"done": 1, "offer_closed": 1}
    reservations = session.scalars(sa.select(Reservation)).all()
    state = session.scalars(sa.select(Offer.state)).one()
    assert state is (OfferState.TAKEN if reservations else OfferState.WITHDRAWN)
    assert len(session.scalars(sa.select(Placement)).all()) == len(reservations)


def test_the_last_racks_are_offered_once(session: Session, town: Landlord, postgresql_url: sa.URL) -> None:
    """Five of eight racks for each of two tenants: the second is told that they are gone."""
    session.rollback()
    approver = town.approver.user_id or 0
    tenants = [town.booker.tenant_id or 0, town.stranger.tenant_id or 0]

    answers = race(postgresql_url, [("make", "360", approver, tenant) for tenant in tenants])

    assert answers == {"done": 1, "capacity_taken": 1}
    assert session.scalars(sa.select(sa.func.sum(Placement.gpus))).one() == 360


def test_a_quota_is_not_broken_by_two_at_once(session: Session, town: Landlord, postgresql_url: sa.URL) -> None:
    """R9: there are racks for both, but the tenant may have only one block of the two."""
    town.tenant.max_gpus = 144
    session.commit()
    approver, tenant = town.approver.user_id or 0, town.booker.tenant_id or 0

    answers = race(postgresql_url, [("make", "144", approver, tenant)] * 2)

    assert answers == {"done": 1, "capacity_taken": 1}


def test_two_that_fit_together_are_both_made(session: Session, town: Landlord, postgresql_url: sa.URL) -> None:
    session.rollback()
    approver = town.approver.user_id or 0
    tenants = [town.booker.tenant_id or 0, town.stranger.tenant_id or 0]

    answers = race(postgresql_url, [("make", "288", approver, tenant) for tenant in tenants])

    assert answers == {"done": 2}
    assert session.scalars(sa.select(sa.func.sum(Placement.gpus))).one() == 576
