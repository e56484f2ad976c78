"""R7, R8 and R12: what must stay free for contracts, what interruptible blocks may stand on, and what can't be held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from solver.snapshot import Contract
from solver.terms import add_days
from solver.verify.blocks import Block, SiteUse, Use, site_use_of
from solver.verify.broken import Broken, gpus_text
from solver.verify.case import Case
from solver.verify.ground import Ints
from solver.verify.requests import committed
from solver.verify.stretches import Flags

Held = dict[str, Ints]


@dataclass(frozen=True, slots=True)
class Row:
    """One inequality of R7 (``notice`` None) or R8 (``notice`` n) as GPUs by stretch: left and right side, over the
    cluster and by site (stretches x sites).
    """

    notice: int | None
    left: Ints
    right: Ints
    site_left: Ints
    site_right: Ints

    def counts(self, contract: Contract) -> bool:
        """Whether the contract's hold is on the left side: in R8 only where its booking lead is shorter than n."""
        return self.notice is None or contract.booking_lead_days < self.notice

    @property
    def gap(self) -> Ints:
        """What is missing by stretch: over the cluster, or summed over the sites where that is more."""
        by_site: Ints = np.maximum(self.site_left - self.site_right, 0).sum(axis=1)
        missing: Ints = np.maximum(np.maximum(self.left - self.right, by_site), 0)
        return missing


def r7(case: Case) -> Iterator[Broken]:
    """R7: in each site and over the cluster, firm GPUs and what contracts hold fit into the capacity, or into what the
    reservations use by themselves where that is more.
    """
    holds = held(case, case.everything)
    every_day = np.ones(len(case.stretches), dtype=np.bool_)
    yield from _overdrawn(case, "R7", row(case, None, case.everything.sites, case.reserved.sites, holds), every_day)


def r8(case: Case) -> Iterator[Broken]:
    """R8: for each recall notice n that is present, firm GPUs, the holds of contracts with a booking lead below n, and
    interruptible GPUs with a recall notice of n or more fit into the capacity.

    Days on which reservations and holds alone break this and no recall could end the interruptible block yet are not
    called broken (there is always a valid plan) as long as nothing makes them worse.
    """
    holds, fixed_holds = held(case, case.everything), held(case, case.reserved)
    fixed = _beyond_recall(case)
    for notice in sorted(case.everything.sites.interruptible):
        checked = row(case, notice, case.everything.sites, case.reserved.sites, holds)
        need = row(case, notice, fixed, fixed, fixed_holds)
        right, site_right = np.maximum(checked.right, need.left), np.maximum(checked.site_right, need.site_left)
        counted = case.everything.sites.counted(notice) > case.everything.sites.firm
        stands = np.logical_or.reduce(counted, axis=1)  # on other days it says no more than R7
        yield from _overdrawn(case, "R8", replace(checked, right=right, site_right=site_right), stands)


def r12(case: Case) -> Iterator[Broken]:
    """R12: hold shortfalls are declared only where R7 can't be met with every request declined, and in all for no more
    GPUs on a day than are missing then: those of the cluster or those of the sites together, whichever are more.

    Read leniently: also where R8 can't be met with every request declined, on a day on which no recall could have ended
    the interruptible block yet.
    """
    for shortfall in case.plan.hold_shortfalls:
        days = f"[{shortfall.start}, {shortfall.end})"
        if shortfall.gpus <= 0 or shortfall.end <= shortfall.start:
            text = f"the hold shortfall of {shortfall.contract} on {days} over {shortfall.gpus:,} GPUs is empty."
            yield Broken("R12", text, (shortfall.contract,))
        elif shortfall.start < case.snapshot.today or shortfall.end > case.snapshot.horizon_end:
            text = f"the hold shortfall of {shortfall.contract} on {days} is outside the days that the plan decides."
            yield Broken("R12", text, (shortfall.contract,))
    declared = sum(_declared(case).values(), np.zeros(len(case.stretches), dtype=np.int64))
    missing = missing_for_holds(case)
    flags = declared > missing
    if flags.any():
        days, ids = case.stretches.text_of(flags), sorted({s.contract for s in case.plan.hold_shortfalls})
        excess = gpus_text(int((declared - missing)[flags].max()))
        text = f"hold shortfalls of {', '.join(ids)} are up to {excess} more than are missing on {days}."
        yield Broken("R12", text, tuple(ids))


