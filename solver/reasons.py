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
MOST_RIVALS = 20  # accepted blocks in a reason: the largest; hundreds of small ones may overlap a large one
_NAMED = 3  # holders that a sentence names; the reason lists them all
_SCOPES: dict[Scope, str] = {"pod": "in one pod", "hall": "in one hall", "site": "in one site", "any": "in the cluster"}


@dataclass(frozen=True, slots=True)
class Names:
    """What sentences need to know of a snapshot besides the reason itself."""

    today: dt.date
    horizon_end: dt.date
    tenants: dict[str, str]
    quotas: dict[str, int | None]
    contracts: dict[str, Terms]


def names_of(snapshot: Snapshot) -> Names:
    """The names that sentences use."""
    return Names(
        today=snapshot.today,
        horizon_end=snapshot.horizon_end,
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
            sentence = _window(request, names)
        case "contract":
            sentence = f"{_missing(reason, request)}: contract {request.contract} {_contract(request, reason, names)}"
        case "quota":
            quota = names.quotas.get(request.tenant) or 0
            name = names.tenants.get(request.tenant, request.tenant)
            sentence = f"{_missing(reason, request)}: the quota of {name} is {quota:,}{_own(reason.holders)}"
        case "capacity" | "topology":
            sentence = f"{_missing(reason, request)}{_topology(request, reason)}{_because(reason.holders)}"
        case "hold":
            sentence = f"{_missing(reason, request)}{_because(reason.holders)}"
        case "outbid":
            sentence = _taken(reason, request) + (f"; {_price(reason.price_to_win_usd)}" if is_priced else "")
    return _sentence(sentence)


def for_tenant(request: Request, reason: Reason, names: Names) -> str:
    """The sentence that the request's own tenant reads; of ``names`` it uses the tenant's own contract and quota."""
    least = request.min_gpus
    size = f"{least:,} GPUs" if least == request.gpus else f"even {least:,} GPUs"
    block = f"{size} for {_days(request.days)}"
    match reason.code:
        case "window":
            sentence = _window(request, names)
        case "contract":
            sentence = _own_contract(request, reason, names)
        case "quota":
            quota = names.quotas.get(request.tenant) or 0
            sentence = f"{block} in this window would take you above the {quota:,} GPUs agreed for you"
        case "capacity":
            sentence = f"there is no room for {block} in this window: other commitments and maintenance come first"
        case "topology":
            room = f"{least:,} GPUs for {_days(request.days)} in this window"
            sentence = f"there is room for {room}, but other commitments leave too little {_SCOPES[request.scope]}"
        case "hold" | "outbid":
            sentence = f"other commitments leave no room for {block} in this window"
    return _sentence(sentence)


def date(day: dt.date) -> str:
    """``4 Jan 2027``."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _window(request: Request, names: Names) -> str:
    if request.latest_start < names.today:
        return f"the last start asked for, {date(request.latest_start)}, has passed"
    last = date(names.horizon_end - dt.timedelta(days=1))
    window = _on_days(request.earliest_start, request.latest_start + dt.timedelta(days=1))
    return f"no start {window} leaves {_days(request.days)} before planning ends on {last}"


def _missing(reason: Reason, request: Request) -> str:
    """``up to 288 GPUs are missing in pod p1 on 20 days from 1 Feb 2027 to 24 Feb 2027``."""
    if not reason.short:
        return "room is missing" + (f" for a start on {date(reason.start)}" if reason.start else "")
    first, last = reason.short[0], reason.short[-1]
    days = sum((short.end - short.start).days for short in reason.short)
    most = _worst(reason).gpus
    has_gaps, varies = days < (last.end - first.start).days, any(short.gpus < most for short in reason.short)
    gpus = f"up to {most:,}" if varies else f"{most:,}"
    count = f"on {_days(days)} " if has_gaps else ""
    return f"{gpus} GPUs are missing{_in_unit(first, request)} {count}{_on_days(first.start, last.end)}"


def _worst(reason: Reason) -> Shortage:
    return max(reason.short, key=lambda short: short.gpus)


def _on_days(start: dt.date, end: dt.date) -> str:
    """The days ``[start, end)``. Sentences name the last day, where data has the day after it."""
    last = end - dt.timedelta(days=1)
    return f"on {date(start)}" if last == start else f"from {date(start)} to {date(last)}"


def _in_unit(short: Shortage, request: Request) -> str:
    """Where, unless it is the cluster: what is missing of a count is missing everywhere."""
    return "" if short.unit == CLUSTER else f" in {request.scope} {short.unit}"


def _topology(request: Request, reason: Reason) -> str:
    if reason.code != "topology":
        return ""
    return f", though the cluster has room; no other {request.scope} comes closer"


def _contract(request: Request, reason: Reason, names: Names) -> str:
    """Why the request's contract does not cover it, and the blocks that draw on it."""
    outside = _outside(request, reason, names)
    if outside is not None:
        return outside
    if not reason.short:
        return "does not cover it"
    return f"commits {_committed(request, reason, names)}{_own(reason.holders)}"


def _own_contract(request: Request, reason: Reason, names: Names) -> str:
    """The same for its tenant."""
    block = f"{request.min_gpus:,} GPUs for {_days(request.days)}"
    outside = _outside(request, reason, names)
    if outside is not None:
        return f"your contract {outside}, and {block} in this window would lie outside it"
    if not reason.short:
        return f"your contract does not cover {block} in this window beside what is booked on it"
    beside = " beside what is booked on it" if reason.holders else ""
    return f"your contract commits {_committed(request, reason, names)}, too few for {block}{beside}"


def _outside(request: Request, reason: Reason, names: Names) -> str | None:
    """R6: on which side the block from its start on leaves the days its contract is in force; None: on neither."""
    terms, start = names.contracts[request.contract or ""], reason.start or request.earliest_start
    if start < terms.start:
        return f"begins on {date(terms.start)}"
    if start + dt.timedelta(days=request.days) > terms.effective_end:
        return f"ends on {date(terms.effective_end - dt.timedelta(days=1))}"
    return None


def _committed(request: Request, reason: Reason, names: Names) -> str:
    """What the contract commits on the first day that lacks most."""
    day = _worst(reason).start
    committed = names.contracts[request.contract or ""].committed(day)
    return f"{committed:,} GPUs on {date(day)}" if committed else f"no GPUs on {date(day)}"


def _own(holders: list[Holder]) -> str:
    """The blocks that use up what their tenant may have, each with what it has at the most: on different days they
    may have more together than on any one.
    """
    if not holders:
        return ""
    upto = "" if len(holders) == 1 else "up to "
    parts = [f"{_NOUNS[holder.kind]} {holder.id} has {upto}{holder.gpus:,}" for holder in _named(holders)]
    return f", of which {_list(parts, len(holders))}"


_NOUNS: dict[HolderKind, str] = {"reservation": "reservation", "accepted": "request"}


def _named(holders: list[Holder]) -> list[Holder]:
    """One more where it would be the only other."""
    return holders[: _NAMED if len(holders) > _NAMED + 1 else _NAMED + 1]


def _because(holders: list[Holder]) -> str:
    if not holders:
        return ""
    named = _named(holders)
    groups = itertools.groupby(named, key=lambda holder: (holder.kind, holder.gpus))
    parts = [_holders(kind, [holder.id for holder in alike], gpus) for (kind, gpus), alike in groups]
    if sum(holder.kind == "accepted" for holder in holders) >= MOST_RIVALS:  # and perhaps more than the reason lists
        return f": {', '.join(parts)} and many others have the rest"
    return ": " + _list(parts, len(parts) + len(holders) - len(named))


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


def _taken(reason: Reason, request: Request) -> str:
    start = "" if reason.start is None else f", starting on {date(reason.start)}"
    missing = _missing(reason, request) if reason.short else "others took the room"
    return f"by itself it would fit{start}, but {missing}{_because(reason.holders)}"


def _price(usd: float | None) -> str:
    if usd is None:
        return "a higher tier decides"
    return f"about USD {_about(usd)} would have won it" if usd > 0 else "only lower tiers stand in its way"


def _about(usd: float) -> str:
    """Three digits, rounded up, as it is an estimate: ``38,300``, ``8.89 million``."""
    unit = 10 ** max(0, math.ceil(math.log10(max(usd, 1.0))) - 3)
    rounded = math.ceil(usd / unit) * unit
    return f"{rounded / 1_000_000:,.4g} million" if rounded >= 1_000_000 else f"{rounded:,}"


def _list(parts: list[str], total: int) -> str:
    """``total``: with those that are not named, two at least if any."""
    others = total - len(parts)
    if others > 0:
        return f"{', '.join(parts)} and {others:,} others have the rest"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"
