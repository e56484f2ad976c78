"""The day on which every snapshot of the bench was taken, and day numbers as dates."""

from __future__ import annotations

import datetime as dt

TODAY = dt.date(2027, 1, 4)


def day(number: int) -> str:
    """The date ``number`` days after `TODAY`, as the snapshot writes it."""
    return (TODAY + dt.timedelta(number)).isoformat()
