"""What may happen to an offer."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.domain import offers
from portal.domain.errors import OfferClosed, TooManyOffers
from portal.domain.states import OfferState

EXPIRY = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
JUST_BEFORE = EXPIRY - dt.timedelta(microseconds=1)


def test_an_offer_stands_until_the_instant_of_its_expiry():
    assert offers.state_at(OfferState.STANDING, EXPIRY, JUST_BEFORE) is OfferState.STANDING
    assert offers.state_at(OfferState.STANDING, EXPIRY, EXPIRY) is OfferState.EXPIRED


@pytest.mark.parametrize("state", [state for state in OfferState if state is not OfferState.STANDING])
def test_an_answered_offer_never_expires(state):
    assert offers.state_at(state, EXPIRY, EXPIRY) is state


def test_a_standing_offer_can_be_answered():
    offers.check_answer(OfferState.STANDING, EXPIRY, JUST_BEFORE)
    assert offers.can_answer(OfferState.STANDING, EXPIRY, JUST_BEFORE)


@pytest.mark.parametrize(("state", "now"), [(OfferState.STANDING, EXPIRY), (OfferState.WITHDRAWN, JUST_BEFORE)])
def test_an_offer_that_no_longer_stands_cannot_be_answered(state, now):
    assert not offers.can_answer(state, EXPIRY, now)
    with pytest.raises(OfferClosed, match="no longer stands"):
        offers.check_answer(state, EXPIRY, now)


def test_a_fifth_offer_may_stand():
    offers.check_one_more(4)


def test_a_sixth_offer_may_not():
    with pytest.raises(TooManyOffers, match="5 offers stand"):
        offers.check_one_more(5)
