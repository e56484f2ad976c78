"""The changes that a scenario may name, field by field; a change is an object with one of these names as its key."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from solver.snapshot import LARGEST_KW, Count, Day, Id, Model, Request

LARGEST_ADDITION = 100_000  # racks that one change may add


class Notice(Model):
    """Notice of a contract, given on a day: it ends after its notice period."""

    contract: Id
    on: Day


class UnitOutage(Model):
    """Every rack of a unit out of use on ``[start, end)``; ``end`` null: to the horizon and beyond."""

    unit: Id
    start: Day
    end: Day | None


class Power(Model):
    """One more limit for a site on ``[start, end)``; where limits overlap, the lowest holds."""

    site: Id
    start: Day
    end: Day
    kw: Annotated[float, Field(ge=0, le=LARGEST_KW, allow_inf_nan=False)]


class AddPods(Model):
    """``pods`` new pods of ``racks`` racks each behind those of a hall, there from a day on."""

    hall: Id
    pods: Annotated[int, Field(ge=1, le=LARGEST_ADDITION)]
    racks: Annotated[int, Field(ge=1, le=LARGEST_ADDITION)]
    first_day: Day = Field(alias="from")


class NewCommitment(Model):
    """``gpus`` committed to a contract on each day of ``[start, end)``, instead of what its schedule says there."""

    contract: Id
    start: Day
    end: Day
    gpus: Count


Change = Notice | UnitOutage | Power | AddPods | Request | NewCommitment
KINDS: dict[str, type[Change]] = {
    "notice": Notice,
    "outage": UnitOutage,
    "power": Power,
    "add_pods": AddPods,
    "request": Request,
    "commitment": NewCommitment,
}
