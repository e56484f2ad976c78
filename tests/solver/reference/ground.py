"""The reservations as one plan leaves them, and every block that still fits on top (R1 to R9, R12)."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from solver.snapshot import Request
from tests.solver.reference.courses import Course, joint_courses, outside
from tests.solver.reference.facts import Facts

Shortfall = tuple[int, int, int, int]


class NoReference(Exception):
    """The snapshot is outside what this search covers."""


@dataclass(frozen=True)
class Choice:
    """An accepted request: ``gpus`` GPUs on ``racks`` on each day of ``[start, start + days)``, days from today."""

    request: Request
    start: int
    gpus: int
    racks: tuple[tuple[str, int], ...]

    @property
    def days(self) -> range:
        return range(self.start, self.start + self.request.days)

    @property
    def value(self) -> float:
        return self.request.value_usd * self.gpus / self.request.gpus


class Ground:
    """The reservations as one plan leaves them, and what still fits on top (R1 to R9)."""

    def __init__(self, facts: Facts, courses: tuple[Course, ...]) -> None:
        self.facts = facts
        self.courses = courses
        self.load = [self._load(day) for day in range(facts.days)]
        self.firm = [self._site_gpus(day, None) for day in range(facts.days)]
        self.interruptible = {n: [self._site_gpus(day, n) for day in range(facts.days)] for n in facts.notices}
        self.promised = [self._promised(day) for day in range(facts.days)]
        self.holds = self._hold_shortfalls()

    @property
    def is_valid(self) -> bool:
        """R7 and R8 with every request declined."""
        return all(self._holds_fit(day, []) for day in range(self.facts.horizon))

    @cached_property
    def shortfall(self) -> Shortfall:
        short = [0, 0]
        for course, day in itertools.product(self.courses, range(self.facts.days)):
            short[course.reservation.interruptible] += course.short(day)
        stray = sum(outside(self.facts, c, day) for c in self.courses for day in range(self.facts.days))
        return short[0], short[1], stray, sum(map(sum, self.holds.values()))

    def choices(self, request: Request, chosen: tuple[Choice, ...]) -> Iterator[Choice]:
        """Every way to accept the request beside those chosen, the largest first."""
        step = 72 if request.gpus >= 72 else 4
        first = max(0, self.facts.number(request.earliest_start))
        last = min(self.facts.number(request.latest_start), self.facts.horizon - request.days)
        for gpus in range(request.gpus, request.min_gpus - 1, -step):
            for start in range(first, last + 1):
                for racks in self._placements(request, start, gpus, chosen):
                    choice = Choice(request, start, gpus, racks)
                    if all(
                        self._day_holds(day, [c for c in (*chosen, choice) if day in c.days]) for day in choice.days
                    ):
                        yield choice

    def _placements(
        self, request: Request, start: int, gpus: int, chosen: tuple[Choice, ...]
    ) -> Iterator[tuple[tuple[str, int], ...]]:
        """R1, R5: the racks that have room on every day, of each group of like ones the first."""
        days = range(start, start + request.days)
        site = self.facts.bound_site(request)
        free: dict[str, list[list[str]]] = defaultdict(list)
        for group in self._alike(chosen):
            rack = group[0]
            room = min(72 - self._loads(rack, chosen)[day] for day in days)
            healthy = all(self.facts.healthy[rack][day] for day in days)
            if healthy and site in (None, self.facts.site_of[rack]) and room >= min(gpus, 72):
                free[self.facts.unit(request.scope, rack)].append(group)
        for groups in free.values():
            for racks in _pick(groups, max(1, gpus // 72)):
                yield tuple((rack, min(gpus, 72)) for rack in racks)

    def _alike(self, chosen: tuple[Choice, ...]) -> list[list[str]]:
        groups: dict[object, list[str]] = defaultdict(list)
        for rack in self.facts.racks:
            like = (self.facts.pod_of[rack], tuple(self._loads(rack, chosen)), tuple(self.facts.healthy[rack]))
            groups[like].append(rack)
        return list(groups.values())

    def _loads(self, rack: str, chosen: tuple[Choice, ...]) -> list[int]:
        loads = [self.load[day][rack] for day in range(self.facts.days)]
        for choice in chosen:
            for day in choice.days:
                loads[day] += dict(choice.racks).get(rack, 0)
        return loads

    def _day_holds(self, day: int, blocks: list[Choice]) -> bool:
        """R2, R3, R6 to R9 on one day with these accepted blocks."""
        load = Counter(self.load[day])
        for block in blocks:
            load.update(dict(block.racks))
        carrying = [rack for rack, gpus in load.items() if gpus > 0]
        return (
            self._halls_hold(day, blocks, Counter(self.facts.hall_of[rack] for rack in carrying))
            and all(
                count <= self.facts.power[site][day]
                for site, count in Counter(self.facts.site_of[rack] for rack in carrying).items()
            )
            and self._promises_hold(day, blocks)
            and self._holds_fit(day, blocks)
        )

    def _halls_hold(self, day: int, blocks: list[Choice], carrying: Counter[str]) -> bool:
        used = {self.facts.hall_of[rack] for block in blocks for rack, _ in block.racks}
        return all(carrying[hall] <= self.facts.sale[hall][day] for hall in used)

    def _promises_hold(self, day: int, blocks: list[Choice]) -> bool:
        """R6 and R9."""
        snapshot = self.facts.snapshot
        for block in blocks:
            contract = block.request.contract
            if contract is not None:
                if not self.facts.in_force(contract, day):
                    return False
                booked = sum(b.gpus for b in blocks if b.request.contract == contract)
                stood = self.promised[day]["contract", contract]
                limit = max(self.facts.committed[contract][day], stood)
                if not snapshot.contract_by_id[contract].overage and booked + stood > limit:
                    return False
            quota = next(t.max_gpus for t in snapshot.tenants if t.id == block.request.tenant)
            stood = self.promised[day]["tenant", block.request.tenant]
            asked = sum(b.gpus for b in blocks if b.request.tenant == block.request.tenant)
            if quota is not None and asked + stood > max(quota, stood):
                return False
        return True

    def _holds_fit(self, day: int, blocks: list[Choice]) -> bool:
        """R7 (no notice) and R8 (each notice), over the cluster and in each site."""
        held = {k: max(0, gpus - self.holds[k][day]) for k, gpus in self._held(day, blocks).items()}
        for notice in (None, *self.facts.notices):
            left, right = self._left(day, blocks, held, notice), self._right(day, notice)
            if left["cluster"] > sum(right.values()) or any(left[site] > right[site] for site in right):
                return False
        return True

    def _held(self, day: int, blocks: list[Choice]) -> dict[str, int]:
        """R7: what is committed and not booked, from the end of the booking lead on."""
        result = {}
        for contract in self.facts.snapshot.contracts:
            booked = self.promised[day]["contract", contract.id]
            booked += sum(block.gpus for block in blocks if block.request.contract == contract.id)
            is_held = day >= contract.booking_lead_days
            result[contract.id] = max(0, self.facts.committed[contract.id][day] - booked) if is_held else 0
        return result

    def _left(self, day: int, blocks: list[Choice], held: dict[str, int], notice: int | None) -> Counter[str]:
        left = Counter(self._reserved(day, notice))
        for block in blocks:
            if _counts(block.request.recall_notice_days, notice):
                for rack, gpus in block.racks:
                    left[self.facts.site_of[rack]] += gpus
        left["cluster"] = sum(left.values())
        for contract in self.facts.snapshot.contracts:
            if notice is None or contract.booking_lead_days < notice:
                left["cluster"] += held[contract.id]
                if contract.site is not None:
                    left[contract.site] += held[contract.id]
        return left

    def _right(self, day: int, notice: int | None) -> dict[str, int]:
        reserved = self._reserved(day, notice)
        return {site: max(self.facts.capacity[site][day], reserved[site]) for site in self.facts.sites}

    def _reserved(self, day: int, notice: int | None) -> Counter[str]:
        """GPUs by site of the reservations that the row counts."""
        total = Counter(self.firm[day])
        for other, gpus in self.interruptible.items():
            if _counts(other, notice):
                total.update(gpus[day])
        return total

    def _hold_shortfalls(self) -> dict[str, list[int]]:
        """R12: what R7 lacks with every request declined. Which of several contracts bears it is not tried."""
        result = {contract.id: [0] * self.facts.days for contract in self.facts.snapshot.contracts}
        for day in range(self.facts.horizon):
            held = self._held(day, [])
            left, right = self._left(day, [], held, None), self._right(day, None)
            lacking = max(left["cluster"] - sum(right.values()), sum(max(0, left[s] - right[s]) for s in right))
            if lacking > 0:
                bearers = [contract for contract, gpus in held.items() if gpus]
                if len(bearers) > 1:
                    raise NoReference("several contracts could bear a hold shortfall")
                result[bearers[0]][day] = lacking
        return result

    def _load(self, day: int) -> Counter[str]:
        load: Counter[str] = Counter()
        for course in self.courses:
            load.update(course.on(day))
        return load

    def _site_gpus(self, day: int, notice: int | None) -> Counter[str]:
        gpus: Counter[str] = Counter()
        for course in self.courses:
            if course.reservation.recall_notice_days == notice:
                for rack, used in course.on(day).items():
                    gpus[self.facts.site_of[rack]] += used
        return gpus

    def _promised(self, day: int) -> Counter[tuple[str, str | None]]:
        promised: Counter[tuple[str, str | None]] = Counter()
        for course in self.courses:
            if course.first <= day < course.end:
                promised["contract", course.reservation.contract] += course.reservation.gpus
                promised["tenant", course.reservation.tenant] += course.reservation.gpus
        return promised


def grounds(facts: Facts) -> Iterator[Ground]:
    for courses in joint_courses(facts):
        ground = Ground(facts, courses)
        if ground.is_valid:
            yield ground


def distinct(grounds: Iterable[Ground]) -> Iterator[Ground]:
    """Of grounds that differ in nothing that requests could feel the first: racks of a pod may change places."""
    seen = set()
    for ground in grounds:
        facts = ground.facts
        racks = sorted(
            (facts.pod_of[rack], tuple(facts.healthy[rack]), tuple(ground.load[day][rack] for day in range(facts.days)))
            for rack in facts.racks
        )
        sites = [
            tuple(sorted(ground._reserved(d, n).items())) for d in range(facts.days) for n in (None, *facts.notices)
        ]
        ends = tuple(course.end for course in ground.courses)
        key = (tuple(racks), tuple(sites), ends, tuple(map(tuple, ground.holds.values())))
        if key not in seen:
            seen.add(key)
            yield ground


def _counts(recall_notice: int | None, notice: int | None) -> bool:
    """Whether a row counts a block: R7 (None) the firm ones, R8 those with a recall notice from n on too."""
    return recall_notice is None or (notice is not None and recall_notice >= notice)


def _pick(groups: list[list[str]], count: int) -> Iterator[tuple[str, ...]]:
    """Every way to take ``count`` racks, from each group of like ones its first."""
    if count == 0:
        yield ()
    elif groups:
        for taken in range(min(count, len(groups[0])), -1, -1):
            for rest in _pick(groups[1:], count - taken):
                yield (*groups[0][:taken], *rest)
