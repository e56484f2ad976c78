"""A plan as the provider's people read it: what changes against what stands now, with names, halls and money."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from portal.domain.money import ZERO
from portal.plans.figures import usd
from portal.plans.stored import Files
from solver.plan import Accepted, CounterOffer, Declined, Holder, Reason
from solver.snapshot import Contract, Request, Reservation, Snapshot

Suggestion = CounterOffer
_HOLDERS = {
    "hold": "the commitment of contract",
    "reservation": "reservation",
    "accepted": "request",
    "outage": "outages in",
    "spare": "spare racks of",
    "power": "the power limit of",
}


@dataclass(frozen=True, slots=True)
class NewBlock:
    """An accepted request. ``where`` says the racks by hall; ``extends`` the reservation that it goes on from."""

    request: str
    tenant: str
    gpus: int
    asked_gpus: int
    start: dt.date
    end: dt.date
    days_late: int
    where: str
    tier: int
    value_usd: Decimal
    extends: str | None


@dataclass(frozen=True, slots=True)
class MovedBlock:
    """A reservation or offer with other racks from ``start`` on, and by how many GPUs."""

    reservation: str
    tenant: str
    gpus: int
    moved_gpus: int
    start: dt.date
    before: str
    after: str
    forced: bool


@dataclass(frozen=True, slots=True)
class RecalledBlock:
    reservation: str
    tenant: str
    gpus: int
    end: dt.date
    promised_end: dt.date


@dataclass(frozen=True, slots=True)
class ShortBlock:
    """``gpus`` of a reservation, or of a contract's hold, are missing on each day of ``[start, end)``."""

    name: str
    tenant: str
    gpus: int
    start: dt.date
    end: dt.date


@dataclass(frozen=True, slots=True)
class Refusal:
    """A declined request with the solver's reason, who stands in the way by name, and what fits instead."""

    request: str
    tenant: str
    gpus: int
    days: int
    tier: int
    value_usd: Decimal
    reason: Reason
    price_to_win_usd: Decimal | None
    holders: tuple[tuple[str, int], ...]
    counter_offers: tuple[Suggestion, ...]


