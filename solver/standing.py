"""What stands under a snapshot and a plan's decisions, and how much each rule leaves for one more block on top.

Counts of GPUs by day: day ``t`` is ``today + t``, arrays cover ``[0, days)``. Racks are `solver.racks`' business; here
are the rules that count GPUs: R6 contract, R7 hold, R8 interruptible, R9 quota.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from solver.cluster import UNLIMITED, Bounds, Cluster, Counts
from solver.decisions import Decisions, stands
from solver.plan import Accepted
from solver.racks import RackUse
from solver.snapshot import Contract, Request, Reservation, Segment, Snapshot

Kind = Literal["reservation", "accepted"]
FIRM = UNLIMITED + 1  # as recall notice: more than any. What can't be recalled counts in every row of R8


@dataclass(frozen=True, slots=True)
class Placed:
    """GPUs on racks (by number) on the days ``[first, last)``."""

    first: int
    last: int
    racks: Bounds
    gpus: Counts


@dataclass(frozen=True, slots=True)
class Block:
    """A block as it stands: ``gpus`` are promised on the days ``[first, last)``, ``placed`` says where they are."""

    kind: Kind
    id: str
    tenant: str
    contract: str | None
    notice: int
    gpus: int
    first: int
    last: int
    placed: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """The GPUs that one more block may have on a day: over the cluster (days), and in each site (days x sites)."""

    cluster: Counts
    site: Counts

    def within(self, limit: Counts) -> Room:
        """This room, and no more than ``limit`` over the cluster."""
        return Room(np.minimum(self.cluster, limit), self.site)


class Standing:
    """Every block that stands, in arrays. A new block fits on top where `RackUse` and every limit here leave room."""

    def __init__(self, snapshot: Snapshot, cluster: Cluster) -> None:
        days, sites = cluster.days, len(cluster.sites.ids)
        self.snapshot = snapshot
        self.cluster = cluster
        self.racks = RackUse(cluster)
        self.blocks: dict[tuple[Kind, str], Block] = {}
        self.committed = {contract.id: _committed(contract, cluster) for contract in snapshot.contracts}
        self.booked: dict[str, Counts] = {contract.id: _none(days) for contract in snapshot.contracts}
        self.hold_shortfall: dict[str, Counts] = {contract.id: _none(days) for contract in snapshot.contracts}
        self.promised: dict[str, Counts] = {tenant.id: _none(days) for tenant in snapshot.tenants}
        self._standing: dict[int, Counts] = {FIRM: _none(days, sites)}  # GPUs by recall notice, days x sites
        self._reserved: dict[int, Counts] = {FIRM: _none(days, sites)}  # the same of reservations alone
        self._max_gpus = {tenant.id: tenant.max_gpus for tenant in snapshot.tenants}
        self._slack: dict[int, Room] = {}
        self._hold_room: dict[tuple[str | None, int], Room] = {}
        self._requests = {request.id: request for request in snapshot.requests}

    def add(self, block: Block) -> None:
        """Put ``block`` where it says; nothing is checked."""
        self.blocks[block.kind, block.id] = block
        self._count(block, 1)

    def add_accepted(self, accepted: Accepted) -> Block:
        """Put the accepted block of a request of the snapshot on its racks; nothing is checked."""
        block = accepted_block(self._requests[accepted.request], accepted, self.cluster)
        self.add(block)
        return block

    def take_out(self, kind: Kind, block_id: str) -> Block:
        """Remove a block that stands and return it. Raises `KeyError` where there is none."""
        block = self.blocks.pop((kind, block_id))
        self._count(block, -1)
        return block

    def commit(self, contract_id: str, committed: Counts) -> None:
        """Let the contract's commitment be ``committed`` GPUs by day from now on."""
        self.committed[contract_id] = committed
        self._forget_room()

    def held(self, contract: Contract) -> Counts:
        """R7: GPUs that must stay free for the contract on each day, less its hold shortfall."""
        held = np.maximum(0, self.committed[contract.id] - self.booked[contract.id])
        held[: self.cluster.index(contract.terms.holds_from(self.cluster.today))] = 0
        net: Counts = np.maximum(0, held - self.hold_shortfall[contract.id])
        return net

    def firm(self) -> Counts:
        """GPUs of blocks that are not interruptible, days x sites."""
        return self._standing[FIRM]

    def interruptible(self) -> Counts:
        """GPUs of interruptible blocks, days x sites."""
        return self._counted(self._standing, 0) - self.firm()

    def contract_room(self, contract_id: str) -> Counts:
        """R6: nothing while the contract is not in force, else without overage what is committed and not booked."""
        contract = self.snapshot.contract_by_id[contract_id]
        room = _none(self.cluster.days)
        first, last = self.cluster.index(contract.start), self.cluster.index(contract.terms.effective_end)
        room[first:last] = UNLIMITED
        if not contract.overage:
            room = np.minimum(room, self.committed[contract_id] - self.booked[contract_id])
        result: Counts = np.maximum(0, room)
        return result

    def quota_room(self, tenant_id: str | None) -> Counts:
        """R9: what the tenant's quota leaves; nobody has none."""
        limit = None if tenant_id is None else self._max_gpus[tenant_id]
        if tenant_id is None or limit is None:
            return np.full(self.cluster.days, UNLIMITED)
        room: Counts = np.maximum(0, limit - self.promised[tenant_id])
        return room

    def hold_room(self, contract_id: str | None, notice: int = FIRM) -> Room:
        """R7 and R8: what holds leave to a block with this recall notice (`FIRM`: it can't be recalled).

        A drawdown takes from the hold of its own contract first. A day on which a row is over its limit is closed.
        Remembered until something changes: many ask for the same terms. Not to be written to.
        """
        terms = contract_id, notice
        if terms not in self._hold_room:
            shape = self.firm().shape
            room = Room(np.full(shape[0], UNLIMITED), np.full(shape, UNLIMITED))
            for _, row in self.hold_rows(contract_id, notice):
                room = Room(np.minimum(room.cluster, row.cluster), np.minimum(room.site, row.site))
            self._hold_room[terms] = room
        return self._hold_room[terms]

    def hold_rows(self, contract_id: str | None, notice: int = FIRM) -> Iterator[tuple[int, Room]]:
        """The rows of R8 in which a block with this recall notice counts, R7 among them for a firm one, as `FIRM`."""
        own = None if contract_id is None else self.snapshot.contract_by_id[contract_id]
        for row in sorted({notice, *self._standing}):
            if row <= notice:
                yield row, self._relieved(row, own)

    def slack(self, row: int) -> Room:
        """R8's row for recall notice ``row``, or R7 for `FIRM`: the right side less the left; may be negative."""
        if row not in self._slack:
            self._slack[row] = self._slack_of(row)
        return self._slack[row]

    def _relieved(self, row: int, own: Contract | None) -> Room:
        slack = self.slack(row)
        if own is None or own.booking_lead_days >= row:
            return Room(np.maximum(0, slack.cluster), np.maximum(0, slack.site))
        held = self.held(own)
        site = np.maximum(0, slack.site)
        if own.site is not None:
            s = self.cluster.sites.ids.index(own.site)
            site[:, s] = np.where(slack.site[:, s] < 0, 0, slack.site[:, s] + held)
        return Room(np.where(slack.cluster < 0, 0, slack.cluster + held), site)

    def _slack_of(self, row: int) -> Room:
        capacity = np.maximum(self.cluster.capacity.T, self._counted(self._reserved, row))
        site = capacity - self._counted(self._standing, row)
        cluster = site.sum(axis=1)
        for contract in self.snapshot.contracts:
            if contract.booking_lead_days < row:
                held = self.held(contract)
                cluster -= held
                if contract.site is not None:
                    site[:, self.cluster.sites.ids.index(contract.site)] -= held
        return Room(cluster, site)

    def _counted(self, by_notice: dict[int, Counts], row: int) -> Counts:
        """The GPUs that count in a row: firm ones, and interruptible ones with a recall notice of ``row`` or more."""
        counted = np.zeros_like(self.firm())
        for notice, gpus in by_notice.items():
            if notice >= row:
                counted += gpus
        return counted

    def _count(self, block: Block, sign: int) -> None:
        self.promised[block.tenant][block.first : block.last] += sign * block.gpus
        if block.contract is not None:
            self.booked[block.contract][block.first : block.last] += sign * block.gpus
        for placed in block.placed:
            self.racks.change(placed.first, placed.last, placed.racks, sign * placed.gpus)
            self._count_sites(self._standing, block.notice, placed, sign)
            if block.kind == "reservation":
                self._count_sites(self._reserved, block.notice, placed, sign)
        self._forget_room()

    def _forget_room(self) -> None:
        self._slack.clear()
        self._hold_room.clear()

    def _count_sites(self, by_notice: dict[int, Counts], notice: int, placed: Placed, sign: int) -> None:
        gpus = by_notice.setdefault(notice, _none(*self.firm().shape))
        sites = np.bincount(self.cluster.sites.of_rack[placed.racks], placed.gpus, minlength=gpus.shape[1])
        gpus[placed.first : placed.last] += sign * sites.astype(np.int64)


