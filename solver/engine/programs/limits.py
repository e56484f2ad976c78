"""What limits the ways of a program, and how much it leaves: R6 to R9 by counts, R1 to R3 in pods, halls and sites."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from solver.engine.board import Board
from solver.engine.ledger import Ledger
from solver.engine.programs.ways import TRAYS_PER_RACK, Way, spare_trays
from solver.engine.wishes import NONE
from solver.terms import GPUS_PER_TRAY

Key = tuple[str, int, int]
"""A limit: its kind, the number of its unit, and the ledger's row where there is one."""


class Counts:
    """R6 to R9 as the ledger counts them, over the cluster and in the sites that wishes are bound to."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    @property
    def days(self) -> int:
        """Days of the horizon."""
        return len(self.ledger.cluster_slack)

    def keys(self, way: Way, pod: int) -> Iterator[Key]:
        """The limits that the way loads with what it has in the pod (`NONE`: in one that is not known)."""
        wish = way.wish
        rows = self.ledger.rows(wish)
        site = self._site_of(way, pod)
        if site != NONE:
            yield from (("site row", site, row) for row in range(rows.start, rows.stop))
        if not wish.must_stand:
            yield from (("row", 0, row) for row in range(rows.start, rows.stop))
            yield "quota", wish.tenant, 0
        if wish.contract != NONE:
            yield "booked", wish.contract, 0

    def trays(self, key: Key) -> NDArray[np.int64]:
        """What is left of a limit, in trays by day."""
        trays: NDArray[np.int64] = self.gpus(key) // GPUS_PER_TRAY
        return trays

    def gpus(self, key: Key) -> NDArray[np.int64]:
        """What is left of a limit of the ledger, in GPUs by day."""
        kind, unit, row = key
        match kind:
            case "quota":
                return self.ledger.quota_room[:, unit]
            case "booked":
                return self.ledger.booking_room[:, unit]
            case "row":
                return self.ledger.cluster_slack[:, row]
            case _:
                return self.ledger.site_slack[:, unit, row]

    def relieving(self, key: Key, contracts: list[int]) -> list[int]:
        """Those of the contracts whose hold counts in the limit: what is booked on them is no longer held."""
        kind, unit, row = key
        if kind not in ("row", "site row"):
            return []
        site = None if kind == "row" else unit
        return [contract for contract in contracts if self.ledger.holds_in(contract, site, row)]

    def _site_of(self, way: Way, pod: int) -> int:
        """The site whose rows the way loads; where the pod is not known, that of a wish that is bound to one."""
        return way.wish.site if pod == NONE else NONE


class Places(Counts):
    """These, and R1 to R3 as a board leaves them."""

    def __init__(self, board: Board) -> None:
        super().__init__(board.ledger)
        self._board = board
        self._spare = spare_trays(board)

    def keys(self, way: Way, pod: int) -> Iterator[Key]:
        hall, site = int(self._board.cluster.hall_of_pod[pod]), self._site_of(way, pod)
        yield from (("pod", pod, 0), ("hall", hall, 0), ("site", site, 0))
        if not way.wish.shares_a_rack:
            yield "racks", pod, 0
        yield from super().keys(way, pod)

    def trays(self, key: Key) -> NDArray[np.int64]:
        board, cluster = self._board, self._board.cluster
        kind, unit, _ = key
        match kind:
            case "racks":
                return TRAYS_PER_RACK * board.pod_room[:, unit]
            case "pod":
                return TRAYS_PER_RACK * board.pod_room[:, unit] + self._spare[:, unit]
            case "hall":
                return TRAYS_PER_RACK * board.hall_room[:, unit] + self._spare_in(cluster.hall_of_pod == unit)
            case "site":
                return TRAYS_PER_RACK * board.site_room[:, unit] + self._spare_in(cluster.site_of_pod == unit)
            case _:
                return super().trays(key)

    def whole_racks(self, key: Key) -> NDArray[np.int64]:
        """What is left of a limit for blocks of whole racks, in racks by day: trays on shared racks are none."""
        board = self._board
        kind, unit, _ = key
        match kind:
            case "racks" | "pod":
                return board.pod_room[:, unit]
            case "hall":
                return board.hall_room[:, unit]
            case "site":
                return board.site_room[:, unit]
            case _:
                return super().trays(key) // TRAYS_PER_RACK

    def _site_of(self, way: Way, pod: int) -> int:
        return super()._site_of(way, pod) if pod == NONE else int(self._board.cluster.site_of_pod[pod])

    def _spare_in(self, pods: NDArray[np.bool_]) -> NDArray[np.int64]:
        spare: NDArray[np.int64] = self._spare[:, pods].sum(axis=1)
        return spare
