"""A solve from beginning to end, one stage after the other; `solve` calls them in the order of this list.

repair -> admission -> relaxation -> guided admission -> improvement -> contest -> completion -> bound -> explanation

A snapshot that is small enough is solved exactly after admission; of the rest only the explanation follows.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from solver import cluster as clusters
from solver import standing as standings
from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine import admission, attempts, beside, chains, contest
from solver.engine.board import Board, Position
from solver.engine.complete import accepted_of, complete, keep_longer, moves_of, recalls_of
from solver.engine.crew import Crew, crew
from solver.engine.explanations import explain_all
from solver.engine.parameters import SolveParameters
from solver.engine.repair import repair
from solver.engine.settle import settle
from solver.engine.watch import OPTIMAL_GAP, Watch, gap
from solver.plan import FORMAT, Plan, Price, Tier
from solver.snapshot import Loaded, Snapshot

if TYPE_CHECKING:  # OR-Tools takes a second to load: a plan that is wanted at once does without
    from solver.engine.bound import Relaxation

_GUIDED_TIERS = 2
_SMALL_RELAXATION = 100_000
"""Requests x days up to which relaxing every tier takes next to no time; beyond, the lower ones wait for the end."""
_PRICED_TIER = 1
_GUIDED_SHARES, _LAST_GUIDED_SHARE = (0.1, 0.65), 0.1
"""Shares of the time left that attempts at the first tiers, and at each one behind them, may take; the larger share
where there is one tier in all."""
_MOST_SWEEPS = 10_000
_MOST_NOISY, _ROUNDS_PER_ATTEMPT = 60, 20
_RELAXATION_SHARE = 0.6
_PACE = 1.3
"""Seconds by the clock for a second of this process, beside others that work as well."""
_COLLECTING_SHARE = 0.3
"""Of the time left, for a relaxation that is not yet done when the search is."""
_SETTLED_PER_ADMITTED = 2.0
"""How much longer than greedy admission settling may take."""
_SHARPENING = 3.0
"""Seconds for each tier's bound at the end, where the relaxation is small."""
_DEEPENING_SHARE, _LEAST_DEEPENING_SECONDS = 0.15, 1.5
_MOST_RESERVED = 0.35
_COMPLETED_PER_ADMITTED, _EXPLAINED_PER_ADMITTED = 1.5, 14.0
"""Seconds that completion and explanation were seen to take for each second of greedy admission."""
_LOWER_TIER_EFFORT = 4.0
"""A tier far down has most of its requests undecided: its relaxation was seen to take up to three times the longest."""
_EXPLAINED_SHARE = 0.8
"""Of the time that is left at the end; what is not explained by then is explained in a hurry."""
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
    slowest_relaxation: float = 0.0
    problem: chains.Problem = field(init=False)
    guides: tuple[admission.Guide, ...] = ()
    worth: admission.Guide | None = None
    pace: float | None = None
    """Seconds that greedy admission takes this processor, undisturbed."""
    begun: int | None = None
    """The tier whose relaxation is under way."""
    prices_to_win: dict[str, float | None] = field(default_factory=dict)

    @property
    def snapshot(self) -> Snapshot:
        return self.loaded.snapshot

    def run(self) -> Plan:
        cluster = clusters.build(self.snapshot)
        decisions = repair(self.snapshot, cluster, seed=self.parameters.seed, deadline=self._is_late)
        board = Board(self.snapshot, cluster, decisions)
        self.problem = chains.Problem(self.snapshot, decisions)
        chains.lend(self.problem, board)
        self.crew.prepare(chains.get_ready, self.problem)
        self._ended("repair", board)
        began = time.process_time()
        self._admit_greedily(board)
        self.pace = _PACE * (time.process_time() - began)
        self._ended("admission", board)
        proven = self._prove(cluster, decisions)
        if proven is not None:
            return self._plan(cluster, proven, self._relax_priced(cluster, proven))
        relaxations = self._relax(cluster, decisions, board)
        self._ended("relaxation", board)
        self._admit_guided(board, relaxations)
        self._ended("guided admission", board)
        self._improve(board)
        self._ended("improvement", board)
        self._contest(board)
        self._ended("contest", board)
        self._settle(board)
        self._ended("settling", board)
        decisions = self._complete(cluster, decisions, board)
        self._tighten(cluster, decisions, relaxations)
        return self._plan(cluster, decisions, relaxations)

    def _prove(self, cluster: Cluster, decisions: Decisions) -> Decisions | None:
        """The best plan that there is; None where that is not proven in its share of the time."""
        if self.watch.interrupted:
            return None
        from solver.engine.exact import stage

        limits = stage.limits(self.parameters, self.watch, reserve=self._reserve())
        return stage.prove(self.snapshot, cluster, decisions, limits, self.watch)

    def _relax_priced(self, cluster: Cluster, decisions: Decisions) -> dict[int, Relaxation]:
        """The relaxation that tells what a day is worth; a plan that is proven needs no bound of it."""
        if _PRICED_TIER not in self.watch.values or not decisions.accepted:
            return {}
        relaxation = self._relaxation(cluster, decisions, _PRICED_TIER, self.watch.values)
        return {} if relaxation is None else {_PRICED_TIER: relaxation}

    def _ended(self, stage: str, board: Board) -> None:
        self.watch.values = board.values()
        self.watch.stage(stage)

    def _is_late(self) -> bool:
        return self.watch.seconds_left(self._reserve()) == 0.0

    def _reserve(self) -> float:
        """Seconds that the stages after improvement will need: as admission has shown, once it is done."""
        days = (self.snapshot.horizon_end - self.snapshot.today).days
        needed = 0.2 + 7e-6 * len(self.snapshot.requests) * days
        if self.pace is not None:
            per_hand = _EXPLAINED_PER_ADMITTED / self.crew.hands
            needed = 0.3 + self.pace * (_SETTLED_PER_ADMITTED + _COMPLETED_PER_ADMITTED + per_hand)
        needed += contest.seconds_for(self.snapshot, self.parameters) + self._is_small() * _SHARPENING
        return min(needed, _MOST_RESERVED * (self.watch.time_limit_seconds or needed))

    def _relax(self, cluster: Cluster, decisions: Decisions, board: Board) -> dict[int, Relaxation]:
        """Each tier's relaxation with the tiers above at the value that the one above them led to.

        The tiers above are fixed at the value of a plan that is at hand: a bound for every better plan too.
        """
        relaxations: dict[int, Relaxation] = {}
        for tier in list(board.values())[: _GUIDED_TIERS if self._is_small() else 1]:
            relaxation = self._relaxation(cluster, decisions, tier, board.values())
            if relaxation is not None:
                relaxations[tier] = relaxation
        return relaxations

    def _relaxation(
        self, cluster: Cluster, decisions: Decisions, tier: int, values: dict[int, float]
    ) -> Relaxation | None:
        """The tier's relaxation, which bounds it; None where time was up or somebody interrupted."""
        began = self.watch.seconds
        left = self.watch.seconds_left(self._reserve()) if self.parameters.work_limit is None else None
        deadline = None if left is None else _RELAXATION_SHARE * left
        reached = _above(values, tier)
        relax = partial(beside.relax, tier=tier, reached=reached, deadline_seconds=deadline)
        relaxation = self.crew.aside(relax, self.snapshot, cluster, decisions, seconds=deadline)
        self.slowest_relaxation = max(self.slowest_relaxation, self.watch.seconds - began)
        if relaxation is not None:
            self._bounded(tier, relaxation.bound_usd)
        return relaxation

    def _admit_guided(self, board: Board, relaxations: dict[int, Relaxation]) -> None:
        """Try other orders and policies from the empty board, tier by tier; keep and improve the best of each tier."""
        if self.watch.interrupted:
            return
        first, first_values = board.positions(), board.values()
        best = board.home
        shares = itertools.chain(_GUIDED_SHARES[-len(first_values) :], itertools.repeat(_LAST_GUIDED_SHARE))
        for tier, share in zip(first_values, shares, strict=False):
            if self.watch.interrupted:
                break
            board.set_up(best)
            self._guide(board, tier, relaxations.get(tier))
            tasks = self._attempts(tier, best, seconds=self._seconds_of(share))
            board.set_up(attempts.best_of(self.problem, self.crew, tasks))
            if tier != max(first_values):
                self._deepen(board, tier)
            best = board.positions()
        board.set_up(best)
        if list(board.values().values()) < list(first_values.values()):
            board.set_up(first)
        elif self.watch.interrupted:
            self._admit_greedily(board)

    @staticmethod
    def _admit_greedily(board: Board) -> None:
        for tier in board.values():
            admission.fill(board, tier, admission.by_price, admission.earliest)

    def _deepen(self, board: Board, tier: int) -> None:
        """Improve the tier alone while those behind it are not in its way yet."""
        left = self.watch.seconds_left(self._reserve())
        if left is not None and _DEEPENING_SHARE * left < _LEAST_DEEPENING_SECONDS:
            return
        reserve = self._reserve() + (0.0 if left is None else (1 - _DEEPENING_SHARE) * left)
        chains.improve(self.problem, board, self.crew, self.watch, reserve=reserve, guide=self.worth, deepest=tier)

    def _attempts(self, tier: int, positions: tuple[Position, ...], *, seconds: float | None) -> list[attempts.Task]:
        """One task for each hand of the crew, guided by the tier's relaxation where there is one."""
        guides = self.guides
        limit, hands, enough = self.parameters.work_limit, self.crew.hands, self.watch.bounds.get(tier)
        most = _MOST_NOISY if not guides[0].fractions else _MOST_SWEEPS
        more = most if limit is None else min(most, limit // _ROUNDS_PER_ATTEMPT)
        task = attempts.Task(tier, positions, guides, 0, hands, seconds, more, enough, "")
        seed = f"{self.parameters.seed}/{tier}"
        return [replace(task, first=hand, seed=f"{seed}/{hand}") for hand in range(hands)]

    def _guide(self, board: Board, tier: int, relaxation: Relaxation | None) -> None:
        """What guides the tier: its linear relaxation beside the blocks that stand, and in whole blocks if known."""
        linear = relaxation
        if tier != min(board.values()) and tier in list(board.values())[:_GUIDED_TIERS]:
            linear = self._relax_beside(board, tier) or relaxation
            if relaxation is None:  # nobody waits for its bound
                relax = partial(beside.relax, tier=tier, reached=_above(board.values(), tier), deadline_seconds=None)
                self.crew.begin_aside(relax, self.snapshot, board.cluster, self.problem.decisions)
                self.begun = tier
        if linear is None:
            self.guides = (admission.Guide({}, np.zeros(board.cluster.days)),)
            return
        self.worth = admission.Guide(linear.fractions, linear.day_prices)
        self.guides = (self.worth,)
        if relaxation is not None and relaxation.whole:
            accepted = {request: [(start, 1.0)] for request, (start, _) in relaxation.whole.items()}
            self.guides = (self.worth, admission.Guide(accepted, relaxation.day_prices))

    def _relax_beside(self, board: Board, tier: int) -> Relaxation | None:
        """The tier's linear relaxation with the blocks of the tiers above; None where time is up."""
        seconds = self._seconds_of(_RELAXATION_SHARE)
        accepted = {block.wish.id: block.gpus for block in board.blocks.values()}
        reached = _above(board.values(), tier)
        guide = partial(beside.guide, tier=tier, reached=reached, accepted=accepted, deadline_seconds=seconds)
        return self.crew.aside(guide, self.snapshot, board.cluster, self.problem.decisions, seconds=seconds)

    def _collect(self, relaxations: dict[int, Relaxation]) -> None:
        """The relaxation that was made while the search went on."""
        if self.begun is None:
            return
        left = self.watch.seconds_left()
        relaxation = self.crew.finish_aside(None if left is None else _COLLECTING_SHARE * left)
        if relaxation is not None:
            relaxations[self.begun] = cast("Relaxation", relaxation)

    def _seconds_of(self, share: float) -> float | None:
        """Seconds that ``share`` of what the limit leaves comes to; None: only work counts."""
        left = self.watch.seconds_left(self._reserve())
        return None if left is None or self.parameters.work_limit is not None else share * left

    def _improve(self, board: Board) -> None:
        if self.watch.interrupted or self.watch.is_closed(OPTIMAL_GAP):
            return
        chains.improve(self.problem, board, self.crew, self.watch, reserve=self._reserve(), guide=self.worth)

    def _contest(self, board: Board) -> None:
        """Force each declined request in once more: what is better is kept, and what is not has its price to win."""
        if self.watch.interrupted:
            return
        later = max(0.0, self._reserve() - contest.seconds_for(self.snapshot, self.parameters))
        self.prices_to_win = contest.hold(self.crew, self.problem, board, seconds=self.watch.seconds_left(later))

    def _settle(self, board: Board) -> None:
        """Fewer moves and less spread for the same value, in the time that was set aside for it."""
        began = self.watch.seconds
        most = 0.3 + _SETTLED_PER_ADMITTED * (self.pace or 0.0)
        timed = self.parameters.work_limit is None and self.watch.time_limit_seconds is not None
        settle(board, lambda: self.watch.interrupted or (timed and self.watch.seconds - began > most))

    def _complete(self, cluster: Cluster, decisions: Decisions, board: Board) -> Decisions:
        keep_longer(board)
        accepted, recalls = accepted_of(board), (*decisions.recalls, *recalls_of(board))
        moves = (*decisions.moves, *moves_of(self.snapshot, board))
        decisions = replace(decisions, accepted=tuple(accepted), moves=moves, recalls=recalls)
        standing = standings.of(self.snapshot, cluster, decisions)
        added = complete(self.snapshot, standing, [w for w in board.requests if w.number not in board.blocks])
        accepted += added
        order = {request.id: i for i, request in enumerate(self.snapshot.requests)}
        accepted.sort(key=lambda item: order[item.request])
        tiers = {request.id: request.tier for request in self.snapshot.requests}
        self.watch.values = board.values()
        for item in added:
            self.watch.values[tiers[item.request]] += item.value_usd
        self.watch.stage("completion")
        return replace(decisions, accepted=tuple(accepted))

    def _tighten(self, cluster: Cluster, decisions: Decisions, relaxations: dict[int, Relaxation]) -> None:
        """Bound the lower tiers again, now that the tiers above are known to be worth more.

        A tier that has no relaxation yet gets one if there is time for it, else what the tier above says of it.
        """
        from solver.engine import bound

        self._collect(relaxations)
        for tier in list(self.watch.values):
            if tier in relaxations:
                relaxations[tier] = self._sharpened(relaxations[tier])
            elif self._has_time_to_relax():
                relaxation = self._relaxation(cluster, decisions, tier, self.watch.values)
                if relaxation is not None:
                    relaxations[tier] = relaxation
            if tier not in relaxations and tier - 1 in relaxations and self.watch.seconds_left() != 0.0:
                reached = _above(self.watch.values, tier)
                relaxations[tier] = bound.below(
                    relaxations[tier - 1], self.snapshot, cluster, decisions, tier=tier, reached=reached
                )
            if tier in relaxations:
                self._bounded(tier, relaxations[tier].bound_usd)
            self._bounded(tier, sum(r.value_usd for r in self.snapshot.requests if r.tier == tier))
        self.watch.stage("bound")

    def _sharpened(self, relaxation: Relaxation) -> Relaxation:
        """The same multipliers with the values reached; a small relaxation that is still open is made anew."""
        from solver.engine import bound

        known = bound.again(relaxation, self.watch.values)
        is_open = known.bound_usd - self.watch.values[known.tier] > OPTIMAL_GAP * abs(known.bound_usd)
        left = self.watch.seconds_left()
        if not is_open or self.watch.interrupted or not self._is_small() or (left is not None and left < _SHARPENING):
            return known
        seconds = None if self.parameters.work_limit is not None else _SHARPENING
        sharper = self.crew.aside(
            bound.sharpen, known, self.watch.values, seconds, bound.DEFAULT_EFFORT, seconds=seconds
        )
        return sharper or known

    def _is_small(self) -> bool:
        days = (self.snapshot.horizon_end - self.snapshot.today).days
        return len(self.snapshot.requests) * days <= _SMALL_RELAXATION

    def _has_time_to_relax(self) -> bool:
        """Whether there is time for a relaxation that takes several times as long as the longest one so far."""
        left = self.watch.seconds_left(self._reserve())
        return left is None or left > _LOWER_TIER_EFFORT * self.slowest_relaxation

    def _bounded(self, tier: int, bound_usd: float) -> None:
        self.watch.bounds[tier] = min(bound_usd, self.watch.bounds.get(tier, bound_usd))

    def _plan(self, cluster: Cluster, decisions: Decisions, relaxations: dict[int, Relaxation]) -> Plan:
        taken = {accepted.request for accepted in decisions.accepted}
        declined = [request for request in self.snapshot.requests if request.id not in taken]
        left = self.watch.seconds_left()
        least = 0.0 if self.watch.interrupted else _LEAST_EXPLAINING
        hurry = None if left is None else max(least, _EXPLAINED_SHARE * left)
        explained = explain_all(self.crew, self.problem, decisions, declined, prices=self.prices_to_win, seconds=hurry)
        prices = self._prices(cluster, relaxations)
        self.watch.stage("explanation")
        tiers = [self._tier(tier, value) for tier, value in self.watch.values.items()]
        return Plan(
            format=FORMAT,
            snapshot_sha256=self.loaded.sha256,
            today=self.snapshot.today,
            status="optimal" if self.watch.is_closed(OPTIMAL_GAP) else "feasible",
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

    def _prices(self, cluster: Cluster, relaxations: dict[int, Relaxation]) -> list[Price]:
        if _PRICED_TIER not in relaxations:
            return []
        from solver.engine import bound

        return bound.prices(relaxations[_PRICED_TIER], cluster)

    def _tier(self, tier: int, value: float) -> Tier:
        limit = max(self.watch.bounds[tier], value)  # apart by the rounding of sums at the most: the bound is proven
        return Tier(tier=tier, value_usd=value, bound_usd=limit, gap=gap(value, limit))


def _above(values: dict[int, float], tier: int) -> dict[int, float]:
    """The values of the tiers above."""
    return {other: value for other, value in values.items() if other < tier}
