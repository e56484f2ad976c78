"""CP-SAT stops when it is asked to, with the best it has; unasked, it goes on."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

from solver.engine.programs import solving
from solver.engine.programs.rows import Rows

WITHOUT_END = 1e9


def knapsacks(items: int, bags: int) -> Rows:
    """What takes for ever to prove for many items: worths and sizes have nothing to do with each other."""
    chance = random.Random(0)
    rows = Rows()
    for _ in range(items):
        rows.objective[rows.variable(upper=1)] = chance.randint(100, 999)
    for _ in range(bags):
        sizes = {item: chance.randint(100, 999) for item in range(items)}
        rows.at_most(sizes, sum(sizes.values()) // 2)
    return rows


def fits(rows: Rows, values: Sequence[int]) -> bool:
    return all(
        sum(factor * values[v] for v, factor in zip(row.variables, row.factors, strict=True)) <= row.right
        for row in rows.every
    )


def worth(rows: Rows, values: Sequence[int]) -> int:
    return sum(worth * values[item] for item, worth in rows.objective.items())


def test_a_program_that_would_take_hours_ends_when_somebody_has_enough() -> None:
    rows = knapsacks(items=300, bags=30)

    answer = solving.solve(rows, dict.fromkeys(range(300), 0), solving.Effort(WITHOUT_END, stop=lambda: True))

    assert answer is not None
    assert not answer.is_optimal
    assert fits(rows, answer.values)


def test_it_goes_on_to_the_end_where_nobody_has() -> None:
    rows = knapsacks(items=12, bags=2)

    answer = solving.solve(rows, {}, solving.Effort(WITHOUT_END, stop=lambda: False))

    assert answer is not None
    assert answer.is_optimal
    everything = itertools.product((0, 1), repeat=12)
    assert worth(rows, answer.values) == max(worth(rows, values) for values in everything if fits(rows, values))
