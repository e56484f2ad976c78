"""The cluster relaxation once more, as plain as it can be: one dense row per rule and day, solved by SciPy.

Only for snapshots whose reservations are firm, frozen and untouched by outages and power, and whose holds can be met.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog  # type: ignore[import-untyped]  # SciPy brings no types

from solver import cluster as clusters
from solver.snapshot import Contract, Request, Reservation, Snapshot

Row = tuple[dict[int, float], float]


@dataclass
class Dense:
    """Variables: a fraction per request and start, then the GPUs held per contract and day."""

    snapshot: Snapshot
    tier: int

    def __post_init__(self) -> None:
        self.cluster = clusters.build(self.snapshot)
        self.days = range(self.cluster.days)
        self.requests = [request for request in self.snapshot.requests if request.tier <= self.tier]
        self.sizes = {
            (request.id, start): size
            for request in self.requests
            for start in self.days
            if (size := self.fits(request, start))
        }
        self.columns = [
            (request, start) for request in self.requests for start in self.days if (request.id, start) in self.sizes
        ]
        self.holds = [(contract, day) for contract in self.snapshot.contracts for day in self.days]

    def value(self, reached: dict[int, float]) -> float:
        """The most value of the tier, in USD, with at least ``reached`` in the tiers above."""
        if not self.columns:
            return 0.0
        rows = [*self.once(), *self.capacity(), *self.owners(), *self.held(), *self.above(reached)]
        matrix, right = np.zeros((len(rows), len(self.columns) + len(self.holds))), np.zeros(len(rows))
        for number, (row, most) in enumerate(rows):
            matrix[number, list(row)] = list(row.values())
            right[number] = most
        worth = [request.value_usd if request.tier == self.tier else 0.0 for request, _ in self.columns]
        answer = linprog([*(-w for w in worth), *(0.0 for _ in self.holds)], A_ub=matrix, b_ub=right)
        assert answer.status == 0, answer.message
        return float(-answer.fun)

    def is_met(self) -> bool:
        """Whether reservations and holds alone keep every row."""
        return all(most >= sum(self.due(*hold) for hold in self.holds_in(row)) for row, most in self.capacity())

    def holds_in(self, row: dict[int, float]) -> Iterator[tuple[Contract, int]]:
        return (self.holds[number - len(self.columns)] for number in row if number >= len(self.columns))

    def fits(self, request: Request, start: int) -> int:
        """The largest size at which the request could start on this day if it were alone; 0 for none (R4-R6, R9)."""
        first, end = self.cluster.today.toordinal() + start, start + request.days
        if not request.earliest_start.toordinal() <= first <= request.latest_start.toordinal() or end > len(self.days):
            return 0
        step = 72 if request.gpus >= 72 else 4
        sizes = range(request.gpus, request.min_gpus - 1, -step)
        return next((size for size in sizes if self.could_have(request, size, range(start, end))), 0)

    def could_have(self, request: Request, size: int, days: range) -> bool:
        contract = self.contract_of(request)
        if contract is not None and not all(contract.terms.in_force(self.cluster.date(day)) for day in days):
            return False
        if any(size > self.room(contract, day) or size > self.quota(request.tenant, day) for day in days):
            return False
        return any(
            sum(self.is_open(rack, size, days) for rack in unit) * 72 >= size
            and (size < 72 or all(self.may_open(unit, day) * 72 >= size for day in days))
            for unit in self.units(request)
        )

    def is_open(self, rack: int, size: int, days: range) -> bool:
        """R1: a block of whole racks needs a rack to itself, a smaller one a rack that is not full."""
        most = 0 if size >= 72 else 71
        return all(self.cluster.healthy[rack, day] and self.on_rack(rack, day) <= most for day in days)

    def on_rack(self, rack: int, day: int) -> int:
        name = self.cluster.rack_ids[rack]
        return sum(self.racks(block, day).get(name, 0) for block in self.snapshot.reservations)

    def may_open(self, unit: list[int], day: int) -> int:
        """R2, R3: racks for sale and with power in the unit's halls, less those that carry a reservation."""
        halls = sorted({int(self.cluster.halls.of_rack[rack]) for rack in unit})
        left: dict[int, int] = {}
        for hall in halls:
            racks = range(self.cluster.halls.first[hall], self.cluster.halls.last[hall])
            carrying = sum(self.on_rack(rack, day) > 0 for rack in racks)
            site = int(self.cluster.site_of_hall[hall])
            left[site] = left.get(site, 0) + max(0, int(self.cluster.sale[hall, day]) - carrying)
        return sum(min(racks, self.powered(site, day)) for site, racks in left.items())

    def powered(self, site: int, day: int) -> int:
        racks = range(self.cluster.sites.first[site], self.cluster.sites.last[site])
        return max(0, int(self.cluster.power[site, day]) - sum(self.on_rack(rack, day) > 0 for rack in racks))

    def units(self, request: Request) -> Iterator[list[int]]:
        units = self.cluster.units(request.scope)
        site = self.snapshot.site_of(request)
        for first, last in zip(units.first, units.last, strict=True):
            racks = [
                r for r in range(first, last) if site in (None, self.cluster.sites.ids[self.cluster.sites.of_rack[r]])
            ]
            if racks and (request.scope == "any" or len(racks) == last - first):
                yield racks

    def contract_of(self, request: Request) -> Contract | None:
        return None if request.contract is None else self.snapshot.contract_by_id[request.contract]

    def reserved(self, day: int, *, site: str | None = None, **owner: str) -> int:
        """GPUs of reservations on a day, of a tenant or contract, or in a site."""
        return sum(
            gpus
            for block in self.snapshot.reservations
            if all(getattr(block, key) == value for key, value in owner.items())
            for rack, gpus in self.racks(block, day).items()
            if site in (None, self.cluster.sites.ids[self.cluster.sites.of_rack[self.cluster.rack_number[rack]]])
        )

    def racks(self, block: Reservation, day: int) -> dict[str, int]:
        date = self.cluster.date(day)
        return next((segment.racks for segment in block.placement if segment.start <= date < segment.end), {})

    def room(self, contract: Contract | None, day: int) -> float:
        if contract is None or contract.overage:
            return np.inf
        return max(0, contract.terms.committed(self.cluster.date(day)) - self.reserved(day, contract=contract.id))

    def quota(self, tenant_id: str, day: int) -> float:
        tenant = next(tenant for tenant in self.snapshot.tenants if tenant.id == tenant_id)
        return np.inf if tenant.max_gpus is None else max(0, tenant.max_gpus - self.reserved(day, tenant=tenant_id))

    def due(self, contract: Contract, day: int) -> int:
        booked = self.reserved(day, contract=contract.id)
        return contract.terms.held(self.cluster.date(day), booked=booked, today=self.cluster.today)

    def load(self, day: int, **fields: object) -> dict[int, float]:
        """GPUs by column on a day, of requests with these fields."""
        return {
            number: float(request.gpus)
            for number, (request, start) in enumerate(self.columns)
            if start <= day < start + request.days
            if all(getattr(request, key) == value for key, value in fields.items())
        }

    def once(self) -> Iterator[Row]:
        for request in self.requests:
            starts = [number for number, (other, _) in enumerate(self.columns) if other is request]
            largest = max(
                (self.sizes[request.id, start] for start in self.days if (request.id, start) in self.sizes), default=0
            )
            yield dict.fromkeys(starts, 1.0), largest / request.gpus

    def capacity(self) -> Iterator[Row]:
        """R7, and R8 for each notice; over the cluster (null) and by site."""
        notices = sorted({r.recall_notice_days for r in self.requests if r.recall_notice_days is not None})
        for day in self.days:
            for site in (None, *self.cluster.sites.ids):
                for notice in (None, *notices):
                    yield self.counted(day, site, notice), self.free(day, site)

    def counted(self, day: int, site: str | None, notice: int | None) -> dict[int, float]:
        row = {
            number: gpus
            for number, gpus in self.load(day).items()
            if site in (None, self.snapshot.site_of(request := self.columns[number][0]))
            if request.recall_notice_days is None or (notice is not None and request.recall_notice_days >= notice)
        }
        for number, (contract, held_on) in enumerate(self.holds, start=len(self.columns)):
            if (
                held_on == day
                and site in (None, contract.site)
                and (notice is None or contract.booking_lead_days < notice)
            ):
                row[number] = 1.0
        return row

    def free(self, day: int, site: str | None) -> float:
        capacity = self.cluster.capacity[:, day]
        all_gpus = capacity.sum() if site is None else capacity[self.cluster.sites.ids.index(site)]
        return float(all_gpus) - self.reserved(day, site=site)

    def owners(self) -> Iterator[Row]:
        """R6 and R9."""
        for day in self.days:
            for contract in self.snapshot.contracts:
                if not contract.overage:
                    yield self.load(day, contract=contract.id), self.room(contract, day)
            for tenant in self.snapshot.tenants:
                if tenant.max_gpus is not None:
                    yield self.load(day, tenant=tenant.id), self.quota(tenant.id, day)

    def held(self) -> Iterator[Row]:
        """R7: what is held is at least what is due less what is booked."""
        for number, (contract, day) in enumerate(self.holds, start=len(self.columns)):
            booked = {column: -gpus for column, gpus in self.load(day, contract=contract.id).items()}
            yield {number: -1.0} | booked, -self.due(contract, day)

    def above(self, reached: dict[int, float]) -> Iterator[Row]:
        for tier, value in reached.items():
            worth = {number: -r.value_usd for number, (r, _) in enumerate(self.columns) if r.tier == tier}
            yield worth, -value * (1 - 1e-9)
