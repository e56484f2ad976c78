"""Disasters on small clusters, made from a seed: dead racks, a dark hall, power cut below what is promised, holds.

Small enough for `tests.solver.reference.losses`. Reservations are frozen or not, firm or interruptible, of whole racks
or below one, in one unit or anywhere, one where another ends, or short already since an earlier plan.
"""

from __future__ import annotations

import itertools
import random
from typing import TypeVar

from tests.solver.reference import build
from tests.solver.reference.build import Content

T = TypeVar("T")
DAYS = 6
KINDS = ("racks", "hall", "power", "both")


def disaster(seed: int) -> Content:
    """A snapshot without requests; every seed another one."""
    return _Disaster(random.Random(seed)).snapshot()


class _Disaster:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.kind = chance.choice(KINDS)
        self.used: dict[tuple[str, int], int] = {}
        self.sites = self._sites()
        self.halls = [hall for site in self.sites for hall in site["halls"]]
        self.site_of = {r: s["id"] for s in self.sites for h in s["halls"] for p in h["pods"] for r in p["racks"]}

    def snapshot(self) -> Content:
        count = self.chance.choice((2, 2, 3, 3, 4))
        contracts = [self._contract(i) for i in range(self.chance.choice((0, 0, 1, 2)))]
        reservations = [r for i in range(count) if (r := self._reservation(f"v{i + 1}", contracts)) is not None]
        if reservations and self.chance.random() < 0.2:
            reservations += self._successor(reservations[0])
        outages = self._outages()
        if self.kind in ("power", "both"):
            self._cut_power()
        return build.snapshot(
            days=DAYS, sites=self.sites, outages=outages, contracts=contracts, reservations=reservations
        )

    def _sites(self) -> list[Content]:
        """Three to five racks in one site or two, in pods of up to three and halls of up to two pods."""
        racks = [f"r{i + 1}" for i in range(self.chance.choice((3, 4, 4, 5)))]
        cut = len(racks) if self.chance.random() < 0.5 else self.chance.randint(1, len(racks) - 1)
        sites = []
        for name, own in (("a", racks[:cut]), ("b", racks[cut:])):
            if own:
                halls = [
                    build.hall(f"{name}{h}", pods=dict(pods), spare_racks=self.chance.choice((0, 0, 1)))
                    for h, pods in enumerate(self._chunks(list(enumerate(self._chunks(own, 3))), 2))
                ]
                for hall in halls:
                    hall["pods"] = [pod | {"id": f"{hall['id']}p{pod['id']}"} for pod in hall["pods"]]
                sites.append(build.site(name, halls=halls))
        return sites

    def _chunks(self, items: list[T], most: int) -> list[list[T]]:
        if not items:
            return []
        size = min(self.chance.randint(1, most), len(items))
        return [items[:size], *self._chunks(items[size:], most)]

    def _contract(self, number: int) -> Content:
        steps = [(a, b, 72 * self.chance.randint(0, 3)) for a, b in itertools.pairwise((-5, 3, DAYS + 9))]
        return build.contract(
            f"k{number + 1}",
            steps=steps,
            overage=True,
            booking_lead_days=self.chance.choice((0, 0, 2, 4)),
            site=self.chance.choice((None, None, *(site["id"] for site in self.sites))),
        )

    def _reservation(self, name: str, contracts: list[Content]) -> Content | None:
        chance = self.chance
        start = chance.choice((-2, 0, 0, 1, 2, 3))
        end = chance.randint(max(start, 0) + 1, DAYS + 1)
        gpus = chance.choice((8, 20, 36, 48, 72, 72, 72, 144, 144))
        racks = self._free(start, end, gpus)
        scope = chance.choice(("pod", "hall", "site", "any"))
        if len(racks) < max(1, gpus // 72):
            return None
        placement = dict.fromkeys(racks[: max(1, gpus // 72)], min(gpus, 72))
        if chance.random() < 0.1:
            placement.popitem()  # what an earlier plan left short
        self._occupy(placement, start, end)
        recall = chance.randint(0, 4) if chance.random() < 0.25 else None
        contract = chance.choice([None, *contracts]) if recall is None else None
        sites = {self.site_of[rack] for rack in placement}
        site = sites.pop() if len(sites) == 1 and chance.random() < 0.3 else None
        if contract and contract["site"]:
            site = contract["site"]
        if any(site not in (None, self.site_of[rack]) for rack in placement):
            contract = site = None
        return build.reservation(
            name,
            start=start,
            end=end,
            gpus=gpus,
            racks=placement,
            scope=scope,
            site=site,
            tier=chance.randint(0, 1),
            value_usd=float(chance.randint(1, 9) * 1000),
            contract=contract["id"] if contract else None,
            move_notice_days=chance.choice((0, 2, 1000, 1000)),
            interruptible=recall is not None,
            recall_notice_days=recall,
        )

    def _successor(self, before: Content) -> list[Content]:
        """An extension that was accepted earlier: it begins on the same racks where the other ends."""
        (segment,) = before["placement"]
        start, end = self._number(segment["end"]), DAYS + 1
        days = range(start, end)
        whole = all(self.used.get((rack, day), 0) + n <= 72 for rack, n in segment["racks"].items() for day in days)
        if start >= end or not whole:
            return []
        self._occupy(segment["racks"], start, end)
        placement = [build.segment(start, end, segment["racks"])]
        return [before | {"id": "x1", "start": build.day(start), "end": build.day(end), "placement": placement}]

    def _number(self, day: str) -> int:
        return (build.dt.date.fromisoformat(day) - build.TODAY).days

    def _free(self, start: int, end: int, gpus: int) -> list[str]:
        racks = list(self.site_of)
        if self.chance.random() < 0.5:
            self.chance.shuffle(racks)
        most = 72 - min(72, gpus)
        return [rack for rack in racks if all(self.used.get((rack, day), 0) <= most for day in range(start, end))]

    def _occupy(self, racks: dict[str, int], start: int, end: int) -> None:
        for rack, day in itertools.product(racks, range(start, end)):
            self.used[rack, day] = self.used.get((rack, day), 0) + racks[rack]

    def _outages(self) -> list[Content]:
        if self.kind == "power":
            return []
        if self.kind == "hall":
            dead = [rack for pod in self.chance.choice(self.halls)["pods"] for rack in pod["racks"]]
            start, end = self._span()
            return [build.outage(rack, start, end) for rack in dead]
        dead = self.chance.sample(list(self.site_of), self.chance.randint(1, 2))
        return [build.outage(rack, *self._span(), self.chance.choice(("failure", "absent"))) for rack in dead]

    def _span(self) -> tuple[int, int | None]:
        start = self.chance.randint(-1, DAYS - 2)
        return start, self.chance.choice((None, start + self.chance.randint(1, 4)))

    def _cut_power(self) -> None:
        site = self.chance.choice(self.sites)
        racks = sum(len(pod["racks"]) for hall in site["halls"] for pod in hall["pods"])
        start = self.chance.randint(0, DAYS - 2)
        end = start + self.chance.randint(1, 2)
        site["power_limits"] = [build.power_limit(start, end, 140.0 * self.chance.randint(0, max(0, racks - 1)))]
