"""The program over ways: which to take, with how many racks in which pods.

Rows: what its limits say, in trays; holds that bookings use up included.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.engine.programs.limits import Counts, Key
from solver.engine.programs.rows import Load, Rows
from solver.engine.programs.ways import Way
from solver.engine.wishes import NONE
from solver.terms import GPUS_PER_TRAY

CENTS = 100
BEHIND = 1e-3
"""Steps of money for a USD of the tier, and for one of those behind it: these only decide among equals."""

Entry = tuple[int, int, int, int]
"""Variable, factor, and the days ``[start, end)``."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A way that is taken, with the steps of its multiple by pod."""

    way: Way
    steps: Mapping[int, int]

    @property
    def gpus(self) -> int:
        return sum(self.steps.values()) * self.way.wish.multiple

    @property
    def value_usd(self) -> float:
        return self.way.value_of(self.gpus)


@dataclass(frozen=True, slots=True)
class Choice:
    """A way with its variables: whether it is taken, and its steps by pod where these are not given by that."""

    way: Way
    taken: int
    steps: Mapping[int, int]

    def loads(self) -> Iterator[tuple[int, int, int]]:
        """Pod, variable, and the steps that one unit of the variable stands for."""
        for pod, room in zip(self.way.pods, self.way.room, strict=True):
            if self.steps:
                yield pod, self.steps[pod], 1
            else:
                yield pod, self.taken, room if self.way.fixed else self.way.most


