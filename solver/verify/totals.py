"""The plan's own keys and totals: every request decided once, values and gaps as the page says (rule ``value``)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from solver.plan import Move, Plan, Recall, Shortfall, Tier
from solver.snapshot import Snapshot
from solver.verify.broken import Broken

CENT = 0.01
GAP = 1e-6


def unknown_ids(snapshot: Snapshot, plan: Plan) -> Iterator[Broken]:
    """Ids in the plan that the snapshot does not have; no other rule can be judged then."""
    racks = {rack for site in snapshot.sites for hall in site.halls for pod in hall.pods for rack in pod.racks}
    placed = [accepted.racks for accepted in plan.accepted]
    placed += [segment.racks for move in plan.moves for segment in move.placement]
    requested = [*(item.request for item in plan.accepted), *(item.request for item in plan.declined)]
    reserving: list[Move | Recall | Shortfall] = [*plan.moves, *plan.recalls, *plan.shortfalls]
    named: tuple[tuple[str, Iterable[str], set[str]], ...] = (
        ("request", requested, {request.id for request in snapshot.requests}),
        ("reservation", [item.reservation for item in reserving], {r.id for r in snapshot.reservations}),
        ("contract", [item.contract for item in plan.hold_shortfalls], {c.id for c in snapshot.contracts}),
        ("rack", [rack for racks_of_block in placed for rack in racks_of_block], racks),
    )
    for kind, names, known in named:
        for name in sorted(set(names) - known):
            yield Broken("value", f"the plan names the {kind} {name!r}, which the snapshot does not have.", (name,))


def totals(snapshot: Snapshot, plan: Plan) -> Iterator[Broken]:
    """Every request is accepted or declined, once; at most one move and one recall for a reservation; values, gaps and
    status are what the rest of the plan says.
    """
    if plan.today != snapshot.today:
        yield Broken("value", f"the plan's today is {plan.today}, the snapshot's {snapshot.today}.")
    yield from _decided_once(snapshot, plan)
    yield from _shares(snapshot, plan)
    yield from _tiers(snapshot, plan)


def _decided_once(snapshot: Snapshot, plan: Plan) -> Iterator[Broken]:
    accepted = Counter(item.request for item in plan.accepted)
    declined = Counter(item.request for item in plan.declined)
    for request in snapshot.requests:
        times = (accepted[request.id], declined[request.id])
        if sum(times) != 1:
            text = f"{request.id} is accepted {times[0]} and declined {times[1]} times, not decided once."
            yield Broken("value", text, (request.id,))
    changed = (("moved", (m.reservation for m in plan.moves)), ("recalled", (r.reservation for r in plan.recalls)))
    for what, names in changed:
        for name, times_changed in Counter(names).items():
            if times_changed > 1:
                yield Broken("value", f"{name} is {what} {times_changed} times, not once.", (name,))


def _shares(snapshot: Snapshot, plan: Plan) -> Iterator[Broken]:
    """A smaller accepted block is worth its share of the full one."""
    requests = {request.id: request for request in snapshot.requests}
    for accepted in plan.accepted:
        request = requests[accepted.request]
        worth = request.value_usd * accepted.gpus / request.gpus
        if not _equal(accepted.value_usd, worth, items=1):
            text = f"{request.id} is worth {worth:,.2f} USD at {accepted.gpus:,} GPUs, not {accepted.value_usd:,.2f}."
            yield Broken("value", text, (request.id,))


def _tiers(snapshot: Snapshot, plan: Plan) -> Iterator[Broken]:
    """Each tier is named once with its value; a tier worth nothing may be left out."""
    values, items = _values(snapshot, plan)
    for number, times in Counter(tier.tier for tier in plan.tiers).items():
        if times > 1:
            yield Broken("value", f"tier {number} is named {times} times.")
    named = {tier.tier for tier in plan.tiers}
    for number in sorted(values.keys() - named):
        if not _equal(values[number], 0.0, items=items):
            yield Broken("value", f"tier {number} is worth {values[number]:,.2f} USD, but the plan leaves it out.")
    for tier in plan.tiers:
        worth = values.get(tier.tier, 0.0)
        if not _equal(tier.value_usd, worth, items=items):
            yield Broken("value", f"tier {tier.tier} is worth {worth:,.2f} USD, not {tier.value_usd:,.2f}.")
        yield from _gap(tier)
    if plan.status == "optimal" and any(tier.gap > GAP for tier in plan.tiers):
        yield Broken("value", "the status is optimal, but a tier's gap is more than 1e-6.")


def _gap(tier: Tier) -> Iterator[Broken]:
    """``gap = (bound - value) / bound``, 0 where the bound is 0; no bound is below its value."""
    if tier.bound_usd < tier.value_usd and not _equal(tier.bound_usd, tier.value_usd, items=1):
        text = f"tier {tier.tier} reaches {tier.value_usd:,.2f} USD, more than its bound, {tier.bound_usd:,.2f}."
        yield Broken("value", text)
    gap = (tier.bound_usd - tier.value_usd) / tier.bound_usd if tier.bound_usd else 0.0
    if abs(gap - tier.gap) > GAP:
        yield Broken("value", f"tier {tier.tier} has a gap of {gap:.7f}, not {tier.gap:.7f}.")


def _values(snapshot: Snapshot, plan: Plan) -> tuple[dict[int, float], int]:
    """The value of each tier and from how many items: accepted blocks by their share, less the share by days of what is
    recalled.
    """
    requests = {request.id: request for request in snapshot.requests}
    reservations = {reservation.id: reservation for reservation in snapshot.reservations}
    values: dict[int, float] = defaultdict(float)
    for accepted in plan.accepted:
        request = requests[accepted.request]
        values[request.tier] += request.value_usd * accepted.gpus / request.gpus
    for recall in plan.recalls:
        reservation = reservations[recall.reservation]
        lost = (reservation.end - recall.end) / (reservation.end - reservation.start)
        values[reservation.tier] -= reservation.value_usd * lost
    return values, len(plan.accepted) + len(plan.recalls)


def _equal(one: float, other: float, *, items: int) -> bool:
    """Equal but for a cent of rounding for each item that was added up."""
    return abs(one - other) <= CENT * (items + 1) + 1e-9 * abs(other)
