"""What may happen to an offer. Its expiry is decided when read, not by a job."""

from __future__ import annotations

import datetime as dt

from portal.domain.errors import OfferClosed, TooManyOffers
from portal.domain.states import OfferState

MAX_STANDING = 5
"""So many offers of one tenant may stand at a time."""


def state_at(recorded: OfferState, expires_at: dt.datetime, now: dt.datetime) -> OfferState:
    """A standing offer has expired from the instant ``expires_at`` on."""
    if recorded is OfferState.STANDING and now >= expires_at:
        return OfferState.EXPIRED
    return recorded


def can_answer(recorded: OfferState, expires_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether it still stands: it can be taken, refused or withdrawn, and holds its capacity."""
    return state_at(recorded, expires_at, now) is OfferState.STANDING


def check_answer(recorded: OfferState, expires_at: dt.datetime, now: dt.datetime) -> None:
    """Raise `OfferClosed` unless the offer still stands."""
    state = state_at(recorded, expires_at, now)
    if state is not OfferState.STANDING:
        raise OfferClosed(f"This offer no longer stands: it is {state}. Ask for the block again.")


def check_one_more(standing: int) -> None:
    """Raise `TooManyOffers` where a tenant has as many standing offers (not expired) as may stand."""
    if standing >= MAX_STANDING:
        raise TooManyOffers(f"{MAX_STANDING} offers stand for this tenant. One must be answered or withdrawn first.")
