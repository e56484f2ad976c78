"""Racks that blocks smaller than a rack share, and how much of each is in use by day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.int64]


class SharedRacks:
    """GPUs in use per day on the racks that blocks smaller than a rack share, reservations and accepted alike.

    Rows of one growing array, ``racks[row]`` is the rack's number.
    """

    def __init__(self, days: int) -> None:
        self.racks: list[int] = []
        self._row: dict[int, int] = {}
        self._use = np.zeros((16, days), dtype=np.int64)

    def open(self, rack: int, use: Grid) -> Grid:
        """The rack's row, to be changed in place; a new one starts with ``use``."""
        if rack not in self._row:
            if len(self.racks) == len(self._use):
                self._use = np.concatenate([self._use, np.zeros_like(self._use)])
            self._row[rack] = len(self.racks)
            self._use[len(self.racks)] = use
            self.racks.append(rack)
        return self.of(rack)

    def of(self, rack: int) -> Grid:
        """The row of a rack that is open."""
        row: Grid = self._use[self._row[rack]]
        return row

    def on(self, rack: int, start: int, end: int) -> Grid:
        """GPUs in use on the days ``[start, end)`` of any rack; none where it is not shared."""
        return self.of(rack)[start:end] if rack in self._row else np.zeros(end - start, dtype=np.int64)

    def window(self, start: int, end: int) -> Grid:
        """GPUs in use on the days ``[start, end)``, row by row."""
        use: Grid = self._use[: len(self.racks), start:end]
        return use
