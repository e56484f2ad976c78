"""The plan: what the solver answers. `Plan` is the file, field by field; `load` refuses a bad one as a whole.

A number that breaks a rule (76 GPUs on a rack) is no fault of the file: `solver.verify` names the rule.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationError

from solver import files
from solver.snapshot import Count, Day, Id, Model, Scope, Segment, Snapshot, Whole

FORMAT: Literal["berth.plan/1"] = "berth.plan/1"
Finite = Annotated[float, Field(allow_inf_nan=False)]
ReasonCode = Literal["window", "contract", "quota", "capacity", "topology", "hold", "outbid"]
CounterKind = Literal["earlier", "later", "wider", "smaller", "shorter"]
HolderKind = Literal["hold", "reservation", "accepted", "outage", "spare", "power"]


class Tier(Model):
    """The value reached in a tier beside the proven upper bound, both in USD; ``gap = (bound - value) / bound``."""

    tier: Count
    value_usd: Finite
    bound_usd: Finite
    gap: Finite


class Accepted(Model):
    request: Id
    gpus: Whole
    start: Day
    end: Day
    value_usd: Finite
    racks: dict[Id, Whole]


class Shortage(Model):
    """``gpus`` GPUs are missing in ``unit`` (an id, or ``cluster``) on each day of ``[start, end)``."""

    unit: Id
    start: Day
    end: Day
    gpus: Whole


class Holder(Model):
    """Who stands in the way, and with how many GPUs at the most."""

    kind: HolderKind
    id: Id
    gpus: Whole


class Reason(Model):
    code: ReasonCode
    text: str
    start: Day | None
    short: list[Shortage]
    holders: list[Holder]
    price_to_win_usd: Finite | None


class CounterOffer(Model):
    kind: CounterKind
    gpus: Whole
    start: Day
    end: Day
    scope: Scope


class Declined(Model):
    request: Id
    reason: Reason
    counter_offers: list[CounterOffer]


class Move(Model):
    reservation: Id
    forced: bool
    placement: list[Segment]


class Recall(Model):
    reservation: Id
    end: Day


class Shortfall(Model):
    reservation: Id
    start: Day
    end: Day
    gpus: Whole


class HoldShortfall(Model):
    contract: Id
    start: Day
    end: Day
    gpus: Whole


class Price(Model):
    start: Day
    end: Day
    usd_per_gpu_day: Finite


class Plan(Model):
    format: Literal["berth.plan/1"]
    snapshot_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    today: Day
    status: Literal["optimal", "feasible"]
    seconds: Finite
    seed: int
    tiers: list[Tier]
    accepted: list[Accepted]
    declined: list[Declined]
    moves: list[Move]
    recalls: list[Recall]
    shortfalls: list[Shortfall]
    hold_shortfalls: list[HoldShortfall]
    prices: list[Price]


def load(path: str) -> Plan:
    """Read the plan at ``path`` (``-``: standard input). Raises `solver.files.BadFile` with every fault."""
    return parse(files.read_bytes(path), "standard input" if path == files.STANDARD else path)


def parse(data: bytes, name: str = "plan") -> Plan:
    """Read a plan from its JSON bytes. Raises `solver.files.BadFile` with every fault."""
    content = files.parse_json(name, data)
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        raise files.BadFile(name, files.validation_faults(error)) from None


def belongs_to(plan: Plan, snapshot: Snapshot, sha256: str, name: str = "plan") -> None:
    """Refuse a plan that was made from another snapshot, or that names what the snapshot does not have."""
    from solver import plan_faults

    if plan.snapshot_sha256 != sha256:
        raise files.BadFile(name, [f"snapshot_sha256: {plan.snapshot_sha256} is not this snapshot's {sha256}"])
    found = plan_faults.plan_faults(plan, snapshot)
    if found:
        raise files.BadFile(name, found)
