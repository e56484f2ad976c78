"""The snapshot: what the solver reads. `Snapshot` is the file, field by field; `read` refuses a bad one as a whole.

The format and its rules are in ``docs/model.md``; cross-field faults are found by `solver.faults`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from solver import files, terms

FORMAT = "berth.snapshot/1"
Scope = Literal["pod", "hall", "site", "any"]
SCOPES: tuple[Scope, ...] = ("pod", "hall", "site", "any")


LARGEST_COUNT = 10**9  # so that sums over all blocks and days stay inside 64 bits
LARGEST_USD = 1e15
LARGEST_KW = 1e12


def _iso_date(value: Any) -> Any:
    if type(value) is dt.date:  # built in Python (the engine, the portal, tests); a file only brings text
        return value
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError(f"{files.quote(value)} must be a date as YYYY-MM-DD")
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value} is no day of the calendar") from None


def _instant(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str) or not re.fullmatch(_INSTANT, value):
        raise ValueError(f"{files.quote(value)} must be an instant as YYYY-MM-DDThh:mm:ssZ")
    try:
        return dt.datetime.fromisoformat(value).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{value} is no instant of the calendar") from None


def _whole(value: Any) -> Any:
    """Literal numbers are compared by value, so that 72.0 would pass for 72."""
    if type(value) is not int:
        raise ValueError(f"{files.quote(value)} must be a whole number")
    return value


_INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
Day = Annotated[dt.date, BeforeValidator(_iso_date)]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
Id = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Positive = Annotated[int, Field(ge=1, le=LARGEST_COUNT)]
Whole = Annotated[int, Field(ge=-LARGEST_COUNT, le=LARGEST_COUNT)]
Usd = Annotated[float, Field(ge=0, le=LARGEST_USD, allow_inf_nan=False)]


class Model(BaseModel):
    """Strict and closed: no coercion, no unknown field, no change after reading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, ignored_types=(cached_property,))


class PowerLimit(Model):
    """At most ``kw`` kilowatts for a site on each day of ``[start, end)``."""

    start: Day
    end: Day
    kw: Annotated[float, Field(ge=0, le=LARGEST_KW, allow_inf_nan=False)]


class Pod(Model):
    id: Id
    racks: list[Id]


class Hall(Model):
    id: Id
    spare_racks: Count
    pods: list[Pod]


class Site(Model):
    id: Id
    power_limits: list[PowerLimit]
    halls: list[Hall]


class Outage(Model):
    """A rack out of use on ``[start, end)``; ``end`` null: to the horizon and beyond."""

    rack: Id
    start: Day
    end: Day | None
    kind: Literal["failure", "maintenance", "absent"]


class Tenant(Model):
    id: Id
    name: str
    max_gpus: Count | None


class CommitmentStep(Model):
    start: Day
    end: Day
    gpus: Count


class Contract(Model):
    id: Id
    tenant: Id
    start: Day
    end: Day
    lock_in_until: Day
    notice_days: Count
    notice_given_on: Day | None
    booking_lead_days: Count
    overage: bool
    site: Id | None
    commitments: list[CommitmentStep]

    @cached_property
    def terms(self) -> terms.Terms:
        """What this contract means on a day."""
        return terms.Terms(
            start=self.start,
            end=self.end,
            lock_in_until=self.lock_in_until,
            notice_days=self.notice_days,
            notice_given_on=self.notice_given_on,
            booking_lead_days=self.booking_lead_days,
            commitments=tuple(terms.Commitment(s.start, s.end, s.gpus) for s in self.commitments),
        )


class Segment(Model):
    """GPUs by rack on each day of ``[start, end)``; how many are right is for `solver.faults` and `solver.verify`."""

    start: Day
    end: Day
    racks: dict[Id, Whole]


class Reservation(Model):
    """A block that has been promised on ``[start, end)``."""

    id: Id
    tenant: Id
    contract: Id | None
    gpus: Positive
    start: Day
    end: Day
    scope: Scope
    site: Id | None
    tier: Count
    value_usd: Usd
    move_notice_days: Count
    interruptible: bool
    recall_notice_days: Count | None
    placement: list[Segment]

    def frozen(self, today: dt.date) -> bool:
        """R10: it starts before ``today + move_notice_days``."""
        return (self.start - today).days < self.move_notice_days


class Request(Model):
    """A wish for a block of ``days`` days, starting on a day of ``[earliest_start, latest_start]`` (both included)."""

    id: Id
    tenant: Id
    contract: Id | None
    tier: Count
    value_usd: Usd
    gpus: Positive
    min_gpus: Positive
    earliest_start: Day
    latest_start: Day
    days: Annotated[int, Field(ge=1, le=10**7)]
    scope: Scope
    site: Id | None
    interruptible: bool
    recall_notice_days: Count | None
    extends: Id | None
    submitted_at: Instant


class Snapshot(Model):
    """Everything a plan depends on. The plan decides ``[today, horizon_end)``."""

    format: Literal["berth.snapshot/1"]
    today: Day
    horizon_end: Day
    product: Id
    gpus_per_rack: Annotated[Literal[72], BeforeValidator(_whole)]
    gpus_per_tray: Annotated[Literal[4], BeforeValidator(_whole)]
    rack_kw: Annotated[float, Field(gt=0, le=LARGEST_KW, allow_inf_nan=False)]
    sites: list[Site]
    outages: list[Outage]
    tenants: list[Tenant]
    contracts: list[Contract]
    reservations: list[Reservation]
    requests: list[Request]

    @cached_property
    def contract_by_id(self) -> dict[str, Contract]:
        return {contract.id: contract for contract in self.contracts}

    def site_of(self, block: Reservation | Request) -> str | None:
        """R5: the site a block is bound to, by itself or by its contract; null: none."""
        if block.site is not None or block.contract is None:
            return block.site
        return self.contract_by_id[block.contract].site


@dataclass(frozen=True, slots=True)
class Loaded:
    """A snapshot with the digest of the bytes it was read from."""

    snapshot: Snapshot
    sha256: str


def load(path: str) -> Loaded:
    """Read the snapshot at ``path`` (``-``: standard input). Raises `solver.files.BadFile` with every fault."""
    data = files.read_bytes(path)
    return parse(data, "standard input" if path == files.STANDARD else path)


def parse(data: bytes, name: str = "snapshot") -> Loaded:
    """Read a snapshot from its JSON bytes. Raises `solver.files.BadFile` with every fault."""
    from solver import faults, partial

    content = files.parse_json(name, data)
    try:
        snapshot = Snapshot.model_validate(content)
    except ValidationError as error:
        rest = faults.snapshot_faults(partial.read(Snapshot, content), partial=True)
        raise files.BadFile(name, [*files.validation_faults(error), *rest]) from None
    found = faults.snapshot_faults(snapshot)
    if found:
        raise files.BadFile(name, found)
    return Loaded(snapshot, files.sha256(data))
