"""Plans side by side: what each scenario changes about the plan of the snapshot as it is, and what that is worth."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from solver.compare.answer import (
    FORMAT,
    Comparison,
    Decision,
    Differences,
    EndedReservation,
    HoldDifference,
    HoldShort,
    Moved,
    MoveDifference,
    Recalled,
    RequestDifference,
    ReservationDifference,
    ScenarioAnswer,
    Short,
    Summary,
    TierDifference,
)
from solver.plan import Move, Plan, Tier
from solver.scenarios.draft import Ended
from solver.scenarios.reading import Changed
from solver.snapshot import Loaded, Request, Reservation


@dataclass(frozen=True)
class Planned:
    """A snapshot and its plan."""

    loaded: Loaded
    plan: Plan

    @cached_property
    def reservations(self) -> dict[str, Reservation]:
        return {block.id: block for block in self.loaded.snapshot.reservations}

    @cached_property
    def decisions(self) -> dict[str, Decision]:
        """By request what the plan decides."""
        return dict([*_accepted(self.plan), *_declined(self.plan)])

    @cached_property
    def summary(self) -> Summary:
        return Summary(
            snapshot_sha256=self.loaded.sha256,
            status=self.plan.status,
            seconds=self.plan.seconds,
            tiers=self.plan.tiers,
            accepted=len(self.plan.accepted),
            declined=len(self.plan.declined),
            moves=[self._moved(move) for move in self.plan.moves],
            recalls=[self._recalled(recall.reservation, recall.end) for recall in self.plan.recalls],
            shortfalls=[*self._shorts()],
            hold_shortfalls=[*self._hold_shorts()],
        )

    def _moved(self, move: Move) -> Moved:
        """GPUs on racks that the snapshot's placement does not have: the most that each one has at a time."""
        own = {rack for segment in self.reservations[move.reservation].placement for rack in segment.racks}
        gpus: dict[str, int] = {}
        for segment in move.placement:
            for rack in segment.racks.keys() - own:
                gpus[rack] = max(segment.racks[rack], gpus.get(rack, 0))
        return Moved(reservation=move.reservation, forced=move.forced, gpus=sum(gpus.values()))

    def _recalled(self, name: str, end: dt.date) -> Recalled:
        gpu_days, usd = given_up(self.reservations[name], end)
        return Recalled(reservation=name, end=end, gpu_days=gpu_days, value_usd=usd)

    def _shorts(self) -> Iterator[Short]:
        for short in self.plan.shortfalls:
            gpu_days = short.gpus * (short.end - short.start).days
            usd = _share(self.reservations[short.reservation], gpu_days)
            yield Short(**short.model_dump(), gpu_days=gpu_days, value_usd=usd)

    def _hold_shorts(self) -> Iterator[HoldShort]:
        for short in self.plan.hold_shortfalls:
            yield HoldShort(**short.model_dump(), gpu_days=short.gpus * (short.end - short.start).days)


def compare(
    loaded: Loaded,
    scenarios: Sequence[Changed],
    plans: Sequence[Plan | None],
    *,
    seed: int,
    seconds: float,
    interrupted: bool = False,
) -> Comparison:
    """The answer: ``plans`` are that of the snapshot as it is and then each scenario's, null where there is none."""
    first, *rest = plans
    base = None if first is None else Planned(loaded, first)
    return Comparison(
        format=FORMAT,
        today=loaded.snapshot.today,
        seconds=seconds,
        seed=seed,
        interrupted=interrupted,
        base=None if base is None else base.summary,
        scenarios=[_answer(base, changed, plan) for changed, plan in zip(scenarios, rest, strict=True)],
    )


def differences(base: Planned, other: Planned, ended: Iterable[Ended] = ()) -> Differences:
    """What differs under ``other``, and what each difference is worth."""
    here, there = base.summary, other.summary
    return Differences(
        tiers=[*_tiers(here.tiers, there.tiers)],
        requests=[*_requests(base, other)],
        moves=[*_moves(here.moves, there.moves)],
        recalls=[*_reservations(here.recalls, there.recalls)],
        shortfalls=[*_reservations(here.shortfalls, there.shortfalls)],
        hold_shortfalls=[*_holds(here.hold_shortfalls, there.hold_shortfalls)],
        ended=[_ended(base, item) for item in ended],
    )


def given_up(reservation: Reservation, end: dt.date) -> tuple[int, float]:
    """GPU-days that the reservation loses by ending on ``end``, and their share of its value in USD."""
    gpu_days = reservation.gpus * (reservation.end - end).days
    return gpu_days, _share(reservation, gpu_days)


