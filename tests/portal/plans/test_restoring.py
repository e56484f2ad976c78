"""What holds lack, and racks for blocks that come back: computed by hand on four racks."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from portal.domain.states import Scope
from portal.models.tenants import Tenant
from portal.plans.fitting import Wish
from portal.plans.restoring import Gap, bring_back, missing
from portal.plans.standing import standing_of
from tests.portal import factories
from tests.portal.factories import NOW, TODAY

JANUARY, FEBRUARY = dt.date(2027, 1, 1), dt.date(2027, 2, 1)


def wish(tenant: Tenant, gpus: int, days: int) -> Wish:
    return Wish(tenant.public_id, None, gpus, gpus, days, Scope.ANY, None)


def test_a_hold_that_reservations_stand_on_lacks_what_they_take(session: Session) -> None:
    """Four racks, three committed: two of others in January leave two."""
    racks = factories.cluster(session, racks=4).racks
    empty = missing(standing_of(session, today=TODAY, now=NOW))
    factories.contract(session, gpus=216)
    for rack in racks[:2]:
        factories.reservation(session, racks=[rack], start=JANUARY, end=FEBRUARY)

    found = missing(standing_of(session, today=TODAY, now=NOW))

    assert found.beyond(empty) == (Gap(JANUARY, FEBRUARY, 72),)
    assert found.beyond(found) == ()


def test_what_is_booked_is_not_held_as_well(session: Session) -> None:
    racks = factories.cluster(session, racks=4).racks
    empty = missing(standing_of(session, today=TODAY, now=NOW))
    contract = factories.contract(session, gpus=216)
    for rack in racks[:3]:
        factories.reservation(
            session, racks=[rack], tenant=contract.tenant, contract_id=contract.id, start=JANUARY, end=FEBRUARY
        )

    assert missing(standing_of(session, today=TODAY, now=NOW)).beyond(empty) == ()


def test_nothing_is_held_within_the_booking_lead(session: Session) -> None:
    """Fourteen days: the hold begins on 6 December."""
    factories.cluster(session, racks=4)
    empty = missing(standing_of(session, today=TODAY, now=NOW))
    factories.contract(session, gpus=360, booking_lead_days=14, end=dt.date(2026, 12, 20))

    found = missing(standing_of(session, today=TODAY, now=NOW)).beyond(empty)

    assert found == (Gap(dt.date(2026, 12, 6), dt.date(2026, 12, 20), 72),)


def test_an_interruptible_block_stands_on_the_hold_of_a_long_lead_only(session: Session) -> None:
    """R8: recalled with 7 days' notice it may stand on a hold of 14 days' lead, with 21 it may not."""
    racks = factories.cluster(session, racks=4).racks
    empty = missing(standing_of(session, today=TODAY, now=NOW))
    factories.contract(session, gpus=288, booking_lead_days=14)
    block = factories.reservation(
        session, racks=[racks[0]], start=JANUARY, end=FEBRUARY, interruptible=True, recall_notice_days=7
    )
    assert missing(standing_of(session, today=TODAY, now=NOW)).beyond(empty) == ()

    block.recall_notice_days = 21
    session.flush()

    assert missing(standing_of(session, today=TODAY, now=NOW)).beyond(empty) == (Gap(JANUARY, FEBRUARY, 72),)


def test_blocks_come_back_one_on_top_of_the_other(session: Session) -> None:
    """Two of two racks fit beside two that stand, a third one does not."""
    racks = factories.cluster(session, racks=4).racks
    tenant = factories.tenant(session)
    factories.reservation(session, racks=[racks[0]], start=JANUARY, end=FEBRUARY)
    standing = standing_of(session, today=TODAY, now=NOW)

    first = bring_back(standing, "R-1", wish(tenant, 144, 10), JANUARY)
    second = bring_back(standing, "R-2", wish(tenant, 72, 31), JANUARY)

    assert first is not None
    assert second is not None
    assert {*first, *second} == {rack.code for rack in racks[1:]}
    assert bring_back(standing, "R-3", wish(tenant, 72, 10), JANUARY) is None
