"""The planning rules R1 to R9 once more, the slow and obvious way, day by day: what the fast code is judged by.

Nothing here is shared with the solver but the file formats and a contract's terms.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import dataclass
from typing import Any

from solver.decisions import Decisions
from solver.snapshot import Contract, Request, Reservation, Snapshot

TODAY = dt.date(2026, 11, 22)


@dataclass(frozen=True)
class Stands:
    """A block with the racks that it has on each day."""

    tenant: str
    contract: str | None
    notice: int | None
    gpus: int
    days: tuple[dt.date, ...]
    racks: dict[dt.date, dict[str, int]]
    accepted: bool


class Landlord:
    """A snapshot with the blocks that stand in it."""

    def __init__(self, snapshot: Snapshot, decisions: Decisions | None = None) -> None:
        self.snapshot = snapshot
        decisions = decisions or Decisions()
        self.blocks = [reserved(r, decisions) for r in snapshot.reservations]
        requests = {request.id: request for request in snapshot.requests}
        self.blocks += [wish(requests[a.request], a.start, a.gpus, a.racks) for a in decisions.accepted]
        self.hold_shortfalls = decisions.hold_shortfalls
        self.halls = [(site.id, hall) for site in snapshot.sites for hall in site.halls]
        self.site_of = {r: s.id for s in snapshot.sites for h in s.halls for p in h.pods for r in p.racks}
        self.hall_of = {r: h.id for _, h in self.halls for p in h.pods for r in p.racks}
        self.pod_of = {r: p.id for _, h in self.halls for p in h.pods for r in p.racks}

    def broken(self, blocks: list[Stands], days: tuple[dt.date, ...]) -> set[str]:
        """The rules that these blocks break on these days."""
        found: set[str] = set()
        for day in days:
            found |= self._racks(blocks, day) | self._counts(blocks, day)
        return found

    def fits(self, request: Request, start: dt.date, gpus: int, racks: dict[str, int], *, holds: bool = True) -> bool:
        """Whether this block may be added to what stands."""
        new = wish(request, start, gpus, racks)
        if (
            start < self.snapshot.today
            or new.days[-1] >= self.snapshot.horizon_end
            or not self._in_scope(request, racks)
        ):
            return False
        broken = self.broken([*self.blocks, new], new.days)
        return not broken if holds else not broken - {"R6", "R7", "R8", "R9"}

    def fits_somewhere(self, request: Request, start: dt.date, gpus: int, *, holds: bool = True) -> bool:
        """Whether any choice of racks lets this block be added."""
        days = wish(request, start, gpus, {}).days
        each = min(gpus, 72)
        roomy = [r for r in self.site_of if all(self._free(r, day) >= each for day in days)]
        choices = itertools.combinations(roomy, max(1, gpus // 72))
        return any(self.fits(request, start, gpus, dict.fromkeys(c, each), holds=holds) for c in choices)

    def starts(self, request: Request, first: dt.date, last: dt.date) -> list[bool]:
        """For each start in ``[first, last)`` whether the request's smallest block fits."""
        return [self.fits_somewhere(request, day, request.min_gpus) for day in span(first, last)]

    def _free(self, rack: str, day: dt.date) -> int:
        used = sum(block.racks.get(day, {}).get(rack, 0) for block in self.blocks)
        return 0 if self._out(rack, day) else 72 - used

    def _out(self, rack: str, day: dt.date, kinds: tuple[str, ...] = ("failure", "maintenance", "absent")) -> bool:
        return any(
            o.rack == rack and o.start <= day and (o.end is None or day < o.end) and o.kind in kinds
            for o in self.snapshot.outages
        )

    def _in_scope(self, request: Request, racks: dict[str, int]) -> bool:
        sites = {self.site_of[r] for r in racks}
        contract = self._contract(request.contract)
        bound = {request.site, contract.site if contract else None} - {None}
        units = {"pod": self.pod_of, "hall": self.hall_of, "site": self.site_of}.get(request.scope)
        return all(sites == {site} for site in bound) and (units is None or len({units[r] for r in racks}) == 1)

    def _racks(self, blocks: list[Stands], day: dt.date) -> set[str]:
        """R1, R2 and R3 on one day."""
        found = set()
        load: dict[str, int] = {}
        for block in blocks:
            for rack, gpus in block.racks.get(day, {}).items():
                load[rack] = load.get(rack, 0) + gpus
        if any(gpus > 72 or self._out(rack, day) for rack, gpus in load.items()):
            found.add("R1")
        stood_in = {self.hall_of[r] for b in blocks if b.accepted for r in b.racks.get(day, {})}
        for _, hall in self.halls:
            if hall.id in stood_in and sum(self.hall_of[r] == hall.id for r in load) > self._sale(hall, day):
                found.add("R2")
        for site in self.snapshot.sites:
            if sum(self.site_of[r] == site.id for r in load) > self._power(site, day):
                found.add("R3")
        return found

    def _sale(self, hall: Any, day: dt.date) -> int:
        racks = [rack for pod in hall.pods for rack in pod.racks]
        healthy = sum(not self._out(rack, day) for rack in racks)
        present = sum(not self._out(rack, day, ("absent",)) for rack in racks)
        return max(0, min(healthy, present - hall.spare_racks))

    def _power(self, site: Any, day: dt.date) -> float:
        limits = [math.floor(p.kw / self.snapshot.rack_kw + 1e-9) for p in site.power_limits if p.start <= day < p.end]
        return min(limits, default=math.inf)

    def _counts(self, blocks: list[Stands], day: dt.date) -> set[str]:
        """R6, R7, R8 and R9 on one day."""
        found = set()
        promised = [block for block in blocks if day in block.days]
        reserved_only = [block for block in promised if not block.accepted]
        for contract in self.snapshot.contracts:
            charged = [b for b in promised if b.contract == contract.id]
            if any(b.accepted for b in charged) and not contract.terms.in_force(day):
                found.add("R6")
            before = sum(b.gpus for b in reserved_only if b.contract == contract.id)
            limit = math.inf if contract.overage else max(contract.terms.committed(day), before)
            if sum(b.gpus for b in charged) > limit:
                found.add("R6")
        for tenant in self.snapshot.tenants:
            before = sum(b.gpus for b in reserved_only if b.tenant == tenant.id)
            limit = math.inf if tenant.max_gpus is None else max(tenant.max_gpus, before)
            if sum(b.gpus for b in promised if b.tenant == tenant.id) > limit:
                found.add("R9")
        if not self._row(blocks, day, math.inf):
            found.add("R7")
        if not all(self._row(blocks, day, n) for n in {b.notice for b in blocks if b.notice is not None}):
            found.add("R8")
        return found

    def _row(self, blocks: list[Stands], day: dt.date, n: float) -> bool:
        """R8's row for the recall notice ``n``; R7's for infinity."""
        counted = [b for b in blocks if (math.inf if b.notice is None else b.notice) >= n]
        held = {c.id: self.held(blocks, c, day) for c in self.snapshot.contracts if c.booking_lead_days < n}
        room = 0.0
        for site in self.snapshot.sites:
            right = max(self._capacity(site, day), self._in_site([b for b in counted if not b.accepted], site.id, day))
            room += right
            bound = sum(gpus for k, gpus in held.items() if self.snapshot.contract_by_id[k].site == site.id)
            if self._in_site(counted, site.id, day) + bound > right:
                return False
        return sum(self._in_site(counted, s.id, day) for s in self.snapshot.sites) + sum(held.values()) <= room

    def held(self, blocks: list[Stands], contract: Contract, day: dt.date) -> int:
        booked = sum(b.gpus for b in blocks if b.contract == contract.id and day in b.days)
        held = contract.terms.held(day, booked=booked, today=self.snapshot.today)
        short = sum(s.gpus for s in self.hold_shortfalls if s.contract == contract.id and s.start <= day < s.end)
        return max(0, held - short)

    def _capacity(self, site: Any, day: dt.date) -> float:
        return 72 * min(sum(self._sale(hall, day) for hall in site.halls), self._power(site, day))

    def _in_site(self, blocks: list[Stands], site: str, day: dt.date) -> int:
        return sum(g for b in blocks for r, g in b.racks.get(day, {}).items() if self.site_of[r] == site)

    def _contract(self, contract_id: str | None) -> Contract | None:
        return None if contract_id is None else self.snapshot.contract_by_id[contract_id]


