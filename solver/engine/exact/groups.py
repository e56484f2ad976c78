"""Racks between which no rule and no step of § 5 can tell, counted together.

A group's racks lie in one pod, are in order on the same days, and carry fixed blocks on the same days. Blocks of whole
racks among them are intervals that meet no blocked day, so counts are enough (docs/model.md, binding racks last).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass

from solver.engine.exact.land import Land
from solver.engine.exact.lots import Lot
from solver.snapshot import Reservation, Snapshot
from solver.terms import GPUS_PER_RACK


@dataclass(frozen=True, slots=True)
class Group:
    """``racks`` by number; ``room`` is the GPUs of each that fixed blocks and outages leave, by piece."""

    racks: tuple[int, ...]
    pod: int
    hall: int
    site: int
    room: tuple[int, ...]

    def least_room(self, pieces: range) -> int:
        return min((self.room[piece] for piece in pieces), default=GPUS_PER_RACK)


def groups(snapshot: Snapshot, land: Land, lots: Collection[Lot]) -> tuple[Group, ...]:
    """Every rack in one group."""
    room = _room(land, lots)
    apart = _told_apart(snapshot, land, lots)
    extended = last_racks(snapshot, land)
    members: dict[Hashable, list[int]] = defaultdict(list)
    for rack in land.racks:
        kept = tuple(name for name, racks in extended.items() if rack in racks)
        own = rack if rack in apart else None
        members[land.pod[rack], tuple(room[rack]), tuple(land.healthy[rack]), kept, own].append(rack)
    return tuple(
        Group(tuple(racks), land.pod[racks[0]], land.hall[racks[0]], land.site[racks[0]], tuple(room[racks[0]]))
        for racks in members.values()
    )


def last_racks(snapshot: Snapshot, land: Land) -> dict[str, frozenset[int]]:
    """The racks that each reservation which a request extends has on its last day in the snapshot."""
    extended = {request.extends for request in snapshot.requests}
    return {r.id: frozenset(_on_last_day(r, land)) for r in snapshot.reservations if r.id in extended}


def _on_last_day(reservation: Reservation, land: Land) -> Iterable[int]:
    for segment in reservation.placement:
        if segment.end == reservation.end:
            yield from (land.number[rack] for rack in segment.racks)


def _room(land: Land, lots: Iterable[Lot]) -> list[list[int]]:
    room = [[GPUS_PER_RACK * healthy for healthy in land.healthy[rack]] for rack in land.racks]
    for lot in lots:
        if lot.is_fixed:
            for slot in lot.slots:
                for piece, rack in zip(lot.span, slot, strict=True):
                    if rack is not None:
                        room[rack][piece] -= lot.gpus
    return room


def _told_apart(snapshot: Snapshot, land: Land, lots: Collection[Lot]) -> set[int]:
    """Racks that somebody may come back to; all of them where blocks may share racks or stand in for others."""
    sizes = [*(request.gpus for request in snapshot.requests), *(lot.reservation.gpus for lot in lots)]
    shared = min(sizes, default=GPUS_PER_RACK) < GPUS_PER_RACK
    extended = {request.extends for request in snapshot.requests}
    free_to_go = any(
        lot.is_taken_from or (lot.movable and (lot.recalls or lot.reservation.id in extended)) for lot in lots
    )
    if shared or free_to_go or any(not request.value_usd for request in snapshot.requests):
        return set(land.racks)
    return {rack for lot in lots if not lot.is_fixed for rack in lot.known}
