"""What a program may choose from: for each wish its ways to stand, each at one start and in one unit of its scope.

Read off the board as it is: what stands there stays, what a way may use is the room that is left. Counts only; racks
are bound afterwards (see `solver.engine.programs.enact`). No way that the rules allow is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solver.engine.binding import Mask, mask_of
from solver.engine.board import Block, Board, Room
from solver.engine.wishes import NONE, Wish
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY

TRAYS_PER_RACK = GPUS_PER_RACK // GPUS_PER_TRAY


@dataclass(frozen=True, slots=True)
class Way:
    """A wish on ``[start, end)`` with between ``fewest`` and ``most`` steps of its multiple in the ``pods`` together.

    ``room`` is the most by pod. ``fixed``: exactly so many in each pod, because the racks are given.
    """

    wish: Wish
    start: int
    end: int
    fewest: int
    most: int
    pods: tuple[int, ...]
    room: tuple[int, ...]
    fixed: bool = False

    @property
    def trays(self) -> int:
        """Trays of one step: a rack, or less of a small block."""
        return self.wish.multiple // GPUS_PER_TRAY

    @property
    def can_vary(self) -> bool:
        """Whether it may be smaller than it is at most."""
        return self.fewest < self.most

    def value_of(self, gpus: int) -> float:
        """USD; a reservation that is recalled before its end keeps its share by days (§ 5 step 2)."""
        wish, value = self.wish, self.wish.value_of(gpus)
        is_short = self.end < self.start + wish.days
        return value * (self.end - self.start) / wish.days_in_all if is_short else value


class Surveyor:
    """Finds ways on a board; remembers which racks are shut for good on which days."""

    def __init__(
        self, board: Board, pods: Iterable[int] | None = None, *, by_counts: frozenset[int] = frozenset()
    ) -> None:
        """``pods``: those that ways may use; None: all. ``by_counts``: those where it is open which racks are shut."""
        self._board = board
        every = range(len(board.pods))
        self._pods = tuple(every if pods is None else sorted(pods))
        self._shut = [[] if pod in by_counts else _shut(board, pod) for pod in self._pods]
        self._open = np.zeros(len(board.pods), dtype=np.bool_)
        self._open[list(self._pods)] = True
        self._spare = spare_trays(board)

    def ways(self, wish: Wish, starts: Iterable[int]) -> Iterator[Way]:
        """Every way in which the wish fits by itself."""
        if wish.must_stand:
            yield from self._moved(wish)
        elif wish.reservation is not None:
            yield from self._kept(wish)
        else:
            for start in starts:
                yield from self._small(wish, start) if wish.shares_a_rack else self._whole(wish, start)

    def cut_short(self, wish: Wish, ends: Iterable[int]) -> Iterator[Way]:
        """A reservation that may be recalled, kept until each of the ``ends`` (days) that come before its own."""
        for whole in self._kept(wish):
            yield whole
            yield from (replace(whole, end=end) for end in ends if whole.start < end < whole.end)

    def _moved(self, wish: Wish) -> Iterator[Way]:
        """R10: a reservation that may be moved stands wherever there are racks; of R2 and R7 reservations are free."""
        start, racks = wish.first_start, wish.gpus // GPUS_PER_RACK
        free = np.maximum(self._board.pod_room[start : start + wish.days].min(axis=0), 0)
        if wish.site != NONE:
            free[self._board.cluster.site_of_pod != wish.site] = 0
        by_pod = self._open_racks(wish, start, free)
        for pods in self._units(wish, by_pod):
            here = tuple(min(int(by_pod[pod]), racks) for pod in pods)
            if sum(here) >= racks:
                yield Way(wish, start, start + wish.days, racks, racks, pods, here)

    def _whole(self, wish: Wish, start: int) -> Iterator[Way]:
        room = self._board.room(wish, start)
        if room is None:
            return
        fewest, most = wish.min_gpus // GPUS_PER_RACK, room.racks
        by_pod = self._open_racks(wish, start, room.pods)
        for pods in self._units(wish, by_pod):
            here = tuple(min(int(by_pod[pod]), most) for pod in pods)
            size = min(most, sum(here), self._unit_room(wish, room, pods))
            if size >= fewest:
                yield Way(wish, start, start + wish.days, fewest, size, pods, here)

    def _open_racks(self, wish: Wish, start: int, free: NDArray[np.int64]) -> NDArray[np.int64]:
        """Racks by pod: of those that counts leave ``free``, the ones that are not shut on a day of the window."""
        mask = mask_of(start, start + wish.days) | wish.beyond
        by_pod = np.zeros_like(free)
        for pod, shut in zip(self._pods, self._shut, strict=True):
            if free[pod] > 0:
                by_pod[pod] = min(free[pod], sum(not days & mask for days in shut)) if shut else free[pod]
        return by_pod

    def _units(self, wish: Wish, by_pod: NDArray[np.int64]) -> Iterator[tuple[int, ...]]:
        """The pods with room in each unit of the wish's scope."""
        cluster = self._board.cluster
        pods = np.flatnonzero(by_pod)
        if wish.scope == "pod":
            yield from ((int(pod),) for pod in pods)
            return
        units = {"hall": cluster.hall_of_pod, "site": cluster.site_of_pod, "any": np.zeros_like(cluster.hall_of_pod)}
        of_pod = units[wish.scope][pods]
        for unit in np.unique(of_pod):
            yield tuple(pods[of_pod == unit].tolist())

    def _unit_room(self, wish: Wish, room: Room, pods: tuple[int, ...]) -> int:
        cluster = self._board.cluster
        if wish.scope in ("pod", "hall"):
            return int(room.halls[cluster.hall_of_pod[pods[0]]])
        if wish.scope == "site":
            return int(room.sites[cluster.site_of_pod[pods[0]]])
        return int(room.sites.sum())

    def _small(self, wish: Wish, start: int) -> Iterator[Way]:
        """A block below a rack needs an empty rack, or trays left over on a shared one."""
        board, end = self._board, start + wish.days
        gpus = min(wish.gpus, board.ledger.room(wish, start, end))
        if gpus < wish.min_gpus:
            return
        sites = board.ledger.site_room(wish, start, end)
        trays = (TRAYS_PER_RACK * np.maximum(board.pod_room[start:end], 0) + self._spare[start:end]).min(axis=0)
        allowed = self._open & (sites >= wish.min_gpus)[board.cluster.site_of_pod]
        if wish.site != NONE:
            allowed &= board.cluster.site_of_pod == wish.site
        fewest, most = wish.min_gpus // wish.multiple, gpus // wish.multiple
        for pod in np.flatnonzero(allowed).tolist():
            here = min(most, GPUS_PER_TRAY * int(trays[pod]) // wish.multiple)
            if here >= fewest:
                yield Way(wish, start, end, fewest, here, (pod,), (here,))

    def _kept(self, wish: Wish) -> Iterator[Way]:
        """A reservation that may be recalled stays on its racks, if nothing stands on them."""
        board, start, end = self._board, wish.first_start, wish.first_start + wish.days
        if wish.shares_a_rack:
            return
        of_rack = board.cluster.pods.of_rack
        by_pod: dict[int, int] = {}
        mask = mask_of(start, end)
        for rack in wish.keep:
            racks = board.pods[int(of_rack[rack])]
            if (racks.blocked[rack - racks.first] | racks.taken[rack - racks.first]) & mask:
                return
            by_pod[int(of_rack[rack])] = by_pod.get(int(of_rack[rack]), 0) + 1
        pods = tuple(sorted(by_pod))
        here = tuple(by_pod[pod] for pod in pods)
        yield Way(wish, start, end, sum(here), sum(here), pods, here, fixed=True)


def way_of(board: Board, block: Block, ways: Sequence[Way]) -> tuple[Way, dict[int, int]] | None:
    """The way among ``ways`` in which the block stands, with its steps by pod; None: it is none of them."""
    if block.rack is not None:
        pods = {int(board.cluster.pods.of_rack[block.rack]): block.gpus // block.wish.multiple}
    else:
        pods = {pod: len(share.racks) for pod, share in block.shares.items()}
    for way in ways:
        if way.start == block.start and pods.keys() <= set(way.pods):
            return way, {pod: pods.get(pod, 0) for pod in way.pods}
    return None


def _shut(board: Board, pod: int) -> list[Mask]:
    """The days, rack by rack, on which nothing that is placed may use it: blocked, or pinned to a block that stays."""
    racks = board.pods[pod]
    shut = racks.blocked[:]
    for share in racks.shares:
        if share.pinned:
            for rack in share.racks:
                shut[rack - racks.first] |= share.mask
    return shut


def spare_trays(board: Board) -> NDArray[np.int64]:
    """Trays left over on shared racks, days x pods."""
    spare = np.zeros_like(board.pod_room)
    for rack in board.shared.racks:
        use = board.shared.of(rack)
        left = np.where((use > 0) & board.cluster.healthy[rack], (GPUS_PER_RACK - use) // GPUS_PER_TRAY, 0)
        spare[:, board.cluster.pods.of_rack[rack]] += left
    return spare
