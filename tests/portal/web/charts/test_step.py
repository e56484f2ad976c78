"""The step area's view: amounts that hold until they change."""

from __future__ import annotations

import datetime as dt

from portal.web.charts.axis import Window
from portal.web.charts.step import Line, Series, step_view, value_at

START = dt.date(2027, 1, 1)
WINDOW = Window.of(START, 100)


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def test_a_value_holds_from_its_day_until_the_next() -> None:
    """Nothing before the first."""
    steps = {day(10): 5, day(20): 0}

    assert [value_at(steps, day(number)) for number in (9, 10, 19, 20, 99)] == [0, 5, 5, 0, 0]


def test_columns_are_the_stretches_on_which_nothing_changes() -> None:
    """Each says what holds on it, the lines first."""
    view = step_view(
        WINDOW,
        [Series("Aurora", {day(-5): 2}), Series("Borealis", {day(50): 1})],
        [Line("Capacity", {day(0): 4}, "capacity")],
    )

    assert [(column.start, column.end, column.values, column.lines) for column in view.columns] == [
        (day(0), day(50), (2, 0), (4,)),
        (day(50), day(100), (2, 1), (4,)),
    ]
    assert view.columns[1].tip == "20 Feb – 10 Apr 2027|3 GPUs in all|Capacity 4|Aurora 2|Borealis 1"
    assert view.heads == ["Aurora", "Borealis", "Capacity"]


def test_layers_lie_on_each_other() -> None:
    """Of four: the lower layer up to one half, the upper one from there, only where it is."""
    view = step_view(
        WINDOW,
        [Series("Aurora", {day(0): 2}, 0), Series("Borealis", {day(50): 2}, 1)],
        [Line("Capacity", {day(0): 4}, "capacity")],
    )

    assert [area.path for area in view.areas] == [
        "M0,500H1000V1000H0Z",
        "M0,500H500V0H1000V500H0Z",
    ]
    assert [line.path for line in view.lines] == ["M0,0H1000"]


def test_a_layer_of_nothing_is_not_drawn() -> None:
    """But stays in the table."""
    view = step_view(WINDOW, [Series("Aurora", {}), Series("Borealis", {day(0): 1})])

    assert [area.label for area in view.areas] == ["Borealis"]
    assert view.columns[0].values == (0, 1)


def test_an_empty_chart_still_has_a_scale() -> None:
    """No series, no division by nought."""
    view = step_view(WINDOW, [])

    assert [tick.label for tick in view.levels] == ["0", "1"]
    assert view.areas == ()
