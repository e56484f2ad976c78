"""Recording, correcting and removing outages, on both databases."""

from __future__ import annotations

import datetime as dt
import random

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cluster.outage_actions import (
    Confirmation,
    WithinMoveNotice,
    record_outage,
    remove_outage,
)
from portal.cluster.outage_changes import OutageChange, consequences_of, consequences_of_removal
from portal.cluster.outages import When, count, event_of, events
from portal.domain.errors import ConsequencesChanged, Invalid, NotFound
from portal.domain.states import OutageKind, Role, RunCause, RunState
from portal.models.audit import AuditEntry
from portal.models.capacity import Capacity
from portal.models.cluster import Outage
from portal.models.outbox import OutboxMessage
from portal.models.plans import Run
from portal.plans.work import Moment
from tests.portal import factories
from tests.portal.cluster.building import LIMIT_S, day, gpus_by_day, moment, outage, snapshot
from tests.portal.factories import NOW, TODAY

MAINTENANCE = OutageKind.MAINTENANCE
NOTHING_SHOWN = Confirmation()


def put(session: Session, change: OutageChange, who: Moment, confirmed: Confirmation = NOTHING_SHOWN) -> None:
    record_outage(session, change, confirmed, moment=who, time_limit_s=LIMIT_S)
    session.commit()


def test_an_outage_of_a_rack_is_one_row_from_its_first_day(session: Session) -> None:
    rack = factories.cluster(session).racks[1]
    who = moment(session)

    put(session, outage(rack.code, end=day("12-01"), note="Coolant pump"), who)

    (row,) = session.scalars(sa.select(Outage))
    assert (row.rack_id, row.kind, row.start, row.end) == (rack.id, OutageKind.FAILURE, TODAY, day("12-01"))
    assert (row.note, row.recorded_at, row.recorded_by_id) == ("Coolant pump", NOW, who.by.user_id)


@pytest.mark.parametrize(("unit", "racks"), [("s1-h1-p2", 3), ("s1-h1", 6), ("s1", 12)])
def test_a_pod_a_hall_or_a_site_is_all_of_its_racks(session: Session, unit: str, racks: int) -> None:
    factories.cluster(session, sites=2, halls=2, pods=2, racks=3)

    put(session, outage(unit), moment(session))

    codes = session.scalars(sa.select(Outage).order_by(Outage.id)).all()
    assert len(codes) == racks
    assert all(row.rack.code.startswith(unit) for row in codes)


def test_a_unit_that_is_not_there_is_refused_by_name_and_nothing_is_recorded(session: Session) -> None:
    factories.cluster(session)
    who = moment(session)

    with pytest.raises(Invalid, match="no rack, pod or hall called s9-h1"):
        put(session, outage("s1-h1-p1", "s9-h1"), who)

    session.rollback()
    assert session.scalars(sa.select(Outage)).all() == []


def test_a_last_day_before_the_first_is_refused(session: Session) -> None:
    factories.cluster(session)
    who = moment(session)

    with pytest.raises(Invalid, match="last day"):
        put(session, outage("s1-h1-p1", end=TODAY), who)


def test_recording_raises_the_version_of_capacity_and_queues_a_repair_run(session: Session) -> None:
    factories.cluster(session)
    who = moment(session)
    before = session.scalars(sa.select(Capacity.version)).one()

    put(session, outage("s1-h1-p1-r1"), who)
    put(session, outage("s1-h1-p1-r2"), who)

    assert session.scalars(sa.select(Capacity.version)).one() == before + 2
    (run,) = session.scalars(sa.select(Run))  # the one that waits sees both
    assert (run.cause, run.state, run.time_limit_s) == (RunCause.REPAIR, RunState.QUEUED, LIMIT_S)


def test_each_tenant_is_told_of_its_own_blocks_alone(session: Session) -> None:
    racks = factories.cluster(session).racks
    alpha = factories.reservation(session, racks=racks[:2], gpus=144, start=TODAY)
    beta = factories.reservation(session, racks=[racks[2]], start=day("12-01"), end=day("12-20"))
    factories.reservation(session, racks=[racks[3]])
    who = moment(session)

    put(session, outage("s1-h1-p1-r1", "s1-h1-p1-r3", end=day("12-10"), note="Alpha's rack burnt"), who)

    told = {row.tenant_id: row for row in session.scalars(sa.select(OutboxMessage))}
    assert told.keys() == {alpha.tenant_id, beta.tenant_id}
    mine, theirs = told[alpha.tenant_id], told[beta.tenant_id]
    assert (mine.kind, theirs.kind) == ("racks_out", "racks_out")
    assert mine.payload == {
        "blocks": [{"reservation": alpha.public_id, "gpus": 72, "start": "2026-11-22", "end": "2026-12-10"}]
    }
    assert theirs.payload == {
        "blocks": [{"reservation": beta.public_id, "gpus": 72, "start": "2026-12-01", "end": "2026-12-10"}]
    }


