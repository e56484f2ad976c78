"""The landlord file: inventory, rate card, tenants and contracts as one TOML (or JSON) file, for `berth import`.

`read` refuses a bad file as a whole, with every fault by its path. All ends are exclusive, as everywhere in the data.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from portal.domain.states import OutageKind, Party, Scope, TenantKind

FORMAT = "berth.landlord/1"


def _day(value: Any) -> Any:
    """A day as TOML writes it, or as text in JSON."""
    if type(value) is dt.date:
        return value
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("must be a day as YYYY-MM-DD") from None


def _dollars(value: Any) -> Any:
    """Money is exact: a whole number, or text such as "3.25"; never a binary fraction."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError('must be a whole number or text such as "3.25"')
    try:
        return Decimal(value)
    except ArithmeticError:
        raise ValueError('must be a whole number or text such as "3.25"') from None


Day = Annotated[dt.date, BeforeValidator(_day)]
Dollars = Annotated[Decimal, BeforeValidator(_dollars), Field(ge=0, allow_inf_nan=False)]
Id = Annotated[str, Field(min_length=1, max_length=48, pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
Count = Annotated[int, Field(ge=0, le=10**9, strict=True)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PowerLimit(_Part):
    start: Day
    end: Day
    kw: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    note: str = ""


class Hall(_Part):
    """``pods`` pods of ``racks_per_pod`` racks; ids follow the hall's: ``m-h01-p01-r1``."""

    id: Id
    name: Name
    pods: Annotated[int, Field(ge=1, le=999)]
    racks_per_pod: Annotated[int, Field(ge=1, le=99)]
    spare_racks: Count = 0

    def racks_by_pod(self) -> dict[str, list[str]]:
        """Rack ids by pod id, in order."""
        pods = [f"{self.id}-p{pod:02}" for pod in range(1, self.pods + 1)]
        return {pod: [f"{pod}-r{rack}" for rack in range(1, self.racks_per_pod + 1)] for pod in pods}


class Site(_Part):
    id: Id
    name: Name
    power_limits: list[PowerLimit] = []
    halls: list[Hall]


class Outage(_Part):
    """``unit`` is a rack, a pod or a hall: all its racks are out."""

    unit: Id
    start: Day
    end: Day | None = None
    kind: OutageKind
    note: str = ""


class Tenant(_Part):
    id: Id
    name: Name
    kind: TenantKind = TenantKind.CUSTOMER
    max_gpus: Count | None = None


class Commitment(_Part):
    start: Day
    end: Day
    gpus: Count


class MonthlyFee(_Part):
    start: Day
    end: Day
    usd_per_month: Dollars


class Contract(_Part):
    """``assumption`` says what of these terms is assumed rather than known; it is shown beside them."""

    id: Id
    tenant: Id
    start: Day
    end: Day
    lock_in_until: Day
    notice_days: Count
    notice_by: Party
    booking_lead_days: Count
    move_notice_days: Count
    cancellation_days: Count = 0
    cancellation_fee_percent: Annotated[int, Field(ge=0, le=100)] = 0
    overage_rate: Dollars | None = None
    site: Id | None = None
    assumption: str = ""
    commitments: list[Commitment]
    fees: list[MonthlyFee]


class Rate(_Part):
    scope: Scope
    interruptible: bool
    start: Day
    usd_per_gpu_hour: Dollars


class Landlord(_Part):
    format: Literal["berth.landlord/1"]
    product: Name = "gb300-nvl72"
    rack_kw: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 140.0
    sites: list[Site] = []
    outages: list[Outage] = []
    tenants: list[Tenant] = []
    contracts: list[Contract] = []
    rates: list[Rate] = []


class BadLandlordFile(Exception):
    """A file that is refused as a whole; ``faults`` has a sentence for each fault."""

    def __init__(self, name: str, faults: list[str]) -> None:
        self.name = name
        self.faults = tuple(faults)
        super().__init__(f"{name} is refused: {'; '.join(faults)}")


def read(path: Path) -> Landlord:
    """The landlord file at ``path``. Raises `BadLandlordFile` with every fault."""
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise BadLandlordFile(str(path), [f"it cannot be read: {error.strerror}"]) from None


def parse(data: bytes, name: str) -> Landlord:
    """A landlord from the bytes of a file; JSON where ``name`` ends in ``.json``, else TOML."""
    try:
        text = data.decode()
        content = json.loads(text) if name.endswith(".json") else tomllib.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadLandlordFile(name, [f"it is no {'JSON' if name.endswith('.json') else 'TOML'}: {error}"]) from None
    try:
        landlord = Landlord.model_validate(content)
    except ValidationError as error:
        raise BadLandlordFile(name, [_sentence(fault) for fault in error.errors(include_url=False)]) from None
    faults = list(_faults(landlord))
    if faults:
        raise BadLandlordFile(name, faults)
    return landlord


def _sentence(fault: Any) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
    text = str(fault["ctx"]["error"]) if fault["type"] == "value_error" else str(fault["msg"])
    return f"{path or 'the file'}: {text[:1].lower()}{text[1:]}"


def _faults(landlord: Landlord) -> Iterator[str]:
    """What no single field shows: ids given twice, intervals that end before they start, schedules that overlap."""
    halls = [
        (f"sites[{s}].halls[{h}]", hall) for s, site in enumerate(landlord.sites) for h, hall in enumerate(site.halls)
    ]
    for kind, named in (
        ("site", [(f"sites[{i}]", site.id) for i, site in enumerate(landlord.sites)]),
        ("hall", [(at, hall.id) for at, hall in halls]),
        ("tenant", [(f"tenants[{i}]", tenant.id) for i, tenant in enumerate(landlord.tenants)]),
        ("contract", [(f"contracts[{i}]", contract.id) for i, contract in enumerate(landlord.contracts)]),
    ):
        yield from _repeated(kind, named)
    for at, span in _spans(landlord):
        if span.end is not None and span.end <= span.start:
            yield f"{at}.end: {span.end} is not after the start, {span.start}"
    for i, contract in enumerate(landlord.contracts):
        yield from _contract_faults(f"contracts[{i}]", contract)


def _repeated(kind: str, named: list[tuple[str, str]]) -> Iterator[str]:
    first: dict[str, str] = {}
    for at, name in named:
        if name in first:
            yield f"{at}.id: the {kind} {name!r} is named already by {first[name]}"
        first.setdefault(name, at)


def _spans(landlord: Landlord) -> Iterator[tuple[str, Any]]:
    for s, site in enumerate(landlord.sites):
        yield from ((f"sites[{s}].power_limits[{i}]", limit) for i, limit in enumerate(site.power_limits))
    yield from ((f"outages[{i}]", outage) for i, outage in enumerate(landlord.outages))
    for i, contract in enumerate(landlord.contracts):
        yield f"contracts[{i}]", contract
        yield from ((f"contracts[{i}].commitments[{j}]", step) for j, step in enumerate(contract.commitments))
        yield from ((f"contracts[{i}].fees[{j}]", step) for j, step in enumerate(contract.fees))


def _contract_faults(at: str, contract: Contract) -> Iterator[str]:
    if contract.lock_in_until < contract.start:
        yield f"{at}.lock_in_until: {contract.lock_in_until} is before the start, {contract.start}"
    for kind, steps in (("commitments", contract.commitments), ("fees", contract.fees)):
        order = sorted(range(len(steps)), key=lambda i, steps=steps: steps[i].start)  # type: ignore[misc]
        for before, after in itertools.pairwise(order):
            if steps[after].start < steps[before].end:
                yield f"{at}.{kind}[{after}]: it overlaps {kind}[{before}]"
