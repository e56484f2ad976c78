"""New contracts, tenants, limits and rates as actions, on both databases."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.contracts.actions import NewRate, NewTenant, Oversold, add_contract, add_rate, add_tenant, set_quota
from portal.contracts.drafting import NewContract, Step, WrongContract, check
from portal.domain.errors import Invalid, NotFound, StaleVersion
from portal.domain.states import Party, Role, Scope, TenantKind
from portal.models.audit import AuditEntry
from portal.models.capacity import Capacity
from portal.models.contracts import Contract
from portal.models.tenants import Tenant
from portal.web.actor import Actor
from tests.portal import factories
from tests.portal.contracts import scene
from tests.portal.factories import NOW, TODAY

START, RAMP, END = dt.date(2027, 1, 1), dt.date(2028, 1, 1), dt.date(2029, 1, 1)
VALID = NewContract(
    public_id="acme-2027",
    tenant_id=1,
    start=START,
    end=END,
    lock_in_until=START,
    notice_days=60,
    notice_by=Party.EITHER,
    booking_lead_days=14,
    move_notice_days=7,
    cancellation_days=0,
    cancellation_fee_percent=0,
    overage_rate=None,
    site_id=None,
    assumption="",
    steps=(Step(START, 144, Decimal(1000)), Step(RAMP, 288, Decimal(1000))),
)


@pytest.fixture
def admin(session: Session) -> Actor:
    by = scene.actor(factories.user(session, Role.ADMIN))
    session.commit()
    return by


def capacity_version(session: Session) -> int:
    session.rollback()
    return session.scalars(sa.select(Capacity.version)).one()


def add(session: Session, new: NewContract, by: Actor, *, oversell: bool = False) -> Contract:
    return add_contract(session, new=new, by=by, now=NOW, today=TODAY, oversell=oversell)


def test_valid_terms_pass() -> None:
    check(VALID)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"public_id": "-acme"}, "public_id"),
        ({"public_id": "a" * 49}, "public_id"),
        ({"public_id": "new"}, "public_id"),
        ({"start": dt.date(1999, 1, 1)}, "start"),
        ({"end": dt.date(2100, 1, 2)}, "last_day"),
        ({"end": START}, "last_day"),
        ({"lock_in_until": START - dt.timedelta(days=1)}, "lock_in_until"),
        ({"lock_in_until": END + dt.timedelta(days=1)}, "lock_in_until"),
        ({"notice_days": -1}, "notice_days"),
        ({"booking_lead_days": -1}, "booking_lead_days"),
        ({"move_notice_days": 36_501}, "move_notice_days"),
        ({"cancellation_days": -1}, "cancellation_days"),
        ({"cancellation_fee_percent": 101}, "cancellation_fee_percent"),
        ({"overage_rate": Decimal(-1)}, "overage_rate"),
        ({"overage_rate": Decimal("1.0000001")}, "overage_rate"),
        ({"steps": ()}, "steps"),
        ({"steps": (Step(RAMP, 144, Decimal(1)),)}, "steps"),
        ({"steps": (Step(START, 144, Decimal(1)), Step(START, 288, Decimal(1)))}, "steps"),
        ({"steps": (Step(START, 144, Decimal(1)), Step(END, 288, Decimal(1)))}, "steps"),
        ({"steps": (Step(START, 70, Decimal(1)),)}, "steps"),
        ({"steps": (Step(START, -4, Decimal(1)),)}, "steps"),
        ({"steps": (Step(START, 72, Decimal("0.001")),)}, "steps"),
        ({"steps": (Step(START, 72, Decimal(-1)),)}, "steps"),
    ],
)
def test_wrong_terms_are_named_by_their_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(WrongContract) as refused:
        check(replace(VALID, **changes))  # type: ignore[arg-type]

    assert field in {problem.field for problem in refused.value.problems}


def test_a_contract_is_held_from_its_record_on(session: Session, admin: Actor) -> None:
    """Two commitment steps, one fee step: the fee does not change."""
    factories.cluster(session, racks=4)
    tenant = factories.tenant(session)
    session.commit()
    before = capacity_version(session)

    contract = add(session, replace(VALID, tenant_id=tenant.id), admin)
    session.commit()

    assert [(s.start, s.end, s.gpus) for s in contract.commitment_steps] == [(START, RAMP, 144), (RAMP, END, 288)]
    assert [(s.start, s.end, s.monthly_fee) for s in contract.fee_steps] == [(START, END, Decimal(1000))]
    assert capacity_version(session) == before + 1
    entry = session.scalars(sa.select(AuditEntry)).one()
    assert (entry.action, entry.thing, entry.tenant_id) == ("added", "contract acme-2027", tenant.id)


def test_an_id_is_given_once(session: Session, admin: Actor) -> None:
    contract = factories.contract(session, gpus=0)
    session.commit()

    with pytest.raises(WrongContract, match="already"):
        add(session, replace(VALID, public_id=contract.public_id, tenant_id=contract.tenant_id), admin)


def test_what_is_not_there_is_sold_only_knowingly(session: Session, admin: Actor) -> None:
    """Three racks: 216 of 288 GPUs in the second year."""
    factories.cluster(session, racks=3)
    tenant = factories.tenant(session)
    session.commit()
    new = replace(VALID, tenant_id=tenant.id)

    with pytest.raises(Oversold, match=r"Missing are 72 GPUs on 1 Jan – 31 Dec 2028\."):
        add(session, new, admin)
    session.rollback()
    assert add(session, new, admin, oversell=True).id


def test_a_contract_bound_to_a_site_is_held_there(session: Session, admin: Actor) -> None:
    """Three racks at each of two sites: 288 GPUs fit into both together, not into one."""
    sites = factories.cluster(session, sites=2, racks=3).sites
    tenant = factories.tenant(session)
    session.commit()
    new = replace(VALID, tenant_id=tenant.id, site_id=sites[0].id)

    with pytest.raises(Oversold, match="72 GPUs"):
        add(session, new, admin)
    session.rollback()
    assert add(session, replace(new, site_id=None), admin).id


def test_a_tenant_is_added_once_and_its_limit_counts_as_capacity(session: Session, admin: Actor) -> None:
    before = capacity_version(session)

    tenant = add_tenant(session, new=NewTenant("acme", "Acme", TenantKind.CUSTOMER, 72), by=admin, now=NOW)
    session.commit()
    set_quota(session, public_id="acme", version=tenant.version, max_gpus=None, by=admin, now=NOW)
    session.commit()

    assert capacity_version(session) == before + 2
    assert session.scalars(sa.select(Tenant.max_gpus)).one() is None
    for wrong in (("acme", "Other"), ("other", "ACME"), ("Big", "Big"), ("-a", "A"), ("a", ""), ("a" * 49, "A")):
        session.rollback()
        with pytest.raises(Invalid):
            add_tenant(session, new=NewTenant(*wrong, TenantKind.CUSTOMER, None), by=admin, now=NOW)


def test_a_limit_is_set_on_what_was_seen(session: Session, admin: Actor) -> None:
    tenant = factories.tenant(session, public_id="acme")
    session.commit()
    version = tenant.version

    with pytest.raises(StaleVersion):
        set_quota(session, public_id="acme", version=version + 1, max_gpus=72, by=admin, now=NOW)
    session.rollback()
    with pytest.raises(Invalid):
        set_quota(session, public_id="acme", version=version, max_gpus=-4, by=admin, now=NOW)
    session.rollback()
    with pytest.raises(NotFound):
        set_quota(session, public_id="nobody", version=1, max_gpus=72, by=admin, now=NOW)


@pytest.mark.parametrize("rate", [Decimal(-1), Decimal("0.0000001"), Decimal(1_000_000)])
def test_a_rate_that_no_column_holds_is_refused(session: Session, admin: Actor, rate: Decimal) -> None:
    with pytest.raises(Invalid):
        add_rate(session, new=NewRate(Scope.ANY, False, TODAY, rate), by=admin, now=NOW, today=TODAY)


def test_a_rate_begins_today_or_later_and_once(session: Session, admin: Actor) -> None:
    new = NewRate(Scope.POD, True, TODAY, Decimal("2.35"))

    assert add_rate(session, new=new, by=admin, now=NOW, today=TODAY).created_at == NOW
    session.commit()
    with pytest.raises(Invalid, match="never edited"):
        add_rate(session, new=new, by=admin, now=NOW, today=TODAY)
    session.rollback()
    with pytest.raises(Invalid, match="today or later"):
        add_rate(session, new=replace(new, start=TODAY - dt.timedelta(days=1)), by=admin, now=NOW, today=TODAY)
