"""Random questions to `offers`: the slow count over all choices of racks agrees, and what fits is accepted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from solver import cluster, offers, standing
from solver.decisions import Decisions
from solver.engine.parameters import SolveParameters
from solver.engine.solve import solve
from solver.offers import ask_of
from solver.snapshot import Loaded, Request, Snapshot
from tests.solver.naive import Landlord, is_sound, on
from tests.solver.random_landlords import random_landlord, random_request

QUESTIONS_EACH = 10


@dataclass(frozen=True)
class Question:
    """A block that somebody asks about, on top of a landlord's plan; the request says its terms, not its window."""

    snapshot: Snapshot
    decisions: Decisions
    request: Request


def questions(first: int, count: int) -> Iterator[Question]:
    """``count`` questions, `QUESTIONS_EACH` to each generated landlord whose plan keeps the rules by itself."""
    seed = first
    while count > 0:
        snapshot, decisions = random_landlord(seed)
        rng = random.Random(f"questions/{seed}")  # a repeatable test, no secret
        seed += 1
        if not is_sound(snapshot, decisions):
            continue
        for _ in range(min(count, QUESTIONS_EACH)):
            asked = random_request(rng, snapshot, "asked", (snapshot.horizon_end - snapshot.today).days)
            yield Question(snapshot, decisions, asked.model_copy(update={"min_gpus": asked.gpus}))
        count -= QUESTIONS_EACH


@pytest.mark.parametrize("count", [150, pytest.param(2000, marks=pytest.mark.slow)])
def test_the_slow_count_answers_every_question_alike(count: int) -> None:
    fitting = 0
    for question in questions(5000, count):
        snapshot = question.snapshot
        found = standing.of(snapshot, cluster.build(snapshot), question.decisions)
        slow = Landlord(snapshot, question.decisions).starts(question.request, snapshot.today, snapshot.horizon_end)

        starts = offers.starts(found, ask_of(question.request), 0, len(slow)).tolist()

        assert starts == slow, question.request
        fitting += any(slow)
    assert count / 4 < fitting < count  # neither answer wins by default


@pytest.mark.parametrize("count", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_what_fits_is_accepted_when_it_is_asked_for(count: int) -> None:
    """Asked for ahead of all others, at a start that was offered, with no other start to go to."""
    accepted = 0
    for question in questions(7000, count):
        snapshot = question.snapshot
        if question.decisions.hold_shortfalls:  # generated, more than there must be: none is bent for value
            continue
        found = standing.of(snapshot, cluster.build(snapshot), question.decisions)
        starts = offers.starts(found, ask_of(question.request), 0, found.cluster.days).tolist()
        if not any(starts):
            continue
        day = on(starts.index(True))
        first = question.request.model_copy(update={"tier": 0, "earliest_start": day, "latest_start": day})
        others = [wish.model_copy(update={"tier": wish.tier + 1}) for wish in snapshot.requests]

        plan = solve(
            Loaded(snapshot.model_copy(update={"requests": [first, *others]}), "0" * 64),
            SolveParameters(time_limit_seconds=None, work_limit=1),
        )

        assert ("asked", day, first.gpus) in {(item.request, item.start, item.gpus) for item in plan.accepted}, first
        accepted += 1
    assert accepted >= count / 4
