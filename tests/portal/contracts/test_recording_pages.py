"""Pages on which the provider records contracts, tenants, limits and rates; who may, and who only looks."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.states import Role
from portal.models.contracts import Contract
from portal.models.rates import Rate
from portal.models.tenants import Tenant
from tests.portal import factories
from tests.portal.web.fixtures import Enter

CONTRACT = {
    "public_id": "new-2027",
    "start": "2027-01-01",
    "last_day": "2028-12-31",
    "lock_in_until": "2027-07-01",
    "notice_days": "60",
    "booking_lead_days": "14",
    "move_notice_days": "7",
    "steps-0-start": "2027-01-01",
    "steps-0-gpus": "144",
    "steps-0-monthly_fee": "1,000,000",
    "steps-1-start": "2028-01-01",
    "steps-1-gpus": "288",
    "steps-1-monthly_fee": "1,900,000.50",
}


def test_an_admin_records_a_contract(rows: Session, enter: Enter) -> None:
    """A ramp of two steps; the last day becomes an exclusive end."""
    factories.cluster(rows, racks=4)
    tenant = factories.tenant(rows)
    rows.commit()
    admin = enter(Role.ADMIN)

    done = admin.press(admin.get("/contracts/new"), "Record the contract", **{**CONTRACT, "tenant": tenant.public_id})

    assert "Commitment rises to 288 GPUs" in done.text
    rows.rollback()
    contract = rows.scalars(sa.select(Contract)).one()
    assert (contract.end, contract.overage) == (dt.date(2029, 1, 1), False)
    assert [(s.start, s.end, s.gpus) for s in contract.commitment_steps] == [
        (dt.date(2027, 1, 1), dt.date(2028, 1, 1), 144),
        (dt.date(2028, 1, 1), dt.date(2029, 1, 1), 288),
    ]
    assert [str(s.monthly_fee) for s in contract.fee_steps] == ["1000000.00", "1900000.50"]


def test_a_commitment_that_is_not_there_is_named_and_recorded_only_knowingly(rows: Session, enter: Enter) -> None:
    """Three racks carry 216 of the 288 GPUs."""
    factories.cluster(rows, racks=3)
    tenant = factories.tenant(rows)
    rows.commit()
    admin = enter(Role.ADMIN)
    values = {**CONTRACT, "tenant": tenant.public_id}

    page = admin.press(admin.get("/contracts/new"), "Record the contract", **values, status=422)

    assert "Missing are 72 GPUs on 1 Jan – 31 Dec 2028." in page.text
    assert rows.scalars(sa.select(Contract)).all() == []
    rows.rollback()
    admin.press(page, "Record the contract", oversell="y")
    assert rows.scalars(sa.select(Contract.public_id)).all() == ["new-2027"]


def test_wrong_terms_are_said_beside_their_fields_and_stay_typed(rows: Session, enter: Enter) -> None:
    tenant = factories.tenant(rows)
    rows.commit()
    admin = enter(Role.ADMIN)
    wrong = {"last_day": "2026-12-31", "steps-1-gpus": "70", "steps-2-gpus": "72", "tenant": tenant.public_id}

    page = admin.press(
        admin.get("/contracts/new"), "Record the contract", **{**CONTRACT, **wrong, "steps-2-gpus": ""}, status=422
    )

    assert "The last day lies before the first one." in page.text
    assert "GPUs come in trays of 4" in page.text
    typed = {each["name"]: each["value"] for each in page.tree.all("input")}
    assert (typed["steps-0-monthly_fee"], typed["last_day"]) == ("1,000,000", "2026-12-31")

    page = admin.press(admin.get("/contracts/new"), "Record the contract", **{**CONTRACT, **wrong}, status=422)
    assert page.text.count("Fill in the whole row, or nothing of it.") == 2


def test_more_steps_keep_what_was_typed(rows: Session, enter: Enter) -> None:
    factories.tenant(rows)
    rows.commit()
    admin = enter(Role.ADMIN)

    page = admin.press(admin.get("/contracts/new"), "More steps", **CONTRACT)

    names = {each["name"]: each["value"] for each in page.tree.all("input")}
    assert (names["steps-9-gpus"], names["steps-1-gpus"]) == ("", "288")


def test_tenants_and_their_limits(rows: Session, enter: Enter) -> None:
    admin = enter(Role.ADMIN)

    added = {"name": "Acme", "public_id": "acme", "max_gpus": "7,200"}
    assert "7,200 GPUs" in admin.press(admin.get("/tenants/new"), "Add the tenant", **added).text
    page = admin.press(admin.get("/tenants/new"), "Add the tenant", **added, status=422)
    assert "There is a tenant of this name already." in page.text
    admin.press(admin.get("/tenants/acme/limit"), "Set the limit", max_gpus="")

    rows.rollback()
    assert rows.scalars(sa.select(Tenant.max_gpus).where(Tenant.public_id == "acme")).one() is None
    admin.get("/tenants/nobody/limit", status=404)


def test_of_two_who_set_a_limit_the_second_is_told(rows: Session, enter: Enter) -> None:
    factories.tenant(rows, public_id="acme")
    rows.commit()
    first, second = enter(Role.ADMIN), enter(Role.ADMIN)
    old = second.get("/tenants/acme/limit")
    first.press(first.get("/tenants/acme/limit"), "Set the limit", max_gpus="72")

    page = second.press(old, "Set the limit", max_gpus="144", status=422)

    assert "Someone changed this" in page.text


def test_rates_are_added_never_edited(rows: Session, enter: Enter) -> None:
    """The line of today stays; the new one comes on its day; the past is closed."""
    factories.rate(rows, "5.80")
    rows.commit()
    admin = enter(Role.ADMIN)
    values = {"scope": "any", "interruptible": "no", "start": "2027-01-01", "usd_per_gpu_hour": "6.125"}

    page = admin.press(admin.get("/rates/new"), "Add the rate", **values)
    assert "A firm GPU-hour anywhere is USD 5.80 today." in page.text
    assert "USD 6.125 from 1 Jan 2027" in page.text
    again = admin.press(admin.get("/rates/new"), "Add the rate", **values, status=422)
    assert "lines are never edited" in again.text
    past = admin.press(admin.get("/rates/new"), "Add the rate", **{**values, "start": "2026-11-21"}, status=422)
    assert "a new rate begins today or later" in past.text
    rows.rollback()
    assert sorted(str(rate) for rate in rows.scalars(sa.select(Rate.usd_per_gpu_hour))) == ["5.800000", "6.125000"]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.APPROVER, Role.AUDITOR])
def test_others_of_the_provider_look_and_change_nothing(rows: Session, enter: Enter, role: Role) -> None:
    person = enter(role)

    for page, button in (("/contracts", "Record a contract"), ("/tenants", "Add a tenant"), ("/rates", "Add a rate")):
        assert button not in person.get(page).text
    for page in ("/contracts/new", "/tenants/new", "/rates/new"):
        person.get(page, status=403)


def test_tenants_see_neither_tenants_nor_rates(enter: Enter) -> None:
    owner = enter(Role.OWNER)

    for page in ("/tenants", "/rates", "/contracts/new"):
        owner.get(page, status=403)
