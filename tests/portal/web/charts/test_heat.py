"""The heatmap's view: stretches of equal days."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.web.charts.axis import Window
from portal.web.charts.heat import HeatRow, heat_view, level_of

START = dt.date(2027, 1, 4)


def test_equal_neighbours_become_one_cell() -> None:
    """Its tooltip says the days that a person would say."""
    view = heat_view(Window.of(START, 4), [HeatRow("M1-H1", [12, 12, 12, 0], 16)])

    assert [(cell.start, cell.end, cell.value, cell.x, cell.width) for cell in view.cells] == [
        (START, dt.date(2027, 1, 7), 12, 0, 75),
        (dt.date(2027, 1, 7), dt.date(2027, 1, 8), 0, 75, 25),
    ]
    assert view.cells[0].tip == "M1-H1|4 – 6 Jan 2027|12 of 16 racks free"


def test_a_unit_that_is_not_there_has_no_cell() -> None:
    """Not delivered is neither free nor full."""
    view = heat_view(Window.of(START, 3), [HeatRow("M1-H1", [None, None, 16], 16)])

    assert [cell.value for cell in view.cells] == [16]


def test_rows_lie_below_each_other() -> None:
    """In the order given."""
    view = heat_view(Window.of(START, 1), [HeatRow("A", [1], 1), HeatRow("B", [1], 1)])

    assert [(cell.label, cell.y) for cell in view.cells] == [("A", 0), ("B", view.row_height)]
    assert view.height == 2 * view.row_height


@pytest.mark.parametrize(
    ("value", "top", "level"), [(0, 16, 0), (1, 16, 1), (2, 16, 1), (3, 16, 2), (15, 16, 8), (16, 16, 8), (0, 0, 0)]
)
def test_levels_are_even_steps(value: int, top: int, level: int) -> None:
    """Nothing is a level of its own, and so is all but the last eighth."""
    assert level_of(value, top) == level


def test_a_row_of_the_wrong_length_is_refused() -> None:
    """Every day of the window has a value."""
    with pytest.raises(ValueError, match="M1-H1 has 1 values for 2 days"):
        heat_view(Window.of(START, 2), [HeatRow("M1-H1", [1], 1)])


@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=1, max_size=40))
def test_cells_say_what_the_days_said(values: list[int | None]) -> None:
    """Read back day by day, the cells give the values, and no two neighbours could have been one."""
    view = heat_view(Window.of(START, len(values)), [HeatRow("A", values, 3)])

    read: list[int | None] = [None] * len(values)
    for cell in view.cells:
        for day in range((cell.start - START).days, (cell.end - START).days):
            assert read[day] is None
            read[day] = cell.value
    assert read == values
    assert all(
        left.value != right.value
        for left, right in zip(view.cells, view.cells[1:], strict=False)
        if left.end == right.start
    )
