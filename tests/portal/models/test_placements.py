"""R1 as the database keeps it: no two blocks on the same GPUs, whether reservations or standing offers."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.states import OfferState
from portal.models.cluster import Rack
from portal.models.offers import expire_offers
from portal.models.placements import Placement
from tests.portal import factories
from tests.portal.models.refusals import refused

DAY = dt.timedelta(1)
START, END = dt.date(2027, 1, 1), dt.date(2027, 1, 31)


@pytest.fixture
def rack(session: Session) -> Rack:
    return factories.cluster(session).racks[0]


@pytest.fixture
def other_rack(session: Session, rack: Rack) -> Rack:
    return session.scalars(sa.select(Rack).where(Rack.id != rack.id)).first()


def whole_racks(session: Session) -> str:
    """SQLite has one trigger for both rules."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    return "ck_placements_rack_gpus" if sqlite else "ex_placements_whole_racks"


def part(session: Session, rack: Rack, gpus: int, start: dt.date = START, end: dt.date = END) -> Placement:
    owner = factories.reservation(session, gpus=gpus, start=start, end=end)
    return factories.placement(session, rack, reservation_id=owner.id, gpus=gpus, start=start, end=end)


class TestWholeRacks:
    def test_may_follow_each_other(self, session, rack):
        part(session, rack, 72)
        part(session, rack, 72, END, END + DAY)
        part(session, rack, 72, START - DAY, START)

    def test_may_stand_side_by_side(self, session, rack, other_rack):
        part(session, rack, 72)
        part(session, other_rack, 72)

    @pytest.mark.parametrize(
        ("start", "end"),
        [(START, END), (END - DAY, END + DAY), (START - DAY, START + DAY), (START + DAY, END - DAY)],
    )
    def test_never_share_a_day(self, session, rack, start, end):
        part(session, rack, 72)

        with refused(session, whole_racks(session)):
            part(session, rack, 72, start, end)

    def test_of_a_reservation_and_an_offer_never_share_a_day(self, session, rack):
        factories.offer(session, racks=[rack])

        with refused(session, whole_racks(session)):
            factories.reservation(session, racks=[rack])

    def test_cannot_be_moved_onto_each_other(self, session, rack, other_rack):
        part(session, rack, 72)
        mover = part(session, other_rack, 72)

        with refused(session, whole_racks(session)):
            mover.rack_id = rack.id

    def test_cannot_be_lengthened_into_each_other(self, session, rack):
        early = part(session, rack, 72, START, START + DAY)
        part(session, rack, 72, START + DAY, END)

        with refused(session, whole_racks(session)):
            early.end = START + 2 * DAY


class TestPartsOfRacks:
    def test_fill_a_rack(self, session, rack):
        part(session, rack, 40)
        part(session, rack, 28)
        part(session, rack, 4)

    def test_never_exceed_it(self, session, rack):
        part(session, rack, 40)
        part(session, rack, 32)

        with refused(session, "ck_placements_rack_gpus"):
            part(session, rack, 4, END - DAY, END + DAY)

    def test_that_follow_each_other_are_not_added_up(self, session, rack):
        middle = START + 10 * DAY
        part(session, rack, 40, START, middle)
        part(session, rack, 40, middle, END)
        part(session, rack, 32)

    def test_are_counted_on_their_busiest_day(self, session, rack):
        """Two blocks that start later meet on one day only, in the middle of the new one."""
        part(session, rack, 36, START + 3 * DAY, START + 6 * DAY)
        part(session, rack, 36, START + 5 * DAY, START + 9 * DAY)
        part(session, rack, 36, START, START + 5 * DAY)

        with refused(session, "ck_placements_rack_gpus"):
            part(session, rack, 4, START + 4 * DAY, START + 20 * DAY)

    def test_never_stand_on_a_whole_rack(self, session, rack):
        part(session, rack, 72)

        with refused(session, "ck_placements_rack_gpus"):
            part(session, rack, 4)

    def test_cannot_grow_beyond_the_rack(self, session, rack):
        part(session, rack, 40)
        small = part(session, rack, 32)

        with refused(session, "ck_placements_rack_gpus"):
            small.gpus = 36


def test_taking_an_offer_hands_its_placements_over(session, rack):
    offer = factories.offer(session, racks=[rack])
    reservation = factories.reservation(session, tenant=offer.tenant, offer=offer)

    session.execute(sa.update(Placement).values(offer_id=None, reservation_id=reservation.id))

    session.expire_all()
    assert offer.placements == []
    assert [placement.rack_id for placement in reservation.placements] == [rack.id]


def test_placements_of_a_day_on_are_deleted_before_new_ones_come(session, rack):
    """What publishing does in one transaction: the old block leaves its rack to a new one."""
    old = part(session, rack, 72)
    session.delete(old)
    session.flush()

    part(session, rack, 72)

    assert session.scalar(sa.select(sa.func.count()).select_from(Placement)) == 1


class TestExpiredOffers:
    def test_free_their_racks_for_those_who_come_next(self, session, rack):
        offer = factories.offer(session, racks=[rack])

        assert expire_offers(session, offer.expires_at) == [offer]

        assert offer.state is OfferState.EXPIRED
        part(session, rack, 72)

    def test_do_not_include_those_that_stand_or_were_answered(self, session, rack, other_rack):
        standing = factories.offer(session, racks=[rack])
        by = factories.user(session)
        factories.offer(session, state=OfferState.REFUSED, answered_at=standing.made_at, answered_by_id=by.id)

        assert expire_offers(session, standing.expires_at - dt.timedelta(seconds=1)) == []

        assert standing.state is OfferState.STANDING
        with refused(session, whole_racks(session)):
            part(session, rack, 72)
