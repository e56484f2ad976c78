"""Admission: in which order requests are tried, and at which of their starts first. Heuristic; every order is valid.

Tier goes before tier, always. Inside a tier the orders differ: dearest GPU-day first, most value for what its room is
worth first (the relaxation's day prices), or as the relaxation itself would accept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.engine import placement
from solver.engine.board import Board
from solver.engine.wire import Stop
from solver.engine.wishes import Wish

Order = Callable[[Wish], tuple[float, ...]]
Starts = Callable[[Wish], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Guide:
    """What a tier's relaxation says: the shares in which it accepts each request, by start, and a GPU-day's worth."""

    fractions: Mapping[str, Sequence[tuple[int, float]]]
    day_prices: NDArray[np.float64]


def fill(board: Board, tier: int, order: Order, starts: Starts, stop: Stop | None = None) -> None:
    """Accept the tier's requests that are not on the board yet, in this order, each at the first start that fits.

    ``stop`` leaves out the rest.
    """
    waiting = [wish for wish in board.wishes if wish.tier == tier and wish.number not in board.blocks]
    waiting.sort(key=lambda wish: (*order(wish), wish.number))
    for wish in waiting:
        if stop is not None and stop():
            return
        placement.accept(board, wish, starts(wish))


def by_price(wish: Wish) -> tuple[float, ...]:
    """Dearest GPU-day first."""
    return (-wish.usd_per_gpu_day,)


def earliest(wish: Wish) -> Sequence[int]:
    """The starts of the window in order of time."""
    return range(wish.first_start, wish.last_start + 1)


def by_worth(guide: Guide) -> Order:
    """Most value for the worth of the room that the block takes first."""
    worth = _Worth(guide)

    def order(wish: Wish) -> tuple[float, ...]:
        if wish.last_start < wish.first_start:
            return (0.0,)
        room = worth.cheapest(wish) + 1e-9 * wish.gpus
        return (-wish.value_usd / room,)

    return order


def cheapest(guide: Guide) -> Starts:
    """The starts of the window, the one at which the room is worth least first."""
    worth = _Worth(guide)

    def starts(wish: Wish) -> Sequence[int]:
        return sorted(earliest(wish), key=lambda start: (worth.of_window(start, start + wish.days), start))

    return starts


def by_relaxation(guide: Guide) -> Order:
    """What the relaxation accepts whole in order of start, then the rest: largest share first, dearest first."""

    def order(wish: Wish) -> tuple[float, ...]:
        fractions = guide.fractions.get(wish.id, ())
        share = sum(part for _, part in fractions)
        if share >= _WHOLE:
            return (0.0, float(max(fractions, key=lambda item: item[1])[0]), -wish.gpus)
        return (1.0, -round(share, 1), -wish.usd_per_gpu_day)

    return order


def as_relaxed(guide: Guide) -> Starts:
    """The start that the relaxation likes best first, then the others, the nearest to it first."""
    rest = cheapest(guide)

    def starts(wish: Wish) -> Sequence[int]:
        fractions = guide.fractions.get(wish.id, ())
        liked = [start for start, _ in sorted(fractions, key=lambda item: (-item[1], item[0]))]
        return [*liked, *(start for start in rest(wish) if start not in liked)]

    return starts


def ways(guide: Guide, whole: Guide | None = None) -> list[tuple[Order, Starts]]:
    """The orders that are worth trying, each with the starts that go with it.

    ``whole``: the best admission in whole blocks, where it is known.
    """
    relaxed = [(by_relaxation(each), as_relaxed(each)) for each in (guide, whole) if each is not None]
    return [
        (by_price, earliest),
        (by_price, cheapest(guide)),
        (by_worth(guide), cheapest(guide)),
        *relaxed,
    ]


class _Worth:
    """Sums of the day prices over windows, in USD per GPU."""

    def __init__(self, guide: Guide) -> None:
        self._until = np.concatenate([[0.0], np.cumsum(guide.day_prices)])

    def of_window(self, start: int, end: int) -> float:
        return float(self._until[end] - self._until[start])

    def cheapest(self, wish: Wish) -> float:
        return wish.gpus * min(self.of_window(start, start + wish.days) for start in earliest(wish))


_WHOLE = 0.999
