"""Small clusters in trouble, made from a seed: dead racks, power cuts, holds, half-published repairs, recalls."""

from __future__ import annotations

import datetime as dt
import random

from tests.solver.reference import build
from tests.solver.reference.build import TODAY, Content

Load = dict[str, dict[int, int]]
FAR = (dt.date.max - TODAY).days


def storm(seed: int, *, most_racks: int = 16, days: int = 20, reservations: int = 7) -> Content:
    """A snapshot without requests; every seed another one."""
    return _Storm(random.Random(seed), days, reservations).snapshot(most_racks)


class _Storm:
    def __init__(self, chance: random.Random, days: int, reservations: int) -> None:
        self.chance = chance
        self.days = days
        self.reservations = reservations
        self.load: Load = {}
        self.racks_of: dict[str, list[str]] = {}

    def snapshot(self, most_racks: int) -> Content:
        sites = self._sites(most_racks)
        contracts = [self._contract(number) for number in range(self.chance.randint(0, 2))]
        wanted = self.chance.randint(1, self.reservations)
        placed = [self._reservation(number, contracts) for number in range(wanted)]
        return build.snapshot(
            days=self.days,
            sites=sites,
            outages=self._outages(),
            contracts=contracts,
            reservations=[reservation for reservation in placed if reservation is not None],
        )

    def _sites(self, most_racks: int) -> list[Content]:
        sites = []
        racks_left = self.chance.randint(3, most_racks)
        for name in ("A", "B")[: self.chance.randint(1, 2)]:
            halls = []
            self.racks_of[name] = []
            for h in range(self.chance.randint(1, 2)):
                pods = {}
                for p in range(self.chance.randint(1, 2)):
                    size = min(racks_left, self.chance.randint(1, 4))
                    racks_left -= size
                    pods[f"{name}{h}p{p}"] = [f"{name}{h}p{p}r{r}" for r in range(size)]
                    self.racks_of[name] += pods[f"{name}{h}p{p}"]
                halls.append(build.hall(f"{name}{h}", pods=pods, spare_racks=self.chance.randint(0, 1)))
            sites.append(build.site(name, halls=halls, power_limits=self._limits(name)))
        return sites

    def _limits(self, site: str) -> list[Content]:
        limits = []
        for _ in range(self.chance.choice((0, 0, 1, 1, 2))):
            start, end = self._span(-2, self.days + 4)
            racks = self.chance.randint(0, len(self.racks_of[site]))
            limits.append(build.power_limit(start, end, 140.0 * racks))
        return limits

    def _span(self, first: int, last: int) -> tuple[int, int]:
        start = self.chance.randint(first, last - 1)
        return start, self.chance.randint(start + 1, last)

    def _contract(self, number: int) -> Content:
        middle = self.chance.randint(1, self.days - 1)
        return build.contract(
            f"k{number}",
            end=self.chance.choice((self.days - 3, self.days + 50)),
            steps=[
                (-10, middle, 72 * self.chance.randint(0, 6)),
                (middle + self.chance.randint(0, 2), self.days + 50, 72 * self.chance.randint(0, 6)),
            ],
            booking_lead_days=self.chance.choice((0, 2, 5)),
            site=self.chance.choice((None, *self.racks_of)),
            overage=True,
        )

    def _reservation(self, number: int, contracts: list[Content]) -> Content | None:
        chance = self.chance
        start, end = self._span(-4, self.days + 3)
        end = FAR if chance.random() < 0.1 else end
        if end <= 0:
            return None
        interruptible = chance.random() < 0.3
        contract = None if interruptible or chance.random() < 0.5 else chance.choice([None, *contracts])
        bound = contract["site"] if contract else None
        gpus = chance.choice((16, 36, 52, 72, 72, 144, 144, 216, 288))
        site = chance.choice((bound, bound, *((bound,) if bound else self.racks_of)))
        placement = self._placement(gpus, start, end, site or bound)
        if not placement:
            return None
        return build.reservation(
            f"v{number}",
            start=start,
            end=end,
            gpus=gpus,
            contract=contract["id"] if contract else None,
            scope=chance.choice(("pod", "hall", "site", "any")),
            site=site,
            tier=chance.randint(0, 1),
            value_usd=float(chance.randint(1, 9) * 1000),
            move_notice_days=chance.choice((0, 3, 100)),
            interruptible=interruptible,
            recall_notice_days=chance.choice((0, 3, 7)) if interruptible else None,
            placement=placement,
        )

    def _placement(self, gpus: int, start: int, end: int, site: str | None) -> list[Content]:
        """One segment, or two as an earlier plan left them: with another rack, or with a rack missing."""
        last = min(end, self.days + 5)
        cut = self.chance.randint(start + 1, last - 1) if last - start > 2 and self.chance.random() < 0.3 else end
        before = self._free(gpus, start, cut, site)
        racks = dict.fromkeys(before[: max(1, gpus // 72)], min(gpus, 72))
        if sum(racks.values()) < gpus and self.chance.random() < 0.7:
            return []
        segments = [build.segment(start, cut, racks)]
        self._put(racks, start, cut)
        if cut < end:
            after = self._free(gpus, cut, end, site)
            kept = [rack for rack in racks if rack in after and self.chance.random() < 0.8]
            others = [rack for rack in after if rack not in kept][: self.chance.randint(0, len(racks) - len(kept))]
            racks = dict.fromkeys([*kept, *others], min(gpus, 72))
            if gpus < 72 and racks and self.chance.random() < 0.3:
                racks = dict.fromkeys(racks, 4 * self.chance.randint(1, gpus // 4))
            segments.append(build.segment(cut, end, racks))
            self._put(racks, cut, end)
        return segments

    def _free(self, gpus: int, start: int, end: int, site: str | None) -> list[str]:
        racks = [rack for name, racks in self.racks_of.items() if site in (None, name) for rack in racks]
        self.chance.shuffle(racks)
        first = self.chance.random() < 0.5  # neighbours, as a scope would have them
        if first:
            racks.sort(key=lambda rack: rack[:4])
        most = 72 - min(gpus, 72)
        return [rack for rack in racks if all(self._used(rack, day) <= most for day in _key_days(start, end))]

    def _used(self, rack: str, day: int) -> int:
        return self.load.get(rack, {}).get(day, 0)

    def _put(self, racks: dict[str, int], start: int, end: int) -> None:
        for rack, gpus in racks.items():
            load = self.load.setdefault(rack, {})
            for day in _key_days(start, end):
                load[day] = load.get(day, 0) + gpus

    def _outages(self) -> list[Content]:
        racks = [rack for racks in self.racks_of.values() for rack in racks]
        outages = []
        for _ in range(self.chance.randint(0, max(1, len(racks) // 2))) if racks else ():
            start, end = self._span(-2, self.days + 2)
            kind = self.chance.choice(("failure", "maintenance", "absent"))
            rack = (
                self.chance.choice(sorted(self.load) or racks)
                if self.chance.random() < 0.6
                else self.chance.choice(racks)
            )
            outages.append(build.outage(rack, start, None if self.chance.random() < 0.4 else end, kind))
        return outages


def _key_days(start: int, end: int) -> range:
    """The days on which loads are compared: nothing begins after day 100."""
    return range(start, min(end, 100))
