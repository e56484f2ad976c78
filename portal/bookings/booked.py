"""GPUs promised to reservations by day."""

from __future__ import annotations

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import accumulate

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.models.reservations import Reservation


class Booked:
    """A count of GPUs that changes on some days: on each day of ``[start, end)`` a block's GPUs count."""

    def __init__(self, blocks: Iterable[tuple[dt.date, dt.date, int]]) -> None:
        changes: dict[dt.date, int] = defaultdict(int)
        for start, end, gpus in blocks:
            if start < end:
                changes[start] += gpus
                changes[end] -= gpus
        self._days = sorted(changes)
        self._gpus = list(accumulate(changes[day] for day in self._days))

    def __call__(self, day: dt.date) -> int:
        """The GPUs on this day."""
        index = bisect.bisect_right(self._days, day) - 1
        return self._gpus[index] if index >= 0 else 0

    @property
    def steps(self) -> Mapping[dt.date, int]:
        """The GPUs from each day on on which their count changes."""
        return dict(zip(self._days, self._gpus, strict=True))


def booked_of(reservations: Iterable[Reservation]) -> Booked:
    """What these reservations promise, each up to its end or the day on which it was recorded as ended."""
    return Booked((row.start, min(row.end, row.ended_on or row.end), row.gpus) for row in reservations)


def booked_under(session: Session, contract_id: int) -> Booked:
    """R6: the GPUs promised to blocks charged to a contract."""
    return booked_of(session.scalars(sa.select(Reservation).where(Reservation.contract_id == contract_id)))
