"""What a plan decides, in a few lines for a person."""

from __future__ import annotations

from collections.abc import Iterator

from solver.plan import Plan


def lines(plan: Plan, *, interrupted: bool) -> Iterator[str]:
    """How good the plan is, how many requests and reservations fare how, and which contracts' holds are short."""
    yield f"{plan.status}{', interrupted' if interrupted else ''} after {plan.seconds:.1f} s"
    yield f"requests: {len(plan.accepted):,} accepted, {len(plan.declined):,} declined"
    short = len({shortfall.reservation for shortfall in plan.shortfalls})
    yield f"reservations: {len(plan.moves):,} moved, {len(plan.recalls):,} recalled, {short:,} short"
    contracts = sorted({shortfall.contract for shortfall in plan.hold_shortfalls})
    if contracts:
        yield f"holds short: {', '.join(contracts)}"
