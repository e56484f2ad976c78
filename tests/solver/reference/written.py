"""The best plan as a plan file, for `solver.verify` to judge."""

from __future__ import annotations

import itertools
from typing import Any

from solver import plan as plans
from solver.plan import Plan
from solver.snapshot import Loaded
from tests.solver.reference import build
from tests.solver.reference.courses import Course
from tests.solver.reference.exhaustive import Best
from tests.solver.reference.facts import Facts
from tests.solver.reference.ground import Choice


def plan_of(loaded: Loaded, best: Best) -> Plan:
    """The plan, with reasons and prices that say nothing."""
    facts = Facts(loaded.snapshot)
    accepted = {choice.request.id: choice for choice in best.choices}
    declined = [request.id for request in loaded.snapshot.requests if request.id not in accepted]
    content = {
        "format": plans.FORMAT,
        "snapshot_sha256": loaded.sha256,
        "today": facts.date(0).isoformat(),
        "status": "optimal",
        "seconds": 0.0,
        "seed": 0,
        "tiers": [
            {"tier": tier, "value_usd": value, "bound_usd": value, "gap": 0.0}
            for tier, value in zip(best.tiers, best.values, strict=True)
        ],
        "accepted": [_accepted(facts, choice) for choice in accepted.values()],
        "declined": [_declined(request) for request in declined],
        "moves": [move for course in best.courses for move in _moves(facts, course)],
        "recalls": [
            {"reservation": course.reservation.id, "end": facts.date(course.end).isoformat()}
            for course in best.courses
            if course.recalled_days
        ],
        "shortfalls": [short for course in best.courses for short in _shortfalls(facts, course)],
        "hold_shortfalls": [
            short for name, days in best.holds.items() for short in _hold_shortfalls(facts, name, days)
        ],
        "prices": [],
    }
    return plans.parse(build.encode(content))


def _accepted(facts: Facts, choice: Choice) -> dict[str, Any]:
    return {
        "request": choice.request.id,
        "gpus": choice.gpus,
        "start": facts.date(choice.start).isoformat(),
        "end": facts.date(choice.days.stop).isoformat(),
        "value_usd": choice.value,
        "racks": dict(choice.racks),
    }


def _declined(request: str) -> dict[str, Any]:
    reason = {"code": "outbid", "text": "-", "start": None, "short": [], "holders": [], "price_to_win_usd": None}
    return {"request": request, "reason": reason, "counter_offers": []}


def _moves(facts: Facts, course: Course) -> list[dict[str, Any]]:
    (segment,) = course.reservation.placement
    days = range(course.first, course.end)
    if all(course.on(day) == segment.racks for day in days):
        return []
    racks = [(day, course.on(day)) for day in days]
    if course.first == 0 and segment.start < facts.date(0):
        racks.insert(0, (facts.number(segment.start), dict(segment.racks)))
    racks.append((course.end, {}))
    placement = []
    for start, standing, end in _runs(racks):
        placement.append(
            {"start": facts.date(start).isoformat(), "end": facts.date(end).isoformat(), "racks": standing}
        )
    is_forced = facts.number(course.reservation.start) < course.reservation.move_notice_days or course.fallback
    return [{"reservation": course.reservation.id, "forced": is_forced, "placement": placement}]


def _runs(racks: list[tuple[int, dict[str, int]]]) -> list[tuple[int, dict[str, int], int]]:
    result = []
    start, standing = racks[0]
    for day, now in racks[1:]:
        if now != standing or day == racks[-1][0]:
            if standing:
                result.append((start, standing, day))
            start, standing = day, now
    return result


def _shortfalls(facts: Facts, course: Course) -> list[dict[str, Any]]:
    result = []
    for gpus, group in itertools.groupby(range(course.first, course.end), key=course.short):
        days = list(group)
        if gpus:
            result.append({"reservation": course.reservation.id, **_span(facts, days), "gpus": gpus})
    return result


def _hold_shortfalls(facts: Facts, contract: str, by_day: list[int]) -> list[dict[str, Any]]:
    result = []
    for gpus, group in itertools.groupby(range(len(by_day)), key=by_day.__getitem__):
        days = list(group)
        if gpus:
            result.append({"contract": contract, **_span(facts, days), "gpus": gpus})
    return result


def _span(facts: Facts, days: list[int]) -> dict[str, str]:
    return {"start": facts.date(days[0]).isoformat(), "end": facts.date(days[-1] + 1).isoformat()}