def test_the_audit_trail_says_who_what_where_and_who_is_short(session: Session) -> None:
    racks = factories.cluster(session).racks
    hit = factories.reservation(session, racks=[racks[0]])
    who = moment(session)

    put(session, outage("s1-h1"), who)

    entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "recorded an outage")).one()
    assert (entry.actor_id, entry.thing.split()[0]) == (who.by.user_id, "outage")
    assert entry.after["units"] == ["s1"]
    assert entry.after["short"] == [hit.public_id]


def test_a_rack_that_is_out_already_makes_nobody_shorter(session: Session) -> None:
    racks = factories.cluster(session).racks
    factories.reservation(session, racks=[racks[0]])
    factories.outage(session, racks[0], end=day("01-10", 2027))
    who = moment(session)

    found = consequences_of(session, outage("s1-h1-p1-r1"), who)

    (loss,) = found.lost
    assert (loss.start, loss.end) == (day("01-10", 2027), day("01-31", 2027))


def test_an_offer_that_has_expired_loses_nothing_and_one_that_stands_does(session: Session) -> None:
    racks = factories.cluster(session).racks
    factories.offer(session, racks=[racks[0]], made_at=NOW - dt.timedelta(3), expires_at=NOW)
    stands = factories.offer(session, racks=[racks[1]])
    who = moment(session)

    found = consequences_of(session, outage("s1-h1"), who)

    assert [(loss.block.public_id, loss.block.is_offer) for loss in found.lost] == [(stands.public_id, True)]


def test_maintenance_in_good_time_needs_no_override(session: Session) -> None:
    """The 14 days of notice end on 6 December."""
    racks = factories.cluster(session).racks
    factories.reservation(session, racks=[racks[0]], start=TODAY)

    put(session, outage("s1-h1-p1", kind=MAINTENANCE, start=day("12-06")), moment(session))

    assert session.scalar(sa.select(sa.func.count()).select_from(Outage)) == 4


def test_an_operator_cannot_begin_maintenance_within_a_move_notice(session: Session) -> None:
    racks = factories.cluster(session).racks
    hit = factories.reservation(session, racks=[racks[0]], start=TODAY)
    who = moment(session)
    change = outage("s1-h1-p1", kind=MAINTENANCE, start=day("12-05"))

    for confirmed in (NOTHING_SHOWN, Confirmation(overrides=True)):
        with pytest.raises(WithinMoveNotice, match=f"{hit.public_id}.*6 Dec 2026 or later"):
            put(session, change, who, confirmed)
        session.rollback()

    assert session.scalars(sa.select(Outage)).all() == []


def test_an_admin_overrides_by_saying_so_and_the_trail_keeps_it(session: Session) -> None:
    racks = factories.cluster(session).racks
    factories.reservation(session, racks=[racks[0]], start=TODAY)
    who = moment(session, Role.ADMIN)
    change = outage("s1-h1-p1", kind=MAINTENANCE, start=day("12-05"))

    with pytest.raises(WithinMoveNotice, match="Tick the override"):
        put(session, change, who)
    session.rollback()
    put(session, change, who, Confirmation(overrides=True))

    entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "recorded an outage")).one()
    assert entry.after["move_notice_overridden"] is True


def test_a_failure_and_a_block_that_comes_later_know_no_move_notice(session: Session) -> None:
    """A failure asks nobody; maintenance from tomorrow on hits this block first on 1 January."""
    racks = factories.cluster(session).racks
    factories.reservation(session, racks=[racks[0]])
    who = moment(session)

    assert consequences_of(session, outage("s1-h1-p1"), who).late == []
    assert consequences_of(session, outage("s1-h1-p1", kind=MAINTENANCE), who).late == []


def test_what_was_confirmed_is_what_happens(session: Session) -> None:
    racks = factories.cluster(session).racks
    factories.reservation(session, racks=[racks[0]])
    who = moment(session)
    seen = consequences_of(session, outage("s1-h1"), who).digest
    factories.reservation(session, racks=[racks[1]])
    session.commit()

    with pytest.raises(ConsequencesChanged):
        put(session, outage("s1-h1"), who, Confirmation(seen=seen))
    session.rollback()
    put(session, outage("s1-h1"), who, Confirmation(seen=consequences_of(session, outage("s1-h1"), who).digest))


def test_an_outage_ends_by_a_correction_and_its_tenant_has_the_rack_back(session: Session) -> None:
    racks = factories.cluster(session).racks
    mine = factories.reservation(session, racks=[racks[0]], start=TODAY)
    row = factories.outage(session, racks[0], start=day("11-01"))
    who = moment(session)

    put(session, outage(racks[0].code, start=day("11-01"), end=day("11-25"), corrects=row.id), who)

    (message,) = session.scalars(sa.select(OutboxMessage))
    assert (message.kind, message.tenant_id) == ("racks_back", mine.tenant_id)
    assert message.payload["blocks"][0]["start"] == "2026-11-25"
    assert session.get_one(Outage, row.id).end == day("11-25")
    entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "corrected an outage")).one()
    assert (entry.before["end"], entry.after["end"]) == (None, "2026-11-25")


