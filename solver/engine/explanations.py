"""Explanations shared out over the crew: each hand explains its part of the declined requests."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from solver.decisions import Decisions
from solver.engine.chains import Problem, board_of
from solver.engine.crew import Batch, Crew
from solver.engine.explain import explain
from solver.engine.wire import Stop
from solver.plan import Declined
from solver.snapshot import Request

_LEAST_EXPLAINED = 100
"""Fewer declined requests than this are not worth another hand."""

_PATIENCE_SECONDS = 10.0
"""How long hands that are to hurry are waited for: to begin again would take longer."""


@dataclass(frozen=True, slots=True)
class Part:
    """Declined requests to explain beside what was decided, within ``seconds``; None: without hurry."""

    decisions: Decisions
    requests: tuple[Request, ...]
    prices: Mapping[str, float | None]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Begun:
    """Explanations that the crew is at, for `finish`; ``part``: all of them as one."""

    part: Part
    batch: Batch[Problem, Part, list[Declined]]


def begin(
    crew: Crew,
    problem: Problem,
    decisions: Decisions,
    declined: Sequence[Request],
    *,
    prices: Mapping[str, float | None],
    seconds: float | None,
) -> Begun:
    """Have the crew begin with the explanations, in a hurry after so many ``seconds``, or on an interrupt.

    ``prices``: to win, by request id, as far as they are known.
    """
    every = Part(decisions, tuple(declined), prices, seconds)
    size = max(_LEAST_EXPLAINED, -(-len(declined) // crew.hands))
    parts = [replace(every, requests=every.requests[i : i + size]) for i in range(0, len(declined), size)]
    return Begun(every, crew.begin(explain_part, problem, parts))


def finish(crew: Crew, problem: Problem, begun: Begun, declined: Sequence[Request]) -> list[Declined]:
    """The explanations of ``declined``, some or all of those that have begun, in their order."""
    enough = crew.enough_after(begun.part.seconds)
    done = crew.finish(begun.batch, enough=enough, patience=_PATIENCE_SECONDS) if begun.part.requests else []
    known = {explained.request: explained for part in done for explained in part}
    rest = replace(begun.part, requests=tuple(request for request in declined if request.id not in known))
    if rest.requests:
        known |= {explained.request: explained for explained in explain_part(problem, rest, enough)}
    return [known[request.id] for request in declined]


def explain_part(problem: Problem, part: Part, stop: Stop) -> list[Declined]:
    """Explain the part on this process's cluster, in a hurry once ``stop`` or the part's seconds say so."""
    began = time.monotonic()

    def is_late() -> bool:
        return stop() or (part.seconds is not None and time.monotonic() - began >= part.seconds)

    cluster = board_of(problem).cluster
    return explain(problem.snapshot, cluster, part.decisions, part.requests, prices=part.prices, stop=is_late)
