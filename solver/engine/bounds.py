"""What a solve knows of each tier's bound: relaxations made aside, at the beginning, meanwhile and at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, cast

from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine import beside
from solver.engine.board import Board
from solver.engine.crew import Crew
from solver.engine.watch import Watch, has_met
from solver.plan import Price
from solver.snapshot import Snapshot

if TYPE_CHECKING:  # OR-Tools takes a second to load: a plan that is wanted at once does without
    from solver.engine.bound import Relaxation

GUIDED_TIERS = 2
"""Tiers from the first on whose relaxation guides the search."""
_SMALL = 100_000
"""Requests x days up to which relaxing every tier takes next to no time; beyond, the lower ones wait for the end."""
_VERY_SMALL = 20_000
"""The same up to which every tier is relaxed at once: with the last bound met, the search ends, and nobody waits."""
_PRICED_TIER = 1
_RELAXATION_SHARE = 0.6
_CUTTING_SHARE, _LEAST_CUTTING = 0.1, 20.0
"""Of the time left, for whole blocks in a large relaxation, and the seconds below which nothing comes of that."""
_COLLECTING_SHARE = 0.3
"""Of the time left, for a relaxation that is not yet done when the search is."""
_SHARPENING = 3.0
"""Seconds for each tier's bound at the end, where the relaxation is small."""
_SECONDS_AT_THE_END = 4.0
"""For all of them together; what there is no time for is left out."""
_AFTERWARDS = 2.0
"""Seconds that have to be left for explanation when a bound is done."""
_LOWER_TIER_EFFORT = 4.0
"""A tier far down has most of its requests undecided: its relaxation was seen to take up to three times the longest."""


def is_small(snapshot: Snapshot) -> bool:
    """Whether relaxations and programs over the whole snapshot take next to no time."""
    return _size(snapshot) <= _SMALL


def seconds_at_the_end(snapshot: Snapshot) -> float:
    """Seconds to set aside for bounds once the search is over."""
    return _SECONDS_AT_THE_END if is_small(snapshot) else 0.0


