"""A thousand disasters on small clusters: repaired as well as exhaustive search can, in the order of section 5.

Step 1 (least shortfall of firm, then of interruptible reservations, then GPU-days outside scope, then hold shortfall),
and with every request declined steps 2 and 3 as well: value and GPU-days recalled, GPUs moved.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.solver.engine.repairs import Repaired
from tests.solver.reference import build, losses
from tests.solver.reference.disasters import disaster
from tests.solver.reference.losses import TooManyError

FEW = range(60)
QUICK = 6_000
MANY = range(1_000, 2_050)


def test_some_disasters_are_repaired_as_well_as_by_exhaustive_search() -> None:
    judged = [kinds for seed in FEW if (kinds := agreed(seed, QUICK)) is not None]

    assert len(judged) >= 50
    assert set().union(*judged) == {"moved", "recalled", "short", "outside", "held"}


@pytest.mark.slow
@pytest.mark.parametrize("first", MANY[::210])
def test_a_thousand_disasters_are_repaired_as_well_as_by_exhaustive_search(first: int) -> None:
    judged = [kinds for seed in range(first, first + 210) if (kinds := agreed(seed)) is not None]

    assert len(judged) >= 200
    assert min(Counter(kind for kinds in judged for kind in kinds).values()) > 10


def agreed(seed: int, most_branches: int = losses.MOST_BRANCHES) -> set[str] | None:
    """What became of the reservations in a disaster on which both agree; None where there is too much to try."""
    snapshot = build.load(disaster(seed)).snapshot
    try:
        least = losses.least(snapshot, most_branches)
    except TooManyError:
        return None
    repaired = Repaired(snapshot)
    assert repaired.broken() == [], seed
    assert losses.cost_of_decisions(snapshot, repaired.decisions) == pytest.approx(least.cost, abs=0.01), seed
    outcome = {
        "moved": repaired.moves,
        "recalled": repaired.recalls,
        "short": repaired.short,
        "outside": least.cost[2],
        "held": repaired.hold_short,
    }
    return {kind for kind, happened in outcome.items() if happened}