def of(snapshot: Snapshot, cluster: Cluster, decisions: Decisions | None = None) -> Standing:
    """What stands under ``snapshot`` when ``decisions`` are carried out; none: the reservations as they are."""
    decided = decisions or Decisions()
    standing = Standing(snapshot, cluster)
    for stand in stands(snapshot, decided):
        standing.add(_reserved_block(stand.reservation, stand.segments, cluster.index(stand.end), cluster))
    for accepted in decided.accepted:
        standing.add_accepted(accepted)
    for shortfall in decided.hold_shortfalls:
        first, last = cluster.index(shortfall.start), cluster.index(shortfall.end)
        standing.hold_shortfall[shortfall.contract][first:last] += shortfall.gpus
    return standing


def accepted_block(request: Request, accepted: Accepted, cluster: Cluster) -> Block:
    """An accepted request as a block."""
    first, last = cluster.index(accepted.start), cluster.index(accepted.end)
    return Block(
        kind="accepted",
        id=request.id,
        tenant=request.tenant,
        contract=request.contract,
        notice=notice_of(request),
        gpus=accepted.gpus,
        first=first,
        last=last,
        placed=(_placed(first, last, accepted.racks, cluster),),
    )


def notice_of(block: Request | Reservation) -> int:
    """The block's recall notice in days; `FIRM` where it can't be recalled."""
    return FIRM if block.recall_notice_days is None else block.recall_notice_days


