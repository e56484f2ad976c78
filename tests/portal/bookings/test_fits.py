"""The answer to "does it fit": it agrees with what offers allow, and says it in a sentence."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from portal.bookings import fits, offer_actions
from portal.bookings.fits import Answer
from portal.bookings.offer_actions import GoneElsewhere, NewOffer
from portal.bookings.terms import WrongTerms, wish_of
from portal.domain.states import Scope
from portal.plans.fitting import runs
from portal.plans.standing import kept_standing, standing_of
from tests.portal import factories
from tests.portal.bookings.landlord import JAN, Landlord, block, offered, price, reserved, terms
from tests.portal.factories import NOW, TODAY


def answer(session: Session, town: Landlord, **values: Any) -> Answer:
    return fits.answer(session, terms(town.booker, **values), today=TODAY, now=NOW)


def test_an_empty_cluster_takes_it_as_asked(session: Session, town: Landlord) -> None:
    found = answer(session, town, gpus=144)

    assert (found.sentence, found.rest) == ("144 GPUs (2 racks) fit from 1 Jan 2027,", "as asked.")
    assert found.price is not None
    assert (found.price.price, found.price.rate, found.price.hours) == (price(144, 30, "3"), Decimal(3), 144 * 720)
    assert found.others == ()


def test_it_says_how_much_later_than_asked(session: Session, town: Landlord) -> None:
    """All racks are taken up to 4 January."""
    reserved(session, town, to=town.stranger, gpus=576, earliest_start=dt.date(2026, 12, 5))

    found = answer(session, town)

    assert (found.sentence, found.rest) == ("72 GPUs (1 rack) fit from 4 Jan 2027,", "3 days later than asked.")


def test_less_than_asked_is_an_answer_where_it_is_enough(session: Session, town: Landlord) -> None:
    reserved(session, town, to=town.stranger, gpus=360)

    found = answer(session, town, gpus=288, min_gpus=144)

    assert found.block is not None
    assert (found.block.kind, found.block.gpus, found.is_whole) == ("smaller", 216, False)
    assert found.price is not None
    assert found.price.price == price(216, 30, "3")
    assert {other.kind for other in found.others} >= {"later"}


def test_a_no_stands_beside_the_nearest_yes(session: Session, town: Landlord) -> None:
    reserved(session, town, to=town.stranger, gpus=360, days=60)

    found = answer(session, town, gpus=288)

    assert found.block is None
    assert found.sentence == "288 GPUs (4 racks) do not fit from any of 1 – 15 Jan 2027."
    assert {other.kind: other.gpus for other in found.others}["smaller"] == 216
    assert [(cell.level, cell.run.gpus) for cell in found.strip.cells][-1] == ("all", 288)


def test_the_strip_runs_through_without_gaps(session: Session, town: Landlord) -> None:
    reserved(session, town, to=town.stranger, gpus=360)

    strip = answer(session, town, gpus=288).strip

    assert strip.cells[0].run.first == strip.window.start == dt.date(2026, 12, 18)
    assert strip.cells[-1].run.until == strip.window.end
    assert all(a.run.until == b.run.first for a, b in zip(strip.cells, strip.cells[1:], strict=False))


@pytest.mark.parametrize("values", [{"gpus": 70}, {"rate": Decimal(2)}, {"days": 5000}])
def test_what_cannot_be_asked_for_has_no_answer(session: Session, town: Landlord, values: dict[str, Any]) -> None:
    with pytest.raises(WrongTerms):
        answer(session, town, **values)


def test_overage_is_priced_and_the_commitment_is_not(session: Session, town: Landlord) -> None:
    """144 committed, 72 booked: of 144 more, 72 are above for all 30 days at 5 dollars."""
    contract = factories.contract(session, tenant_id=town.tenant.id, gpus=144, overage=True, overage_rate=Decimal(5))
    session.commit()
    reserved(session, town, contract_id=contract.id)

    inside, above = (answer(session, town, contract_id=contract.id, gpus=gpus).price for gpus in (72, 144))

    assert inside is not None
    assert above is not None
    assert (inside.price, inside.overage_hours) == (0, 0)
    assert (above.price, above.overage_hours) == (price(72, 30, "5"), 72 * 30 * 24)


@pytest.mark.parametrize("gpus", [4, 40, 72, 144, 288, 576])
@pytest.mark.parametrize("scope", list(Scope))
def test_it_fits_exactly_where_an_offer_can_be_made(session: Session, town: Landlord, gpus: int, scope: Scope) -> None:
    """Beside a reservation, an offer, a hold, a spare rack and a quota, day by day against making the offer."""
    town.tenant.max_gpus = 360
    town.cluster.halls[0].spare_racks = 1
    factories.contract(session, tenant_id=town.stranger.tenant_id, gpus=72, booking_lead_days=40)
    session.commit()
    reserved(session, town, to=town.stranger, gpus=144, scope=Scope.POD, days=7)
    offered(session, town, gpus=40, earliest_start=JAN + dt.timedelta(3), days=9)

    wish = wish_of(session, terms(town.booker, gpus=gpus, scope=scope, days=5))
    with kept_standing(session, today=TODAY, now=NOW) as standing:
        found = runs(standing, wish, JAN - dt.timedelta(6), JAN + dt.timedelta(14))
    by_day = {run.first + dt.timedelta(n): run.gpus for run in found for n in range((run.until - run.first).days)}

    session.rollback()
    for day in sorted(by_day)[::2]:
        assert (by_day[day] == gpus) == can_be_offered(session, town, gpus, scope, day), day


def can_be_offered(session: Session, town: Landlord, gpus: int, scope: Scope, day: dt.date) -> bool:
    new = NewOffer(block(town.booker, gpus=gpus, scope=scope, days=5, earliest_start=day), NOW + dt.timedelta(1))
    try:
        offer_actions.make(session, new=new, by=town.approver, now=NOW, today=TODAY)
    except (GoneElsewhere, WrongTerms):
        return False
    finally:
        session.rollback()
    return True


def test_what_is_kept_follows_every_change(session: Session, town: Landlord) -> None:
    """An offer, its expiry, a quota: each is seen at once."""
    assert answer(session, town, gpus=576).is_whole
    offered(session, town, to=town.stranger, gpus=288, days=60)
    assert not answer(session, town, gpus=576).is_whole
    later = NOW + dt.timedelta(hours=48)
    assert fits.answer(session, terms(town.booker, gpus=576), today=TODAY, now=later).is_whole
    town.tenant.max_gpus = 288
    session.commit()
    found = fits.answer(session, terms(town.booker, gpus=576, min_gpus=72), today=TODAY, now=later)
    assert found.block is not None
    assert found.block.gpus == 288


def test_the_same_stands_kept_or_built(session: Session, town: Landlord) -> None:
    reserved(session, town, to=town.stranger, gpus=144)
    with kept_standing(session, today=TODAY, now=NOW) as kept:
        built = standing_of(session, today=TODAY, now=NOW)
        assert kept.blocks.keys() == built.blocks.keys()
        assert (kept.racks.used == built.racks.used).all()
