"""A solve from beginning to end, one stage after the other; `solve` calls them in the order of this list.

repair -> admission -> relaxation -> guided admission -> improvement -> contest -> settling -> completion -> bound
-> explanation

A snapshot that is small enough is solved exactly after admission; of the rest only the explanation follows.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from solver import cluster as clusters
from solver import standing as standings
from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine import admission, attempts, bounds, chains, contest, explanations
from solver.engine.board import Board
from solver.engine.bounds import Bounds
from solver.engine.complete import accepted_of, complete, keep_longer, moves_of, recalls_of
from solver.engine.crew import Crew, crew
from solver.engine.parameters import SolveParameters
from solver.engine.programs import plain
from solver.engine.repair import repair
from solver.engine.settle import settle
from solver.engine.watch import Watch, gap
from solver.plan import FORMAT, Plan, Tier
from solver.snapshot import Loaded, Request, Snapshot

_GUIDED_SHARES, _LAST_GUIDED_SHARE = (0.1, 0.8), 0.1
"""Shares of the time left that attempts at the first tiers, and at each one behind them, may take; the larger share
where there is one tier in all."""
_MOST_GUIDED_SHARE, _SECONDS_AFTERWARDS = 0.95, 4.0
"""The larger share grows up to this where so many seconds are left: what follows on large snapshots gains little."""
_SMALL_SHARES = (0.05, 0.15)
"""The same where programs follow, which get further."""
_INTERVAL_SHARES = (0.05, 0.1)
"""And where there is one pod alone: these programs place everything at once."""
_MOST_SWEEPS = 10_000
_MOST_NOISY, _ROUNDS_PER_ATTEMPT = 60, 20
_PACE = 1.3
"""Seconds by the clock for a second of this process, beside others that work as well."""
_SETTLED_PER_ADMITTED = 2.0
"""How much longer than greedy admission settling may take."""
_SETTLING_SHARE = 0.04
"""Of the time limit, for settling where reservations may be moved: most of it brings them home again."""
_MOST_SETTLING_SECONDS, _MOST_SETTLED_PER_ADMITTED = 5.0, 20.0
"""The larger of these is as long as that was seen to take until nothing more is to be had: seconds, and how much longer
than greedy admission.
"""
_DEEPENING_SHARE, _LEAST_DEEPENING_SECONDS = 0.15, 1.5
_SMALL_DEEPENING_SHARES = (0.1, 0.7)
"""For programs: at the first tier, which is soon solved, and at those behind it."""
_LEAST_FOR_PROGRAMS, _LEAST_WORK_FOR_PROGRAMS = 8.0, 100
"""Seconds and rounds of a solve from which on it uses programs."""
_MOST_RESERVED = 0.35
_COMPLETED_PER_ADMITTED, _EXPLAINED_PER_ADMITTED = 1.5, 14.0
"""Seconds that completion and explanation were seen to take for each second of greedy admission."""
_EXPLAINED_PER_REQUEST, _MOST_BY_REQUESTS = 0.0045, 4.5
"""The least number of seconds for both, and up to how many: where next to nothing fits, greedy admission tells too
little.
"""
_SECONDS_TO_END = 0.5
"""For bounds that need no program, for writing, and for processes to end."""
_EXPLAINED_SHARE = 0.7
"""Of the time that is left at the end; what is not explained by then is explained in a hurry, which takes time too."""
_LEAST_EXPLAINING = 2.0
"""Seconds for explanation, even beyond the limit: a reason without its counter-offers says too little."""


def solve(loaded: Loaded, parameters: SolveParameters | None = None, watch: Watch | None = None) -> Plan:
    """A valid plan for the snapshot, as good as the limits allow. Lack of time or capacity is no error."""
    parameters = parameters or SolveParameters()
    watch = watch or Watch(parameters.time_limit_seconds)
    with crew(parameters, watch, len(loaded.snapshot.requests)) as hands:
        return _Solve(loaded, parameters, watch, hands).run()


@dataclass(slots=True)
class _Solve:
    loaded: Loaded
    parameters: SolveParameters
    watch: Watch
    crew: Crew
    problem: chains.Problem = field(init=False)
    bounds: Bounds = field(init=False)
    guides: tuple[admission.Guide, ...] = ()
    worth: admission.Guide | None = None
    pace: float | None = None
    """Seconds that greedy admission takes this processor, undisturbed."""
    prices_to_win: dict[str, float | None] = field(default_factory=dict)
    explaining: explanations.Begun | None = None
    may_move: bool = False
    """Whether there are reservations that may be moved for value."""

    @property
    def snapshot(self) -> Snapshot:
        return self.loaded.snapshot

    def run(self) -> Plan:
        cluster = clusters.build(self.snapshot)
        decisions = repair(self.snapshot, cluster, seed=self.parameters.seed, deadline=self._is_late)
        board = Board(self.snapshot, cluster, decisions)
        self.problem = chains.Problem(self.snapshot, decisions)
        self.bounds = Bounds(self.snapshot, cluster, decisions, self.crew, self.watch, self._reserve)
        chains.lend(self.problem, board)
        self.may_move = bool(board.movers)
        self.crew.prepare(chains.get_ready, self.problem)
        self._ended("repair", board, then="admission")
        began = time.process_time()
        self._admit_greedily(board, board.values())
        self.pace = _PACE * (time.process_time() - began)
        self._ended("admission", board, then="relaxation")
        proven = self._prove(cluster, decisions)
        if proven is not None:
            if proven.accepted:
                self.bounds.relax_priced(self.watch.values)
            return self._plan(proven)
        self.bounds.relax_first(board.values())
        self._ended("relaxation", board, then="guided admission")
        self._admit_guided(board)
        self._ended("guided admission", board, then="improvement")
        self._improve(board)
        self._ended("improvement", board, then="contest")
        self._contest(board)
        self._ended("contest", board, then="settling")
        self._settle(board)
        self._ended("settling", board, then="completion")
        decisions = self._complete(cluster, decisions, board)
        self.bounds.tighten(self.watch.values)
        self.watch.stage("bound")
        return self._plan(decisions)

    def _prove(self, cluster: Cluster, decisions: Decisions) -> Decisions | None:
        """The best plan that there is; None where that is not proven in its share of the time."""
        if self.watch.interrupted:
            return None
        from solver.engine.exact import stage

        limits = stage.limits(self.parameters, self.watch, reserve=self._reserve())
        return stage.prove(self.snapshot, cluster, decisions, limits, self.watch)

    def _ended(self, stage: str, board: Board, *, then: str) -> None:
        self.watch.values = board.values()
        self.bounds.notice(self.watch.values)
        self.watch.under_way = then
        self.watch.stage(stage)

    def _is_late(self) -> bool:
        return self.watch.seconds_left(self._reserve()) == 0.0

    def _reserve(self) -> float:
        """Seconds that the stages after improvement will need: as admission has shown, once it is done."""
        days = (self.snapshot.horizon_end - self.snapshot.today).days
        needed = 0.2 + 7e-6 * len(self.snapshot.requests) * days
        if self.pace is not None:
            per_hand = _EXPLAINED_PER_ADMITTED / self.crew.hands
            by_requests = min(_MOST_BY_REQUESTS, _EXPLAINED_PER_REQUEST * len(self.snapshot.requests))
            needed = _SECONDS_TO_END + self._settling_seconds()
            needed += max(by_requests, self.pace * (_COMPLETED_PER_ADMITTED + per_hand))
        needed += contest.seconds_for(self.snapshot, self.parameters) + bounds.seconds_at_the_end(self.snapshot)
        return min(needed, _MOST_RESERVED * (self.watch.time_limit_seconds or needed))

    def _admit_guided(self, board: Board) -> None:
        """Sweeps, or other orders and policies, from the empty board on; the best of each tier is kept and improved."""
        if self.watch.interrupted or self.watch.is_closed():
            return
        first, first_values = board.positions(), board.values()
        board.set_up(board.home)
        guided = self._guided_shares(board)
        shares = itertools.chain(guided[-len(first_values) :], itertools.repeat(_LAST_GUIDED_SHARE))
        for tier, share in zip(first_values, shares, strict=False):
            if self.watch.interrupted:
                break
            self._guide(board, tier)
            tasks = self._attempts(tier, board, seconds=self._seconds_of(share))
            board.set_up(attempts.best_of(self.problem, self.crew, tasks))
            if tier != max(first_values):
                self._deepen(board, tier)
            self.watch.values = board.values()  # tiers behind this one are not placed yet
            self.watch.tell("guided admission")
        values = board.values()
        if list(values.values()) < list(first_values.values()):
            board.set_up(first)
        else:  # attempts at a tier that is worth less may have been cut short
            self._admit_greedily(board, [tier for tier, value in first_values.items() if values[tier] < value])

    def _guided_shares(self, board: Board) -> tuple[float, float]:
        if self._has_programs():
            return _INTERVAL_SHARES if plain.share(board) else _SMALL_SHARES
        first, larger = _GUIDED_SHARES
        left = self.watch.seconds_left(self._reserve())
        if left is None or left <= _SECONDS_AFTERWARDS:
            return first, larger
        return first, max(larger, min(_MOST_GUIDED_SHARE, 1 - _SECONDS_AFTERWARDS / left))

    @staticmethod
    def _admit_greedily(board: Board, tiers: Iterable[int]) -> None:
        for tier in tiers:
            admission.fill(board, tier, admission.by_price, admission.earliest)

    def _deepen(self, board: Board, tier: int) -> None:
        """Improve the tier alone while those behind it are not in its way yet."""
        left = self.watch.seconds_left(self._reserve())
        share = _DEEPENING_SHARE
        if self._has_programs():
            share = _SMALL_DEEPENING_SHARES[tier != min(board.values())]
        if left is not None and share * left < _LEAST_DEEPENING_SECONDS:
            return
        reserve = self._reserve() + (0.0 if left is None else (1 - share) * left)
        chains.improve(
            self.problem,
            board,
            self.crew,
            self.watch,
            reserve=reserve,
            guide=self.worth,
            deepest=tier,
            by_programs=self._has_programs(),
        )

    def _has_programs(self) -> bool:
        """Whether programs are worth the second that OR-Tools takes to load."""
        limit, work = self.parameters.time_limit_seconds, self.parameters.work_limit
        is_worthwhile = limit is None or limit >= _LEAST_FOR_PROGRAMS
        return is_worthwhile and (work is None or work >= _LEAST_WORK_FOR_PROGRAMS) and bounds.is_small(self.snapshot)

    def _attempts(self, tier: int, board: Board, *, seconds: float | None) -> list[attempts.Task]:
        """One task for each hand of the crew, guided by the tier's relaxation where there is one."""
        guides = self.guides
        limit, hands = self.parameters.work_limit, self.crew.hands
        most = _MOST_NOISY if not guides[0].fractions else _MOST_SWEEPS
        more = most if limit is None else min(most, limit // _ROUNDS_PER_ATTEMPT)
        positions, enough = board.positions(), self.watch.bound(tier, board.values())
        return [
            attempts.Task(
                tier=tier,
                positions=positions,
                guides=guides,
                first=hand,
                step=hands,
                seconds=seconds,
                more=more,
                enough_usd=enough,
                seed=f"{self.parameters.seed}/{tier}/{hand}",
                is_large=not bounds.is_small(self.snapshot),
            )
            for hand in range(hands)
        ]

    def _guide(self, board: Board, tier: int) -> None:
        """What guides the tier: its linear relaxation beside the blocks that stand, and in whole blocks if known."""
        linear = relaxation = self.bounds.relaxations.get(tier)
        if tier != min(board.values()) and tier in list(board.values())[: bounds.GUIDED_TIERS]:
            linear = self.bounds.relax_beside(board, tier) or relaxation
            self.bounds.begin(tier, board.values())
        if linear is None:
            self.guides = (admission.Guide({}, np.zeros(board.cluster.days)),)
            return
        self.worth = admission.Guide(linear.fractions, linear.day_prices)
        self.guides = (self.worth,)
        if relaxation is not None and relaxation.whole:
            accepted = {request: [(start, 1.0)] for request, (start, _) in relaxation.whole.items()}
            self.guides = (self.worth, admission.Guide(accepted, relaxation.day_prices))

    def _seconds_of(self, share: float) -> float | None:
        """Seconds that ``share`` of what the limit leaves comes to; None: only work counts."""
        left = self.watch.seconds_left(self._reserve())
        return None if left is None or self.parameters.work_limit is not None else share * left

    def _improve(self, board: Board) -> None:
        if self.watch.interrupted or self.watch.is_closed():
            return
        chains.improve(
            self.problem,
            board,
            self.crew,
            self.watch,
            reserve=self._reserve(),
            guide=self.worth,
            by_programs=self._has_programs(),
        )

    def _contest(self, board: Board) -> None:
        """Force each declined request in once more: what is better is kept, and what is not has its price to win."""
        if self.watch.interrupted:
            return
        later = max(0.0, self._reserve() - contest.seconds_for(self.snapshot, self.parameters))
        self.prices_to_win = contest.hold(self.crew, self.problem, board, seconds=self.watch.seconds_left(later))

    def _settle(self, board: Board) -> None:
        """Fewer moves and less spread for the same value, in the time that was set aside for it."""
        began, most = self.watch.seconds, self._settling_seconds()
        timed = self.parameters.work_limit is None and self.watch.time_limit_seconds is not None
        settle(board, lambda: self.watch.interrupted or (timed and self.watch.seconds - began > most))

    def _settling_seconds(self) -> float:
        by_share = _SETTLING_SHARE * (self.watch.time_limit_seconds or 0.0) if self.may_move else 0.0
        pace = self.pace or 0.0
        enough = max(_MOST_SETTLING_SECONDS, _MOST_SETTLED_PER_ADMITTED * pace)
        return max(0.3 + _SETTLED_PER_ADMITTED * pace, min(by_share, enough))

    def _complete(self, cluster: Cluster, decisions: Decisions, board: Board) -> Decisions:
        keep_longer(board)
        accepted, recalls = accepted_of(board), (*decisions.recalls, *recalls_of(board))
        moves = (*decisions.moves, *moves_of(self.snapshot, board))
        decisions = replace(decisions, accepted=tuple(accepted), moves=moves, recalls=recalls)
        if self.watch.interrupted:  # what is said in a hurry does not depend on what is added below
            self._begin_explaining(decisions)
        standing = standings.of(self.snapshot, cluster, decisions)
        added = complete(self.snapshot, standing, [w for w in board.requests if w.number not in board.blocks])
        accepted += added
        order = {request.id: i for i, request in enumerate(self.snapshot.requests)}
        accepted.sort(key=lambda item: order[item.request])
        tiers = {request.id: request.tier for request in self.snapshot.requests}
        self.watch.values = board.values()
        for item in added:
            self.watch.values[tiers[item.request]] += item.value_usd
        self.watch.under_way = "bound"
        self.watch.stage("completion")
        return replace(decisions, accepted=tuple(accepted))

    def _plan(self, decisions: Decisions) -> Plan:
        self.watch.under_way = "explanation"
        begun = self.explaining or self._begin_explaining(decisions)
        explained = explanations.finish(self.crew, self.problem, begun, self._declined(decisions))
        prices = self.bounds.prices()
        self.watch.stage("explanation")
        tiers = [self._tier(tier, value) for tier, value in self.watch.values.items()]
        return Plan(
            format=FORMAT,
            snapshot_sha256=self.loaded.sha256,
            today=self.snapshot.today,
            status="optimal" if self.watch.is_closed() else "feasible",
            seconds=round(self.watch.seconds, 3),
            seed=self.parameters.seed,
            tiers=tiers,
            accepted=list(decisions.accepted),
            declined=explained,
            moves=list(decisions.moves),
            recalls=list(decisions.recalls),
            shortfalls=list(decisions.shortfalls),
            hold_shortfalls=list(decisions.hold_shortfalls),
            prices=prices,
        )

    def _begin_explaining(self, decisions: Decisions) -> explanations.Begun:
        left = self.watch.seconds_left()
        hurry = None if left is None else max(_LEAST_EXPLAINING, _EXPLAINED_SHARE * left)
        declined, prices = self._declined(decisions), self.prices_to_win
        if self.watch.interrupted:  # codes alone, which are about reservations: what is accepted need not be sent
            hurry, decisions = 0.0, replace(decisions, accepted=())
        self.explaining = explanations.begin(self.crew, self.problem, decisions, declined, prices=prices, seconds=hurry)
        return self.explaining

    def _declined(self, decisions: Decisions) -> list[Request]:
        taken = {accepted.request for accepted in decisions.accepted}
        return [request for request in self.snapshot.requests if request.id not in taken]

    def _tier(self, tier: int, value: float) -> Tier:
        limit = max(self.watch.bounds[tier], value)  # apart by the rounding of sums at the most: the bound is proven
        return Tier(tier=tier, value_usd=value, bound_usd=limit, gap=gap(value, limit))
