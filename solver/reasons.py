"""The reason for a decline as a sentence, in two voices: to the provider with names, to a tenant without.

A tenant is told of *other commitments*, never of another tenant's name, size, dates, racks or prices.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from solver.plan import Holder, Reason, Shortage
from solver.snapshot import Request, Scope, Snapshot

CLUSTER = "cluster"
_NAMED = 3  # holders that a sentence names; the reason lists them all
_SCOPES: dict[Scope, str] = {"pod": "in one pod", "hall": "in one hall", "site": "in one site", "any": "in the cluster"}


@dataclass(frozen=True, slots=True)
class Names:
    """What the provider's sentences need to know of a snapshot besides the reason itself."""

    tenants: dict[str, str]
    quotas: dict[str, int | None]


def names_of(snapshot: Snapshot) -> Names:
    """The names that sentences use."""
    return Names(
        tenants={tenant.id: tenant.name for tenant in snapshot.tenants},
        quotas={tenant.id: tenant.max_gpus for tenant in snapshot.tenants},
    )


def for_planner(request: Request, reason: Reason, names: Names, *, is_priced: bool = True) -> str:
    """The sentence that stands in the plan: who stands in the way, with how much, on which days.

    ``is_priced``: the price to win was asked for, so that none means that a higher tier decides.
    """
    match reason.code:
        case "window":
            return _window(request)
        case "contract":
            return f"{_missing(reason, request)}: contract {request.contract} {_contract_cause(reason)}."
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
    worst = max(reason.short, key=lambda short: short.gpus)
    more = " and on other days" if len(reason.short) > 1 else ""
    return f"{_gpus(worst.gpus)} missing{_in_unit(worst, request)} {_on_days(worst)}{more}"


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


def _contract_cause(reason: Reason) -> str:
    if reason.holders:
        return f"is drawn already: {_own(reason.holders)}"
    return "is not in force, or commits too little, on those days"


def _after(holders: list[Holder]) -> str:
    """The blocks of the tenant's own that use up what it may have."""
    return f", of which {_own(holders)}" if holders else ""


def _own(holders: list[Holder]) -> str:
    return _list([f"{holder.id} has {holder.gpus:,}" for holder in holders[:_NAMED]], len(holders))


def _because(holders: list[Holder]) -> str:
    if not holders:
        return ""
    return ": " + _list([_holder(holder) for holder in holders[:_NAMED]], len(holders))


def _holder(holder: Holder) -> str:
    match holder.kind:
        case "hold":
            return f"the commitment of {holder.id} holds {holder.gpus:,}"
        case "reservation":
            return f"reservation {holder.id} has {holder.gpus:,}"
        case "accepted":
            return f"request {holder.id} takes {holder.gpus:,}"
        case "outage":
            return f"outages in hall {holder.id} take {holder.gpus:,}"
        case "spare":
            return f"hall {holder.id} keeps {holder.gpus:,} spare"
        case "power":
            return f"the power limit of site {holder.id} takes {holder.gpus:,}"


def _taken(reason: Reason) -> str:
    if reason.start is None:
        return f"Others took the room{_because(reason.holders)}"
    return f"It fits by itself from {date(reason.start)} on, but others took the room{_because(reason.holders)}"


def _outbid(reason: Reason) -> str:
    price = reason.price_to_win_usd
    ending = "a higher tier decides" if price is None else f"about USD {price:,.0f} would have won it"
    return f"{_taken(reason)}; {ending}."


def _list(parts: list[str], total: int) -> str:
    if total > len(parts):
        return f"{', '.join(parts)} and {total - len(parts):,} more"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"
