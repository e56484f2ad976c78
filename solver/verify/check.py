"""The second opinion on a plan: `broken_rules` judges a plan by the planning problem's rules, and by nothing else.

It shares no code with what searches for plans. Each rule is one function of a `solver.verify.case.Case`, in the list
`RULES`; where the page leaves two readings, the rule's docstring says which lenient one it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from solver.plan import Plan
from solver.snapshot import Snapshot
from solver.verify.broken import Broken
from solver.verify.case import Case, lay_out
from solver.verify.complete import r13
from solver.verify.holds import r7, r8, r12
from solver.verify.promises import r11
from solver.verify.racks import r1, r2, r3
from solver.verify.requests import r4, r5, r6, r9
from solver.verify.stability import r10
from solver.verify.totals import totals, unknown_ids

__all__ = ["RULES", "Broken", "broken_rules"]

RULES: tuple[Callable[[Case], Iterator[Broken]], ...] = (r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13)


def broken_rules(snapshot: Snapshot, plan: Plan) -> list[Broken]:
    """Every broken rule of the plan: R1 to R13 in their order, then ``value`` for wrong keys and totals. Empty: valid.

    A plan that names ids which the snapshot does not have is judged for that alone.
    """
    unknown = [*unknown_ids(snapshot, plan)]
    if unknown:
        return unknown
    case = lay_out(snapshot, plan)
    return [broken for rule in RULES for broken in rule(case)] + [*totals(snapshot, plan)]
