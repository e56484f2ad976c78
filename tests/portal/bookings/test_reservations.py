"""Cancelling reservations, and the condition of their racks, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.bookings import reservation_actions as actions
from portal.bookings.condition import Condition, Short, conditions_of
from portal.domain.errors import IllegalTransition, NotFound
from portal.domain.states import ReservationState
from portal.models.outbox import OutboxMessage
from portal.models.placements import Placement
from portal.models.reservations import Reservation
from tests.portal import factories
from tests.portal.bookings.landlord import JAN, Landlord, offered, reserved
from tests.portal.factories import NOW, TODAY

END = dt.date(2027, 1, 31)
MIDDLE = dt.date(2027, 1, 11)


def cancel(session: Session, town: Landlord, public_id: str, today: dt.date = TODAY) -> Reservation:
    row = actions.cancel(session, public_id=public_id, by=town.booker, now=NOW, today=today)
    session.commit()
    return row


def condition_of(session: Session, row: Reservation, today: dt.date = TODAY) -> Condition:
    return conditions_of(session, [row], today)[row.id]


def test_cancelled_before_its_start_it_keeps_its_dates_and_loses_its_racks(session: Session, town: Landlord) -> None:
    public_id = reserved(session, town, gpus=576).public_id
    session.commit()

    row = cancel(session, town, public_id)

    assert (row.state_on(TODAY), row.start, row.end) == (ReservationState.CANCELLED, JAN, END)
    assert (row.ended_on, row.ended_by_id, row.original_end) == (TODAY, town.booker.user_id, None)
    assert session.scalars(sa.select(Placement)).all() == []
    assert session.scalars(sa.select(OutboxMessage.kind)).all()[-1] == "reservation_cancelled"
    assert offered(session, town, to=town.stranger, gpus=576)


def test_cancelled_in_the_middle_it_keeps_its_history(session: Session, town: Landlord) -> None:
    """What lies before today stays as it was; from today on the racks are free."""
    public_id = reserved(session, town).public_id
    session.commit()

    row = cancel(session, town, public_id, MIDDLE)

    assert (row.start, row.end, row.original_end) == (JAN, MIDDLE, END)
    assert row.state_on(MIDDLE) is ReservationState.CANCELLED
    assert [(each.start, each.end) for each in session.scalars(sa.select(Placement))] == [(JAN, MIDDLE)]


@pytest.mark.parametrize("today", [END, END + dt.timedelta(5)])
def test_what_is_over_cannot_be_cancelled(session: Session, town: Landlord, today: dt.date) -> None:
    public_id = reserved(session, town).public_id
    session.commit()

    with pytest.raises(IllegalTransition):
        cancel(session, town, public_id, today)


def test_it_is_cancelled_once_and_by_its_own_tenant(session: Session, town: Landlord) -> None:
    public_id = reserved(session, town).public_id
    session.commit()

    with pytest.raises(NotFound):
        actions.cancel(session, public_id=public_id, by=town.stranger, now=NOW, today=TODAY)
    session.rollback()
    cancel(session, town, public_id)
    with pytest.raises(IllegalTransition):
        cancel(session, town, public_id)


@pytest.mark.parametrize(("days_before", "owed"), [(29, "0.1"), (30, "0"), (31, "0")])
def test_too_late_a_cancellation_owes_the_contract_s_share(
    session: Session, town: Landlord, days_before: int, owed: str
) -> None:
    """Ten percent fewer than 30 days before the start, nothing on the thirtieth."""
    contract = factories.contract(session, tenant_id=town.tenant.id, cancellation_days=30, cancellation_fee_percent=10)
    session.commit()
    row = reserved(session, town, contract_id=contract.id)

    fee = actions.cancellation_fee(row, JAN - dt.timedelta(days_before))

    assert float(fee) == pytest.approx(float(row.value_usd) * float(owed), abs=0.01)
    assert row.value_usd > 0


def test_on_demand_nothing_is_owed_for_cancelling(session: Session, town: Landlord) -> None:
    assert actions.cancellation_fee(reserved(session, town), MIDDLE) == 0


def test_a_reservation_whose_racks_are_in_order_is_not_short(session: Session, town: Landlord) -> None:
    condition = condition_of(session, reserved(session, town, gpus=144))

    assert condition.shorts == ()
    assert [(rack.gpus, rack.outage) for rack in condition.racks] == [(72, None), (72, None)]


def test_it_is_short_from_the_day_of_the_outage(session: Session, town: Landlord) -> None:
    """One of two racks fails on the 11th for five days, the other on the 13th for good."""
    row = reserved(session, town, gpus=144)
    first, second = (
        next(rack for rack in town.cluster.racks if rack.code == use.code) for use in condition_of(session, row).racks
    )
    factories.outage(session, first, start=MIDDLE, end=dt.date(2027, 1, 16))
    factories.outage(session, second, start=dt.date(2027, 1, 13))

    condition = condition_of(session, row)

    assert condition.shorts == (
        Short(MIDDLE, dt.date(2027, 1, 13), 72),
        Short(dt.date(2027, 1, 13), dt.date(2027, 1, 16), 144),
        Short(dt.date(2027, 1, 16), END, 72),
    )
    assert (condition.short_on(MIDDLE - dt.timedelta(1)), condition.short_on(MIDDLE)) == (0, 72)
    assert all(rack.outage for rack in condition.racks)


def test_outages_of_others_and_of_the_past_do_not_make_it_short(session: Session, town: Landlord) -> None:
    row = reserved(session, town)
    (own,) = condition_of(session, row).racks
    for rack in town.cluster.racks:
        if rack.code == own.code:
            factories.outage(session, rack, start=TODAY, end=JAN)
        else:
            factories.outage(session, rack)

    assert condition_of(session, row).shorts == ()


def test_a_plan_that_left_it_short_shows(session: Session, town: Landlord) -> None:
    """A placement that covers only a part of its days: what is missing is missing."""
    row = factories.reservation(session, tenant=town.tenant)
    factories.placement(session, town.cluster.racks[0], reservation_id=row.id, end=MIDDLE)

    assert condition_of(session, row).shorts == (Short(MIDDLE, END, 72),)


def test_a_cancelled_one_is_never_short(session: Session, town: Landlord) -> None:
    public_id = reserved(session, town).public_id
    session.commit()

    assert condition_of(session, cancel(session, town, public_id)) == Condition((), ())
