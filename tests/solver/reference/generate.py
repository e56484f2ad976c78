"""Tiny snapshots from a family and a seed, small enough for `tests.solver.reference.exhaustive`.

Each family is about a few rules; together they cover the format. The same family and seed give the same snapshot.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any, TypeVar

from tests.solver.reference import build
from tests.solver.reference.build import Content

T = TypeVar("T")
SCOPES = ("pod", "hall", "site", "any", "any")


class Dice(random.Random):
    """The choices that families share."""

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def value(self) -> float:
        return float(self.randrange(36, 3600, 36))

    def chunks(self, items: list[T], largest: int) -> list[list[T]]:
        """The items in order, in chunks of 1 to ``largest``."""
        if not items:
            return []
        size = min(self.randint(1, largest), len(items))
        return [items[:size], *self.chunks(items[size:], largest)]


def snapshot(family: str, seed: int) -> Content:
    """The snapshot of this family and seed."""
    return FAMILIES[family](Dice(f"{family}-{seed}"))


def plain(dice: Dice) -> Content:
    """R1, R4, R5: windows, sizes and scopes on racks that nobody has."""
    racks = dice.randint(3, 5)
    requests = [_request(dice, i, racks=racks) for i in range(4)]
    return build.snapshot(days=8, sites=_sites(dice, racks), requests=requests)


def holds(dice: Dice) -> Content:
    """R6, R7: drawdown beside on-demand, steps, booking leads, notices, overage, gaps in the schedule."""
    racks = dice.randint(3, 4)
    contracts = [_contract(dice, f"k{i + 1}", racks - 1) for i in range(dice.randint(1, 2))]
    requests = [_request(dice, i, racks=racks, contracts=contracts) for i in range(4)]
    return build.snapshot(days=8, sites=_sites(dice, racks), contracts=contracts, requests=requests)


def interruptible(dice: Dice) -> Content:
    """R8: interruptible blocks on capacity that is held, by booking lead and recall notice."""
    racks = dice.randint(2, 4)
    contracts = [
        _contract(dice, f"k{i + 1}", racks, booking_lead_days=dice.randint(0, 5)) for i in range(dice.randint(1, 2))
    ]
    requests = [_request(dice, i, racks=racks, contracts=contracts) for i in range(4)]
    for request in requests:
        if request["contract"] is None and dice.chance(0.8):
            request |= {"interruptible": True, "recall_notice_days": dice.randint(0, 5)}
    return build.snapshot(days=8, sites=_sites(dice, racks), contracts=contracts, requests=requests)


def trays(dice: Dice) -> Content:
    """R1: blocks below a rack that share racks, with each other and with reservations, and smallest sizes."""
    racks = dice.randint(1, 2)
    reservations = [build.reservation(racks={"r1": dice.choice([8, 36, 64])}, end=dice.randint(2, 8))]
    requests = []
    for i in range(4):
        gpus = dice.choice([24, 36, 40, 60, 68, 72])
        smallest = gpus if gpus == 72 or dice.chance(0.7) else gpus - dice.choice([4, 8])
        requests.append(_request(dice, i, racks=racks, gpus=gpus, min_gpus=smallest))
    return build.snapshot(
        days=6, sites=_sites(dice, racks), reservations=reservations[: dice.randint(0, 1)], requests=requests
    )


def ground(dice: Dice) -> Content:
    """R2, R3: outages of every kind, racks not there yet, spares, power limits."""
    racks = dice.randint(4, 5)
    outages = [
        build.outage(
            f"r{dice.randint(1, racks)}",
            start := dice.randint(-1, 6),
            dice.choice([None, start + dice.randint(1, 4)]),
            dice.choice(["failure", "maintenance", "absent"]),
        )
        for _ in range(dice.randint(1, 2))
    ]
    requests = [_request(dice, i, racks=racks) for i in range(4)]
    sites = _sites(dice, racks, spares=True, power=True)
    return build.snapshot(days=8, sites=sites, outages=outages, requests=requests)


def sites(dice: Dice) -> Content:
    """R3, R5, R7 by site, R9: contracts and requests bound to sites, quotas."""
    racks = dice.randint(4, 5)
    contracts = [_contract(dice, "k1", racks - 2, site=dice.choice(["s1", "s2", None]))]
    requests = [_request(dice, i, racks=racks, contracts=contracts) for i in range(4)]
    for request in requests:
        bound = contracts[0]["site"] if request["contract"] else None
        request["site"] = bound or dice.choice(["s1", "s2", None, None])
    return build.snapshot(
        days=7,
        sites=_sites(dice, racks, sites=2, power=dice.chance(0.3)),
        tenants=[build.tenant(max_gpus=dice.choice([72, 144, 216, None]))],
        contracts=contracts,
        requests=requests,
    )


def frozen(dice: Dice) -> Content:
    """Promises that stand and stay: frozen, charged or not, over the horizon, beside requests and holds."""
    racks = dice.randint(4, 5)
    contracts = [_contract(dice, "k1", 2, overage=dice.chance(0.7))]
    reservations = _reservations(dice, racks, 2)
    for reservation in reservations:
        reservation["contract"] = dice.choice(["k1", None])
    requests = [_request(dice, i, racks=2, contracts=contracts) for i in range(3)]
    for request in requests:
        request["extends"] = dice.choice(["v1", None])
    return build.snapshot(
        days=7,
        sites=_sites(dice, racks, spares=dice.chance(0.5)),
        tenants=[build.tenant(max_gpus=dice.choice([144, 216, None]))],
        contracts=contracts,
        reservations=reservations,
        requests=requests,
    )


def movable(dice: Dice) -> Content:
    """R10: reservations that may still be moved, in the way of requests or of an outage."""
    racks = dice.randint(3, 4)
    reservations = _reservations(dice, racks, 2)
    for reservation in reservations:
        reservation["move_notice_days"] = dice.randint(0, 2)
        if dice.chance(0.6):
            reservation["scope"] = "any"
    outages = [build.outage(f"r{dice.randint(1, racks)}", dice.randint(0, 4), dice.randint(5, 9))]
    return build.snapshot(
        days=7,
        sites=_sites(dice, racks),
        outages=outages if dice.chance(0.4) else [],
        reservations=reservations,
        requests=[_request(dice, i, racks=racks) for i in range(3)],
    )


def broken(dice: Dice) -> Content:
    """R10, R11: dead racks under frozen reservations, with and without room to replace them."""
    racks = dice.randint(2, 4)
    outages = [
        build.outage(f"r{rack + 1}", start := dice.randint(0, 3), dice.choice([9, start + dice.randint(1, 4)]))
        for rack in dice.sample(range(racks), dice.randint(1, 2))
    ]
    return build.snapshot(
        days=6,
        sites=_sites(dice, racks, spares=dice.chance(0.3)),
        outages=outages,
        reservations=_reservations(dice, racks, 2, last=7),
        requests=[_request(dice, i, racks=racks) for i in range(2)],
    )


def dark(dice: Dice) -> Content:
    """R3, R10: power below what stands in the only site."""
    racks = dice.randint(2, 4)
    sites = _sites(dice, racks)
    start = dice.randint(0, 3)
    sites[0]["power_limits"] = [
        build.power_limit(start, start + dice.randint(1, 4), 140.0 * dice.randint(0, racks - 1))
    ]
    reservations = _reservations(dice, racks, 3)
    if dice.chance(0.4):
        reservations[-1] |= {"interruptible": True, "recall_notice_days": dice.randint(0, 4)}
    return build.snapshot(
        days=7,
        sites=sites,
        reservations=reservations,
        requests=[_request(dice, i, racks=racks) for i in range(2)],
    )


def recalls(dice: Dice) -> Content:
    """R8, R11: interruptible reservations that stand in the way of better ones, or of holds."""
    racks = dice.randint(2, 3)
    reservations = _reservations(dice, racks, 2)
    for reservation in reservations:
        notice = dice.randint(0, 4)
        reservation |= {"interruptible": True, "recall_notice_days": notice, "tier": dice.randint(0, 2)}
        reservation["value_usd"] = dice.value()
    contracts = [_contract(dice, "k1", racks, booking_lead_days=dice.randint(2, 5))]
    return build.snapshot(
        days=7,
        sites=_sites(dice, racks),
        contracts=contracts if dice.chance(0.5) else [],
        reservations=reservations,
        requests=[_request(dice, i, racks=racks) for i in range(3)],
    )


def overcommitted(dice: Dice) -> Content:
    """R12: a commitment that the cluster can't hold, by itself or since racks died."""
    racks = dice.randint(2, 3)
    contract = _contract(dice, "k1", racks + 2, site=dice.choice(["s1", None]))
    requests = [_request(dice, i, racks=racks, contracts=[contract]) for i in range(3)]
    start = dice.randint(0, 4)
    return build.snapshot(
        days=7,
        sites=_sites(dice, racks),
        outages=[build.outage("r1", start, start + 3)] if dice.chance(0.5) else [],
        contracts=[contract],
        requests=requests,
    )


