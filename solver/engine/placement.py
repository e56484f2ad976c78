"""Placement: at which start, in which site, hall and pods a request goes, and how large (R2 to R5).

Where in its scope a block goes is a matter of policy, and of luck: see `solver.engine.policy`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from solver.engine.binding import mask_of
from solver.engine.board import Block, Board, Room
from solver.engine.policy import next_part
from solver.engine.wishes import Wish
from solver.terms import GPUS_PER_RACK

Grid = NDArray[np.int64]
_BINDING_TRIES = 6


def accept(board: Board, wish: Wish, starts: Iterable[int], *, most: int | None = None) -> Block | None:
    """Place the request at the first of ``starts`` at which all of it fits, else as large as it fits anywhere.

    None: not even its smallest block fits at any of them. ``most``: GPUs that are enough; None: what it asks.
    """
    enough = wish.gpus if most is None else most
    best: tuple[int, int] | None = None
    for start in starts:
        size = min(enough, largest(board, wish, start))
        if size == enough:
            block = place(board, wish, start, size)
            if block is not None:
                return block
        elif size >= wish.min_gpus and (best is None or size > best[1]):
            best = (start, size)
    return place(board, wish, *best) if best else None


def largest(board: Board, wish: Wish, start: int) -> int:
    """The most GPUs by counts, in the request's multiple and at most what it asks; below its minimum: nothing fits."""
    if wish.shares_a_rack:
        return _largest_shared(board, wish, start)
    room = board.room(wish, start)
    if room is None:
        return 0
    by_unit = _units_of_scope(board, wish, room)
    return int(min(room.racks, by_unit.max(initial=0))) * GPUS_PER_RACK


