"""From a board to the tables of annealing, and from what annealing found to positions.

Requests for whole racks are placed anew; whatever else stands takes its room as it is. Racks are counted by bay, so
whatever fits there can be bound. Where there are several halls a block stays in one of them: then each limit of a hall
or site counts all that it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from solver.engine.annealing.bays import Booked, bays, bind
from solver.engine.annealing.places import enter
from solver.engine.annealing.tables import ABOVE, BEST, LEAST_ABOVE, NOW, Ground, Ints, Wishes, nothing
from solver.engine.board import Board, Position
from solver.engine.programs.limits import Key, Places
from solver.engine.programs.ways import Way
from solver.engine.wishes import NONE, Wish
from solver.terms import GPUS_PER_RACK

_ABOVE, _BEHIND = 5.0, 1e-5
"""What a USD of the tiers above and behind counts for."""
_OF_A_POD = ("racks", "pod")
_IN_RACKS = ("hall", "site")

Pods = tuple[int, ...]
Limit = tuple[Ints, tuple[int, ...]]
"""GPUs by day, and the contracts whose hold counts in it."""


class Setting:
    """The tables on a ``board``, from which it takes whoever is placed anew.

    ``tier``: the one that counts; those above keep at least what they are worth, those behind ``deepest`` are left out.
    """

    def __init__(self, board: Board, tier: int, *, deepest: int | None = None) -> None:
        self._board = board
        before = {position.number: position for position in board.positions()}
        units = {wish.number: units_of(board, wish) for wish in board.wishes if deepest is None or wish.tier <= deepest}
        self._wishes = [wish for wish in board.wishes if _choice(board, wish, units.get(wish.number, [])) is not None]
        for wish in self._wishes:
            if wish.number in before:
                board.remove(board.blocks[wish.number])
        self._bays = bays(board)
        self._units = {wish.number: units[wish.number] for wish in self._wishes}
        self._contracts = sorted({wish.contract for wish in self._wishes} - {NONE})
        self.ground = self._ground()
        limits = _Limits(board, self._wishes, self._units, self._contracts)
        self.wishes = self._tables(limits, tier)
        free = np.array([bay.open_racks for bay in self._bays], dtype=np.int64).reshape(-1, board.cluster.days)
        self.state = nothing(free, limits.rooms, self.ground, len(self._wishes))
        self._stand(before)

    def __len__(self) -> int:
        """How many wishes there are."""
        return len(self._wishes)

    def has_gained(self) -> bool:
        """Whether the best state is worth more than what stood before."""
        return bool(self.state.worth[BEST] > self._worth_before)

    def best(self) -> list[Position]:
        """Where the blocks of the best state stand, each on racks of its own."""
        state, booked = self.state, []
        for number, wish in enumerate(self._wishes):
            if state.best_start[number] >= 0:
                share = state.best_share[number]
                racks = {self._bays[cell].number: int(share[cell]) for cell in np.flatnonzero(share)}
                booked.append(Booked(wish, int(state.best_start[number]), racks))
        return bind(self._bays, booked)

    def _ground(self) -> Ground:
        cluster = self._board.cluster
        pods = np.array([cluster.pods.of_rack[bay.racks[0]] for bay in self._bays], dtype=np.int64)
        every = sorted({unit for units in self._units.values() for unit in units})
        self._number_of = {unit: number for number, unit in enumerate(every)}
        cells = [np.flatnonzero(np.isin(pods, unit)) for unit in every]
        inside = np.zeros((len(every), len(pods)), dtype=np.bool_)
        for row, here in zip(inside, cells, strict=True):
            row[here] = True
        held = [self._board.ledger.held(contract, 0, cluster.days) for contract in self._contracts]
        return Ground(
            cell_from=_from(len(here) for here in cells),
            cell=_ints(chain.from_iterable(cells)),
            inside=inside,
            pod=pods,
            open_days=_ints(int(np.count_nonzero(bay.open_racks)) for bay in self._bays),
            held=np.array(held, dtype=np.int64).reshape(len(held), cluster.days),
        )

    def _tables(self, limits: _Limits, tier: int) -> Wishes:
        wishes = self._wishes
        unit = _mean(self._board, wishes, tier)
        weights = {wish.tier: 1.0 if wish.tier == tier else _ABOVE if wish.tier < tier else _BEHIND for wish in wishes}
        row = {contract: number for number, contract in enumerate(self._contracts)} | {NONE: -1}
        return Wishes(
            first=_ints(wish.first_start for wish in wishes),
            last=_ints(wish.last_start for wish in wishes),
            days=_ints(wish.days for wish in wishes),
            fewest=_ints(wish.min_gpus // GPUS_PER_RACK for wish in wishes),
            most=_ints(wish.gpus // GPUS_PER_RACK for wish in wishes),
            worth=np.array([weights[wish.tier] * wish.value_of(GPUS_PER_RACK) / unit for wish in wishes]),
            rank=_ints(wish.tier - tier for wish in wishes),
            contract=_ints(row[wish.contract] for wish in wishes),
            choice_from=_from(len(self._units[wish.number]) for wish in wishes),
            unit=_ints(self._number_of[unit] for wish in wishes for unit in self._units[wish.number]),
            limits=_ints(limits.of_choice),
            limit_from=_from(len(those) for those in limits.sets),
            limit=_ints(limit for those in limits.sets for limit, _ in those),
            relieved=np.array([relieved for those in limits.sets for _, relieved in those], dtype=np.bool_),
        )

    def _stand(self, before: Mapping[int, Position]) -> None:
        """Who stood before stands as it did; that is the best so far."""
        state, bay_of = self.state, {rack: cell for cell, bay in enumerate(self._bays) for rack in bay.racks}
        for number, wish in enumerate(self._wishes):
            position = before.get(wish.number)
            if position is None:
                continue
            state.start[number] = position.start
            state.racks[number] = len(position.racks)
            choice = _choice(self._board, wish, self._units[wish.number], position)
            state.choice[number] = self.wishes.choice_from[number] + choice
            for rack in position.racks:
                state.share[number, bay_of[rack]] += 1
            enter(self.wishes, self.ground, state, number, 1)
        worth = np.where(state.start >= 0, self.wishes.worth * state.racks, 0.0)
        state.worth[[NOW, BEST]] = self._worth_before = worth.sum()
        state.worth[[ABOVE, LEAST_ABOVE]] = worth[self.wishes.rank < 0].sum()
        state.best_start[:], state.best_racks[:], state.best_share[:] = state.start, state.racks, state.share


class _Limits:
    """What limits blocks beyond the racks of their unit. ``of_choice``: the number of its set, wish by wish.

    Limits that the same choices load, and in which the same holds count, are one limit: the least of them.
    """

    def __init__(
        self, board: Board, wishes: Sequence[Wish], units: Mapping[int, Sequence[Pods]], contracts: Sequence[int]
    ) -> None:
        places = Places(board)
        choices = [(wish, unit) for wish in wishes for unit in units[wish.number]]
        loaded: dict[Key, list[int]] = defaultdict(list)
        for number, (wish, unit) in enumerate(choices):
            for key in places.keys(_way(wish, unit), unit[0]):
                if key[0] not in _OF_A_POD:
                    loaded[key].append(number)
        rooms: dict[tuple[tuple[int, ...], tuple[int, ...]], Ints] = {}
        for key, numbers in loaded.items():
            gpus = GPUS_PER_RACK * places.whole_racks(key) if key[0] in _IN_RACKS else places.gpus(key)
            same = tuple(numbers), tuple(places.relieving(key, list(contracts)))
            rooms[same] = np.minimum(gpus, rooms.get(same, gpus))
        mine: list[list[tuple[int, bool]]] = [[] for _ in choices]
        for limit, (those, relieving) in enumerate(rooms):
            for number in those:
                mine[number].append((limit, choices[number][0].contract in relieving))
        sets = {those: number for number, those in enumerate(dict.fromkeys(map(tuple, mine)))}
        self.rooms = np.array(list(rooms.values()), dtype=np.int64).reshape(len(rooms), board.cluster.days)
        self.sets = list(sets)
        self.of_choice = [sets[tuple(those)] for those in mine]


def units_of(board: Board, wish: Wish) -> list[Pods]:
    """The pods of each unit in which a request for whole racks may stand: those of its scope, no larger than a hall."""
    is_request = wish.reservation is None and not wish.must_stand
    if not is_request or wish.shares_a_rack or wish.first_start > wish.last_start:
        return []
    cluster = board.cluster
    pods = np.arange(len(board.pods))
    if wish.site != NONE:
        pods = pods[cluster.site_of_pod == wish.site]
    of_pod = pods if wish.scope == "pod" else cluster.hall_of_pod[pods]
    return [tuple(pods[of_pod == unit].tolist()) for unit in np.unique(of_pod)]


def _choice(board: Board, wish: Wish, units: Sequence[Pods], position: Position | None = None) -> int | None:
    """Which of the units the wish stands in, the first where it stands nowhere; None: in none of them."""
    block = board.blocks.get(wish.number)
    if position is not None:
        pods = {int(board.cluster.pods.of_rack[rack]) for rack in position.racks}
    else:
        pods = set() if block is None else set(board.pods_of(block))
    return next((number for number, unit in enumerate(units) if pods <= set(unit)), None)


def _way(wish: Wish, unit: Pods) -> Way:
    """What `Places` asks for: of what a limit says the start plays no part."""
    return Way(wish, wish.first_start, wish.first_start + wish.days, 1, 1, unit, ())


def _mean(board: Board, wishes: Sequence[Wish], tier: int) -> float:
    """What a request of the tier is worth on average, USD; 1 where there is none of any worth."""
    values = [wish.value_usd for wish in wishes if wish.tier == tier]
    return (sum(values) / len(values) if values else 0.0) or 1.0


def _ints(numbers: Iterator[int] | Sequence[int]) -> Ints:
    return np.fromiter(numbers, dtype=np.int64)


def _from(lengths: Iterator[int]) -> Ints:
    """Where each of several lists begins once they are one, and where the last ends."""
    return np.concatenate([[0], np.cumsum(_ints(lengths))]).astype(np.int64)
