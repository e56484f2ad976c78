"""The whole of § 4 and § 5 for snapshots that are small enough: one model, solved step by step, each step proven."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine.exact import goals as steps
from solver.engine.exact import groups, land, lots, pieces, search
from solver.engine.exact.answer import Answer
from solver.engine.exact.courses import Course, course
from solver.engine.exact.goals import Goal, Parts
from solver.engine.exact.leftover import Leftover
from solver.engine.exact.lots import Unsuitable
from solver.engine.exact.model import Model
from solver.engine.exact.promises import Promises
from solver.engine.exact.rules import Rules
from solver.engine.exact.standins import give_up, stand_in
from solver.engine.exact.wants import Field, Want, want
from solver.snapshot import Request, Snapshot

MOST_OPTIONS = 3000
"""Requests x starts x racks, and reservations x pieces x racks, up to which the model is built."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best solution found. ``is_proven``: no valid plan is better in any step of § 5.

    ``bounds`` are USD by tier, for the tiers that were reached with everything before them proven.
    """

    decisions: Decisions
    bounds: dict[int, float]
    is_proven: bool


def solve(
    snapshot: Snapshot,
    cluster: Cluster,
    *,
    work: float,
    seconds: Callable[[], float | None],
    stop: Callable[[], bool],
    seed: int = 0,
) -> Outcome | None:
    """The best plan; None where the snapshot is too large, or nothing was found within ``work`` and ``seconds``.

    ``work`` is deterministic; ``seconds`` answers how many are left (None: no limit), ``stop`` whether to stop now.
    """
    if not suits(snapshot, cluster):
        return None
    try:
        desk = _Desk(snapshot, cluster)
    except Unsuitable:
        return None
    found = search.search(desk.model, desk.goals, search.Limits(work, seconds, stop, seed), desk.refine)
    if found.values is None:
        return None
    return Outcome(desk.decisions(found.values), _bounds(desk.goals, found), found.is_proven)


def suits(snapshot: Snapshot, cluster: Cluster) -> bool:
    """Whether the snapshot is small enough, by what is counted without looking at a day."""
    racks = len(cluster.rack_ids)
    starts = sum(len(pieces.starts(snapshot, request)) for request in snapshot.requests)
    return racks * starts <= MOST_OPTIONS and racks * cluster.days * len(snapshot.reservations) <= 10 * MOST_OPTIONS


def _bounds(goals: tuple[Goal, ...], found: search.Found) -> dict[int, float]:
    return {
        goal.tier: float(-found.bounds[goal.name] / goal.per_usd)
        for goal in goals
        if goal.tier is not None and goal.name in found.bounds
    }


class _Desk:
    """The model of a snapshot, with its parts."""

    def __init__(self, snapshot: Snapshot, cluster: Cluster) -> None:
        self.snapshot = snapshot
        self.cluster = cluster
        self.model = Model()
        days = pieces.cut(snapshot)
        ground = land.survey(snapshot, cluster, days)
        reserved = lots.lay_out(snapshot, ground, days)
        racks = groups.groups(snapshot, ground, days, reserved.lots)
        group_of = {rack: number for number, group in enumerate(racks) for rack in group.racks}
        self.ground = Field(ground, days, racks, group_of, reserved.excess)
        self.courses = [course(self.model, self.ground, lot) for lot in reserved.lots]
        self._bend()
        self.booked = self._booked()
        self.wants = self._wants()
        self.rules = Rules(self.model, self.ground, snapshot)
        self._rules()
        self.goals = tuple(steps.goals(Parts(self.model, self.ground, snapshot, self.courses, self.wants, self.rules)))
        self._leftover = Leftover(self.model, self.ground, self.courses, self.rules)

    def decisions(self, values: search.Values) -> Decisions:
        """What a solution decides."""
        answer = Answer(self.ground, self.courses, self.wants, values)
        return answer.decisions(self.snapshot, self.rules.shortfalls)

    def refine(self, values: search.Values) -> bool:
        """R13: cut off a solution that is not complete; whether it was."""
        if all(request.value_usd for request in self.snapshot.requests):
            return False
        return self._leftover.cut(self.snapshot, self.cluster, self.decisions(values), self.wants, values)

    def _bend(self) -> None:
        bending = [course for course in self.courses if course.may_bend]
        for each in bending:
            stand_in(self.model, self.ground, each)
        give_up(self.model, self.ground, bending)
        promises = Promises(self.model, self.ground, self.courses)
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
