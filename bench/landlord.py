"""A landlord from a seed, with the troubles of a real one: failures, maintenance, a late pod, a power limit, holds.

`snapshot` makes the whole; the requests are the business of `bench.market`.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from bench import market
from bench.dates import TODAY, day
from bench.sizes import Size
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY

Content = dict[str, Any]

RACK_KW = 140.0
_SITE_NAMES = "memphis", "southaven", "tulsa"
_SITES_WITH_LIMITS_FROM = 2
_POWER_SHARE = 0.85
_FAILED_SHARE, _RACKS_PER_MAINTENANCE = 0.008, 400
_LARGEST_RESERVED_SHARE = 64
_RESERVATION_SIZES, _USD_RESERVED, _USD_RECALLABLE = (1.3, 1.1), 96.0, 48.0
_COMMITTED_SHARE, _COMMITMENT_GROWTH = 0.26, 1.43
_RECALLABLE_SHARE, _DRAWDOWN_SHARE = 0.05, 0.43


def snapshot(size: Size, *, seed: int) -> Content:
    """A snapshot as JSON content, the same for the same size and seed."""
    chance = random.Random(seed)  # noqa: S311  # chance for a benchmark, no secret
    sites = [_site(number, halls, size) for number, halls in enumerate(size.sites)]
    _limit_power(sites, size)
    tenants = _tenants(size)
    contracts = [_contract(chance, number, size) for number in range(size.contracts)]
    absent = _absent(sites, size)
    reservations = _Reservations(sites, size, chance, {outage["rack"] for outage in absent}).all()
    under = [rack for each in reservations for segment in each["placement"] for rack in segment["racks"]]
    outages = [*absent, *_failures(chance, sites, under, size), *_maintenance(chance, sites, size)]
    return {
        "format": "berth.snapshot/1",
        "today": TODAY.isoformat(),
        "horizon_end": day(size.days),
        "product": "gb300-nvl72",
        "gpus_per_rack": GPUS_PER_RACK,
        "gpus_per_tray": GPUS_PER_TRAY,
        "rack_kw": RACK_KW,
        "sites": sites,
        "outages": outages,
        "tenants": tenants,
        "contracts": contracts,
        "reservations": reservations,
        "requests": market.requests(size, chance, contracts, reservations, [site["id"] for site in sites]),
    }


def _site(number: int, halls: int, size: Size) -> Content:
    name = _SITE_NAMES[number]
    return {
        "id": name,
        "power_limits": [],
        "halls": [_hall(f"{name[0]}-h{hall + 1:02}", size) for hall in range(halls)],
    }


def _hall(name: str, size: Size) -> Content:
    pods = []
    for number in range(1, size.pods_per_hall + 1):
        pod = f"{name}-p{number:02}"
        pods.append({"id": pod, "racks": [f"{pod}-r{rack}" for rack in range(1, size.racks_per_pod + 1)]})
    return {"id": name, "spare_racks": size.spare_racks, "pods": pods}


def _limit_power(sites: list[Content], size: Size) -> None:
    """A quarter of a year with less power than the last site's racks need, where there are several sites."""
    if len(sites) < _SITES_WITH_LIMITS_FROM:
        return
    first = size.days // 3
    kw = round(_POWER_SHARE * len(sites[-1]["halls"]) * size.racks_per_hall) * RACK_KW
    sites[-1]["power_limits"].append({"start": day(first), "end": day(first + 91), "kw": kw})


