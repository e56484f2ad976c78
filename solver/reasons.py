"""The reason for a decline as a sentence, in two voices: to the provider with names, to a tenant without.

A tenant is told of *other commitments*, never of another tenant's name, size, dates, racks or prices.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import dataclass

from solver.plan import Holder, HolderKind, Reason, Shortage
from solver.snapshot import Request, Scope, Snapshot
from solver.terms import Terms

CLUSTER = "cluster"
_NAMED = 3  # holders that a sentence names; the reason lists them all
_SCOPES: dict[Scope, str] = {"pod": "in one pod", "hall": "in one hall", "site": "in one site", "any": "in the cluster"}


@dataclass(frozen=True, slots=True)
class Names:
    """What the provider's sentences need to know of a snapshot besides the reason itself."""

    tenants: dict[str, str]
    quotas: dict[str, int | None]
    contracts: dict[str, Terms]


def names_of(snapshot: Snapshot) -> Names:
    """The names that sentences use."""
    return Names(
        tenants={tenant.id: tenant.name for tenant in snapshot.tenants},
        quotas={tenant.id: tenant.max_gpus for tenant in snapshot.tenants},
        contracts={contract.id: contract.terms for contract in snapshot.contracts},
    )


def for_planner(request: Request, reason: Reason, names: Names, *, is_priced: bool = True) -> str:
    """The sentence that stands in the plan: who stands in the way, with how much, on which days.

    ``is_priced``: the price to win was asked for, so that none means that a higher tier decides.
    """
    match reason.code:
        case "window":
            return _window(request)
        case "contract":
            return (
                f"{_missing(reason, request)}: contract {request.contract} {_contract_cause(request, reason, names)}."
            )
        case "quota":
            quota = names.quotas.get(request.tenant) or 0
            name = names.tenants.get(request.tenant, request.tenant)
            return f"{_missing(reason, request)}: the quota of {name} is {quota:,}{_after(reason.holders)}."
        case "capacity" | "topology":
            return f"{_missing(reason, request)}{_topology(request, reason)}{_because(reason.holders)}."
        case "hold":
            return f"{_missing(reason, request)}{_because(reason.holders)}."
        case "outbid":
            return _outbid(reason) if is_priced else f"{_taken(reason)}."


def for_tenant(request: Request, reason: Reason) -> str:
    """The sentence that the request's own tenant reads."""
    size, days = f"{request.min_gpus:,} GPUs", _days(request.days)
    match reason.code:
        case "window":
            return _window(request)
        case "contract":
            return f"Your contract does not cover {size} for {days} in this window beside what is booked on it."
        case "quota":
            return f"{size} for {days} in this window would take you above the number of GPUs agreed for you."
        case "capacity":
            return (
                f"There is no room for {size} for {days} in this window: other commitments and maintenance come first."
            )
        case "topology":
            scope = _SCOPES[request.scope]
            return (
                f"There is room for {size} for {days} in this window, but other commitments leave too little {scope}."
            )
        case "hold" | "outbid":
            return f"Other commitments leave no room for {size} for {days} in this window."