def test_one_rack_of_an_outage_comes_back_before_the_others(session: Session) -> None:
    made = factories.cluster(session, racks=3)
    for rack in made.racks:
        factories.outage(session, rack)
    who = moment(session)
    (event,) = events(session, When.CURRENT, TODAY)

    put(session, outage("s1-h1-p1-r2", end=day("12-01"), corrects=event.id), who)

    ends = {row.rack.code: row.end for row in session.scalars(sa.select(Outage))}
    assert ends == {"s1-h1-p1-r1": None, "s1-h1-p1-r2": day("12-01"), "s1-h1-p1-r3": None}
    assert count(session, When.CURRENT, TODAY) == 2


def test_a_correction_reaches_no_rack_of_another_outage(session: Session) -> None:
    racks = factories.cluster(session).racks
    row = factories.outage(session, racks[0])
    who = moment(session)

    with pytest.raises(Invalid, match="s1-h1-p1-r2, s1-h1-p1-r3, s1-h1-p1-r4 is not part of this outage"):
        put(session, outage("s1-h1-p1", corrects=row.id), who)


def test_maintenance_brought_forward_asks_for_the_notice_again(session: Session) -> None:
    racks = factories.cluster(session).racks
    factories.reservation(session, racks=[racks[0]], start=TODAY)
    row = factories.outage(session, racks[0], kind=MAINTENANCE, start=day("12-20"), end=day("12-22"))
    who = moment(session)
    change = {"kind": MAINTENANCE, "corrects": row.id}

    with pytest.raises(WithinMoveNotice):
        put(session, outage(racks[0].code, **change, start=day("12-01"), end=day("12-22")), who)
    session.rollback()
    put(session, outage(racks[0].code, **change, start=day("12-20"), end=day("12-24")), who)

    assert session.scalars(sa.select(Outage.end)).all() == [day("12-24")]


def test_an_outage_that_never_was_is_removed_and_the_trail_keeps_it(session: Session) -> None:
    made = factories.cluster(session)
    for rack in made.racks:
        factories.outage(session, rack, note="wrong hall")
    who = moment(session)
    (event,) = events(session, When.CURRENT, TODAY)
    seen = consequences_of_removal(session, event, who).digest

    remove_outage(session, event.id, Confirmation(seen=seen), moment=who, time_limit_s=LIMIT_S)
    session.commit()

    assert session.scalars(sa.select(Outage)).all() == []
    entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "removed an outage")).one()
    assert (entry.before["units"], entry.before["note"]) == (["s1"], "wrong hall")
    with pytest.raises(NotFound):
        event_of(session, event.id)


@pytest.mark.parametrize("seed", range(4))
def test_the_consequences_are_what_the_export_says_afterwards(session: Session, seed: int) -> None:
    """Blocks, first and last days and GPUs, counted day by day in two snapshots, before and after."""
    random_ = random.Random(seed)
    racks = factories.cluster(session, halls=2, pods=2, racks=3).racks
    free = dict.fromkeys((rack.id for rack in racks), TODAY)
    for _ in range(14):
        chosen = random_.sample(racks, random_.randint(1, 3))
        start = max(free[rack.id] for rack in chosen) + dt.timedelta(random_.randint(0, 9))
        end = start + dt.timedelta(random_.randint(1, 30))
        free |= {rack.id: end for rack in chosen}
        make = factories.offer if random_.random() < 0.2 else factories.reservation
        make(session, racks=chosen, gpus=72 * len(chosen), start=start, end=end)
    for rack in random_.sample(racks, 4):
        start = TODAY + dt.timedelta(random_.randint(-5, 20))
        factories.outage(session, rack, start=start, end=start + dt.timedelta(random_.randint(1, 20)))
    who = moment(session)
    first = TODAY + dt.timedelta(random_.randint(-3, 15))
    change = outage("s1-h1-p1", racks[8].code, start=first, end=random_.choice([None, first + dt.timedelta(20)]))
    before = gpus_by_day(snapshot(session))
    found = consequences_of(session, change, who)

    put(session, change, who, Confirmation(seen=found.digest))

    after = gpus_by_day(snapshot(session))
    missing = {
        name: {
            each: gpus - after[name][each] for each, gpus in days.items() if each >= TODAY and gpus > after[name][each]
        }
        for name, days in before.items()
    }
    counted = {
        name: (min(days), max(days) + dt.timedelta(1), max(days.values())) for name, days in missing.items() if days
    }
    assert {loss.block.public_id: (loss.start, loss.end, loss.gpus) for loss in found.lost} == counted
    assert counted, "the case must hurt someone"
