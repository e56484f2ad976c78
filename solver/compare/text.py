"""The answer of ``compare`` for people: all plans in one table, then for each scenario what differs, dearest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.table import Table

from solver.compare.answer import Comparison, Decision, Differences, Summary
from solver.promise_text import days, percent, table_of

_SHOWN = 20
"""Lines of a table of differences; the JSON answer has them all."""
_NONE = "–"
_FIGURES: dict[str, Callable[[Summary], int]] = {
    "requests accepted": lambda plan: plan.accepted,
    "requests declined": lambda plan: plan.declined,
    "GPUs moved": lambda plan: sum(move.gpus for move in plan.moves),
    "GPU-days recalled": lambda plan: sum(recall.gpu_days for recall in plan.recalls),
    "GPU-days short": lambda plan: sum(short.gpu_days for short in plan.shortfalls),
    "GPU-days of holds short": lambda plan: sum(short.gpu_days for short in plan.hold_shortfalls),
}


def tables(comparison: Comparison) -> Iterator[Table]:
    """What to print, in order."""
    yield _side_by_side(comparison)
    for scenario in comparison.scenarios:
        if scenario.differences is not None:
            yield from _differences(scenario.name, scenario.differences)


def _side_by_side(comparison: Comparison) -> Table:
    plans = [comparison.base, *(scenario.plan for scenario in comparison.scenarios)]
    names = ["as it is", *(scenario.name for scenario in comparison.scenarios)]
    cut = ", as far as they were when interrupted" if comparison.interrupted else ""
    table = table_of(f"Plans side by side{cut}", [""], names)
    for number in sorted({tier.tier for plan in plans if plan is not None for tier in plan.tiers}):
        _add_tier(table, plans, number)
    for name, figure in _FIGURES.items():
        table.add_row(name, *(_NONE if plan is None else f"{figure(plan):,}" for plan in plans))
    table.add_row("status", *("not begun" if plan is None else plan.status for plan in plans))
    return table


def _add_tier(table: Table, plans: Sequence[Summary | None], number: int) -> None:
    tiers = [next((t for t in plan.tiers if t.tier == number), None) if plan else None for plan in plans]
    table.add_row(f"tier {number}, value in USD", *(_NONE if t is None else f"{t.value_usd:,.0f}" for t in tiers))
    table.add_row(f"tier {number}, bound in USD", *(_NONE if t is None else f"{t.bound_usd:,.0f}" for t in tiers))
    table.add_row(f"tier {number}, gap", *(_NONE if t is None else percent(t.gap) for t in tiers))


def _differences(name: str, found: Differences) -> Iterator[Table]:
    made = [table for table in (_tiers(name, found), _requests(name, found), _promises(name, found)) if table.row_count]
    yield from made or [table_of(f"{name}: nothing differs", [], [])]


def _tiers(name: str, found: Differences) -> Table:
    table = table_of(f"{name}: more, or less, than as it is", ["tier"], ["value, USD", "bound, USD"])
    for tier in found.tiers:
        if round(tier.value_usd) or round(tier.bound_usd):
            table.add_row(str(tier.tier), _signed(tier.value_usd), _signed(tier.bound_usd))
    return table


def _requests(name: str, found: Differences) -> Table:
    """Dearest first; those of which the plans differ in the start alone are only counted."""
    words = ["request", "tenant", "tier", "as it is", "here"]
    table = table_of(f"{name}: requests decided otherwise", words, ["worth, USD"])
    rows = [item for item in found.requests if item.base is None or round(item.value_usd)]
    for item in sorted(rows, key=lambda item: -abs(item.value_usd))[:_SHOWN]:
        told = (_decision(item.base), _decision(item.scenario))
        table.add_row(item.request, item.tenant, str(item.tier), *told, _signed(item.value_usd))
    _tell_rest(table, len(rows))
    if len(rows) < len(found.requests):
        table.add_row(f"{len(found.requests) - len(rows):,} on other days")
    return table


def _promises(name: str, found: Differences) -> Table:
    """Reservations and holds; the snapshot names no price for a hold, nor for a move."""
    table = table_of(f"{name}: promises that fare otherwise", ["what", "of"], ["more than as it is", "worth, USD"])
    rows = [
        *(("ended", r.reservation, f"{r.gpu_days:+,} GPU-days", _signed(r.value_usd)) for r in found.ended),
        *(("recalled", r.reservation, f"{r.gpu_days:+,} GPU-days", _signed(r.value_usd)) for r in found.recalls),
        *(("short", r.reservation, f"{r.gpu_days:+,} GPU-days", _signed(r.value_usd)) for r in found.shortfalls),
        *(("hold short", k.contract, f"{k.gpu_days:+,} GPU-days", _NONE) for k in found.hold_shortfalls),
        *(("moved", r.reservation, f"{r.gpus:+,} GPUs", _NONE) for r in found.moves),
    ]
    for row in rows[:_SHOWN]:
        table.add_row(*row)
    _tell_rest(table, len(rows))
    return table


def _tell_rest(table: Table, rows: int) -> None:
    if rows > _SHOWN:
        table.add_row(f"{rows - _SHOWN:,} more")


def _decision(decision: Decision | None) -> str:
    if decision is None:
        return "not asked for"
    if decision.start is None or decision.end is None:
        return f"declined: {decision.reason}"
    return f"{decision.gpus:,} GPUs, {days(decision.start, decision.end)}"


def _signed(usd: float) -> str:
    return f"{usd:+,.0f}" if round(usd) else "0"