def _share(reservation: Reservation, gpu_days: int) -> float:
    whole = reservation.gpus * (reservation.end - reservation.start).days
    return reservation.value_usd * gpu_days / whole


def _answer(base: Planned | None, changed: Changed, plan: Plan | None) -> ScenarioAnswer:
    if plan is None:
        return ScenarioAnswer(name=changed.name, plan=None, differences=None)
    other = Planned(changed.loaded, plan)
    found = None if base is None else differences(base, other, changed.ended)
    return ScenarioAnswer(name=changed.name, plan=other.summary, differences=found)


def _accepted(plan: Plan) -> Iterator[tuple[str, Decision]]:
    for block in plan.accepted:
        yield (
            block.request,
            Decision(
                accepted=True,
                gpus=block.gpus,
                start=block.start,
                end=block.end,
                value_usd=block.value_usd,
                reason=None,
                text=None,
            ),
        )


def _declined(plan: Plan) -> Iterator[tuple[str, Decision]]:
    for item in plan.declined:
        reason = item.reason
        yield (
            item.request,
            Decision(accepted=False, gpus=0, start=None, end=None, value_usd=0.0, reason=reason.code, text=reason.text),
        )


def _tiers(base: list[Tier], other: list[Tier]) -> Iterator[TierDifference]:
    """A tier that one of the plans does not have is worth nothing there."""
    here, there = ({tier.tier: tier for tier in tiers} for tiers in (base, other))
    for number in sorted(here.keys() | there.keys()):
        before = here.get(number) or Tier(tier=number, value_usd=0.0, bound_usd=0.0, gap=0.0)
        after = there.get(number) or Tier(tier=number, value_usd=0.0, bound_usd=0.0, gap=0.0)
        yield TierDifference(
            tier=number,
            value_usd=after.value_usd - before.value_usd,
            bound_usd=after.bound_usd - before.bound_usd,
        )


def _requests(base: Planned, other: Planned) -> Iterator[RequestDifference]:
    """Requests that get another block, or one only in one of the plans, and those that only the scenario has."""
    for request in other.loaded.snapshot.requests:
        before, after = base.decisions.get(request.id), other.decisions[request.id]
        if before is None or _block(before) != _block(after):
            yield _request(request, before, after)


def _block(decision: Decision) -> tuple[int, dt.date | None]:
    return decision.gpus, decision.start


def _request(request: Request, before: Decision | None, after: Decision) -> RequestDifference:
    return RequestDifference(
        request=request.id,
        tenant=request.tenant,
        tier=request.tier,
        base=before,
        scenario=after,
        value_usd=after.value_usd - (0.0 if before is None else before.value_usd),
    )


def _moves(base: list[Moved], other: list[Moved]) -> Iterator[MoveDifference]:
    here, there = ({move.reservation: move.gpus for move in moves} for moves in (base, other))
    for name in _names(here, there):
        before, after = here.get(name, 0), there.get(name, 0)
        if before != after:
            yield MoveDifference(reservation=name, base_gpus=before, scenario_gpus=after, gpus=after - before)


def _reservations(
    base: Sequence[Recalled | Short], other: Sequence[Recalled | Short]
) -> Iterator[ReservationDifference]:
    """GPU-days more, and their value: lost in the scenario, it counts below 0."""
    gpu_days: dict[str, int] = defaultdict(int)
    usd: dict[str, float] = defaultdict(float)
    for sign, items in ((-1, base), (1, other)):
        for item in items:
            gpu_days[item.reservation] += sign * item.gpu_days
            usd[item.reservation] -= sign * item.value_usd
    for name, days in gpu_days.items():
        if days:
            yield ReservationDifference(reservation=name, gpu_days=days, value_usd=usd[name])


def _holds(base: list[HoldShort], other: list[HoldShort]) -> Iterator[HoldDifference]:
    gpu_days: dict[str, int] = defaultdict(int)
    for sign, items in ((-1, base), (1, other)):
        for item in items:
            gpu_days[item.contract] += sign * item.gpu_days
    for name, days in gpu_days.items():
        if days:
            yield HoldDifference(contract=name, gpu_days=days)


def _ended(base: Planned, item: Ended) -> EndedReservation:
    """Days before today are history: a contract that ends there gives up what is left of its reservations."""
    until = max(item.end or item.reservation.start, min(base.loaded.snapshot.today, item.reservation.end))
    gpu_days, usd = given_up(item.reservation, until)
    return EndedReservation(reservation=item.reservation.id, end=item.end, gpu_days=gpu_days, value_usd=-usd)


def _names(here: dict[str, int], there: dict[str, int]) -> list[str]:
    """The keys of both in the order in which they come first."""
    return list(here | there)
