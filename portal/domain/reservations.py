"""What a reservation is on a day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from portal.domain.states import RECORDED_ENDINGS, ReservationState


@dataclass(frozen=True, slots=True)
class Ending:
    """How a reservation ended other than by its dates, and the first day on which it is so."""

    state: ReservationState
    on: dt.date

    def __post_init__(self) -> None:
        if self.state not in RECORDED_ENDINGS:
            raise ValueError(f"{self.state} follows from a reservation's dates and is never recorded")


def state_on(start: dt.date, end: dt.date, ending: Ending | None, day: dt.date) -> ReservationState:
    """The state on ``day`` of a reservation for ``[start, end)``: a recorded ending once it has come, else by date."""
    if ending is not None and day >= ending.on:
        return ending.state
    if day < start:
        return ReservationState.SCHEDULED
    return ReservationState.ACTIVE if day < end else ReservationState.COMPLETED


def is_live(start: dt.date, end: dt.date, ending: Ending | None, day: dt.date) -> bool:
    """Whether it still binds capacity on ``day`` or later."""
    return state_on(start, end, ending, day) in {ReservationState.SCHEDULED, ReservationState.ACTIVE}
