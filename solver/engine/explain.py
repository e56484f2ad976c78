"""Explanation: why each declined request was declined, who stands in its way, and what it may have instead.

*Alone* means: reservations as the plan leaves them, accepted blocks gone, nothing moved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import IntEnum
from functools import cached_property, partial

import numpy as np

from solver import reasons
from solver import standing as standings
from solver.cluster import Cluster, Counts
from solver.decisions import Decisions
from solver.engine.shortage import Case, Missing, ranges
from solver.engine.survey import Survey
from solver.engine.winning import Auction
from solver.fit import Ask, ask_of, fits, room_for
from solver.offers import counter_offers, window
from solver.plan import Declined, Reason, ReasonCode
from solver.racks import Flags, window_min
from solver.snapshot import Request, Snapshot

STAGES: tuple[ReasonCode, ...] = ("contract", "quota", "capacity", "topology", "hold", "outbid")
_NUMBERS_SECONDS = 0.15
"""How long numbers and holders are still looked for when a hurry comes up on the way; else not at all."""


def _never() -> bool:
    return False


def explain(
    snapshot: Snapshot,
    cluster: Cluster,
    decisions: Decisions,
    declined: Iterable[Request],
    *,
    prices: Mapping[str, float | None] | None = None,
    stop: Callable[[], bool] = _never,
) -> list[Declined]:
    """A reason and counter-offers for each of the ``declined`` requests, in their order.

    ``prices``: what is known of the price to win by request id, null where a higher tier decides; others are estimated.
    Once ``stop`` says so, the rest gets its reason without a price, and no counter-offers; a moment later the code
    and the start alone.
    """
    explainer, hurry = _Explainer(snapshot, cluster, decisions, prices or {}), _Hurry(stop)
    return [explainer.declined(request, hurry.look()) for request in declined]


class _Pace(IntEnum):
    """How much there is time to say: the code, then the numbers and holders, then price and counter-offers."""

    CODE = 0
    NUMBERS = 1
    ALL = 2


class _Hurry:
    """What there is time for: no clock is read before ``stop`` says that there is little."""

    def __init__(self, stop: Callable[[], bool]) -> None:
        self._stop = stop
        self._numbers_seconds = 0.0 if stop() else _NUMBERS_SECONDS
        self._until: float | None = None

    def look(self) -> _Pace:
        if self._until is None:
            if not self._stop():
                return _Pace.ALL
            self._until = time.monotonic() + self._numbers_seconds
        return _Pace.NUMBERS if time.monotonic() < self._until else _Pace.CODE


class _Explainer:
    def __init__(
        self, snapshot: Snapshot, cluster: Cluster, decisions: Decisions, prices: Mapping[str, float | None]
    ) -> None:
        self.cluster = cluster
        self.prices = prices
        self.alone = Survey(standings.of(snapshot, cluster, replace(decisions, accepted=())))
        self.names = reasons.names_of(snapshot)
        self._planned = partial(standings.of, snapshot, cluster, decisions)

    @cached_property
    def planned(self) -> Survey:
        return Survey(self._planned())

    @cached_property
    def auction(self) -> Auction:
        return Auction(self.planned.standing, self.alone.standing)

    def declined(self, request: Request, pace: _Pace) -> Declined:
        reason = self._reason(request, pace)
        text = reasons.for_planner(request, reason, self.names, is_priced=pace == _Pace.ALL)
        offers = counter_offers(self.planned.standing, request) if pace == _Pace.ALL else []
        return Declined(request=request.id, reason=reason.model_copy(update={"text": text}), counter_offers=offers)

    def _reason(self, request: Request, pace: _Pace) -> Reason:
        ask = replace(ask_of(request), gpus=request.min_gpus)
        first, last = window(self.alone.standing, request)
        last = min(last, self.cluster.days - ask.days + 1)  # R4: it ends by the horizon
        if first >= last:
            return Reason(
                code="window", text="", start=request.earliest_start, short=[], holders=[], price_to_win_usd=None
            )
        if pace == _Pace.CODE:
            return self._code_alone(ask, first, last)
        passed = stages_passed(self.alone, ask, first, last)
        code, start = STAGES[int(passed.max())], first + int(passed.argmax())
        if code == "outbid":
            starts = first + np.flatnonzero(passed == passed.max())
            price = self._price_to_win(request, ask, starts) if pace == _Pace.ALL else None
            return self._outbid(ask, int(starts[0]), price)
        return self._as_reason(code, start, Case(self.alone, ask, start).missing(code), None)

    def _code_alone(self, ask: Ask, first: int, last: int) -> Reason:
        """Most that is declined fits by itself, so that is asked first."""
        open_starts = fits(self.alone.standing, ask, room_for(self.alone.standing, ask), first, last)
        if open_starts.any():
            return self._as_reason("outbid", first + int(open_starts.argmax()), None, None)
        passed = stages_passed(self.alone, ask, first, last)
        return self._as_reason(STAGES[int(passed.max())], first + int(passed.argmax()), None, None)

    def _price_to_win(self, request: Request, ask: Ask, starts: Counts) -> float | None:
        if request.id in self.prices:
            return self.prices[request.id]
        return self.auction.price_to_win(request, ask, starts.tolist())

    def _outbid(self, ask: Ask, start: int, price: float | None) -> Reason:
        """What is missing on top of the plan, and who has it."""
        missing = Case(self.planned, ask, start).taken(self.alone)
        return self._as_reason("outbid", start, missing, price)

    def _as_reason(self, code: ReasonCode, start: int, missing: Missing | None, price: float | None) -> Reason:
        day = self.cluster.date(start)
        short = ranges(missing, day) if missing else []
        holders = missing.holders if missing else []
        return Reason(code=code, text="", start=day, short=short, holders=holders, price_to_win_usd=price)


def stages_passed(survey: Survey, ask: Ask, first: int, last: int) -> Counts:
    """For each start in ``[first, last)`` how many of the rules in `STAGES` the smallest block passes, in that order.

    Each stage keeps what the ones before it asked of racks: R1 to R3 in any scope, then R5, then all rules.
    """
    standing = survey.standing

    def within(limit: Counts) -> Flags:
        result: Flags = window_min(limit, first, last, ask.days) >= ask.min_gpus
        return result

    anywhere = replace(ask, scope="any")
    stages = [
        within(survey.no_limit.cluster if ask.contract is None else standing.contract_room(ask.contract)),
        within(standing.quota_room(ask.tenant)),
        fits(standing, anywhere, survey.no_limit, first, last),
        fits(standing, ask, survey.no_limit, first, last),
        fits(standing, ask, room_for(standing, ask), first, last),
    ]
    passed: Counts = np.logical_and.accumulate(np.stack(stages), axis=0).sum(axis=0)
    return passed