def reserved(reservation: Reservation, decisions: Decisions) -> Stands:
    """A reservation as the decisions leave it."""
    placement = next((m.placement for m in decisions.moves if m.reservation == reservation.id), reservation.placement)
    end = next((r.end for r in decisions.recalls if r.reservation == reservation.id), reservation.end)
    racks = {day: dict(s.racks) for s in placement for day in span(s.start, min(s.end, end))}
    return Stands(
        tenant=reservation.tenant,
        contract=reservation.contract,
        notice=reservation.recall_notice_days,
        gpus=reservation.gpus,
        days=tuple(span(reservation.start, end)),
        racks=racks,
        accepted=False,
    )


def wish(request: Request, start: dt.date, gpus: int, racks: dict[str, int]) -> Stands:
    """A request's block as it would stand."""
    days = tuple(span(start, start + dt.timedelta(request.days)))
    return Stands(
        tenant=request.tenant,
        contract=request.contract,
        notice=request.recall_notice_days,
        gpus=gpus,
        days=days,
        racks=dict.fromkeys(days, racks),
        accepted=True,
    )


def span(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(i) for i in range((last - first).days)]


def on(day: int) -> dt.date:
    """The day ``day`` days after today."""
    return TODAY + dt.timedelta(day)


def is_sound(snapshot: Snapshot, decisions: Decisions) -> bool:
    """Whether what stands keeps the rules by itself on every day."""
    landlord = Landlord(snapshot, decisions)
    return not landlord.broken(landlord.blocks, tuple(span(snapshot.today, snapshot.horizon_end)))
