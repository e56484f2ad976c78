"""A contest: what it costs those whom a plan accepts to let one more request in.

Every declined request is entered in turn (`solver.engine.entry`). A plan that is better with it becomes the plan; of
the others is remembered what they are worth beside each request that they have: the difference is its price.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from solver.engine.board import Board, Position
from solver.engine.chains import Problem, board_of
from solver.engine.crew import Crew
from solver.engine.entry import Effort, Entry, Found, Values, in_cents
from solver.engine.market import Market
from solver.engine.parameters import SolveParameters
from solver.engine.wire import Stop
from solver.engine.wishes import Wish
from solver.snapshot import Snapshot

Seen = dict[int, dict[int, Values]]
"""By number of the request and its size: what the best plan seen with it is worth without it."""

_EFFORTS = (Effort(2, 0), Effort(8, 24), Effort(30, 90))
_LAST_EFFORT = Effort(60, 300)
_LEAST_RAISE = 1.01
_LARGEST = 100_000
"""Requests x days up to which there is a contest: beyond, a board takes too long to set up."""
_SECONDS_EACH, _LARGEST_SHARE = 0.08, 0.2
"""Seconds for each request, and of the time limit at the most."""
_GRACE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Bout:
    """The requests (numbers) that one hand enters, into the plan ``positions``, again and again with more effort.

    Ends after ``rounds`` rounds (deterministic) or ``seconds`` seconds; None: no limit.
    """

    positions: tuple[Position, ...]
    numbers: tuple[int, ...]
    seed: str
    rounds: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best plan of a bout, its value by tier, and what was seen of those it declines."""

    positions: tuple[Position, ...]
    values: Values
    seen: Seen


def seconds_for(snapshot: Snapshot, parameters: SolveParameters) -> float:
    """Seconds to set aside for a contest; 0 where the snapshot is too large for one."""
    if not _is_worthwhile(snapshot):
        return 0.0
    needed, limit = _SECONDS_EACH * len(snapshot.requests), parameters.time_limit_seconds
    return needed if limit is None else min(needed, _LARGEST_SHARE * limit)