def shared(dice: Dice) -> Content:
    """R1, R10, R11: promises below a rack that share racks, some of which die."""
    racks = dice.randint(2, 3)
    reservations = []
    for i in range(dice.randint(2, 3)):
        start = dice.randint(-2, 3)
        gpus = dice.choice([8, 16, 24])
        fields = {"move_notice_days": dice.choice([0, 1000]), "scope": dice.choice(SCOPES)}
        if dice.chance(0.3):
            fields |= {"interruptible": True, "recall_notice_days": dice.randint(0, 3), "value_usd": dice.value()}
        end = dice.randint(max(1, start + 1), 7)
        reservations.append(
            build.reservation(f"v{i + 1}", start=start, end=end, racks={f"r{dice.randint(1, racks)}": gpus}, **fields)
        )
    start = dice.randint(0, 3)
    requests = [_request(dice, i, racks=racks, gpus=dice.choice([24, 48, 72]), min_gpus=24) for i in range(3)]
    for request in requests:
        request["min_gpus"] = 72 if request["gpus"] == 72 else request["min_gpus"]
    return build.snapshot(
        days=6,
        sites=_sites(dice, racks),
        outages=[build.outage(f"r{dice.randint(1, racks)}", start, start + dice.randint(1, 4))],
        reservations=reservations,
        requests=requests,
    )


