"""What holds are short of beside the reservations as they are left (R7, R8, R12), by the rules alone."""

from __future__ import annotations

from collections.abc import Sequence

from solver.snapshot import Contract
from tests.solver.reference.ways import Loss, Way

Row = tuple[frozenset[str], int, bool]
"""The contracts that a row counts, the GPUs that it lacks, and whether it is one of a site."""


def hold_shortfall(facts: Loss, ways: Sequence[Way]) -> int | None:
    """GPU-days of hold shortfall; None where an interruptible block should have been recalled."""
    by_day = [_on(facts, ways, day) for day in range(facts.horizon)] if facts.snapshot.contracts else []
    return None if None in by_day else sum(short for short in by_day if short is not None)


def _on(facts: Loss, ways: Sequence[Way], day: int) -> int | None:
    held = {contract.id: _held(facts, ways, contract, day) for contract in facts.snapshot.contracts}
    rows = _rows(facts, [way for way in ways if not way.reservation.interruptible], held, None, day)
    allowed = _gap(rows)
    for notice in facts.notices:
        counted = [way for way in ways if _notice(way, firm=notice) >= notice]
        fixed = [way for way in counted if _notice(way, firm=day + 1) > day]
        if _stands(counted, day):
            rows = [*rows, *_rows(facts, counted, held, notice, day)]
        if _stands(fixed, day):
            allowed = max(allowed, _gap(_rows(facts, fixed, held, notice, day)))
    needed = _least_total(rows)
    return needed if needed <= allowed else None


def _notice(way: Way, *, firm: int) -> int:
    own = way.reservation.recall_notice_days
    return firm if own is None else own


def _stands(ways: Sequence[Way], day: int) -> bool:
    return any(way.on(day) and way.reservation.interruptible for way in ways)


def _held(facts: Loss, ways: Sequence[Way], contract: Contract, day: int) -> int:
    """R7: what is committed and not booked, from the end of the booking lead on."""
    if day < contract.booking_lead_days:
        return 0
    booked = sum(way.reservation.gpus for way in ways if way.reservation.contract == contract.id and way.covers(day))
    return max(0, facts.committed[contract.id][day] - booked)


def _rows(facts: Loss, ways: Sequence[Way], held: dict[str, int], notice: int | None, day: int) -> list[Row]:
    """R7 (``notice`` None) or R8 beside these blocks, each site and the cluster."""
    used = dict.fromkeys(facts.sites, 0)
    for way in ways:
        for rack, gpus in way.on(day).items():
            used[facts.site_of[rack]] += gpus
    room = {site: max(0, facts.capacity[site][day] - gpus) for site, gpus in used.items()}
    counted = [c for c in facts.snapshot.contracts if notice is None or c.booking_lead_days < notice]
    rows = [_row([c.id for c in counted if c.site == site], held, room[site], is_site=True) for site in facts.sites]
    return [*rows, _row([c.id for c in counted], held, sum(room.values()), is_site=False)]


def _row(names: Sequence[str], held: dict[str, int], room: int, *, is_site: bool) -> Row:
    return frozenset(names), max(0, sum(held[name] for name in names) - room), is_site


def _gap(rows: Sequence[Row]) -> int:
    """R12: what is missing over the cluster, or in all sites together where that is more."""
    by_site = sum(gpus for _, gpus, is_site in rows if is_site)
    return max(by_site, *(gpus for _, gpus, is_site in rows if not is_site))


def _least_total(rows: Sequence[Row]) -> int:
    """The least sum of shortfalls, one for each of at most two contracts, that fills every row."""
    needed: dict[frozenset[str], int] = {}
    for names, gpus, _ in rows:
        needed[names] = max(gpus, needed.get(names, 0))
    assert len(frozenset().union(*needed)) <= 2
    return max(sum(gpus for names, gpus in needed.items() if len(names) == 1), *needed.values())
