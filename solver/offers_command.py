"""The ``offers`` command without its words: check a question, answer it, say the answer as text or JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass

from solver import cluster, decisions, standing
from solver.fit import Ask
from solver.offers import Starts, ranges
from solver.plan import Plan
from solver.reasons import date
from solver.snapshot import Scope, Snapshot
from solver.terms import block_multiple, is_block_size


class BadQuestion(Exception):
    """A question that cannot be asked of this snapshot. ``faults`` says why, a sentence for each fault."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(faults))


@dataclass(frozen=True, slots=True)
class Question:
    """What `offers` is asked: at which starts in ``[first, until)`` does this block fit?

    ``first`` none: today; ``until`` none: the horizon; ``tenant`` none: the contract's, or nobody's, without a quota.
    """

    gpus: int
    days: int
    scope: Scope = "any"
    site: str | None = None
    first: dt.date | None = None
    until: dt.date | None = None
    contract: str | None = None
    tenant: str | None = None


def answer(snapshot: Snapshot, plan: Plan, question: Question) -> list[Starts]:
    """The starts at which the block fits on top of the plan, with nothing moved. Raises `BadQuestion`."""
    faults = [*_faults(snapshot, question)]
    if faults:
        raise BadQuestion(faults)
    built = cluster.build(snapshot)
    stands = standing.of(snapshot, built, decisions.of_plan(plan))
    first = built.index(question.first or snapshot.today)
    until = max(first, built.index(question.until or snapshot.horizon_end))
    return ranges(stands, _ask(snapshot, question), first, until)


def as_json(starts: list[Starts]) -> str:
    """``{"starts": [{"from": DATE, "until": DATE}]}``, ``until`` exclusive."""
    found = [{"from": item.first.isoformat(), "until": item.until.isoformat()} for item in starts]
    return json.dumps({"starts": found})


def as_text(question: Question, starts: list[Starts]) -> str:
    """The answer for people: one line for each range, with its last start."""
    block = f"{question.gpus:,} GPUs for {question.days:,} day{'' if question.days == 1 else 's'}"
    if not starts:
        return f"{block} fit at no start in this range."
    count = sum((item.until - item.first).days for item in starts)
    return "\n".join([f"{block} fit at {count:,} start{'' if count == 1 else 's'}:", *map(_line, starts)])


def _line(starts: Starts) -> str:
    last = starts.until - dt.timedelta(1)
    return f"  {date(starts.first)}" if last == starts.first else f"  {date(starts.first)} to {date(last)}"


def _ask(snapshot: Snapshot, question: Question) -> Ask:
    tenant = question.tenant
    if tenant is None and question.contract is not None:
        tenant = snapshot.contract_by_id[question.contract].tenant
    return Ask(
        tenant=tenant,
        contract=question.contract,
        gpus=question.gpus,
        min_gpus=question.gpus,
        days=question.days,
        scope=question.scope,
        site=question.site,
    )


def _faults(snapshot: Snapshot, question: Question) -> Iterator[str]:
    if not is_block_size(question.gpus):
        yield f"--gpus: {question.gpus} {_size_fault(question.gpus)}"
    if question.days < 1:
        yield f"--days: {question.days} is below 1"
    if question.site is not None and question.site not in {site.id for site in snapshot.sites}:
        yield f"--site: {question.site!r} names no site"
    if question.tenant is not None and question.tenant not in {tenant.id for tenant in snapshot.tenants}:
        yield f"--tenant: {question.tenant!r} names no tenant"
    if question.first is not None and question.until is not None and question.until <= question.first:
        yield f"--until: {question.until} is not after --from, {question.first}"
    yield from _contract_faults(snapshot, question)


def _size_fault(gpus: int) -> str:
    return "is not positive" if gpus <= 0 else f"is not a multiple of {block_multiple(gpus)}"


def _contract_faults(snapshot: Snapshot, question: Question) -> Iterator[str]:
    if question.contract is None:
        return
    contract = snapshot.contract_by_id.get(question.contract)
    if contract is None:
        yield f"--contract: {question.contract!r} names no contract"
        return
    if question.tenant not in (None, contract.tenant):
        yield f"--tenant: {question.tenant!r} is not the tenant of contract {contract.id!r}, {contract.tenant!r}"
    if contract.site is not None and question.site not in (None, contract.site):
        yield f"--site: contract {contract.id!r} is bound to site {contract.site!r}, not to {question.site!r}"
