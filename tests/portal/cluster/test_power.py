"""Power limits of sites, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cluster.outage_actions import Confirmation
from portal.cluster.power import (
    Excess,
    LimitChange,
    consequences_of_limit,
    end_limit,
    racks_powered,
    record_limit,
    remove_limit,
)
from portal.domain.errors import ConsequencesChanged, Invalid, NotFound
from portal.domain.states import RunCause
from portal.models.audit import AuditEntry
from portal.models.capacity import Capacity
from portal.models.cluster import PowerLimit
from portal.models.outbox import OutboxMessage
from portal.models.plans import Run
from tests.portal import factories
from tests.portal.cluster.building import LIMIT_S, carrying_by_day, day, moment, snapshot
from tests.portal.factories import TODAY

NOTHING_SHOWN = Confirmation()


def limit(racks: int, start: dt.date = TODAY, end: dt.date | None = None, site: str = "s1") -> LimitChange:
    """A limit that powers so many racks of 140 kW, by default for January 2027."""
    return LimitChange(site=site, start=start, end=end or day("02-01", 2027), kw=140.0 * racks)


@pytest.mark.parametrize(("kw", "racks"), [(0, 0), (139.9, 0), (140, 1), (98_000, 700), (0.1 * 1400 * 3, 3)])
def test_a_rack_is_powered_as_a_whole(kw: float, racks: int) -> None:
    """R3, with its allowance for binary fractions."""
    assert racks_powered(kw, 140.0) == racks


def test_a_limit_that_is_enough_for_what_stands_hurts_nobody(session: Session) -> None:
    racks = factories.cluster(session).racks
    factories.reservation(session, racks=racks[:2], gpus=144)
    who = moment(session)

    found = consequences_of_limit(session, limit(2), who)

    assert (found.racks, found.excesses, found.blocks) == (2, [], [])


def test_the_days_above_a_limit_are_listed_with_the_blocks_that_stand_there(session: Session) -> None:
    """Two racks in January, a third one in its second week, and one rack of power."""
    made = factories.cluster(session, sites=2)
    long = factories.reservation(session, racks=made.racks[:2], gpus=144)
    short = factories.reservation(session, racks=[made.racks[2]], start=day("01-08", 2027), end=day("01-15", 2027))
    factories.reservation(session, racks=[made.racks[-1]])
    who = moment(session)

    found = consequences_of_limit(session, limit(1), who)

    assert found.excesses == [
        Excess(day("01-01", 2027), day("01-08", 2027), 2, 1),
        Excess(day("01-08", 2027), day("01-15", 2027), 3, 1),
        Excess(day("01-15", 2027), day("01-31", 2027), 2, 1),
    ]
    assert (found.days_above, found.most_over) == (30, 2)
    assert {each.block.public_id: each.gpus for each in found.blocks} == {long.public_id: 144, short.public_id: 72}


def test_a_limit_above_one_that_holds_already_changes_nothing(session: Session) -> None:
    made = factories.cluster(session)
    factories.reservation(session, racks=made.racks[:3], gpus=216)
    factories.power_limit(session, made.sites[0], 140.0)
    who = moment(session)

    assert consequences_of_limit(session, limit(2), who).excesses == []


def test_recording_tells_the_tenants_who_stand_there_and_queues_a_repair_run(session: Session) -> None:
    made = factories.cluster(session, sites=2)
    mine = factories.reservation(session, racks=made.racks[:2], gpus=144)
    factories.reservation(session, racks=[made.racks[-1]])
    who = moment(session)
    version = session.scalars(sa.select(Capacity.version)).one()
    seen = consequences_of_limit(session, limit(1), who).digest

    record_limit(session, limit(1), Confirmation(seen=seen), moment=who, time_limit_s=LIMIT_S)
    session.commit()

    (row,) = session.scalars(sa.select(PowerLimit))
    assert (row.site_id, row.kw, row.recorded_by_id) == (made.sites[0].id, 140.0, who.by.user_id)
    (message,) = session.scalars(sa.select(OutboxMessage))
    assert (message.kind, message.tenant_id) == ("power_limited", mine.tenant_id)
    assert [each["reservation"] for each in message.payload["blocks"]] == [mine.public_id]
    assert session.scalars(sa.select(Run.cause)).all() == [RunCause.REPAIR]
    assert session.scalars(sa.select(Capacity.version)).one() == version + 1
    entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "recorded a power limit")).one()
    assert entry.after["above"] == [mine.public_id]


def test_what_was_confirmed_is_what_happens(session: Session) -> None:
    made = factories.cluster(session)
    factories.reservation(session, racks=made.racks[:2], gpus=144)
    who = moment(session)
    seen = Confirmation(seen=consequences_of_limit(session, limit(1), who).digest)
    factories.reservation(session, racks=made.racks[2:3])
    session.commit()

    with pytest.raises(ConsequencesChanged):
        record_limit(session, limit(1), seen, moment=who, time_limit_s=LIMIT_S)


def test_a_site_that_is_not_there_and_days_that_hold_none_are_refused(session: Session) -> None:
    factories.cluster(session)
    who = moment(session)

    with pytest.raises(Invalid, match="one of the sites"):
        consequences_of_limit(session, limit(1, site="s9"), who)
    with pytest.raises(Invalid, match="last day"):
        consequences_of_limit(session, limit(1, start=TODAY, end=TODAY), who)


def test_a_limit_ends_earlier_but_not_later(session: Session) -> None:
    row = factories.power_limit(session, factories.cluster(session).sites[0])
    who = moment(session)

    for end in (row.start, row.end, day("05-01", 2027)):
        with pytest.raises(Invalid, match="further limit"):
            end_limit(session, row.id, end, moment=who, time_limit_s=LIMIT_S)
        session.rollback()
    end_limit(session, row.id, day("02-01", 2027), moment=who, time_limit_s=LIMIT_S)
    session.commit()

    assert session.scalars(sa.select(PowerLimit.end)).all() == [day("02-01", 2027)]
    entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "ended a power limit")).one()
    assert (entry.before["end"], entry.after["end"]) == ("2027-04-01", "2027-02-01")


def test_a_limit_that_never_was_is_removed(session: Session) -> None:
    row = factories.power_limit(session, factories.cluster(session).sites[0])
    who = moment(session)

    remove_limit(session, row.id, moment=who, time_limit_s=LIMIT_S)
    session.commit()

    assert session.scalars(sa.select(PowerLimit)).all() == []
    assert session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()[-1] == "removed a power limit"
    with pytest.raises(NotFound):
        remove_limit(session, row.id, moment=who, time_limit_s=LIMIT_S)


def test_the_days_above_a_limit_are_those_of_the_export(session: Session) -> None:
    """Racks that carry a block, counted day by day in the snapshot, an offer and a shared rack among them."""
    racks = factories.cluster(session, racks=6).racks
    for number, rack in enumerate(racks[:4]):
        start = TODAY + dt.timedelta(3 * number)
        factories.reservation(session, racks=[rack], start=start, end=start + dt.timedelta(20))
    for _ in range(2):
        shared = factories.reservation(session, gpus=36, start=TODAY, end=TODAY + dt.timedelta(40))
        days = {"start": shared.start, "end": shared.end}
        factories.placement(session, racks[4], reservation_id=shared.id, gpus=36, **days)
    factories.offer(session, racks=[racks[5]], start=TODAY + dt.timedelta(5), end=TODAY + dt.timedelta(12))
    who = moment(session)
    carrying = carrying_by_day(snapshot(session), "s1")

    found = consequences_of_limit(session, limit(3), who)

    listed = {
        each.start + dt.timedelta(offset): each.carrying
        for each in found.excesses
        for offset in range((each.end - each.start).days)
    }
    assert listed == {each: racks for each, racks in carrying.items() if racks > 3}
    assert max(listed.values()) == 6