def hold(crew: Crew, problem: Problem, board: Board, *, seconds: float | None) -> dict[str, float | None]:
    """Enter every request that is not on the board, shared out over the crew; then the board has the best plan.

    The price to win by request id, as far as one was found; null where a higher tier decides. Each hand ends after so
    many ``seconds``, or where there is a work limit after half as many rounds.
    """
    if not _is_worthwhile(problem.snapshot) or seconds == 0.0:
        return {}
    plan, limit = board.positions(), crew.parameters.work_limit
    rounds = None if limit is None else -(-limit // 2)
    outside = [wish for wish in board.requests if wish.number not in board.blocks]
    if not outside:
        return {}
    outside.sort(key=lambda wish: (wish.tier, -wish.usd_per_gpu_day, wish.number))
    numbers = [wish.number for wish in outside]
    bouts = [
        Bout(plan, tuple(numbers[hand :: crew.hands]), f"{crew.parameters.seed}/{hand}", rounds, seconds)
        for hand in range(crew.hands)
    ]
    late = None if seconds is None else seconds + _GRACE_SECONDS
    outcome = joined(crew.run(fight, problem, bouts, enough=crew.enough_after(late)))
    board.set_up(outcome.positions)
    return prices(board, outcome)


def _is_worthwhile(snapshot: Snapshot) -> bool:
    return len(snapshot.requests) * (snapshot.horizon_end - snapshot.today).days <= _LARGEST


def fight(problem: Problem, bout: Bout, enough: Stop) -> Outcome:
    """Enter the bout's requests on this process's board of the problem."""
    contest = Contest(board_of(problem), bout.positions)
    began, spent = time.monotonic(), 0

    def stop() -> bool:
        return enough() or (bout.seconds is not None and time.monotonic() - began >= bout.seconds)

    for effort, number in _entries(bout.numbers):
        if stop() or (bout.rounds is not None and spent >= bout.rounds):
            break
        chance = random.Random(f"{bout.seed}/{number}/{effort.tries}")  # noqa: S311 - chance for a search, no secret
        contest.enter(number, replace(effort, stop=stop), chance)
        spent += effort.tries + effort.rounds
    return Outcome(contest.plan, contest.reached, contest.seen)


def _entries(numbers: tuple[int, ...]) -> Iterator[tuple[Effort, int]]:
    """Each of the numbers with each effort; the last effort is the last time round."""
    for effort in (*_EFFORTS, _LAST_EFFORT):
        yield from zip(itertools.repeat(effort), numbers, strict=False)


def prices(board: Board, outcome: Outcome) -> dict[str, float | None]:
    """By request id what it would have had to be worth in USD to win.

    None: a higher tier decides. More than it is worth already, which was not enough. Requests that no plan seen has are
    left out.
    """
    found = {}
    ranks = {tier: rank for rank, tier in enumerate(board.values())}
    for number, seen in sorted(outcome.seen.items()):
        wish = board.requests[number]
        if not seen:
            continue
        least = price(wish, seen, outcome.values, ranks[wish.tier])
        found[wish.id] = None if least is None else round(max(least, wish.value_usd * _LEAST_RAISE), 2)
    return found


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """The best plan of several bouts, and what all of them saw."""
    best = max(outcomes, key=lambda outcome: outcome.values)
    seen: Seen = {}
    for outcome in outcomes:
        for number, sizes in outcome.seen.items():
            known = seen.setdefault(number, {})
            for gpus, beside in sizes.items():
                known[gpus] = max(beside, known.get(gpus, beside))
    return Outcome(best.positions, best.values, seen)


class Contest:
    """The blocks of a plan on a board, and for every request that is not among them the best plan seen with it."""

    def __init__(self, board: Board, plan: tuple[Position, ...]) -> None:
        self.board = board
        self.seen: Seen = {}
        self._better: tuple[Position, ...] | None = None
        self._best: Values = ()
        self._outside: set[int] = set()
        self._found: dict[tuple[int, int], Found | None] = {}
        self._take(plan)
        self.market = Market(board)

    def enter(self, number: int, effort: Effort, chance: random.Random) -> bool:
        """Look for plans with the request, at its full size and at its least. True: one is better, and is now the plan.

        A request that the plan has, or that no start of its window lets in, is left alone.
        """
        wish = self.board.wishes[number]
        if number not in self._outside or wish.first_start > wish.last_start:
            return False
        self.seen.setdefault(number, {})
        for gpus in sorted({wish.gpus, wish.min_gpus}):
            guest = replace(wish, gpus=gpus, min_gpus=gpus, value_usd=0.0)
            known = self._found.get((number, gpus))
            self._found[number, gpus] = Entry(self.market, guest, chance, self.note).search(effort, self.plan, known)
        return self._adopt()

    def note(self, values: Iterable[float]) -> None:
        """Remember the board's plan for every request on it that is not in the plan at hand.

        ``values``: what the plan is worth by tier, with each request at its own value.
        """
        rounded = in_cents(values)
        for number in self._outside & self.board.blocks.keys():
            gpus = self.board.blocks[number].gpus
            beside = self._beside(number, gpus, rounded)
            seen = self.seen.setdefault(number, {})
            if gpus not in seen or beside > seen[gpus]:
                seen[gpus] = beside
        if rounded > self._best:
            self._best, self._better = rounded, self.board.positions()

    def _beside(self, number: int, gpus: int, values: Values) -> Values:
        """What a plan of these values is worth without the request."""
        wish = self.board.requests[number]
        rank = self.market.index[wish.tier]
        return (*values[:rank], round(values[rank] - wish.value_of(gpus), 2), *values[rank + 1 :])

    def _take(self, plan: tuple[Position, ...]) -> None:
        self.board.set_up(plan)
        self.plan = plan
        self.reached = self._best = in_cents(self.board.values().values())
        self._outside = {wish.number for wish in self.board.requests if wish.number not in self.board.blocks}

    def _adopt(self) -> bool:
        """Let the best plan seen be the plan; what it leaves out was seen in the plan before."""
        if self._better is None:
            return False
        before, blocks = self.reached, dict(self.board.blocks)
        better, self._better = self._better, None
        self._take(better)
        for number in self._outside & blocks.keys():
            gpus = blocks[number].gpus
            self.seen.setdefault(number, {})[gpus] = self._beside(number, gpus, before)
        return True


def price(wish: Wish, seen: Mapping[int, Values], reached: Values, rank: int) -> float | None:
    """The least value in USD of the whole request with which a plan seen would beat one that has ``reached``.

    ``seen``: what the best plans with the request were worth beside it, by its size; ``rank``: its tier's place among
    the values. None: each of those plans loses in a higher tier.
    """
    prices = []
    for gpus, beside in seen.items():
        above = beside[:rank], reached[:rank]
        if above[0] >= above[1]:
            loss = max(0.0, reached[rank] - beside[rank]) if above[0] == above[1] else 0.0
            prices.append(loss * wish.gpus / gpus)
    return min(prices, default=None)