def date(day: dt.date) -> str:
    """``4 Jan 2027``."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _window(request: Request) -> str:
    window = f"from {date(request.earliest_start)} to {date(request.latest_start)}"
    return f"No start {window} leaves {_days(request.days)} between today and the end of planning."


def _missing(reason: Reason, request: Request) -> str:
    """``288 GPUs are missing in pod p1 from 1 Feb 2027 to 19 Feb 2027`` of the worst range."""
    if not reason.short:
        return "Room is missing"
    worst = _worst(reason)
    more = " and on other days" if len(reason.short) > 1 else ""
    return f"{_gpus(worst.gpus)} missing{_in_unit(worst, request)} {_on_days(worst)}{more}"


def _worst(reason: Reason) -> Shortage:
    return max(reason.short, key=lambda short: short.gpus)


def _on_days(short: Shortage) -> str:
    """Sentences name the last day, where data has the day after it."""
    last = short.end - dt.timedelta(days=1)
    return f"on {date(short.start)}" if last == short.start else f"from {date(short.start)} to {date(last)}"


def _gpus(gpus: int) -> str:
    return f"{gpus:,} GPUs are"


def _in_unit(short: Shortage, request: Request) -> str:
    """Where, unless it is the cluster: what is missing of a count is missing everywhere."""
    return "" if short.unit == CLUSTER else f" in {request.scope} {short.unit}"


def _topology(request: Request, reason: Reason) -> str:
    if reason.code != "topology":
        return ""
    return f", though the cluster has room; no other {request.scope} comes closer"


def _contract_cause(request: Request, reason: Reason, names: Names) -> str:
    if reason.holders:
        return f"is drawn already: {_own(reason.holders)}"
    if not reason.short:
        return "does not cover it"
    terms, worst = names.contracts[request.contract or ""], _worst(reason)
    if worst.start < terms.start:
        return f"begins on {date(terms.start)}"
    if worst.start >= terms.effective_end:
        return f"ends on {date(terms.effective_end - dt.timedelta(days=1))}"
    committed = terms.committed(worst.start)
    return f"commits {committed:,} then" if committed else "commits nothing then"


def _after(holders: list[Holder]) -> str:
    """The blocks of the tenant's own that use up what it may have."""
    return f", of which {_own(holders)}" if holders else ""


def _own(holders: list[Holder]) -> str:
    """With what each has at the most: on different days they may have more together than on any one."""
    named = holders[:_NAMED]
    if len(holders) == 1:
        return f"{named[0].id} has {named[0].gpus:,}"
    return _list([f"{holder.id} has up to {holder.gpus:,}" for holder in named], len(holders))


def _because(holders: list[Holder]) -> str:
    if not holders:
        return ""
    groups = itertools.groupby(holders[:_NAMED], key=lambda holder: (holder.kind, holder.gpus))
    parts = [_holders(kind, [holder.id for holder in alike], gpus) for (kind, gpus), alike in groups]
    return ": " + _list(parts, len(parts) + max(0, len(holders) - _NAMED))


def _holders(kind: HolderKind, ids: list[str], gpus: int) -> str:
    """Who stands in the way with as much each."""
    if len(ids) == 1 or kind not in _SEVERAL:
        return _list([_holder(kind, each, gpus) for each in ids], len(ids))
    nouns, verb = _SEVERAL[kind]
    return f"{nouns} {_list(ids, len(ids))} {verb} {gpus:,} each"


_SEVERAL: dict[HolderKind, tuple[str, str]] = {
    "hold": ("the commitments of", "hold"),
    "reservation": ("reservations", "have"),
    "accepted": ("requests", "take"),
}


def _holder(kind: HolderKind, name: str, gpus: int) -> str:
    match kind:
        case "hold":
            return f"the commitment of {name} holds {gpus:,}"
        case "reservation":
            return f"reservation {name} has {gpus:,}"
        case "accepted":
            return f"request {name} takes {gpus:,}"
        case "outage":
            return f"outages in hall {name} take {gpus:,}"
        case "spare":
            return f"hall {name} keeps {gpus:,} spare"
        case "power":
            return f"the power limit of site {name} takes {gpus:,}"


def _taken(reason: Reason) -> str:
    if reason.start is None:
        return f"Others took the room{_because(reason.holders)}"
    return f"It fits by itself from {date(reason.start)} on, but others took the room{_because(reason.holders)}"


def _outbid(reason: Reason) -> str:
    price = reason.price_to_win_usd
    ending = "a higher tier decides" if price is None else f"about USD {_about(price)} would have won it"
    return f"{_taken(reason)}; {ending}."


def _about(usd: float) -> str:
    """Three digits, rounded up, as it is an estimate: ``38,300``, ``8.89 million``."""
    unit = 10 ** max(0, math.ceil(math.log10(max(usd, 1.0))) - 3)
    rounded = math.ceil(usd / unit) * unit
    return f"{rounded / 1_000_000:,.4g} million" if rounded >= 1_000_000 else f"{rounded:,}"


def _list(parts: list[str], total: int) -> str:
    others = total - len(parts)
    if others > 0:
        return f"{', '.join(parts)} and {'another has' if others == 1 else f'{others:,} others have'} the rest"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"