def mixed(dice: Dice) -> Content:
    """Everything at once, a little of each."""
    racks = dice.randint(3, 5)
    bound = dice.choice(["s1", "s2", None])
    contracts = [_contract(dice, "k1", 2, site=bound, booking_lead_days=dice.randint(0, 5))]
    reservations = _reservations(dice, racks, 2, last=8)
    for reservation in reservations:
        reservation["move_notice_days"] = dice.choice([0, 2, 1000])
        kind = dice.choice(["charged", "recallable", "plain"])
        if kind == "recallable":
            reservation |= {"interruptible": True, "recall_notice_days": dice.randint(0, 3), "value_usd": dice.value()}
        if kind == "charged" and bound is None:
            reservation["contract"] = "k1"
    requests = [_request(dice, i, racks=2, contracts=contracts) for i in range(3)]
    if dice.chance(0.5):
        requests[0] |= {"gpus": 40, "min_gpus": 20}
    for request in requests:
        if request["contract"] is None and dice.chance(0.3):
            request |= {"interruptible": True, "recall_notice_days": dice.randint(0, 4)}
    start = dice.randint(0, 4)
    return build.snapshot(
        days=6,
        sites=_sites(dice, racks, sites=2, spares=dice.chance(0.3)),
        outages=[build.outage(f"r{dice.randint(1, racks)}", start, start + dice.randint(1, 4))],
        tenants=[build.tenant(max_gpus=dice.choice([144, 216, None, None]))],
        contracts=contracts,
        reservations=reservations,
        requests=requests,
    )


