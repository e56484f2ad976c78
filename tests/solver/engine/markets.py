"""Small oversubscribed markets, made from a seed: every kind of request, contract and reservation, nothing broken."""

from __future__ import annotations

import random

from tests.solver.reference import build
from tests.solver.reference.build import Content

DAYS = 40


def market(seed: int, *, requests: int = 40) -> Content:
    """Two sites, three halls, seven pods of four racks, forty days; the same seed gives the same market."""
    return _Market(random.Random(seed)).snapshot(requests)


class _Market:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def snapshot(self, requests: int) -> Content:
        limit = build.power_limit(10, 20, 140.0 * 6)
        sites = [
            build.site("A", halls=[self._hall("A0", 3), self._hall("A1", 2)]),
            build.site("B", halls=[self._hall("B0", 2)], power_limits=[limit] if self.chance.random() < 0.5 else []),
        ]
        return build.snapshot(
            days=DAYS,
            sites=sites,
            outages=[build.outage("A0p0r0", 5, 9), build.outage("B0p1r3", 0, None, "absent")],
            tenants=[build.tenant("t1"), build.tenant("t2", max_gpus=72 * 8)],
            contracts=[
                build.contract("k1", steps=[(-10, 20, 288), (20, 60, 432)], booking_lead_days=5, overage=True),
                build.contract("k2", steps=[(-10, 60, 216)], booking_lead_days=2, site="A"),
            ],
            reservations=[
                build.reservation("v1", start=-3, end=12, racks={"A0p0r1": 72, "A0p0r2": 72}),
                build.reservation("v2", start=0, end=30, racks={"B0p0r0": 24}),
                build.reservation(
                    "v3", start=8, end=30, racks={"A1p0r0": 72}, interruptible=True, recall_notice_days=4
                ),
            ],
            requests=[self._request(number) for number in range(requests)],
        )

    def _hall(self, name: str, pods: int) -> Content:
        racks = {f"{name}p{pod}": [f"{name}p{pod}r{rack}" for rack in range(4)] for pod in range(pods)}
        return build.hall(name, pods=racks, spare_racks=self.chance.randint(0, 1))

    def _request(self, number: int) -> Content:
        chance = self.chance
        gpus = chance.choice((4, 24, 48, 72, 72, 144, 216, 288, 432))
        kind = chance.random()
        contract = chance.choice(("k1", "k2")) if kind < 0.3 else None
        interruptible = kind > 0.85
        earliest, days = chance.randint(-2, DAYS - 3), chance.randint(1, 12)
        unit = 72 if gpus >= 72 else 4
        return build.request(
            f"q{number}",
            gpus=gpus,
            min_gpus=chance.choice((gpus, gpus, unit)),
            earliest=earliest,
            latest=earliest + chance.choice((0, 0, 3, 7)),
            days=days,
            tenant="t1" if contract else chance.choice(("t1", "t2")),
            contract=contract,
            tier=0 if contract else 2 if interruptible else 1,
            value_usd=round(gpus * days * chance.uniform(60, 140), 2),
            scope=chance.choice(("pod", "hall", "site", "any")),
            site="A" if contract == "k2" else chance.choice((None, None, "A", "B")),
            interruptible=interruptible,
            recall_notice_days=chance.choice((2, 6)) if interruptible else None,
            extends="v1" if contract == "k1" and gpus == 144 else None,
        )
