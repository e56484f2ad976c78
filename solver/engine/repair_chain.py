"""Chains of stand-ins for one taken rack: it is replaced once, and again only when its replacement is taken (R10).

The longest chain may leave a range short over which some rack would be free, which R11 forbids. A chain that begins
later may not: the short range is longer then, and nobody is free over all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from solver.engine.repair_timeline import Mask, Timeline, lowest, ranges, runs


class Link(NamedTuple):
    """A rack, the pieces on which it may stand in, those of them on which it is in scope, and the piece on which it is
    taken in turn (null: never).
    """

    rack: int
    mask: Mask
    home: Mask
    taken: int | None


def longest_chain(links: list[Link], lost: Mask, timeline: Timeline) -> list[tuple[int, Mask]]:
    """The stand-ins that cover most days of ``lost``, then most of them in scope, with the fewest racks; of equal ones
    those that come first in ``links``.
    """
    nothing: _Chain = ((0, 0, 0), [])
    best: dict[int | None, _Chain] = {None: nothing}
    for start in [*sorted({link.taken for link in links if link.taken is not None}, reverse=True), 0]:
        rest, top = lost & timeline.from_piece(start), nothing
        for rack, mask, home, taken in links:
            if use := mask & rest:
                (days, at_home, racks), following = best[taken]
                score = (days + timeline.days(use), at_home + timeline.days(use & home), racks - 1)
                if score > top[0]:
                    top = (score, [(rack, use), *following])
        best[start] = top
    return best[0][1]


_Chain = tuple[tuple[int, int, int], list[tuple[int, Mask]]]


class _State(NamedTuple):
    """At ``piece`` with link ``active`` in use (-1: one may begin); nobody stands in since ``idle_since``."""

    piece: int
    active: int
    idle_since: int


@dataclass(slots=True)
class GuardedChain:
    """Search for the stand-ins that cover most days of ``lost``, then most in scope, and leave no range open (R11).

    Whoever has begun to stand in does so on every day on which it is free, until it is taken in turn.
    """

    links: list[Link]
    lost: Mask
    timeline: Timeline
    is_open: Callable[[Mask], bool]
    _values: dict[_State, int] = field(default_factory=dict)
    _open: dict[Mask, bool] = field(default_factory=dict)

    def best(self) -> list[tuple[int, Mask]]:
        """Racks with the pieces on which they stand in; empty where nobody may."""
        state = _State(lowest(self.lost), -1, lowest(self.lost))
        used: dict[int, Mask] = {}
        while state.piece < self._end and self._value(state) > 0:
            state = self._released(state)
            following = max(self._following(state), key=self._gain(state))
            if following.idle_since == following.piece:
                rack = self.links[following.active].rack
                used[rack] = used.get(rack, 0) | 1 << state.piece
            state = following
        return list(used.items())

    @property
    def _scale(self) -> int:
        """What a day covered counts, so that no number of days in scope weighs as much."""
        return self.timeline.bounds[-1] + 1

    @property
    def _end(self) -> int:
        return self.lost.bit_length()

    def _gain(self, state: _State) -> Callable[[_State], int]:
        def gain(following: _State) -> int:
            if following.idle_since != following.piece:
                return self._value(following)
            days = self.timeline.days(1 << state.piece)
            in_scope = self.links[following.active].home >> state.piece & 1
            return days * (self._scale + in_scope) + self._value(following)

        return gain

    def _value(self, state: _State) -> int:
        """What can be covered from here on at best; negative where an open range would stay short."""
        if state.piece == self._end:
            return -_NEVER if self._leaves_open(state) else 0
        if state not in self._values:
            free = self._released(state)
            self._values[state] = max(map(self._gain(free), self._following(free)), default=-_NEVER)
        return self._values[state]

    def _released(self, state: _State) -> _State:
        """Where the active link is taken in turn, another one may begin."""
        if state.active >= 0 and self.links[state.active].taken == state.piece:
            return state._replace(active=-1)
        return state

    def _following(self, state: _State) -> Iterator[_State]:
        """Covered by the active link wherever that is free, or by one that begins here, or short on this piece."""
        candidates = range(len(self.links)) if state.active < 0 else (state.active,)
        free = [i for i in candidates if self.links[i].mask >> state.piece & 1]
        if state.active < 0 or not free:
            yield state._replace(piece=state.piece + 1)
        if not self._leaves_open(state):
            yield from (_State(state.piece + 1, i, state.piece + 1) for i in free)

    def _leaves_open(self, state: _State) -> bool:
        mask = self.timeline.between(state.idle_since, state.piece)
        if mask and mask not in self._open:
            self._open[mask] = self.is_open(mask)
        return bool(mask) and self._open[mask]


def guarded_link(
    links: list[Link], lost: Mask, timeline: Timeline, is_open: Callable[[Mask], bool]
) -> list[tuple[int, Mask]]:
    """The one stand-in, from some piece on, that covers most days of ``lost`` and leaves no range open (R11)."""
    options = [
        (timeline.days(use), -number, use)
        for number, link in enumerate(links)
        for first in {
            lowest(lost),
            *(first for first, _ in runs(link.mask)),
            *(last for _, last in runs(lost & ~link.mask)),
        }
        if (use := link.mask & timeline.from_piece(first))
    ]
    for _, number, use in sorted(options, reverse=True):
        if not any(is_open(mask) for mask in ranges(lost & ~use)):
            return [(links[-number].rack, use)]
    return []


_NEVER = 10**18
