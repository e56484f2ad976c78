"""Importing a landlord file: all of it or nothing, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.errors import Invalid
from portal.landlord.actions import import_landlord
from portal.models.cluster import Outage, Rack
from portal.models.contracts import Contract
from portal.models.tenants import Tenant
from portal.web.actor import process_actor
from tests.portal.landlord.test_file import CONTRACT, LANDLORD, parsed

NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
BY = process_actor("berth import")


def brought(session: Session, **changes: Any) -> Any:
    return import_landlord(session, parsed(LANDLORD | changes), by=BY, now=NOW)


def count(session: Session, model: Any) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_everything_in_the_file_is_recorded(session: Session) -> None:
    done = brought(session, outages=[{"unit": "h1-p02", "start": "2026-12-01", "kind": "maintenance"}])
    session.commit()

    assert (done.racks, done.tenants, done.contracts, done.rates) == (8, 1, 1, 1)
    assert count(session, Rack) == 8
    assert count(session, Outage) == 4, "one for each rack of the pod"
    contract = session.scalars(sa.select(Contract)).one()
    assert contract.tenant.public_id == "t1"
    assert contract.terms.committed(dt.date(2026, 12, 1)) == 720
    assert not contract.overage


def test_a_second_import_names_what_is_there_already(session: Session) -> None:
    brought(session)
    session.commit()

    with pytest.raises(Invalid, match="site s1, hall h1, tenant t1, contract k1"):
        brought(session)


def test_a_contract_may_name_a_tenant_that_is_recorded_already(session: Session) -> None:
    brought(session, contracts=[])
    session.commit()

    brought(session, sites=[], tenants=[], rates=[])
    session.commit()

    assert count(session, Contract) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"contracts": [CONTRACT | {"tenant": "t9"}]}, "Contract k1: 't9' names no tenant"),
        ({"contracts": [CONTRACT | {"site": "s9"}]}, "Contract k1: 's9' names no site"),
        ({"outages": [{"unit": "h9", "start": "2026-12-01", "kind": "failure"}]}, "'h9' names no rack, pod or hall"),
    ],
)
def test_a_name_that_means_nothing_refuses_the_whole_file(
    session: Session, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        brought(session, **changes)
    session.rollback()

    assert count(session, Tenant) == 0
    assert count(session, Rack) == 0
