"""R1 to R3 and R6 to R9 and R12 as rows of the model, beside the uses that blocks make of racks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from solver.engine.exact.courses import Course
from solver.engine.exact.model import Model, Sum, Use, Var, is_certain, total
from solver.engine.exact.wants import Field
from solver.snapshot import Contract, Snapshot, Tenant
from solver.terms import GPUS_PER_RACK

Booked = list[int]
ByNotice = dict[int | None, Sum]
Gpus = Sequence[tuple[ByNotice, ByNotice]]  # by site: of reservations, and of accepted blocks


class Rules:
    """The rows of every rule, for what is in ``model.uses``. ``shortfalls``: hold shortfall by contract and piece."""

    def __init__(self, model: Model, ground: Field, snapshot: Snapshot) -> None:
        self.model = model
        self.ground = ground
        self.snapshot = snapshot
        self.shortfalls: dict[tuple[str, int], Var] = {}
        self._at: dict[tuple[int, int], list[Use]] = defaultdict(list)
        for use in model.uses:
            for piece in use.pieces:
                self._at[use.group, piece].append(use)

    @property
    def _decided(self) -> range:
        return range(self.ground.pieces.decided)

    def r1(self) -> None:
        """R1: 72 GPUs on a rack."""
        for (group, _), uses in self._at.items():
            gpus = total((use.amount, use.factor) for use in uses)
            self.model.at_most(gpus, GPUS_PER_RACK * len(self.ground.groups[group].racks))

    def r2_r3(self) -> None:
        """R2 where an accepted block stands in the hall, and R3."""
        by_hall, by_site = defaultdict(list), defaultdict(list)
        for number, group in enumerate(self.ground.groups):
            by_hall[group.hall].append(number)
            by_site[group.site].append(number)
        for piece in self._decided:
            for hall, groups in by_hall.items():
                self._r2(groups, piece, self.ground.land.sale[hall][piece])
            for site, groups in by_site.items():
                if self._in_order(groups, piece) > self.ground.land.power[site][piece]:
                    self.model.at_most(self._carrying(groups, piece), self.ground.land.power[site][piece])

    def _r2(self, groups: Sequence[int], piece: int, sale: int) -> None:
        uses = [use for group in groups for use in self._at[group, piece]]
        sold = [use.present for use in uses if use.owner.accepted and use.present is not None]
        if not sold or self._in_order(groups, piece) <= sale:
            return
        if len(sold) == len(uses):
            self.model.at_most(self._carrying(groups, piece), sale)
        else:
            self.model.at_most(self._carrying(groups, piece), sale, only_if=self.model.any_of(sold))

    def _in_order(self, groups: Sequence[int], piece: int) -> int:
        """No more racks of these groups can carry a block."""
        racks = [rack for group in groups for rack in self.ground.groups[group].racks]
        return sum(self.ground.land.healthy[rack][piece] for rack in racks)

    def _carrying(self, groups: Sequence[int], piece: int) -> Sum:
        """How many racks of these groups carry a block."""
        result = Sum()
        for group in groups:
            result = result.plus(self._carrying_in(group, piece))
        return result

    def _carrying_in(self, group: int, piece: int) -> Sum:
        uses = self._at[group, piece]
        whole = [use for use in uses if use.factor >= GPUS_PER_RACK]
        if len(whole) == len(uses):
            return total((use.present, 1) for use in uses)
        present = [use.present for use in uses]
        if is_certain(present):
            return Sum(constant=1)
        return Sum([(self.model.any_of(var for var in present if var is not None), 1)])

    def r6(self, booked: dict[str, Booked]) -> None:
        """R6: drawdowns without overage within the commitment, as far as reservations leave it."""
        for contract in self.snapshot.contracts:
            if contract.overage:
                continue
            for piece in self._decided:
                room = max(0, self._committed(contract, piece) - booked[contract.id][piece])
                self.model.at_most(self._drawn(contract, piece), room)

    def r9(self, courses: Sequence[Course]) -> None:
        """R9: quotas; where reservations alone exceed one, nothing more is accepted."""
        for tenant in self.snapshot.tenants:
            if tenant.max_gpus is not None:
                for piece in self._decided:
                    self._r9(tenant, tenant.max_gpus, courses, piece)

    def _r9(self, tenant: Tenant, quota: int, courses: Sequence[Course], piece: int) -> None:
        accepted = self._accepted(piece, lambda use: use.owner.tenant == tenant.id)
        reserved = total(
            (course.keeps[piece], course.lot.reservation.gpus)
            for course in courses
            if course.lot.reservation.tenant == tenant.id and piece in course.keeps
        )
        if not accepted.terms:
            return
        if self.model.most(reserved) <= quota:
            self.model.at_most(accepted.plus(reserved), quota)
        else:
            asks = self.model.any_of(var for var, _ in accepted.terms)
            self.model.at_most(accepted.plus(reserved), quota, only_if=asks)

    def _drawn(self, contract: Contract, piece: int) -> Sum:
        """GPUs of accepted blocks that are charged to the contract."""
        return self._accepted(piece, lambda use: use.owner.contract == contract.id)

    def _accepted(self, piece: int, counts: Callable[[Use], bool]) -> Sum:
        return total(
            (use.amount, use.factor)
            for group in range(len(self.ground.groups))
            for use in self._at[group, piece]
            if use.owner.accepted and counts(use)
        )

    def r7_r8(self, notices: Sequence[int], booked: dict[str, Booked]) -> None:
        """R7, R8 over the cluster and in each site, with the hold shortfall that R12 allows."""
        for piece in self._decided:
            due = {c.id: self._due(c, piece, booked) for c in self.snapshot.contracts}
            reserved = [self._by_notice(site, piece, accepted=False) for site in self.ground.land.sites]
            accepted = [self._by_notice(site, piece, accepted=True) for site in self.ground.land.sites]
            rows = [None, *notices]
            if any(due.values()) and self._may_lack(piece, reserved, due, rows):
                self.shortfalls |= {(name, piece): self.model.count(gpus) for name, gpus in due.items() if gpus}
            held = {c.id: self._held(c, piece, due[c.id]) for c in self.snapshot.contracts if due[c.id]}
            for notice in rows:
                self._row(piece, notice, list(zip(reserved, accepted, strict=True)), held)

    def _due(self, contract: Contract, piece: int, booked: dict[str, Booked]) -> int:
        """R7: what is committed and not booked by reservations, from the end of the booking lead on."""
        if self.ground.pieces.cuts[piece] < contract.booking_lead_days:
            return 0
        return max(0, self._committed(contract, piece) - booked[contract.id][piece])

    def _committed(self, contract: Contract, piece: int) -> int:
        return contract.terms.committed(self.ground.pieces.date(piece))

    def _may_lack(
        self, piece: int, reserved: Sequence[ByNotice], due: dict[str, int], rows: Sequence[int | None]
    ) -> bool:
        """Whether a row may be broken with every request declined."""
        for notice in rows:
            left = [self.model.most(_counted(by_notice, notice)) for by_notice in reserved]
            counted = [c for c in self.snapshot.contracts if _counts_hold(c, notice)]
            capacity = [self.ground.land.capacity[site][piece] for site in self.ground.land.sites]
            bound = [sum(due[c.id] for c in counted if self._site(c) == site) for site in self.ground.land.sites]
            if any(b and gpus + b > cap for gpus, b, cap in zip(left, bound, capacity, strict=True)):
                return True
            if sum(left) + sum(due[c.id] for c in counted) > sum(capacity):
                return True
        return False

    def _held(self, contract: Contract, piece: int, due: int) -> Sum:
        """R7: what is due less what is booked and the shortfall, and never negative."""
        booked = self._drawn(contract, piece)
        short = self.shortfalls.get((contract.id, piece))
        if short is not None:
            booked.add(short)
        if not booked.terms:
            return Sum(constant=due)
        held = Sum([(self.model.count(due), 1)])
        self.model.at_most(Sum(constant=due).plus(booked, -1).plus(held, -1), 0)
        return held

    def _row(self, piece: int, notice: int | None, gpus: Gpus, held: dict[str, Sum]) -> None:
        left, right = Sum(), Sum()
        counted = [c for c in self.snapshot.contracts if c.id in held and _counts_hold(c, notice)]
        for site in self.ground.land.sites:
            reserved, accepted = (_counted(by_notice, notice) for by_notice in gpus[site])
            site_right = self._right(reserved, self.ground.land.capacity[site][piece])
            site_left = reserved.plus(accepted)
            left, right = left.plus(site_left), right.plus(site_right)
            for contract in counted:
                if self._site(contract) == site:
                    site_left = site_left.plus(held[contract.id])
            self.model.at_most(site_left.plus(site_right, -1), 0)
        for contract in counted:
            left = left.plus(held[contract.id])
        self.model.at_most(left.plus(right, -1), 0)

    def _right(self, reserved: Sum, capacity: int) -> Sum:
        """A site's right side is never less than what the reservations on its left side use by themselves."""
        most = self.model.most(reserved)
        if most <= capacity or not reserved.terms:
            return Sum(constant=max(capacity, most))
        right = self.model.count(most)
        self.model.cp.add_max_equality(right, [reserved.expression, capacity])
        return Sum([(right, 1)])

    def _by_notice(self, site: int, piece: int, *, accepted: bool) -> ByNotice:
        result: ByNotice = defaultdict(Sum)
        for number, group in enumerate(self.ground.groups):
            if group.site == site:
                for use in self._at[number, piece]:
                    if use.owner.accepted == accepted:
                        result[use.owner.notice].add(use.amount, use.factor)
        return result

    def _site(self, contract: Contract) -> int | None:
        return None if contract.site is None else self.ground.land.site_number[contract.site]


def _counts_hold(contract: Contract, notice: int | None) -> bool:
    """R8 counts the holds of contracts with a booking lead below n; R7 counts all."""
    return notice is None or contract.booking_lead_days < notice


def _counted(by_notice: ByNotice, notice: int | None) -> Sum:
    """R7 counts firm GPUs, R8 those with a recall notice from n on too."""
    result = Sum()
    for own, gpus in by_notice.items():
        if own is None or (notice is not None and own >= notice):
            result = result.plus(gpus)
    return result
