"""Policies of placement: which of several units that would do a block takes. Heuristic; every choice is valid.

Filling units in the order of the file keeps the last ones whole for large blocks; filling the tightest keeps wide gaps
whole; filling leftovers first keeps open pods open. None is best everywhere, so a solve tries several.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.int64]


class Pick(StrEnum):
    """The next unit: in the order of the file, the one with the least room, or the one that needs the fewest others."""

    FIRST = "first"
    SMALLEST = "smallest"
    FEWEST = "fewest"


@dataclass(frozen=True, slots=True)
class Policy:
    """``whole``: the unit that takes a block whole; ``halls``, ``pods``: the order in which parts of it are spread."""

    whole: Pick = Pick.SMALLEST
    halls: Pick = Pick.FEWEST
    pods: Pick = Pick.FEWEST

    def unit(self, room: Grid, racks: int) -> int:
        """The unit for a block of ``racks`` racks; at least one has the room."""
        enough = room >= racks
        return int(enough.argmax()) if self.whole is Pick.FIRST else int(np.where(enough, room, _NEVER).argmin())


def next_part(pick: Pick, room: Grid, racks: int) -> int:
    """The unit that takes the next part of a block of which ``racks`` racks are still to be placed."""
    if pick is Pick.FIRST:
        return int((room > 0).argmax())
    if pick is Pick.SMALLEST:
        return int(np.where(room > 0, room, _NEVER).argmin())
    enough = room >= racks
    return int(np.where(enough, room, _NEVER).argmin()) if enough.any() else int(room.argmax())


TIGHT = Policy()
POLICIES = (
    Policy(Pick.FIRST, Pick.SMALLEST, Pick.SMALLEST),
    TIGHT,
    Policy(Pick.FIRST, Pick.FEWEST, Pick.FEWEST),
    Policy(Pick.FIRST, Pick.FIRST, Pick.FEWEST),
    Policy(Pick.FIRST, Pick.FEWEST, Pick.FIRST),
    Policy(Pick.SMALLEST, Pick.SMALLEST, Pick.SMALLEST),
)
_NEVER = np.iinfo(np.int64).max
