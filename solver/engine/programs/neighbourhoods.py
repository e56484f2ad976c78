"""Neighbourhoods: which blocks leave at once, and who may take their room in which pods.

Three kinds: all that stands in a few pods, on whatever days; all that stands on some days, in whatever pods; and some
wishes by chance, those that stand and those that do not. Each kind grows while its programs are solved to the end, and
shrinks where they are not.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from solver.engine.board import Block, Board

_GROWTH, _SHRINKAGE = 1.05, 0.93
_LEAST_PODS, _LEAST_DAYS = 2, 7
_LEAST_SHARE = 0.02
_LEAST_WISHES = 10
_KINDS = (0.3, 0.2, 0.5)
"""How often each kind is drawn, in the order of `Kind`."""
_OWN_TIER = 0.5


class Kind(StrEnum):
    PODS = "pods"
    DAYS = "days"
    WISHES = "wishes"


@dataclass(slots=True)
class Sizes:
    """How large neighbourhoods are: in pods, as a share of the days, and as a share of the wishes."""

    pods: float = 3.0
    days: float = 0.18
    wishes: float = 0.15

    def adapt(self, kind: Kind, *, solved: bool) -> None:
        """Grow where the last program was solved to the end, else shrink."""
        factor = _GROWTH if solved else _SHRINKAGE
        if kind is Kind.PODS:
            self.pods = max(float(_LEAST_PODS), self.pods * factor)
        elif kind is Kind.WISHES:
            self.wishes = min(1.0, max(_LEAST_SHARE, self.wishes * factor))
        else:
            self.days = min(1.0, max(_LEAST_SHARE, self.days * factor))


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The blocks that leave, the pods that may be used (None: all), and the days ``[first, last)`` that it is about.

    ``wishes``: the numbers of those that it is about; None: all.
    """

    kind: Kind
    freed: list[Block]
    pods: frozenset[int] | None
    first: int
    last: int
    wishes: frozenset[int] | None = None


def draw(
    board: Board, chance: random.Random, sizes: Sizes, tier: int, may_leave: Callable[[Block], bool]
) -> Neighbourhood:
    """A neighbourhood by chance, for a program that is about ``tier``; often those above it stay where they are."""
    blocks = [block for block in board.blocks.values() if may_leave(block)]
    if chance.random() < _OWN_TIER:
        blocks = [block for block in blocks if block.wish.tier >= tier]
    days = board.cluster.days
    (kind,) = chance.choices(list(Kind), _KINDS)
    if kind is Kind.PODS:
        count = int(sizes.pods) + (chance.random() < sizes.pods % 1)
        pods = frozenset(chance.sample(range(len(board.pods)), min(len(board.pods), count)))
        return Neighbourhood(kind, [b for b in blocks if pods.issuperset(board.pods_of(b))], pods, 0, days)
    if kind is Kind.WISHES:
        count = max(_LEAST_WISHES, round(sizes.wishes * len(board.wishes)))
        some = frozenset(chance.sample(range(len(board.wishes)), min(len(board.wishes), count)))
        return Neighbourhood(kind, [b for b in blocks if b.wish.number in some], None, 0, days, some)
    length = max(_LEAST_DAYS, int(days * sizes.days))
    first = chance.randrange(-length // 2, max(1, days - length // 2))
    freed = [block for block in blocks if block.start < first + length and block.end > first]
    return Neighbourhood(kind, freed, None, first, first + length)
