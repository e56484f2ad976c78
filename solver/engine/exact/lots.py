"""The reservations with a day left: what the snapshot gives each of them, and what may become of it (R10, R11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from solver.engine.exact.land import Land
from solver.engine.exact.pieces import Pieces
from solver.snapshot import Reservation, Snapshot
from solver.terms import GPUS_PER_RACK

Slot = tuple[int | None, ...]


class Unsuitable(Exception):
    """The snapshot has something that the exact model does not cover, or is too large for it."""


@dataclass(frozen=True, slots=True)
class Lot:
    """A reservation on the pieces ``span``.

    A slot is one rack's place in it: its own rack on each piece of ``span``, None where the snapshot's placement has
    none. ``lost`` says on which pieces an outage has taken that rack, or there is none. ``recallable``: the first piece
    with which a recall may end it; the end of ``span`` for none. ``powerless``: on some piece power may take a rack.
    ``known``: the racks of its whole placement, history included.
    """

    reservation: Reservation
    span: range
    slots: tuple[Slot, ...]
    lost: tuple[tuple[bool, ...], ...]
    recallable: int
    movable: bool
    powerless: bool
    site: int | None
    known: frozenset[int]

    @property
    def gpus(self) -> int:
        """GPUs of one slot."""
        return self.reservation.gpus // len(self.slots)

    @property
    def whole(self) -> bool:
        """Whether it uses whole racks."""
        return self.reservation.gpus >= GPUS_PER_RACK

    @property
    def recalls(self) -> range:
        """The pieces that a recall may take away."""
        return range(self.recallable, self.span.stop)

    @property
    def is_taken_from(self) -> bool:
        """Whether an outage or lack of power may take a rack from it, or has."""
        return self.powerless or any(map(any, self.lost))

    @property
    def is_fixed(self) -> bool:
        """Whether it can only stay as it stands."""
        return not (self.movable or self.recalls or self.is_taken_from)

    def own_rack(self, slot: int, piece: int) -> int | None:
        """The slot's own rack on a piece of ``span`` on which nothing has taken it."""
        i = piece - self.span.start
        return None if self.lost[slot][i] else self.slots[slot][i]


@dataclass(frozen=True, slots=True)
class Lots:
    """Every reservation with a day left, in the order of the snapshot; ``excess`` (sites x pieces) is by how many racks
    they need more than a site's power where they stand (R10).
    """

    lots: tuple[Lot, ...]
    excess: Sequence[Sequence[int]]


def lay_out(snapshot: Snapshot, land: Land, pieces: Pieces) -> Lots:
    """The reservations of a snapshot. Raises `Unsuitable`."""
    remaining = [r for r in snapshot.reservations if r.end > snapshot.today]
    slots = {r.id: tuple(_slots(r, land, pieces)) for r in remaining}
    excess = _power_excess(remaining, slots, land, pieces)
    return Lots(tuple(_lot(snapshot, r, slots[r.id], land, pieces, excess) for r in remaining), excess)


def _power_excess(
    remaining: Sequence[Reservation], slots: dict[str, tuple[Slot, ...]], land: Land, pieces: Pieces
) -> list[list[int]]:
    excess = [[0] * len(pieces) for _ in land.sites]
    for piece in range(pieces.decided):
        standing = set()
        for reservation in remaining:
            span = pieces.between(reservation.start, reservation.end)
            if piece in span:
                standing |= {slot[piece - span.start] for slot in slots[reservation.id]}
        for site in land.sites:
            count = sum(rack is not None and land.site[rack] == site for rack in standing)
            excess[site][piece] = max(0, count - land.power[site][piece])
    return excess


def _lot(
    snapshot: Snapshot,
    reservation: Reservation,
    slots: tuple[Slot, ...],
    land: Land,
    pieces: Pieces,
    excess: list[list[int]],
) -> Lot:
    span = pieces.between(reservation.start, reservation.end)
    bound = snapshot.site_of(reservation)
    recallable = span.stop
    if reservation.recall_notice_days is not None:
        first = max(pieces.number(reservation.start), reservation.recall_notice_days)
        recallable = max(span.start, pieces.at(first)) if first < pieces.number(reservation.end) else span.stop
    return Lot(
        reservation=reservation,
        span=span,
        slots=slots,
        lost=tuple(_lost(slot, span, land) for slot in slots),
        recallable=recallable,
        movable=not reservation.frozen(snapshot.today),
        powerless=any(
            rack is not None and excess[land.site[rack]][piece]
            for slot in slots
            for piece, rack in zip(span, slot, strict=True)
        ),
        site=None if bound is None else land.site_number[bound],
        known=frozenset(land.number[rack] for segment in reservation.placement for rack in segment.racks),
    )


def _lost(slot: Slot, span: range, land: Land) -> tuple[bool, ...]:
    """R10: an outage takes a rack from its first day on to the block's end, even if the rack comes back."""
    dead: set[int] = set()
    lost = []
    for piece in span:
        dead |= {rack for rack in slot if rack is not None and not land.healthy[rack][piece]}
        own = slot[piece - span.start]
        lost.append(own is None or own in dead)
    return tuple(lost)


def _slots(reservation: Reservation, land: Land, pieces: Pieces) -> Iterator[Slot]:
    """A rack keeps its slot while the placement has it; racks that come later take slots that have become empty."""
    span = pieces.between(reservation.start, reservation.end)
    size = min(reservation.gpus, GPUS_PER_RACK)
    current: list[int | None] = [None] * (reservation.gpus // size)
    rows = []
    for piece in span:
        racks = _racks_on(reservation, land, pieces, piece)
        if set(racks.values()) - {size} or len(racks) > len(current):
            raise Unsuitable(f"{reservation.id} has racks in part")
        current = [rack if rack in racks else None for rack in current]
        for rack in racks:
            if rack not in current:
                current[current.index(None)] = rack
        rows.append(tuple(current))
    yield from zip(*rows, strict=True)


def _racks_on(reservation: Reservation, land: Land, pieces: Pieces, piece: int) -> dict[int, int]:
    day = pieces.date(piece)
    for segment in reservation.placement:
        if segment.start <= day < segment.end:
            return {land.number[rack]: gpus for rack, gpus in segment.racks.items() if gpus}
    return {}
