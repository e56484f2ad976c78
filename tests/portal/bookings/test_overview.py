"""The figures and dates of a tenant's overview."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from portal.bookings import overview
from portal.bookings.booked import Booked
from portal.domain.states import Party
from portal.models.contracts import CommitmentStep
from portal.web.charts.axis import Window
from tests.portal import factories
from tests.portal.bookings.landlord import JAN, Landlord, offered, reserved
from tests.portal.factories import NOW, TODAY

MARCH = dt.date(2027, 3, 1)


def titles(session: Session, town: Landlord) -> dict[str, list[dt.date]]:
    found: dict[str, list[dt.date]] = {}
    holdings = overview.holdings_of(session, town.tenant.id)
    for date in overview.dates(holdings, [], TODAY):
        found.setdefault(date.title, []).append(date.day)
    return found


def test_booked_counts_change_on_the_days_on_which_blocks_begin_and_end() -> None:
    day = dt.date(2027, 1, 1)
    booked = Booked(
        [(day, day + dt.timedelta(3), 72), (day + dt.timedelta(2), day + dt.timedelta(4), 4), (day, day, 9)]
    )

    assert [booked(day + dt.timedelta(n)) for n in range(-1, 5)] == [0, 72, 72, 76, 4, 0]


def test_today_s_figures(session: Session, town: Landlord) -> None:
    """144 committed; 72 drawn down and 36 on demand: 108 booked, 72 free to book. Another tenant counts for nothing."""
    contract = factories.contract(session, tenant_id=town.tenant.id, gpus=144)
    session.commit()
    reserved(session, town, contract_id=contract.id)
    reserved(session, town, gpus=36)
    reserved(session, town, to=town.stranger, gpus=144)

    figures = overview.figures(overview.holdings_of(session, town.tenant.id), JAN)

    assert (figures.booked, figures.committed, figures.unbooked, figures.on_demand) == (108, 144, 72, 36)


def test_the_chart_shows_bookings_against_commitments(session: Session, town: Landlord) -> None:
    contract = factories.contract(session, tenant_id=town.tenant.id, gpus=144)
    session.commit()
    reserved(session, town, contract_id=contract.id)

    view = overview.chart(overview.holdings_of(session, town.tenant.id), Window.of(JAN - dt.timedelta(1), 3))

    assert [(column.start, column.values, column.lines) for column in view.columns] == [
        (JAN - dt.timedelta(1), (0,), (144,)),
        (JAN, (72,), (144,)),
    ]


def test_a_ramp_step_and_its_booking_deadline(session: Session, town: Landlord) -> None:
    """144 rise to 288 on 1 March, all of 144 is booked until 1 April: the deadline is 14 days before each change."""
    contract = factories.contract(
        session,
        tenant_id=town.tenant.id,
        notice_by=Party.PROVIDER,
        commitment_steps=[
            CommitmentStep(start=dt.date(2026, 7, 1), end=MARCH, gpus=144),
            CommitmentStep(start=MARCH, end=dt.date(2030, 1, 1), gpus=288),
        ],
    )
    session.commit()
    reserved(session, town, contract_id=contract.id, gpus=144, earliest_start=TODAY, days=130)

    found = titles(session, town)

    assert found["Commitment rises"] == [MARCH]
    assert found["Booking deadline"] == [MARCH - dt.timedelta(14), dt.date(2027, 4, 1) - dt.timedelta(14)]
    assert found["Reservation starts"] == [TODAY]
    assert found["Reservation's last day"] == [dt.date(2027, 3, 31)]


def test_what_is_not_booked_inside_the_lead_is_due_today(session: Session, town: Landlord) -> None:
    factories.contract(session, tenant_id=town.tenant.id, notice_by=Party.PROVIDER)

    assert titles(session, town)["Booking deadline"] == [TODAY]


def test_notice_dates_of_a_contract_that_ends_soon(session: Session, town: Landlord) -> None:
    """Ends on 1 June: notice of 90 days given on 2 March would end it on 31 May; on 3 March it would change nothing."""
    factories.contract(session, tenant_id=town.tenant.id, end=dt.date(2027, 6, 1), lock_in_until=dt.date(2026, 12, 1))

    found = titles(session, town)

    assert found["Notice can be given"] == [dt.date(2026, 12, 1)]
    assert found["Last day to give notice"] == [dt.date(2027, 3, 2)]
    assert found["Contract's last day"] == [dt.date(2027, 5, 31)]


def test_a_tenant_that_may_not_leave_has_no_notice_dates(session: Session, town: Landlord) -> None:
    factories.contract(session, tenant_id=town.tenant.id, end=dt.date(2027, 6, 1), notice_by=Party.PROVIDER)

    assert not [title for title in titles(session, town) if "otice" in title]


def test_offers_are_dates_by_their_expiry(session: Session, town: Landlord) -> None:
    offer = offered(session, town)
    holdings = overview.holdings_of(session, town.tenant.id)

    (date,) = overview.dates(holdings, [offer], TODAY)

    assert (date.day, date.target) == ((NOW + dt.timedelta(2)).date(), ("offer", offer.public_id))
