"""Spare racks of a hall, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cluster.spares import set_spare_racks
from portal.domain.errors import Invalid, NotFound, StaleVersion
from portal.models.audit import AuditEntry
from portal.models.capacity import Capacity
from portal.models.cluster import Hall
from tests.portal import factories
from tests.portal.cluster.building import moment, snapshot


def test_the_number_of_spares_is_changed_and_exported(session: Session) -> None:
    hall = factories.cluster(session).halls[0]
    who = moment(session)
    version = session.scalars(sa.select(Capacity.version)).one()

    set_spare_racks(session, hall.code, 3, version=hall.version, moment=who)
    session.commit()

    assert snapshot(session)["sites"][0]["halls"][0]["spare_racks"] == 3
    assert session.scalars(sa.select(Capacity.version)).one() == version + 1
    entry = session.scalars(sa.select(AuditEntry)).one()
    assert (entry.thing, entry.before, entry.after) == ("hall s1-h1", {"spare_racks": 0}, {"spare_racks": 3})


def test_there_are_no_more_spares_than_racks(session: Session) -> None:
    hall = factories.cluster(session, racks=4).halls[0]
    who = moment(session)

    set_spare_racks(session, hall.code, 4, version=hall.version, moment=who)
    session.commit()
    with pytest.raises(Invalid, match="from 0 to 4"):
        set_spare_racks(session, hall.code, 5, version=hall.version, moment=who)


def test_the_slower_of_two_people_is_told(session: Session) -> None:
    hall = factories.cluster(session).halls[0]
    who = moment(session)
    read = hall.version

    set_spare_racks(session, hall.code, 1, version=read, moment=who)
    session.commit()
    with pytest.raises(StaleVersion):
        set_spare_racks(session, hall.code, 2, version=read, moment=who)
    session.rollback()

    assert session.scalars(sa.select(Hall.spare_racks)).all() == [1]


def test_a_hall_that_is_not_there_is_not_found(session: Session) -> None:
    who = moment(session)

    with pytest.raises(NotFound):
        set_spare_racks(session, "s9-h9", 1, version=1, moment=who)