def _reserved_block(reservation: Reservation, segments: tuple[Segment, ...], last: int, cluster: Cluster) -> Block:
    return Block(
        kind="reservation",
        id=reservation.id,
        tenant=reservation.tenant,
        contract=reservation.contract,
        notice=notice_of(reservation),
        gpus=reservation.gpus,
        first=cluster.index(reservation.start),
        last=last,
        placed=tuple(_placements(segments, cluster)),
    )


def _placements(segments: tuple[Segment, ...], cluster: Cluster) -> Iterator[Placed]:
    for segment in segments:
        first, last = cluster.index(segment.start), cluster.index(segment.end)
        if first < last:
            yield _placed(first, last, segment.racks, cluster)


def _placed(first: int, last: int, racks: dict[str, int], cluster: Cluster) -> Placed:
    numbers = np.array([cluster.rack_number[rack] for rack in racks], dtype=np.int64)
    return Placed(first, last, numbers, np.array(list(racks.values()), dtype=np.int64))


def _committed(contract: Contract, cluster: Cluster) -> Counts:
    committed = _none(cluster.days)
    for step in contract.terms.commitments_in_force():
        committed[cluster.index(step.start) : cluster.index(step.end)] = step.gpus
    return committed


def _none(*shape: int) -> Counts:
    return np.zeros(shape, dtype=np.int64)