def held(case: Case, use: Use, *, declared: bool = True) -> Held:
    """``held_k(t)`` of each contract by stretch beside what ``use`` books, less the hold shortfalls that the plan
    declares unless ``declared`` is false.
    """
    short = _declared(case) if declared else {}
    nothing = np.zeros(len(case.stretches), dtype=np.int64)
    result: Held = {}
    for contract in case.snapshot.contracts:
        booked = use.by_contract.get(contract.id, nothing)
        result[contract.id] = held_beside(case, contract, booked, short.get(contract.id, nothing))
    return result


def held_beside(case: Case, contract: Contract, booked: Ints, short: Ints) -> Ints:
    """R7: what is committed and not booked, from the end of the booking lead on, less the hold shortfall."""
    gpus: Ints = np.maximum(0, np.maximum(0, committed(case, contract.id) - booked) - short)
    gpus[: case.stretches.index(contract.terms.holds_from(case.snapshot.today))] = 0
    return gpus


def row(case: Case, notice: int | None, use: SiteUse, reserved: SiteUse, holds: Held) -> Row:
    """The inequality for what ``use`` says and these holds; its right side is never less than what of ``reserved`` its
    left side counts.
    """
    site_right = np.maximum(case.ground.capacity, reserved.counted(notice))
    site_left = use.counted(notice)
    left = site_left.sum(axis=1)
    for contract in case.snapshot.contracts:
        if notice is not None and contract.booking_lead_days >= notice:
            continue
        left += holds[contract.id]
        if contract.site is not None:
            site_left[:, case.ground.site_number[contract.site]] += holds[contract.id]
    return Row(notice, left, site_right.sum(axis=1), site_left, site_right)


def missing_for_holds(case: Case) -> Ints:
    """R12: how many GPUs are missing for the holds by stretch when every request is declined."""
    holds = held(case, case.reserved, declared=False)
    missing = row(case, None, case.reserved.sites, case.reserved.sites, holds).gap
    fixed = _beyond_recall(case)
    for notice in fixed.interruptible:
        missing = np.maximum(missing, row(case, notice, fixed, fixed, holds).gap)
    missing[case.stretches.decided :] = 0
    return missing


def declared_by_contract(case: Case, contract_id: str) -> Ints:
    """The contract's hold shortfall by stretch."""
    return _declared(case).get(contract_id, np.zeros(len(case.stretches), dtype=np.int64))


def _declared(case: Case) -> Held:
    result: Held = {}
    for shortfall in case.plan.hold_shortfalls:
        gpus = result.setdefault(shortfall.contract, np.zeros(len(case.stretches), dtype=np.int64))
        gpus[case.stretches.span(shortfall.start, shortfall.end)] += max(0, shortfall.gpus)
    return result


def _beyond_recall(case: Case) -> SiteUse:
    """What the reservations use on days on which no recall could have ended them yet, all firm ones included."""
    return site_use_of(_cut_to_recall(case), case.ground, len(case.stretches))


def _cut_to_recall(case: Case) -> Iterator[Block]:
    for block in case.blocks:
        notice = block.of.recall_notice_days
        if block.accepted:
            continue
        if notice is None:
            yield block
            continue
        last = case.stretches.index(add_days(case.snapshot.today, notice))
        parts = (replace(part, last=min(part.last, last)) for part in block.parts if part.first < last)
        yield replace(block, parts=tuple(parts))


def _overdrawn(case: Case, rule: str, checked: Row, days: Flags) -> Iterator[Broken]:
    for s, name in enumerate(case.ground.sites.ids):
        excess = checked.site_left[:, s] - checked.site_right[:, s]
        yield from _overdrawn_in(case, rule, f"site {name}", np.where(days, excess, 0))
    yield from _overdrawn_in(case, rule, "the cluster", np.where(days, checked.left - checked.right, 0))


def _overdrawn_in(case: Case, rule: str, unit: str, excess: Ints) -> Iterator[Broken]:
    flags: Flags = excess > 0
    flags[case.stretches.decided :] = False
    if not flags.any():
        return
    ids = tuple(block.id for block in case.blocks if block.accepted and flags[block.span].any())
    text = f"{gpus_text(int(excess[flags].max()))} are missing in {unit} on {case.stretches.text_of(flags)}"
    what = "firm blocks and holds" if rule == "R7" else "firm blocks, holds and interruptible blocks"
    yield Broken(rule, f"{text}: {what} need more than there is.", ids)
