"""The model of a snapshot, put together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine.exact import goals as steps
from solver.engine.exact import groups, land, lots, pieces
from solver.engine.exact.answer import Answer
from solver.engine.exact.courses import Course, course
from solver.engine.exact.goals import Parts
from solver.engine.exact.leftover import Leftover
from solver.engine.exact.lots import Lot, Unsuitable
from solver.engine.exact.model import Model
from solver.engine.exact.promises import Promises
from solver.engine.exact.rules import Rules
from solver.engine.exact.search import Values
from solver.engine.exact.standins import give_up, stand_in
from solver.engine.exact.wants import Field, Want, want
from solver.snapshot import Request, Snapshot

MOST_PLACES, MOST_COURSES = 2000, 8000
"""Starts x groups of all requests, and what may become of reservations, up to which the model is built."""


class Desk:
    """The model of a snapshot, with its parts. Raises `Unsuitable` where it is too large or not covered."""

    def __init__(self, snapshot: Snapshot, cluster: Cluster, *, may_give_up: bool = False) -> None:
        self.snapshot = snapshot
        self.cluster = cluster
        self.model = Model()
        days = pieces.cut(snapshot)
        ground = land.survey(snapshot, cluster, days)
        reserved = lots.lay_out(snapshot, ground, days)
        racks = groups.groups(snapshot, ground, reserved.lots)
        group_of = {rack: number for number, group in enumerate(racks) for rack in group.racks}
        self.ground = Field(ground, days, racks, group_of, reserved.excess)
        _refuse_too_large(snapshot, self.ground, reserved.lots)
        self.courses = [course(self.model, self.ground, lot) for lot in reserved.lots]
        self._bend(may_give_up=may_give_up)
        self.booked = self._booked()
        self.wants = self._wants()
        self.rules = Rules(self.model, self.ground, snapshot)
        self._rules()
        self.goals = tuple(steps.goals(Parts(self.model, self.ground, snapshot, self.courses, self.wants, self.rules)))
        self._leftover = Leftover(self.model, self.ground, self.courses, self.rules)

    def decisions(self, values: Values) -> Decisions:
        """What a solution decides."""
        answer = Answer(self.ground, self.courses, self.wants, values)
        return answer.decisions(self.snapshot, self.rules.shortfalls)

    def refine(self, values: Values) -> bool:
        """R13: cut off a solution that is not complete; whether it was."""
        if all(request.value_usd for request in self.snapshot.requests):
            return False
        return self._leftover.cut(self.snapshot, self.cluster, self.decisions(values), self.wants, values)

    def _bend(self, *, may_give_up: bool) -> None:
        bending = [course for course in self.courses if course.may_bend]
        for each in bending:
            stand_in(self.model, self.ground, each)
        give_up(self.model, self.ground, bending)
        promises = Promises(self.model, self.ground, self.courses)
        if not may_give_up:
            promises.serve()
        promises.no_idle_racks()
        promises.nowhere_to_go()

    def _booked(self) -> dict[str, list[int]]:
        """GPUs promised to reservations of each contract, by piece; none of them can be recalled."""
        booked = {contract.id: [0] * len(self.ground.pieces) for contract in self.snapshot.contracts}
        for each in self.courses:
            reservation = each.lot.reservation
            if reservation.contract is not None:
                for piece in each.lot.span:
                    booked[reservation.contract][piece] += reservation.gpus
        return booked

    def _wants(self) -> list[Want]:
        snapshot = self.snapshot
        most = _Most(snapshot, self.ground, self.courses, self.booked)
        return [want(self.model, self.ground, snapshot, request, most.of(request)) for request in snapshot.requests]

    def _rules(self) -> None:
        snapshot = self.snapshot
        given = [block.recall_notice_days for block in snapshot.requests]
        given += [block.recall_notice_days for block in snapshot.reservations]
        notices = sorted({notice for notice in given if notice is not None})
        self.rules.r1()
        self.rules.r2_r3()
        self.rules.r6(self.booked)
        self.rules.r9(self.courses)
        self.rules.r7_r8(notices, self.booked)


def _refuse_too_large(snapshot: Snapshot, ground: Field, lots: Iterable[Lot]) -> None:
    places = sum(len(pieces.starts(snapshot, request)) for request in snapshot.requests)
    courses = 0
    for lot in lots:
        if not lot.is_fixed:  # racks that may be taken anew, or that may stand in
            courses += len(lot.slots) * len(lot.span) if lot.is_taken_from else 1 + len(lot.recalls)
    if len(ground.groups) * places > MOST_PLACES or len(ground.groups) * courses > MOST_COURSES:
        raise Unsuitable(f"{places} starts and {courses} courses in {len(ground.groups)} groups are too many")


@dataclass(frozen=True, slots=True)
class _Most:
    """The GPUs that R6 and R9 leave a request at the most, by piece."""

    snapshot: Snapshot
    ground: Field
    courses: list[Course]
    booked: dict[str, list[int]]

    def of(self, request: Request) -> list[int]:
        most = [request.gpus] * self.ground.pieces.decided
        contract = None if request.contract is None else self.snapshot.contract_by_id[request.contract]
        quota = next(tenant.max_gpus for tenant in self.snapshot.tenants if tenant.id == request.tenant)
        for piece in range(len(most)):
            if contract is not None and not contract.overage:
                committed = contract.terms.committed(self.ground.pieces.date(piece))
                most[piece] = min(most[piece], committed - self.booked[contract.id][piece])
            if quota is not None:
                most[piece] = min(most[piece], quota - self._reserved(request.tenant, piece))
        return most

    def _reserved(self, tenant: str, piece: int) -> int:
        """GPUs promised to the tenant for certain."""
        mine = (course for course in self.courses if course.lot.reservation.tenant == tenant)
        return sum(c.lot.reservation.gpus for c in mine if piece in c.keeps and c.keeps[piece] is None)