class Review:
    """The lists of one plan; requests dearest first within each tier, the others in the order of the plan.

    Requests that were ``left_out`` when it was published are none of its new blocks.
    """

    def __init__(self, files: Files, left_out: Collection[str] = ()) -> None:
        self.plan = files.plan
        self.snapshot = files.snapshot
        self.left_out = frozenset(left_out)
        self._requests = {request.id: request for request in files.snapshot.requests}
        self._reservations = {reservation.id: reservation for reservation in files.snapshot.reservations}
        self._tenants = {tenant.id: tenant.name for tenant in files.snapshot.tenants}

    @cached_property
    def new(self) -> list[NewBlock]:
        taken = (item for item in self.plan.accepted if item.request not in self.left_out)
        found = [self._new(item, self._requests[item.request]) for item in taken]
        return sorted(found, key=lambda block: (block.tier, -block.value_usd))

    @cached_property
    def moved(self) -> list[MovedBlock]:
        found = [self._moved(move.reservation, move.forced) for move in self.plan.moves]
        return [block for block in found if block is not None]

    @cached_property
    def recalled(self) -> list[RecalledBlock]:
        rows = ((self._reservations[recall.reservation], recall.end) for recall in self.plan.recalls)
        return [RecalledBlock(row.id, self._tenants[row.tenant], row.gpus, end, row.end) for row, end in rows]

    @cached_property
    def short(self) -> list[ShortBlock]:
        rows = ((self._reservations[short.reservation], short) for short in self.plan.shortfalls)
        return [ShortBlock(row.id, self._tenants[row.tenant], s.gpus, s.start, s.end) for row, s in rows]

    @cached_property
    def holds_short(self) -> list[ShortBlock]:
        rows = ((self.snapshot.contract_by_id[short.contract], short) for short in self.plan.hold_shortfalls)
        return [ShortBlock(row.id, self._tenants[row.tenant], s.gpus, s.start, s.end) for row, s in rows]

    @cached_property
    def declined(self) -> list[Refusal]:
        found = [self._refusal(item, self._requests[item.request]) for item in self.plan.declined]
        return sorted(found, key=lambda refusal: (refusal.tier, -refusal.value_usd))

    @cached_property
    def verdicts(self) -> Mapping[str, NewBlock | Refusal]:
        """What the plan says of each request, by its id."""
        accepted: dict[str, NewBlock | Refusal] = {item.request: item for item in self.new}
        return accepted | {item.request: item for item in self.declined}

    @property
    def requests_decided(self) -> int:
        """What the run had to decide on, left out since or not."""
        return len(self.plan.accepted) + len(self.plan.declined)

    @property
    def accepted_value_usd(self) -> Decimal:
        return sum((item.value_usd for item in self.new), ZERO)

    @property
    def moved_gpus(self) -> int:
        return sum(block.moved_gpus for block in self.moved)

    def _new(self, item: Accepted, request: Request) -> NewBlock:
        return NewBlock(
            request=request.id,
            tenant=self._tenants[request.tenant],
            gpus=item.gpus,
            asked_gpus=request.gpus,
            start=item.start,
            end=item.end,
            days_late=(item.start - request.earliest_start).days,
            where=self._where(item.racks),
            tier=request.tier,
            value_usd=usd(item.value_usd),
            extends=request.extends,
        )

    def _moved(self, name: str, forced: bool) -> MovedBlock | None:
        """Nothing where the placement only loses racks: that is a shortfall, no move."""
        reservation = self._reservations[name]
        placement = next(move.placement for move in self.plan.moves if move.reservation == name)
        had = {rack for segment in reservation.placement for rack in segment.racks}
        for segment in placement:
            new = {rack: gpus for rack, gpus in segment.racks.items() if rack not in had}
            if new and segment.end > self.snapshot.today:
                start = max(segment.start, self.snapshot.today)
                before = self._where(_racks_on(reservation, start))
                after, gpus = self._where(segment.racks), sum(new.values())
                tenant = self._tenants[reservation.tenant]
                return MovedBlock(name, tenant, reservation.gpus, gpus, start, before, after, forced)
        return None

    def _refusal(self, item: Declined, request: Request) -> Refusal:
        return Refusal(
            request=request.id,
            tenant=self._tenants[request.tenant],
            gpus=request.gpus,
            days=request.days,
            tier=request.tier,
            value_usd=usd(request.value_usd),
            reason=item.reason,
            price_to_win_usd=None if item.reason.price_to_win_usd is None else usd(item.reason.price_to_win_usd),
            holders=tuple((self._holder(holder), holder.gpus) for holder in item.reason.holders),
            counter_offers=tuple(item.counter_offers),
        )

    def _holder(self, holder: Holder) -> str:
        """Who stands in the way, in words."""
        owner = self._owner(holder)
        return f"{_HOLDERS[holder.kind]} {holder.id}" + (f" of {self._tenants[owner.tenant]}" if owner else "")

    def _owner(self, holder: Holder) -> Contract | Reservation | Request | None:
        """The thing of a tenant's that stands in the way; null for outages, spare racks and power."""
        things: Mapping[str, Mapping[str, Contract | Reservation | Request]] = {
            "hold": self.snapshot.contract_by_id,
            "reservation": self._reservations,
            "accepted": self._requests,
        }
        return things.get(holder.kind, {}).get(holder.id)

    def _where(self, racks: Mapping[str, int]) -> str:
        """``m-h01: 4 racks, m-h02: 2 racks``; a block of less than a rack names its rack."""
        if len(racks) == 1:
            return next(iter(racks))
        halls = Counter(self._hall_of[rack] for rack in racks)
        return ", ".join(
            f"{hall}: {count:,} racks" if count > 1 else f"{hall}: 1 rack" for hall, count in halls.items()
        )

    @cached_property
    def _hall_of(self) -> Mapping[str, str]:
        return _halls(self.snapshot)


def _halls(snapshot: Snapshot) -> dict[str, str]:
    halls = (hall for site in snapshot.sites for hall in site.halls)
    return {rack: hall.id for hall in halls for pod in hall.pods for rack in pod.racks}


def _racks_on(reservation: Reservation, day: dt.date) -> dict[str, int]:
    return next((segment.racks for segment in reservation.placement if segment.start <= day < segment.end), {})