class Model:
    """Most value of ``tier`` and then of those behind it, within what the ``limits`` leave.

    ``must``: the numbers of wishes that have to stand.
    """

    def __init__(self, limits: Counts, ways: Sequence[Way], tier: int, must: frozenset[int]) -> None:
        self.rows = Rows()
        self._limits, self._tier = limits, tier
        self.choices = [self._choice(way) for way in ways]
        self._once(must)
        self._entries: dict[Key, list[Entry]] = defaultdict(list)
        for choice in self.choices:
            self._load(choice)
            self._value(choice)
        self._spans = self._cut()
        self._own = self._loads_of_reservations()
        self._held: dict[tuple[int, int], int] = {}
        self._holds: list[tuple[int, int, dict[int, int]]] = []
        self._limit()

    def taken(self, values: Sequence[int]) -> list[Taken]:
        """What the values of the variables say."""
        result = []
        for choice in self.choices:
            if values[choice.taken]:
                steps = {pod: values[variable] * each for pod, variable, each in choice.loads()}
                result.append(Taken(choice.way, steps))
        return result

    def values_of(self, taken: Sequence[Taken]) -> dict[int, int]:
        """The values of all variables, for this choice."""
        every = {id(item.way): item.steps for item in taken}
        values = {}
        for choice in self.choices:
            steps = every.get(id(choice.way))
            values[choice.taken] = int(steps is not None)
            values |= {variable: steps[pod] if steps else 0 for pod, variable in choice.steps.items()}
        for variable, held, booked in self._holds:
            values[variable] = max(0, held - sum(gpus * values[number] for number, gpus in booked.items()))
        return values

    def _choice(self, way: Way) -> Choice:
        rows = self.rows
        taken = rows.variable(1)
        if way.fixed or (len(way.pods) == 1 and not way.can_vary):
            return Choice(way, taken, {})
        steps = {pod: rows.variable(room) for pod, room in zip(way.pods, way.room, strict=True)}
        for pod, room in zip(way.pods, way.room, strict=True):
            if room < way.most:
                rows.at_most({steps[pod]: 1, taken: -room}, 0)
        rows.at_most({**dict.fromkeys(steps.values(), 1), taken: -way.most}, 0)
        rows.at_most({**dict.fromkeys(steps.values(), -1), taken: way.fewest}, 0)
        return Choice(way, taken, steps)

    def _once(self, must: frozenset[int]) -> None:
        """R4: a wish stands in one way at most; what must stand, in one."""
        by_wish: dict[int, dict[int, int]] = defaultdict(dict)
        for choice in self.choices:
            by_wish[choice.way.wish.number][choice.taken] = 1
        for number, taken in sorted(by_wish.items()):
            if number in must:
                self.rows.exactly(taken, 1)
            else:
                self.rows.at_most(taken, 1)

    def worth_at_least(self, tier: int, usd: float) -> None:
        """What is taken of the tier comes to ``usd`` USD at least, but for the rounding of sums."""
        choices = [choice for choice in self.choices if choice.way.wish.tier == tier]
        terms = {variable: -cents for choice in choices for variable, cents in _worth(choice, CENTS).items()}
        self.rows.at_most(terms, _rounding(choices) - math.floor(CENTS * usd))

    def most_usd(self, objective: float) -> float:
        """No more USD of the tier than this are behind a program whose objective is at most ``objective``."""
        return (objective + _rounding(self.choices)) / CENTS

    def _value(self, choice: Choice) -> None:
        wish = choice.way.wish
        if wish.tier >= self._tier:
            weight = CENTS if wish.tier == self._tier else BEHIND
            self.rows.objective |= _worth(choice, weight)

    def _load(self, choice: Choice) -> None:
        way = choice.way
        loads: dict[tuple[Key, int], int] = {}
        for pod, variable, steps in choice.loads():
            for key in self._limits.keys(way, pod):
                loads[key, variable] = loads.get((key, variable), 0) + steps * way.trays
        for (key, variable), trays in loads.items():
            self._entries[key].append((variable, trays, way.start, way.end))

    def _cut(self) -> NDArray[np.int64]:
        """The days on which anything starts, ends, or a hold that may be booked on changes."""
        days = self._limits.days
        cuts = {0, *(c.way.start for c in self.choices), *(c.way.end for c in self.choices)}
        for contract in self._contracts():
            held = self._limits.ledger.held(contract, 0, days)
            cuts |= set((np.flatnonzero(np.diff(held)) + 1).tolist())
        return np.array(sorted(day for day in cuts if day < days), dtype=np.int64)

    def _contracts(self) -> list[int]:
        return sorted({choice.way.wish.contract for choice in self.choices} - {NONE})

    def _limit(self) -> None:
        """A row for each limit and span; limits on the same load become one."""
        limits: dict[tuple[Entry, ...], NDArray[np.int64]] = {}
        for key, entries in sorted(self._entries.items()):
            if self._relieving(key):
                self._limit_with_holds(key, self._loaded(entries))
                continue
            right = self._right_of(key)
            known = limits.get(tuple(entries))
            limits[tuple(entries)] = right if known is None else np.minimum(known, right)
        for same, right in limits.items():
            load = self._loaded(same)
            if self._most(load) <= right.min():
                continue
            for span in load.peaks(right):
                self._at_most(*load.on(span), int(right[span]))

    def _right_of(self, key: Key) -> NDArray[np.int64]:
        """What is left of the limit on each span, in trays; more where reservations may exceed it by themselves.

        R2, R7 to R9 bind accepted blocks: what reservations use beyond them closes the day to blocks, no more. The
        cluster's right side in R7 and R8 is the sum of its sites', each raised by what its reservations need.
        """
        right = self._right_alone(key)
        if key[0] == "row":
            for other in self._own:
                if other[0] == "site row" and other[2] == key[2]:
                    right = right + self._right_of(other) - self._right_alone(other)
        return np.maximum(right, self._own[key]) if key in self._own else right

    def _right_alone(self, key: Key) -> NDArray[np.int64]:
        return np.minimum.reduceat(np.maximum(self._limits.trays(key), 0), self._spans)

    def _loads_of_reservations(self) -> dict[Key, NDArray[np.int64]]:
        """Trays of reservations that are wishes, by span: in each hall or site as many as may come there."""
        own: dict[Key, NDArray[np.int64]] = {}
        seen = set()
        for choice in self.choices:
            way, wish = choice.way, choice.way.wish
            if wish.reservation is None:
                continue
            for key in sorted({key for pod, _, _ in choice.loads() for key in self._limits.keys(way, pod)}):
                if key[0] in ("pod", "racks") or (key, wish.number) in seen:
                    continue
                seen.add((key, wish.number))
                first, last = np.searchsorted(self._spans, (way.start, way.start + wish.days))
                load = own.setdefault(key, np.zeros(len(self._spans), dtype=np.int64))
                load[first:last] += wish.gpus // GPUS_PER_TRAY
        return own

    def _loaded(self, entries: Sequence[Entry]) -> Load:
        table = np.array(entries, dtype=np.int64).reshape(-1, 4)
        first, last = np.searchsorted(self._spans, table[:, 2]), np.searchsorted(self._spans, table[:, 3])
        return Load(table[:, 0], table[:, 1], first, last)

    def _most(self, load: Load) -> int:
        """More than the load can be on any span."""
        return int(np.array(self.rows.upper)[load.variables] @ load.factors)

    def _at_most(self, variables: list[int], factors: list[int], right: int) -> None:
        self.rows.at_most(dict(zip(variables, factors, strict=True)), right)

    def _relieving(self, key: Key) -> list[int]:
        return self._limits.relieving(key, self._contracts())

    def _limit_with_holds(self, key: Key, load: Load) -> None:
        """R7, R8: what is booked on a contract is no longer held for it."""
        right = np.minimum.reduceat(np.maximum(self._limits.gpus(key), 0), self._spans)
        right = right + GPUS_PER_TRAY * (self._right_of(key) - self._right_alone(key))
        for span, room in enumerate(right.tolist()):
            variables, trays = load.on(span)
            terms = {number: GPUS_PER_TRAY * factor for number, factor in zip(variables, trays, strict=True)}
            for contract in self._relieving(key):
                held = int(self._limits.ledger.held(contract, int(self._spans[span]), int(self._spans[span]) + 1)[0])
                still = self._still_held(contract, held, span)
                terms[still], room = 1, room + held
            self.rows.at_most(terms, room)

    def _still_held(self, contract: int, held: int, span: int) -> int:
        if (contract, span) not in self._held:
            variable = self.rows.variable(held)
            numbers, trays = self._loaded(self._entries["booked", contract, 0]).on(span)
            booked = {number: GPUS_PER_TRAY * factor for number, factor in zip(numbers, trays, strict=True)}
            self.rows.at_most({variable: -1, **{number: -gpus for number, gpus in booked.items()}}, -held)
            self._holds.append((variable, held, booked))
            self._held[contract, span] = variable
        return self._held[contract, span]


def _rounding(choices: Sequence[Choice]) -> int:
    """The most cents by which rounding to cents changes what these choices are worth together."""
    most: dict[int, int] = {}
    for choice in choices:
        way = choice.way
        most[way.wish.number] = max(most.get(way.wish.number, 0), way.most if way.can_vary else 1)
    return sum(most.values()) + 1


def _worth(choice: Choice, weight: float) -> dict[int, int]:
    """What the choice is worth, by variable, in whole steps of ``1 / weight`` USD."""
    way = choice.way
    if way.wish.must_stand:
        return {}
    if not way.can_vary:
        return {choice.taken: round(weight * way.value_of(way.most * way.wish.multiple))}
    return dict.fromkeys(choice.steps.values(), round(weight * way.value_of(way.wish.multiple)))