FAMILIES: dict[str, Callable[[Dice], Content]] = {
    family.__name__: family
    for family in (
        plain,
        holds,
        interruptible,
        trays,
        ground,
        sites,
        frozen,
        movable,
        broken,
        dark,
        recalls,
        overcommitted,
        shared,
        mixed,
    )
}


def _sites(dice: Dice, racks: int, *, sites: int = 1, spares: bool = False, power: bool = False) -> list[Content]:
    """``racks`` racks in pods of one to three, and halls of one or two pods; each site has at least one rack."""
    names = [f"r{i + 1}" for i in range(racks)]
    cuts = [0, *sorted(dice.sample(range(1, racks), sites - 1)), racks]
    result = []
    for s, (first, last) in enumerate(itertools.pairwise(cuts)):
        site = f"s{s + 1}"
        halls = dice.chunks(dice.chunks(names[first:last], 3), 2)
        limits = [build.power_limit(dice.randint(0, 3), dice.randint(4, 8), 140.0 * dice.randint(1, 3))]
        result.append(
            build.site(
                site,
                halls=[
                    build.hall(
                        f"{site}h{h + 1}",
                        pods={f"{site}h{h + 1}p{p + 1}": pod for p, pod in enumerate(hall)},
                        spare_racks=dice.randint(0, 1) if spares else 0,
                    )
                    for h, hall in enumerate(halls)
                ],
                power_limits=limits if power else [],
            )
        )
    return result


def _request(dice: Dice, number: int, *, racks: int, contracts: list[Content] | None = None, **fields: Any) -> Content:
    count = dice.randint(1, racks)
    earliest = dice.randint(-1, 4)
    charged = dice.choice([contract["id"] for contract in contracts]) if contracts and dice.chance(0.5) else None
    defaults = {
        "gpus": 72 * count,
        "min_gpus": 72 * (count if dice.chance(0.6) else dice.randint(1, count)),
        "earliest": earliest,
        "latest": earliest + dice.choice([0, 1, 2]),
        "days": dice.randint(1, 4),
        "scope": dice.choice(SCOPES),
        "tier": dice.choice([0, 1, 1]),
        "value_usd": dice.value(),
        "contract": charged,
    }
    bound = [contract["site"] for contract in contracts or [] if contract["id"] == charged]
    if bound and bound[0] and dice.chance(0.3):
        defaults["site"] = bound[0]
    return build.request(f"q{number + 1}", **(defaults | fields))


def _contract(dice: Dice, name: str, largest: int, **fields: Any) -> Content:
    cuts = sorted(dice.sample(range(-2, 11), 3))
    steps = [(a, b, 72 * dice.randint(0, largest)) for a, b in itertools.pairwise(cuts)]
    defaults = {
        "start": dice.choice([-5, -5, 2]),
        "end": dice.choice([30, 6]),
        "steps": steps,
        "overage": dice.chance(0.4),
        "booking_lead_days": dice.choice([0, 0, 2, 4]),
    }
    contract = build.contract(name, **(defaults | fields))
    if dice.chance(0.25):
        notice = dice.randint(0, 4)
        contract |= {"notice_given_on": build.day(notice), "lock_in_until": build.day(notice), "notice_days": 2}
    return contract


def _reservations(dice: Dice, racks: int, count: int, *, last: int = 9) -> list[Content]:
    """Frozen reservations of whole racks, each on racks of its own."""
    names = [f"r{i + 1}" for i in range(racks)]
    dice.shuffle(names)
    result = []
    for i, mine in enumerate(dice.chunks(names, 2)[:count]):
        start = dice.randint(-2, 3)
        end = dice.randint(max(1, start + 1), last)
        scope = dice.choice(SCOPES)
        result.append(build.reservation(f"v{i + 1}", start=start, end=end, racks=dict.fromkeys(mine, 72), scope=scope))
    return result