@dataclass(slots=True)
class Bounds:
    """The relaxations of one solve. ``decisions``: what becomes of reservations. ``reserve``: seconds to leave."""

    snapshot: Snapshot
    cluster: Cluster
    decisions: Decisions
    crew: Crew
    watch: Watch
    reserve: Callable[[], float]
    relaxations: dict[int, Relaxation] = field(default_factory=dict)
    _slowest: float = 0.0
    _begun: tuple[int, dict[int, float]] | None = None
    """The tier whose relaxation is under way, and what those above had reached."""

    def notice(self, values: Mapping[int, float]) -> None:
        """What its requests are worth together bounds a tier; told where that is reached: nothing is left to seek."""
        for tier, value in values.items():
            every = self._worth_of_every(tier)
            if has_met(value, every):
                self.watch.bounded(tier, every, {})

    def relax_first(self, values: Mapping[int, float]) -> None:
        """The relaxations that guide the search, those above at the ``values`` of a plan that is at hand.

        A bound for every plan that keeps these values, too. Tiers that are no small matter have theirs made meanwhile.
        """
        small = is_small(self.snapshot)
        relaxed = (len(values) if _size(self.snapshot) <= _VERY_SMALL else GUIDED_TIERS) if small else 1
        for tier in list(values)[:relaxed]:
            self._relax(tier, values)
        if small and values:  # without requests there are no tiers
            self._count_pods(min(values), values)

    def relax_priced(self, values: Mapping[int, float]) -> None:
        """The relaxation that tells what a day is worth; a plan that is proven needs no bound of it."""
        if _PRICED_TIER in values:
            self._relax(_PRICED_TIER, values)

    def relax_beside(self, board: Board, tier: int) -> Relaxation | None:
        """The tier's linear relaxation beside the blocks of the tiers above; None where time is up."""
        seconds = self._seconds_of(_RELAXATION_SHARE)
        accepted = {block.wish.id: block.gpus for block in board.blocks.values()}
        reached = _above(board.values(), tier)
        guide = partial(beside.guide, tier=tier, reached=reached, accepted=accepted, deadline_seconds=seconds)
        return self.crew.aside(guide, self.snapshot, self.cluster, self.decisions, seconds=seconds)

    def begin(self, tier: int, values: Mapping[int, float]) -> None:
        """Have the tier relaxed while the search goes on: nobody waits for its bound.

        One that is known already is made anew until the search ends, as the tiers above are worth more by now.
        """
        reached = _above(values, tier)
        if tier in self.relaxations:
            self.crew.begin_aside(partial(beside.sharpen, self.relaxations[tier], reached, self._seconds_of(1.0)))
        else:
            relax = partial(beside.relax, tier=tier, reached=reached, deadline_seconds=None)
            seconds = self._seconds_of(_CUTTING_SHARE)
            cut = partial(beside.cut, seconds=seconds) if seconds is not None and seconds >= _LEAST_CUTTING else None
            self.crew.begin_aside(relax, self.snapshot, self.cluster, self.decisions, then=cut)
        self._begun = tier, reached

    def tighten(self, values: Mapping[int, float]) -> None:
        """Bound the tiers again, now that those above are known to be worth more.

        A tier that has no relaxation yet gets one if there is time for it, else what the tier above says of it.
        """
        self._collect()
        for tier in values:
            if tier in self.relaxations:
                self._sharpen(tier, values)
            elif self._has_time_to_relax():
                self._relax(tier, values)
            if tier not in self.relaxations:
                self._borrow(tier, values)
            if is_small(self.snapshot) and tier != min(values):
                self._count_pods(tier, values)
            self.watch.bounded(tier, self._worth_of_every(tier), {})

    def prices(self) -> list[Price]:
        """What one more GPU on each day would have been worth; none where that is not known."""
        if _PRICED_TIER not in self.relaxations:
            return []
        from solver.engine import bound

        return bound.prices(self.relaxations[_PRICED_TIER], self.cluster)

    def _relax(self, tier: int, values: Mapping[int, float]) -> None:
        """Relax and bound the tier, unless time is up or somebody interrupts."""
        began = self.watch.seconds
        seconds = self._seconds_of(_RELAXATION_SHARE)
        relax = partial(beside.relax, tier=tier, reached=_above(values, tier), deadline_seconds=seconds)
        relaxation = self.crew.aside(relax, self.snapshot, self.cluster, self.decisions, seconds=seconds)
        self._slowest = max(self._slowest, self.watch.seconds - began)
        if relaxation is not None:
            self.relaxations[tier] = relaxation
            self.watch.bounded(tier, relaxation.bound_usd, _above(values, tier))

    def _count_pods(self, tier: int, values: Mapping[int, float]) -> None:
        """Bound the tier with pods as well, which its relaxation does not know, where there is time."""
        if self.watch.has_met(tier, values) or not self._has_seconds(_SHARPENING):
            return
        seconds = self._seconds_at_most(_SHARPENING)
        prove = partial(beside.prove, tier=tier, reached=_above(values, tier), seconds=seconds)
        proof = self.crew.aside(prove, self.snapshot, self.cluster, self.decisions, seconds=seconds)
        if proof is not None:
            self.watch.bounded(tier, proof.bound_usd, _above(values, tier))

    def _sharpen(self, tier: int, values: Mapping[int, float]) -> None:
        """The same multipliers with the values reached; a small relaxation is made anew if the tiers above changed."""
        from solver.engine import bound

        before = self.relaxations[tier].problem.reached
        known = bound.again(self.relaxations[tier], values)
        self.relaxations[tier] = known
        self.watch.bounded(tier, known.bound_usd, _above(values, tier))
        is_open = known.problem.reached != before and not self.watch.has_met(tier, values)
        if not is_open or not is_small(self.snapshot) or not self._has_seconds(_SHARPENING):
            return
        seconds = self._seconds_at_most(_SHARPENING)
        sharper = self.crew.aside(bound.sharpen, known, values, seconds, bound.LAST_EFFORT, seconds=seconds)
        if sharper is not None:
            self.relaxations[tier] = sharper
            self.watch.bounded(tier, sharper.bound_usd, _above(values, tier))

    def _borrow(self, tier: int, values: Mapping[int, float]) -> None:
        """What the relaxation of the tier above says of this one."""
        above = max((other for other in self.relaxations if other < tier), default=None)
        if above is None or self.watch.seconds_left() == 0.0:
            return
        from solver.engine import bound

        reached = _above(values, tier)
        relaxation = bound.below(
            self.relaxations[above], self.snapshot, self.cluster, self.decisions, tier=tier, reached=reached
        )
        self.relaxations[tier] = relaxation
        self.watch.bounded(tier, relaxation.bound_usd, reached)

    def _collect(self) -> None:
        """The relaxation that was made while the search went on."""
        if self._begun is None:
            return
        left = self.watch.seconds_left()
        found = self.crew.finish_aside(None if left is None else _COLLECTING_SHARE * left)
        if found is not None:
            relaxation, (tier, reached) = cast("Relaxation", found), self._begun
            self.relaxations[tier] = relaxation
            self.watch.bounded(tier, relaxation.bound_usd, reached)

    def _has_seconds(self, seconds: float) -> bool:
        left = self.watch.seconds_left()
        return not self.watch.interrupted and (left is None or left >= seconds + _AFTERWARDS)

    def _has_time_to_relax(self) -> bool:
        """Whether there is time for a relaxation that takes several times as long as the longest one so far."""
        left = self.watch.seconds_left(self.reserve())
        return left is None or left > _LOWER_TIER_EFFORT * self._slowest

    def _seconds_of(self, share: float) -> float | None:
        """Seconds that ``share`` of what the limit leaves comes to; None: only work counts."""
        left = self.watch.seconds_left(self.reserve())
        return None if left is None or self.crew.parameters.work_limit is not None else share * left

    def _seconds_at_most(self, seconds: float) -> float | None:
        return None if self.crew.parameters.work_limit is not None else seconds

    def _worth_of_every(self, tier: int) -> float:
        return sum(request.value_usd for request in self.snapshot.requests if request.tier == tier)


def _size(snapshot: Snapshot) -> int:
    return len(snapshot.requests) * (snapshot.horizon_end - snapshot.today).days


def _above(values: Mapping[int, float], tier: int) -> dict[int, float]:
    """The values of the tiers above."""
    return {other: value for other, value in values.items() if other < tier}
