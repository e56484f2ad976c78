"""The spark line of a tile."""

from __future__ import annotations

import pytest

from portal.web.charts.spark import spark_view


def test_the_highest_is_at_the_top_and_the_lowest_at_the_bottom() -> None:
    """Within two pixels of the edges of 84 by 30."""
    assert spark_view([0, 10, 5], "Last days").line == "M0.0,28.0L42.0,2.0L84.0,15.0"


def test_equal_values_are_a_flat_line() -> None:
    """No spread is not a division by nought."""
    assert spark_view([3, 3], "Last days").line == "M0.0,28.0L84.0,28.0"


def test_one_value_is_no_line() -> None:
    """Two are the least."""
    with pytest.raises(ValueError, match="two values"):
        spark_view([1], "Last days")
