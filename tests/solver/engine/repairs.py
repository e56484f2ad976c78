"""Help for tests of the repair: repair a snapshot of few words, read the answer in days counted from today."""

from __future__ import annotations

import datetime as dt
from typing import Any

from solver import cluster as clusters
from solver.decisions import Decisions
from solver.engine.repair import repair
from solver.plan import Plan, Tier
from solver.snapshot import Segment, Snapshot
from solver.verify.check import Broken, broken_rules
from tests.solver.reference import build
from tests.solver.reference.build import TODAY, Content

Placed = list[tuple[int, int, set[str]]]


class Repaired:
    """A snapshot, repaired, with what was decided in days counted from today."""

    def __init__(self, snapshot: Snapshot, *, seed: int = 0, late: bool = False) -> None:
        self.snapshot = snapshot
        self.decisions = repair(snapshot, clusters.build(snapshot), seed=seed, deadline=lambda: late)

    @property
    def moves(self) -> dict[str, Placed]:
        """Racks by range from today on, of each reservation that is moved."""
        return {move.reservation: [*map(_placed, filter(_remains, move.placement))] for move in self.decisions.moves}

    @property
    def forced(self) -> dict[str, bool]:
        return {move.reservation: move.forced for move in self.decisions.moves}

    @property
    def recalls(self) -> dict[str, int]:
        return {recall.reservation: _number(recall.end) for recall in self.decisions.recalls}

    @property
    def short(self) -> list[tuple[str, int, int, int]]:
        return [(s.reservation, _number(s.start), _number(s.end), s.gpus) for s in self.decisions.shortfalls]

    @property
    def hold_short(self) -> list[tuple[str, int, int, int]]:
        return [(s.contract, _number(s.start), _number(s.end), s.gpus) for s in self.decisions.hold_shortfalls]

    def broken(self) -> list[Broken]:
        """Every rule that "everything declined" breaks with these decisions, by `solver.verify`."""
        return broken_rules(self.snapshot.model_copy(update={"requests": []}), plan_of(self.snapshot, self.decisions))


def repaired(**fields: Any) -> Repaired:
    """The default two racks in one pod, ten days, with these fields; the plan keeps every rule."""
    result = Repaired(build.load(build.snapshot(**fields)).snapshot)
    assert result.broken() == []
    return result


def plan_of(snapshot: Snapshot, decisions: Decisions) -> Plan:
    """The plan that declines everything."""
    return Plan(
        format="berth.plan/1",
        snapshot_sha256="0" * 64,
        today=snapshot.today,
        status="feasible",
        seconds=0.0,
        seed=0,
        tiers=_tiers(snapshot, decisions),
        accepted=[],
        declined=[],
        moves=list(decisions.moves),
        recalls=list(decisions.recalls),
        shortfalls=list(decisions.shortfalls),
        hold_shortfalls=list(decisions.hold_shortfalls),
        prices=[],
    )


def one_site(pods: dict[str, list[str]], **fields: Any) -> list[Content]:
    """One site with one hall of these pods."""
    return [build.site(halls=[build.hall(pods=pods)], **fields)]


def two_sites(one: list[str], other: list[str], *, power_limits: list[Content] | None = None) -> list[Content]:
    """Sites s1, with the power limits, and s2, each with one pod of these racks."""
    halls = [build.hall("h1", pods={"p1": one}), build.hall("h2", pods={"p2": other})]
    return [build.site("s1", halls=halls[:1], power_limits=power_limits), build.site("s2", halls=halls[1:])]


def _tiers(snapshot: Snapshot, decisions: Decisions) -> list[Tier]:
    reservations = {reservation.id: reservation for reservation in snapshot.reservations}
    values: dict[int, float] = {}
    for recall in decisions.recalls:
        block = reservations[recall.reservation]
        lost = block.value_usd * ((block.end - recall.end) / (block.end - block.start))
        values[block.tier] = values.get(block.tier, 0.0) - lost
    return [Tier(tier=tier, value_usd=value, bound_usd=value, gap=0.0) for tier, value in sorted(values.items())]


def _number(day: dt.date) -> int:
    return (day - TODAY).days


def _remains(segment: Segment) -> bool:
    return segment.end > TODAY


def _placed(segment: Segment) -> tuple[int, int, set[str]]:
    return max(0, _number(segment.start)), _number(segment.end), set(segment.racks)
