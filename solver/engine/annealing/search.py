"""Legs of annealing: from the plan at hand, hot at first, to the best plan that was seen.

Heuristic. The compiled code is loaded, or compiled once on a new machine, in a thread of its own: until then other
searches have the leg. A leg by rounds waits for it, so that its plan depends on nothing but its work.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from solver.engine.board import Board, Position
from solver.engine.programs.enact import no_worse

_AT_ONCE = 1_000
"""Rounds between two looks at the clock: some hundredths of a second."""
_HOT, _COOL = (0.08, 0.16, 0.32), 0.07
"""Heats at the beginning, in the mean worth of a request; and what is left of that at the end."""
_FIRST_OPEN = 0.5


class Annealing:
    """Rounds on one board, with their own source of chance. ``deepest``: the last tier that counts; None: all count."""

    def __init__(
        self, board: Board, chance: random.Random, *, deepest: int | None = None, closed: frozenset[int] = frozenset()
    ) -> None:
        self.board, self.chance, self._deepest = board, chance, deepest
        tiers = sorted({w.tier for w in board.wishes if not w.must_stand and (deepest is None or w.tier <= deepest)})
        self._open = [tier for tier in tiers if tier not in closed] or tiers

    def run(self, stop: Callable[[int], bool], progress: Callable[[int], float]) -> tuple[Position, ...]:
        """Until ``stop(rounds)``; ``progress(rounds)`` in [0, 1] cools it down. The board has the best plan then."""
        from solver.engine.annealing.rounds import anneal, sow
        from solver.engine.annealing.setting import Setting

        board, before = self.board, list(self.board.values().values())
        if not self._open:
            return board.positions()
        board.begin()
        setting = Setting(board, self._some_tier(), deepest=self._deepest)
        sow(self.chance.randrange(2**31))
        hot, rounds = self.chance.choice(_HOT), 0
        while len(setting) and not stop(rounds):
            heat = hot * _COOL ** progress(rounds)
            anneal(setting.wishes, setting.ground, setting.state, _AT_ONCE, heat)
            rounds += _AT_ONCE
        has_gained = setting.has_gained()
        if has_gained:
            board.stand(setting.best())
        if has_gained and no_worse(list(board.values().values()), before):
            board.commit()
        else:
            board.roll_back()
        return board.positions()

    def _some_tier(self) -> int:
        """The first tier that is open as often as all others: it comes before them."""
        return self._open[0] if self.chance.random() < _FIRST_OPEN else self.chance.choice(self._open)
