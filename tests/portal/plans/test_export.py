"""The database as a snapshot: everything a plan depends on, by public ids, in one consistent read."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.states import NoticeState, OfferState, OutageKind, RequestState, ReservationState, Scope
from portal.models.cluster import PowerLimit
from portal.plans import export
from solver import snapshot as snapshots
from tests.portal import factories
from tests.portal.factories import NOW, TODAY

HORIZON_END = dt.date(2029, 1, 1)


def exported(session: Session, *, now: dt.datetime = NOW) -> snapshots.Snapshot:
    session.flush()
    data = export.snapshot(session, today=TODAY, now=now, horizon_end=HORIZON_END)
    return snapshots.parse(data).snapshot


def test_an_empty_database_is_a_valid_snapshot(session: Session) -> None:
    snapshot = exported(session)

    assert (snapshot.today, snapshot.horizon_end) == (TODAY, HORIZON_END)
    assert (snapshot.rack_kw, snapshot.product) == (140.0, "gb300-nvl72")
    assert (snapshot.sites, snapshot.reservations, snapshot.requests) == ([], [], [])


def test_the_cluster_keeps_its_order_and_its_codes(session: Session) -> None:
    made = factories.cluster(session, sites=2, halls=2, pods=2, racks=2)
    made.halls[1].spare_racks = 3

    snapshot = exported(session)

    assert [rack for s in snapshot.sites for h in s.halls for p in h.pods for rack in p.racks] == [
        rack.code for rack in made.racks
    ]
    assert [hall.spare_racks for site in snapshot.sites for hall in site.halls] == [0, 3, 0, 0]


def test_power_limits_and_outages_that_are_over_are_left_out(session: Session) -> None:
    made = factories.cluster(session)
    days = [(dt.date(2026, 1, 1), TODAY), (dt.date(2027, 3, 1), dt.date(2027, 6, 1))]
    for start, end in days:
        session.add(PowerLimit(site_id=made.sites[0].id, start=start, end=end, kw=280.0, recorded_at=NOW))
        factories.outage(session, made.racks[0], start=start, end=end, kind=OutageKind.MAINTENANCE)
    factories.outage(session, made.racks[1], start=dt.date(2026, 1, 1))

    snapshot = exported(session)

    assert [(limit.start, limit.kw) for limit in snapshot.sites[0].power_limits] == [(dt.date(2027, 3, 1), 280.0)]
    assert [(outage.rack, outage.end, outage.kind) for outage in snapshot.outages] == [
        (made.racks[1].code, None, "failure"),
        (made.racks[0].code, dt.date(2027, 6, 1), "maintenance"),
    ]


def test_a_contract_is_exported_with_its_running_notice(session: Session) -> None:
    contract = factories.contract(session, gpus=144, booking_lead_days=7, overage=True, overage_rate=Decimal(3))
    factories.notice(session, contract, given_on=dt.date(2026, 11, 1))

    [only] = exported(session).contracts

    assert (only.id, only.notice_given_on, only.booking_lead_days) == (contract.public_id, dt.date(2026, 11, 1), 7)
    assert [(step.gpus, step.start) for step in only.commitments] == [(144, dt.date(2026, 7, 1))]


def test_a_withdrawn_notice_is_not_exported(session: Session) -> None:
    contract = factories.contract(session)
    person = factories.user(session)
    factories.notice(session, contract, state=NoticeState.WITHDRAWN, withdrawn_at=NOW, withdrawn_by_id=person.id)

    assert exported(session).contracts[0].notice_given_on is None


def test_a_reservation_is_exported_with_its_history(session: Session) -> None:
    made = factories.cluster(session)
    row = factories.reservation(session, start=dt.date(2026, 11, 1), end=dt.date(2027, 2, 1))
    for rack, start, end in [(0, row.start, TODAY), (1, TODAY, row.end)]:
        factories.placement(session, made.racks[rack], reservation_id=row.id, start=start, end=end)

    [only] = exported(session).reservations

    assert (only.id, only.gpus, only.move_notice_days) == (row.public_id, 72, 14)
    assert [(segment.start, segment.racks) for segment in only.placement] == [
        (dt.date(2026, 11, 1), {made.racks[0].code: 72}),
        (TODAY, {made.racks[1].code: 72}),
    ]


def test_reservations_that_are_over_or_cancelled_are_left_out(session: Session) -> None:
    factories.reservation(session, start=dt.date(2026, 10, 1), end=TODAY)
    start = dt.date(2027, 1, 1)
    by = factories.user(session).id
    ending: dict[str, Any] = {"ended_as": ReservationState.CANCELLED, "ended_at": NOW, "ended_by_id": by}
    factories.reservation(session, start=start, ended_on=TODAY, **ending)
    kept = factories.reservation(session, start=dt.date(2026, 11, 21), end=dt.date(2026, 11, 23))

    assert [reservation.id for reservation in exported(session).reservations] == [kept.public_id]


def test_a_recalled_reservation_keeps_its_racks_until_it_ends_and_is_worth_its_share(session: Session) -> None:
    made = factories.cluster(session)
    row = factories.reservation(
        session,
        racks=[made.racks[0]],
        interruptible=True,
        recall_notice_days=7,
        start=dt.date(2026, 11, 20),
        end=dt.date(2026, 11, 30),
        original_end=dt.date(2026, 12, 10),
        ended_as=ReservationState.RECALLED,
        ended_on=dt.date(2026, 11, 30),
        ended_at=NOW,
        ended_by_id=factories.user(session).id,
        value_usd=Decimal(2000),
    )

    [only] = exported(session).reservations

    assert (only.id, only.end, only.value_usd) == (row.public_id, dt.date(2026, 11, 30), 1000.0)


def test_a_standing_offer_is_a_reservation_that_may_be_moved_and_counts_for_the_quota(session: Session) -> None:
    made = factories.cluster(session)
    offer = factories.offer(session, racks=[made.racks[2]])

    [only] = exported(session).reservations

    assert (only.id, only.move_notice_days, only.frozen(TODAY)) == (offer.public_id, 0, False)
    assert only.placement[0].racks == {made.racks[2].code: 72}


def test_an_expired_offer_holds_nothing(session: Session) -> None:
    factories.offer(session, racks=[factories.cluster(session).racks[0]], expires_at=NOW + dt.timedelta(hours=1))

    assert len(exported(session, now=NOW + dt.timedelta(minutes=59)).reservations) == 1
    assert exported(session, now=NOW + dt.timedelta(hours=1)).reservations == []


def test_an_offer_that_was_answered_holds_nothing(session: Session) -> None:
    by = factories.user(session).id
    factories.offer(session, state=OfferState.REFUSED, answered_at=NOW, answered_by_id=by)

    assert exported(session).reservations == []


def test_submitted_and_waitlisted_requests_are_planned(session: Session) -> None:
    first = factories.submitted_request(session, scope=Scope.HALL, gpus=144, min_gpus=72)
    second = factories.submitted_request(session, state=RequestState.WAITLISTED)
    factories.request(session)

    requests = exported(session).requests

    assert [request.id for request in requests] == [first.public_id, second.public_id]
    assert (requests[0].scope, requests[0].min_gpus, requests[0].submitted_at) == ("hall", 72, first.submitted_at)


def test_a_request_that_an_approver_holds_is_not_planned(session: Session) -> None:
    factories.submitted_request(session, held_at=NOW, held_by_id=factories.user(session).id)

    assert exported(session).requests == []


def test_a_request_whose_last_start_has_passed_is_not_planned(session: Session) -> None:
    days: dict[str, Any] = {"earliest_start": dt.date(2026, 11, 1)}
    factories.submitted_request(session, latest_start=TODAY - dt.timedelta(1), **days)
    kept = factories.submitted_request(session, latest_start=TODAY, **days)

    assert [request.id for request in exported(session).requests] == [kept.public_id]


def test_an_extension_names_its_reservation_only_while_that_stands(session: Session) -> None:
    standing = factories.reservation(session)
    over = factories.reservation(session, start=dt.date(2026, 1, 1), end=dt.date(2026, 2, 1))
    for row in (standing, over):
        factories.submitted_request(session, tenant=row.tenant, extends_id=row.id)

    assert [request.extends for request in exported(session).requests] == [standing.public_id, None]


def test_blocks_name_contract_and_site_by_public_id(session: Session) -> None:
    site = factories.cluster(session).sites[0]
    contract = factories.contract(session)
    factories.submitted_request(session, tenant=contract.tenant, contract=contract, site_id=site.id)
    factories.reservation(session, tenant=contract.tenant, contract=contract, contract_id=contract.id, site_id=site.id)

    snapshot = exported(session)

    for block in (snapshot.requests[0], snapshot.reservations[0]):
        assert (block.tenant, block.contract, block.site) == (contract.tenant.public_id, contract.public_id, site.code)


def test_the_horizon_follows_from_the_settings(session: Session) -> None:
    assert export.horizon_end(session, TODAY) == dt.date(2030, 1, 1)


def test_a_snapshot_is_taken_from_one_moment_although_others_write_meanwhile(engine: sa.Engine) -> None:
    with Session(engine) as session:
        factories.tenant(session, public_id="first")
        session.commit()

    written = []

    def write_in_between(_connection: Any, statement: Any, *_: Any) -> None:
        if written or "FROM tenants" not in str(statement):
            return
        written.append(True)
        with Session(engine) as other:
            factories.tenant(other, public_id="second")
            factories.contract(other, public_id="late")
            other.commit()

    sa.event.listen(engine, "before_execute", write_in_between)
    with Session(engine) as session:
        taken = export.take(session, today=TODAY, now=NOW)

    assert written
    content = json.loads(taken.data)
    assert [tenant["id"] for tenant in content["tenants"]] == ["first"]
    assert content["contracts"] == []
    assert taken.fingerprint.today == TODAY.isoformat()