def place(board: Board, wish: Wish, start: int, gpus: int) -> Block | None:
    """Place a block of ``gpus`` GPUs, or a smaller one where racks can't be bound, down to the request's minimum."""
    if wish.shares_a_rack:
        return _place_shared(board, wish, start, gpus)
    if wish.keep and gpus == len(wish.keep) * GPUS_PER_RACK:
        block = place_at(board, wish, start, gpus, wish.keep)
        if block is not None or (wish.reservation is not None and not wish.must_stand):
            return block
    room = board.room(wish, start)
    tries = _BINDING_TRIES
    while room is not None and tries:
        racks = min(gpus // GPUS_PER_RACK, room.racks, int(_units_of_scope(board, wish, room).max(initial=0)))
        if racks * GPUS_PER_RACK < wish.min_gpus:
            return None
        block = Block(wish, start, racks * GPUS_PER_RACK)
        stuck = board.place(block, _shares(board, wish, room, racks))
        if stuck is None:
            return block
        room.pods[stuck] = _bindable(board, block, stuck)
        tries -= 1
    return None


def place_all(board: Board, wish: Wish, start: int, gpus: int) -> Block | None:
    """Place a block of ``gpus`` GPUs, and no smaller one."""
    if largest(board, wish, start) < gpus:
        return None
    block = place(board, wish, start, gpus)
    if block is None or block.gpus == gpus:
        return block
    board.remove(block)
    return None


def place_at(board: Board, wish: Wish, start: int, gpus: int, racks: Sequence[int]) -> Block | None:
    """Place the block on exactly these racks, for good; None: they are not free, or rules forbid it (R2 to R9)."""
    if wish.shares_a_rack:
        fits = _largest_shared(board, wish, start) >= gpus
        return _place_on_shared(board, wish, start, gpus, racks[0]) if fits else None
    room = board.room(wish, start)
    if room is None or room.racks * GPUS_PER_RACK < gpus:
        return None
    cluster, numbers = board.cluster, np.array(racks)
    if wish.scope != "any" and len(set(cluster.units(wish.scope).of_rack[numbers].tolist())) > 1:
        return None
    for units, left in ((cluster.pods, room.pods), (cluster.halls, room.halls), (cluster.sites, room.sites)):
        if (np.bincount(units.of_rack[numbers], minlength=len(left)) > left).any():
            return None
    block = Block(wish, start, gpus)
    return block if board.place_on(block, list(racks)) else None


def _units_of_scope(board: Board, wish: Wish, room: Room) -> Grid:
    """Whole racks that fit in each unit of the request's scope."""
    if wish.scope == "pod":
        return room.pods
    halls = _hall_room(board, room)
    if wish.scope == "hall":
        return halls
    sites = np.minimum(room.sites, np.bincount(board.cluster.site_of_hall, halls, len(room.sites)).astype(np.int64))
    return sites if wish.scope == "site" else np.array([sites.sum()], dtype=np.int64)


def _hall_room(board: Board, room: Room) -> Grid:
    in_pods = np.bincount(board.cluster.hall_of_pod, room.pods, len(room.halls)).astype(np.int64)
    return np.minimum(room.halls, in_pods)


def _shares(board: Board, wish: Wish, room: Room, racks: int) -> dict[int, int]:
    """Racks by pod: one unit of the scope, chosen as the board's policy says."""
    policy = board.policy
    if wish.scope == "pod":
        return {policy.unit(room.pods, racks): racks}
    halls = _hall_room(board, room)
    if wish.scope == "hall":
        return _in_hall(board, room, policy.unit(halls, racks), racks)
    site_of_hall = board.cluster.site_of_hall
    left = np.minimum(room.sites, np.bincount(site_of_hall, halls, len(room.sites)).astype(np.int64))
    if wish.scope == "site" or left.max() >= racks:
        halls = np.where(site_of_hall == policy.unit(left, racks), halls, 0)
    return _over_halls(board, room, halls, left, racks)


def _over_halls(board: Board, room: Room, halls: Grid, sites_left: Grid, racks: int) -> dict[int, int]:
    shares: dict[int, int] = {}
    halls, sites_left = halls.copy(), sites_left.copy()
    site_of_hall = board.cluster.site_of_hall
    while racks:
        open_room = np.minimum(halls, sites_left[site_of_hall])
        hall = next_part(board.policy.halls, open_room, racks)
        here = min(racks, int(open_room[hall]))
        shares |= _in_hall(board, room, hall, here)
        halls[hall] = 0
        sites_left[site_of_hall[hall]] -= here
        racks -= here
    return shares


def _in_hall(board: Board, room: Room, hall: int, racks: int) -> dict[int, int]:
    pods = np.where(board.cluster.hall_of_pod == hall, room.pods, 0)
    shares: dict[int, int] = {}
    while racks:
        pod = next_part(board.policy.pods, pods, racks)
        shares[pod] = min(racks, int(pods[pod]))
        pods[pod] = 0
        racks -= shares[pod]
    return shares


def _bindable(board: Board, block: Block, pod: int) -> int:
    """Racks of the pod that could be bound to the block without moving anything: a safe count after a failed try."""
    return len(board.pods[pod].free_racks(block.mask))


def _largest_shared(board: Board, wish: Wish, start: int) -> int:
    gpus = min(wish.gpus, board.ledger.room(wish, start, start + wish.days))
    return gpus - gpus % wish.multiple if gpus >= wish.min_gpus else 0


def _place_shared(board: Board, wish: Wish, start: int, gpus: int) -> Block | None:
    """A block smaller than a rack: on a rack that is shared already, the fullest first; else it opens a rack."""
    if wish.keep:  # an extension's own rack, or that of a reservation, which stays there or not at all
        block = _place_on_shared(board, wish, start, gpus, wish.keep[0])
        if block is not None or wish.reservation is not None:
            return block
    site_gpus = board.ledger.site_room(wish, start, start + wish.days)
    for size in range(gpus, wish.min_gpus - 1, -wish.multiple):
        rack = shared_rack(board, wish, start, size, site_gpus)
        if rack is None:
            rack = _new_rack(board, wish, start, size, site_gpus)
        if rack is not None:
            block = Block(wish, start, size)
            board.place_shared(block, rack)
            return block
    return None


def _place_on_shared(board: Board, wish: Wish, start: int, gpus: int, rack: int) -> Block | None:
    """A block smaller than a rack on this one, where there is room for it."""
    days = (start, start + wish.days)
    if int(board.open_shared(rack)[slice(*days)].max()) + gpus > GPUS_PER_RACK:
        return None
    site_gpus = board.ledger.site_room(wish, *days)
    if not _may_share(board, wish, rack, days, gpus=gpus, site_gpus=site_gpus):
        return None
    block = Block(wish, start, gpus)
    board.place_shared(block, rack)
    return block


def shared_rack(
    board: Board, wish: Wish, start: int, gpus: int, site_gpus: Grid, *, pod: int | None = None
) -> int | None:
    """A rack in use in the window that has room for the block: where the block opens it on the fewest days, then the
    one that is left soonest after the block ends, then the fullest, then the first.

    The first by its number: rows are in the order in which this process opened the racks, for whatever plan.
    ``site_gpus``: what R7 and R8 leave by site. ``pod``: the only one that counts; None: any.
    """
    days = (start, start + wish.days)
    use = board.shared.window(*days)
    peaks = use.max(axis=1, initial=0)
    rows = np.flatnonzero((peaks > 0) & (peaks <= GPUS_PER_RACK - gpus))
    if not len(rows):
        return None
    opened = (use[rows] == 0).sum(axis=1)
    racks = np.array(board.shared.racks, dtype=np.int64)[rows]
    later = _last_day_in_use(board.shared.window(days[1], board.cluster.days)[rows])
    of_rack = board.cluster.pods.of_rack
    for rack in racks[np.lexsort((racks, -peaks[rows], later, opened))].tolist():
        if (pod is None or of_rack[rack] == pod) and _may_share(
            board, wish, rack, days, gpus=gpus, site_gpus=site_gpus
        ):
            found: int = rack
            return found
    return None


def _last_day_in_use(use: Grid) -> Grid:
    """By row the number of days up to the last one with any GPUs in use; 0 where there is none."""
    days = np.arange(1, use.shape[1] + 1)
    last: Grid = ((use > 0) * days).max(axis=1, initial=0)
    return last


def _may_share(board: Board, wish: Wish, rack: int, days: tuple[int, int], *, gpus: int, site_gpus: Grid) -> bool:
    """R1 to R3 on one shared rack: healthy, and every day on which it opens the rack has room in pod, hall and site."""
    cluster = board.cluster
    pod = int(cluster.pods.of_rack[rack])
    hall, site = int(cluster.hall_of_pod[pod]), int(cluster.site_of_pod[pod])
    start, end = days
    if (wish.site >= 0 and site != wish.site) or site_gpus[site] < gpus or not cluster.healthy[rack, start:end].all():
        return False
    racks = board.pods[pod]
    if racks.taken[rack - racks.first] & mask_of(start, end):
        return False
    opens = board.shared.of(rack)[start:end] == 0
    return bool((board.hall_room[start:end, hall] >= opens).all() and (board.site_room[start:end, site] >= opens).all())


def _new_rack(board: Board, wish: Wish, start: int, gpus: int, site_gpus: Grid) -> int | None:
    """A free rack in the tightest pod that has one."""
    end = start + wish.days
    cluster = board.cluster
    sites = np.where(site_gpus >= gpus, board.site_room[start:end].min(axis=0), 0)
    if wish.site >= 0:
        sites = np.where(np.arange(len(sites)) == wish.site, sites, 0)
    halls = np.minimum(board.hall_room[start:end].min(axis=0), sites[cluster.site_of_hall])
    pods = np.minimum(board.pod_room[start:end].min(axis=0), halls[cluster.hall_of_pod])
    mask = mask_of(start, end)
    for pod in np.argsort(np.where(pods > 0, pods, np.iinfo(np.int64).max), kind="stable")[:_BINDING_TRIES].tolist():
        if pods[pod] <= 0:
            return None
        free = board.pods[pod].free_racks(mask)
        if free:
            return int(board.pods[pod].first + free[0])
    return None
