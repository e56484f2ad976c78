"""The answer of ``compare``: a plan's figures for the snapshot as it is and for each scenario, and what differs.

A difference is the scenario's figure less that of the snapshot as it is: value that is lost counts below 0.
"""

from __future__ import annotations

from typing import Literal

from solver.plan import Finite, ReasonCode, Tier
from solver.snapshot import Count, Day, Id, Model

FORMAT: Literal["berth.comparison/1"] = "berth.comparison/1"


class Moved(Model):
    """``gpus`` on racks that the snapshot's placement of the reservation does not have."""

    reservation: Id
    forced: bool
    gpus: int


class Recalled(Model):
    reservation: Id
    end: Day
    gpu_days: int
    value_usd: Finite


class Short(Model):
    reservation: Id
    start: Day
    end: Day
    gpus: int
    gpu_days: int
    value_usd: Finite


class HoldShort(Model):
    contract: Id
    start: Day
    end: Day
    gpus: int
    gpu_days: int


class Summary(Model):
    """One plan. What is recalled or short is worth its share, by GPUs and days, of its reservation's value."""

    snapshot_sha256: str
    status: Literal["optimal", "feasible"]
    seconds: Finite
    tiers: list[Tier]
    accepted: int
    declined: int
    moves: list[Moved]
    recalls: list[Recalled]
    shortfalls: list[Short]
    hold_shortfalls: list[HoldShort]


class TierDifference(Model):
    tier: Count
    value_usd: Finite
    bound_usd: Finite


class Decision(Model):
    """How a plan decides a request: the block it gets, or the reason why it gets none."""

    accepted: bool
    gpus: int
    start: Day | None
    end: Day | None
    value_usd: Finite
    reason: ReasonCode | None
    text: str | None


class RequestDifference(Model):
    """A request that is decided otherwise; ``base`` is null where only the scenario has it."""

    request: Id
    tenant: Id
    tier: Count
    base: Decision | None
    scenario: Decision
    value_usd: Finite


class MoveDifference(Model):
    """``gpus``: how many more GPUs of the reservation move."""

    reservation: Id
    base_gpus: int
    scenario_gpus: int
    gpus: int


class ReservationDifference(Model):
    """``gpu_days`` more of the reservation are recalled or short; ``value_usd`` is what that is worth."""

    reservation: Id
    gpu_days: int
    value_usd: Finite


class EndedReservation(Model):
    """A reservation that a notice ends on ``end``, or drops where that is null."""

    reservation: Id
    end: Day | None
    gpu_days: int
    value_usd: Finite


class HoldDifference(Model):
    """``gpu_days`` more of the contract's hold are short; the snapshot names no price for a hold."""

    contract: Id
    gpu_days: int


class Differences(Model):
    tiers: list[TierDifference]
    requests: list[RequestDifference]
    moves: list[MoveDifference]
    recalls: list[ReservationDifference]
    shortfalls: list[ReservationDifference]
    hold_shortfalls: list[HoldDifference]
    ended: list[EndedReservation]


class ScenarioAnswer(Model):
    """``plan`` null: an interrupt came before it was begun; ``differences`` null: there is nothing to compare."""

    name: str
    plan: Summary | None
    differences: Differences | None


class Comparison(Model):
    """``interrupted``: plans that were under way are the best that their solves had by then."""

    format: Literal["berth.comparison/1"]
    today: Day
    seconds: Finite
    seed: int
    interrupted: bool
    base: Summary | None
    scenarios: list[ScenarioAnswer]