def _tenants(size: Size) -> list[Content]:
    """Contracts' tenants first; the last tenant has a quota."""
    tenants: list[Content] = [
        {"id": f"t{i:02}", "name": f"Tenant {i:02}", "max_gpus": None} for i in range(size.tenants)
    ]
    tenants[-1]["max_gpus"] = max(2, size.racks // 50) * GPUS_PER_RACK
    return tenants


def _contract(chance: random.Random, number: int, size: Size) -> Content:
    """A commitment that grows once; the last of several contracts is under notice."""
    began = -chance.randint(40, 200)
    end = size.days + chance.choice((0, 0, 200))
    share = _COMMITTED_SHARE / size.contracts * chance.uniform(0.7, 1.3)
    racks, grows = max(1, round(share * size.racks)), chance.randint(size.days // 8, size.days // 2)
    steps = ((began, grows, racks), (grows, end, max(1, round(racks * _COMMITMENT_GROWTH))))
    is_ending = number == size.contracts - 1 > 0
    return {
        "id": f"c{number:02}",
        "tenant": f"t{number:02}",
        "start": day(began),
        "end": day(end),
        "lock_in_until": day(began + 30 if is_ending else began + 92),
        "notice_days": 90,
        "notice_given_on": day(-chance.randint(1, 9)) if is_ending else None,
        "booking_lead_days": chance.choice((7, 14, 21)),
        "overage": chance.random() < 0.5,
        "site": None,
        "commitments": [{"start": day(a), "end": day(b), "gpus": GPUS_PER_RACK * n} for a, b, n in steps],
    }


def _absent(sites: list[Content], size: Size) -> list[Content]:
    """The last pod is delivered after a fifth of the horizon."""
    pod = sites[-1]["halls"][-1]["pods"][-1]
    return [_outage(rack, -400, size.days // 5, "absent") for rack in pod["racks"]]


def _failures(chance: random.Random, sites: list[Content], under: list[str], size: Size) -> list[Content]:
    """Failed racks anywhere, and as many under reservations, which then have to be replaced."""
    count = max(1, round(_FAILED_SHARE / 2 * size.racks))
    anywhere = chance.sample(_racks(sites), count)
    failed = dict.fromkeys([*anywhere, *chance.sample(under, min(count, len(under)))])
    return [_outage(rack, -chance.randint(0, 19), chance.randint(2, 40), "failure") for rack in failed]


def _maintenance(chance: random.Random, sites: list[Content], size: Size) -> list[Content]:
    """Pods whose racks are worked on from the same day, each for some days."""
    pods = [pod for site in sites for hall in site["halls"] for pod in hall["pods"]][:-1]
    outages = []
    for pod in chance.sample(pods, min(len(pods), max(1, size.racks // _RACKS_PER_MAINTENANCE))):
        first = chance.randint(1, size.days - 1)
        outages += [_outage(rack, first, first + chance.randint(2, 8), "maintenance") for rack in pod["racks"]]
    return outages


def _outage(rack: str, start: int, end: int, kind: str) -> Content:
    return {"rack": rack, "start": day(start), "end": day(end), "kind": kind}


def _racks(sites: list[Content]) -> list[str]:
    return [rack for site in sites for hall in site["halls"] for pod in hall["pods"] for rack in pod["racks"]]


class _Reservations:
    """Reservations, each on the first racks of a pod, a hall or the cluster that are free from its start on."""

    def __init__(self, sites: list[Content], size: Size, chance: random.Random, absent: set[str]) -> None:
        self.size, self.chance = size, chance
        halls = [[pod["racks"] for pod in hall["pods"]] for site in sites for hall in site["halls"]]
        self.units = {
            "pod": [racks for hall in halls for racks in hall],
            "hall": [[rack for racks in hall for rack in racks] for hall in halls],
            "any": [[rack for hall in halls for racks in hall for rack in racks]],
        }
        self.free_from = {rack: size.days + 1 if rack in absent else -dt.timedelta.max.days for rack in _racks(sites)}

    def all(self) -> list[Content]:
        made = (self._one(number) for number in range(self.size.reservations))
        return [reservation for reservation in made if reservation is not None]

    def _one(self, number: int) -> Content | None:
        chance, size = self.chance, self.size
        scope = chance.choice(("pod", "pod", "hall", "hall", "any"))
        most = min(size.racks_per_pod if scope == "pod" else size.racks // _LARGEST_RESERVED_SHARE, size.racks_per_hall)
        count = max(1, min(most, round(chance.lognormvariate(*_RESERVATION_SIZES))))
        start = chance.randint(-119, -1) if chance.random() < 0.7 else chance.randint(3, max(3, size.days // 2))
        end = max(start, 0) + chance.randint(min(15, size.days // 2), min(220, size.days))
        racks = self._take(scope, count, start, end)
        return _reservation(chance, number, size, scope=scope, racks=racks, days=(start, end)) if racks else None

    def _take(self, scope: str, count: int, start: int, end: int) -> list[str]:
        units = self.units[scope]
        for unit in self.chance.sample(units, min(len(units), 5)):
            free = [rack for rack in unit if self.free_from[rack] <= start][:count]
            if len(free) == count:
                self.free_from |= dict.fromkeys(free, end)
                return free
        return []


def _reservation(
    chance: random.Random, number: int, size: Size, *, scope: str, racks: list[str], days: tuple[int, int]
) -> Content:
    """A drawdown of tier 0, an on-demand block of tier 1, or a recallable one of tier 2."""
    kind = chance.random()
    recallable, drawn = kind < _RECALLABLE_SHARE, _RECALLABLE_SHARE <= kind < _RECALLABLE_SHARE + _DRAWDOWN_SHARE
    holder = chance.randrange(size.contracts) if drawn else chance.randrange(size.contracts, size.tenants)
    gpus, (start, end) = GPUS_PER_RACK * len(racks), days
    return {
        "id": f"v{number:04}",
        "tenant": f"t{holder:02}",
        "contract": f"c{holder:02}" if drawn else None,
        "gpus": gpus,
        "start": day(start),
        "end": day(end),
        "scope": scope,
        "site": None,
        "tier": 0 if drawn else 2 if recallable else 1,
        "value_usd": gpus * (end - start) * (_USD_RECALLABLE if recallable else _USD_RESERVED),
        "move_notice_days": chance.choice((7, 14, 30)),
        "interruptible": recallable,
        "recall_notice_days": chance.choice((3, 7)) if recallable else None,
        "placement": [{"start": day(start), "end": day(end), "racks": dict.fromkeys(racks, GPUS_PER_RACK)}],
    }
