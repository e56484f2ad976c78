"""Requests from a seed: lognormal sizes, durations and prices, half with fixed starts, of every kind there is."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from bench.dates import TODAY, day
from bench.sizes import Size
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY

Content = dict[str, Any]

_USD_PER_GPU_DAY, _PRICE_SPREAD = 97.0, 0.34
_SIZE_SPREAD, _LARGEST_SHARE, _LARGEST_OF_HALL = 1.4, 8, 0.78
_SHARING_SHARE, _DRAWDOWN_SHARE, _RECALLABLE_SHARE, _SHRINKING_SHARE = 0.08, 0.15, 0.1, 0.1
_SITE_BOUND_SHARE, _EXTENDED_SHARE = 0.08, 0.3
_WINDOWS = (0, 0, 0, 0, 3, 7, 14, 28)
_MEDIAN_DAYS, _DAYS_SPREAD, _SHORTEST_DAYS = 36.0, 0.8, 7
_SMALL_SCOPES, _LARGE_SCOPES = (("pod", "hall", "any", "site"), (69, 17, 11, 3)), (("hall", "any", "site"), (59, 32, 9))


def requests(
    size: Size,
    chance: random.Random,
    contracts: list[Content],
    reservations: list[Content],
    sites: list[str],
) -> list[Content]:
    """The size's number of requests, asking together for its share of the cluster; some extend reservations."""
    made = [_request(chance, number, size, contracts, sites) for number in range(size.requests)]
    for request, gpus in zip(made, _gpus(chance, size, [request["days"] for request in made]), strict=True):
        _size(chance, request, gpus, size)
    made += [_extension(chance, each, size) for each in reservations if _may_be_extended(each, size)]
    extensions = made[size.requests :]
    for number, request in enumerate(extensions):
        request["id"] = f"x{number:04}"
    return made


def _request(chance: random.Random, number: int, size: Size, contracts: list[Content], sites: list[str]) -> Content:
    shortest = min(_SHORTEST_DAYS, size.longest_days // 2)
    days = round(chance.lognormvariate(0, _DAYS_SPREAD) * min(_MEDIAN_DAYS, size.longest_days / 2))
    days = max(shortest, min(size.longest_days, days))
    earliest = chance.randint(1, size.days - days)
    latest = min(earliest + chance.choice(_WINDOWS), size.days - days)
    kind = chance.random()
    drawn = contracts[chance.randrange(len(contracts))] if kind < _DRAWDOWN_SHARE else None
    recallable = kind > 1 - _RECALLABLE_SHARE
    return {
        "id": f"q{number:05}",
        "tenant": drawn["tenant"] if drawn else f"t{chance.randrange(size.tenants):02}",
        "contract": drawn["id"] if drawn else None,
        "tier": 0 if drawn else 2 if recallable else 1,
        "earliest_start": day(earliest),
        "latest_start": day(latest),
        "days": days,
        "site": chance.choice(sites) if len(sites) > 1 and chance.random() < _SITE_BOUND_SHARE else None,
        "interruptible": recallable,
        "recall_notice_days": chance.choice((3, 7, 14)) if recallable else None,
        "extends": None,
        "submitted_at": _submitted(chance),
    }


def _gpus(chance: random.Random, size: Size, days: list[int]) -> list[int]:
    """GPUs for each request; the median of their sizes is such that together they ask for the size's share."""
    draws = [chance.lognormvariate(0, _SIZE_SPREAD) for _ in days]
    sharing = [chance.random() < _SHARING_SHARE for _ in days]
    trays = [chance.randint(1, GPUS_PER_RACK // GPUS_PER_TRAY - 1) for _ in days]
    most = max(size.racks_per_pod, size.racks // _LARGEST_SHARE)
    wanted = size.asked * size.racks * size.days

    def racks(median: float) -> list[int]:
        return [max(1, min(most, round(median * draw))) for draw in draws]

    low, high = 0.0, float(size.racks)
    for _ in range(30):
        middle = (low + high) / 2
        asked = sum(count * length for count, length in zip(racks(middle), days, strict=True))
        low, high = (middle, high) if asked < wanted else (low, middle)
    return [
        GPUS_PER_TRAY * small if shares else GPUS_PER_RACK * count
        for small, shares, count in zip(trays, sharing, racks(low), strict=True)
    ]


def _size(chance: random.Random, request: Content, gpus: int, size: Size) -> None:
    """How much the request asks for, at least and at most, where, and what it is worth."""
    multiple = GPUS_PER_TRAY if gpus < GPUS_PER_RACK else GPUS_PER_RACK
    shrinks = gpus > multiple and chance.random() < _SHRINKING_SHARE
    usd = _USD_PER_GPU_DAY * chance.lognormvariate(0, _PRICE_SPREAD) * (0.5 if request["interruptible"] else 1.0)
    request |= {
        "gpus": gpus,
        "min_gpus": gpus // multiple // 2 * multiple if shrinks else gpus,
        "scope": _scope(chance, gpus, size),
        "value_usd": round(usd * gpus * request["days"], 2),
    }


def _scope(chance: random.Random, gpus: int, size: Size) -> str:
    if gpus > GPUS_PER_RACK * _LARGEST_OF_HALL * size.racks_per_hall:
        return chance.choice(("any", "site"))
    names, weights = _SMALL_SCOPES if gpus <= GPUS_PER_RACK * size.racks_per_pod else _LARGE_SCOPES
    return chance.choices(names, weights)[0]


def _may_be_extended(reservation: Content, size: Size) -> bool:
    """On demand, firm, and over soon enough."""
    over = (dt.date.fromisoformat(reservation["end"]) - TODAY).days
    on_demand = reservation["contract"] is None and not reservation["interruptible"]
    return on_demand and 0 < over <= _EXTENDED_SHARE * size.days


def _extension(chance: random.Random, reservation: Content, size: Size) -> Content:
    """The same block for some weeks more, on the racks it has."""
    days = chance.randint(1, min(60, max(1, size.days // 3)))
    usd = _USD_PER_GPU_DAY * chance.lognormvariate(0, _PRICE_SPREAD)
    kept = ("tenant", "contract", "tier", "gpus", "scope", "site", "interruptible", "recall_notice_days")
    return {name: reservation[name] for name in kept} | {
        "id": "",
        "min_gpus": reservation["gpus"],
        "earliest_start": reservation["end"],
        "latest_start": reservation["end"],
        "days": days,
        "value_usd": round(usd * reservation["gpus"] * days, 2),
        "extends": reservation["id"],
        "submitted_at": _submitted(chance),
    }


def _submitted(chance: random.Random) -> str:
    """Some hour of the last sixteen days."""
    midnight = dt.datetime.combine(TODAY, dt.time(), dt.UTC)
    return (midnight - dt.timedelta(hours=chance.randint(1, 16 * 24))).strftime("%Y-%m-%dT%H:%M:%SZ")
