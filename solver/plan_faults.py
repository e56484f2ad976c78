"""Ids in a plan that its snapshot does not have. What a plan decides is judged by `solver.verify`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from solver.faults import Known, names
from solver.files import child

if TYPE_CHECKING:
    from solver.plan import Plan
    from solver.snapshot import Snapshot


def plan_faults(plan: Plan, snapshot: Snapshot) -> list[str]:
    """Every id in the plan that the snapshot does not have, in the order of the file."""
    known = Known(snapshot)
    return [*_decisions(plan, known), *_changes(plan, known)]


def _decisions(plan: Plan, known: Known) -> Iterator[str]:
    for i, accepted in enumerate(plan.accepted):
        yield from names(f"accepted[{i}].request", accepted.request, known.requests, "request")
        yield from _racks(f"accepted[{i}]", accepted.racks, known)
    for i, declined in enumerate(plan.declined):
        yield from names(f"declined[{i}].request", declined.request, known.requests, "request")


def _changes(plan: Plan, known: Known) -> Iterator[str]:
    for i, move in enumerate(plan.moves):
        yield from names(f"moves[{i}].reservation", move.reservation, known.reservations, "reservation")
        for j, segment in enumerate(move.placement):
            yield from _racks(f"moves[{i}].placement[{j}]", segment.racks, known)
    for i, recall in enumerate(plan.recalls):
        yield from names(f"recalls[{i}].reservation", recall.reservation, known.reservations, "reservation")
    for i, short in enumerate(plan.shortfalls):
        yield from names(f"shortfalls[{i}].reservation", short.reservation, known.reservations, "reservation")
    for i, hold in enumerate(plan.hold_shortfalls):
        yield from names(f"hold_shortfalls[{i}].contract", hold.contract, known.contracts, "contract")


def _racks(at: str, racks: Iterable[str], known: Known) -> Iterator[str]:
    for rack in racks:
        yield from names(child(f"{at}.racks", rack), rack, known.racks, "rack")
