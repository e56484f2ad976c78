"""What would happen if notice were given on a day that may lie ahead. Nothing is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.contracts.consequences import Consequences, consequences_of
from portal.domain.errors import NoticeRefused
from portal.domain.notices import check_notice
from portal.domain.states import Party
from portal.models.contracts import Contract


@dataclass(frozen=True, slots=True)
class Simulation:
    """``day`` is the notice's day; ``refused`` says for each side that may not give it then why, and when it may."""

    day: dt.date
    consequences: Consequences | None
    refused: Mapping[Party, NoticeRefused]

    @property
    def first_date(self) -> dt.date | None:
        """The first day on which any side can give notice, where none can on ``day``."""
        return min((each.first_date for each in self.refused.values() if each.first_date), default=None)


def simulate(
    session: Session, contract: Contract, parties: Sequence[Party], *, day: dt.date, today: dt.date, now: dt.datetime
) -> Simulation:
    """What notice by one of ``parties`` on ``day`` would bring about; a day that has passed counts as today."""
    given_on = max(day, today)
    refused: dict[Party, NoticeRefused] = {}
    for party in parties:
        try:
            check_notice(contract.agreement, party, given_on)
        except NoticeRefused as refusal:
            refused[party] = refusal
    if len(refused) == len(parties):
        return Simulation(given_on, None, refused)
    found = consequences_of(session, contract, given_on=given_on, today=today, now=now)
    return Simulation(given_on, found, refused)
