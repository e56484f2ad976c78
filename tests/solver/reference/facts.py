"""What the rules say about a tiny snapshot before anything is decided, day by day, as plain lists (R1-R3, R6).

Days are numbered from today; they go on to the last day of the last reservation, beyond the horizon too.
"""

from __future__ import annotations

import datetime as dt
import math
from functools import cached_property

from solver.snapshot import Contract, PowerLimit, Request, Reservation, Snapshot

NO_LIMIT = 10**6


class Facts:
    """Racks, capacities and commitments by day."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.horizon = self.number(snapshot.horizon_end)
        self.days = max([self.horizon, *(self.number(r.end) for r in snapshot.reservations)])
        self.hall_of: dict[str, str] = {}
        self.pod_of: dict[str, str] = {}
        self.site_of: dict[str, str] = {}
        self.halls: dict[str, str] = {}
        for site in snapshot.sites:
            for hall in site.halls:
                self.halls[hall.id] = site.id
                for pod in hall.pods:
                    for rack in pod.racks:
                        self.pod_of[rack], self.hall_of[rack], self.site_of[rack] = pod.id, hall.id, site.id
        self.racks = list(self.pod_of)
        self.sites = [site.id for site in snapshot.sites]
        self.notices = sorted(
            {
                block.recall_notice_days
                for block in (*snapshot.requests, *snapshot.reservations)
                if block.recall_notice_days is not None
            }
        )

    def number(self, day: dt.date) -> int:
        return (day - self.snapshot.today).days

    def date(self, number: int) -> dt.date:
        return self.snapshot.today + dt.timedelta(number)

    def unit(self, scope: str, rack: str) -> str:
        """The unit of this scope in which the rack is; for ``any`` there is one only."""
        return {"pod": self.pod_of, "hall": self.hall_of, "site": self.site_of}.get(scope, {}).get(rack, "cluster")

    def outages(self, rack: str, day: int) -> list[str]:
        """The kinds of outage in which the rack is on the day."""
        return [
            outage.kind
            for outage in self.snapshot.outages
            if outage.rack == rack
            and self.number(outage.start) <= day
            and (outage.end is None or day < self.number(outage.end))
        ]

    @cached_property
    def healthy(self) -> dict[str, list[bool]]:
        return {rack: [not self.outages(rack, day) for day in range(self.days)] for rack in self.racks}

    @cached_property
    def sale(self) -> dict[str, list[int]]:
        """R2: racks of each hall that may carry a block on a day on which an accepted block stands there."""
        result = {}
        for site in self.snapshot.sites:
            for hall in site.halls:
                racks = [rack for pod in hall.pods for rack in pod.racks]
                result[hall.id] = [self._sale(racks, hall.spare_racks, day) for day in range(self.days)]
        return result

    def _sale(self, racks: list[str], spares: int, day: int) -> int:
        healthy = sum(not self.outages(rack, day) for rack in racks)
        present = sum("absent" not in self.outages(rack, day) for rack in racks)
        return max(0, min(healthy, present - spares))

    @cached_property
    def power(self) -> dict[str, list[int]]:
        """R3: racks of each site that may carry a block."""
        return {
            site.id: [self._power(site.power_limits, day) for day in range(self.days)] for site in self.snapshot.sites
        }

    def _power(self, limits: list[PowerLimit], day: int) -> int:
        held = [limit.kw for limit in limits if self.number(limit.start) <= day < self.number(limit.end)]
        return math.floor(min(held) / self.snapshot.rack_kw + 1e-9) if held else NO_LIMIT

    @cached_property
    def capacity(self) -> dict[str, list[int]]:
        """R3: ``cap_s(t)`` in GPUs."""
        return {
            site: [
                72
                * min(sum(self.sale[hall][day] for hall, s in self.halls.items() if s == site), self.power[site][day])
                for day in range(self.days)
            ]
            for site in self.sites
        }

    @cached_property
    def committed(self) -> dict[str, list[int]]:
        """``committed_k(t)``, read from the contract's own fields."""
        return {k.id: [self._committed(k, day) for day in range(self.days)] for k in self.snapshot.contracts}

    def in_force(self, contract_id: str, day: int) -> bool:
        contract = self.snapshot.contract_by_id[contract_id]
        end = self.number(contract.end)
        if contract.notice_given_on is not None:
            end = min(end, self.number(contract.notice_given_on) + contract.notice_days)
        return self.number(contract.start) <= day < end

    def _committed(self, contract: Contract, day: int) -> int:
        if not self.in_force(contract.id, day):
            return 0
        return sum(s.gpus for s in contract.commitments if self.number(s.start) <= day < self.number(s.end))

    def bound_site(self, block: Request | Reservation) -> str | None:
        """R5: the site in which the block must stand, by itself or by its contract."""
        by_contract = self.snapshot.contract_by_id[block.contract].site if block.contract else None
        return block.site or by_contract
