"""The process aside: what is done there with a first result, and what is left of it where there is no time."""

from __future__ import annotations

import operator
import time
from collections.abc import Iterator

import pytest

from solver.engine.crew import Crew, crew
from solver.engine.parameters import SolveParameters
from solver.engine.watch import Watch
from solver.engine.wire import Stop

MANY = 100
"""Requests from which on there is a process aside."""
ENOUGH_SECONDS = 60.0
LATE_SECONDS = -0.9
"""So that, with the grace that a late answer has, hardly anybody waits."""


def nothing(_content: str, _piece: object, _stop: Stop) -> None:
    """Work that takes no time."""


def wait_for_workers(hands: Crew) -> None:
    """As a solve does, again and again."""
    hands.run(nothing, "content", [None] * hands.hands)
    time.sleep(0.05)


def work_until_it_follows(hands: Crew) -> None:
    until = time.monotonic() + ENOUGH_SECONDS
    while hands._then is not None and time.monotonic() < until:
        wait_for_workers(hands)


@pytest.fixture
def hands() -> Iterator[Crew]:
    with crew(SolveParameters(workers=2), Watch(None), MANY) as found:
        found.prepare(nothing, "content")
        yield found


def test_what_follows_a_first_result_is_begun_while_others_work(hands: Crew) -> None:
    hands.begin_aside(operator.add, 1, 2, then=operator.neg)
    work_until_it_follows(hands)
    assert hands.finish_aside(ENOUGH_SECONDS) == -3


def test_what_nobody_waits_for_leaves_the_first_result(hands: Crew) -> None:
    hands.begin_aside(operator.add, 300, 300, then=time.sleep)
    work_until_it_follows(hands)
    began = time.monotonic()
    assert hands.finish_aside(0.0) == 600
    assert time.monotonic() - began < ENOUGH_SECONDS
    assert hands.aside(operator.add, 1, 1, seconds=None) == 2


def test_what_fails_is_told_where_its_result_is_asked_for(hands: Crew) -> None:
    hands.begin_aside(operator.truediv, 1, 0, then=operator.neg)
    work_until_it_follows(hands)
    with pytest.raises(ZeroDivisionError):
        hands.finish_aside(ENOUGH_SECONDS)


def test_without_anything_to_follow_there_is_one_result(hands: Crew) -> None:
    hands.begin_aside(operator.add, 1, 2)
    wait_for_workers(hands)
    assert hands.finish_aside(ENOUGH_SECONDS) == 3
    assert hands.finish_aside(ENOUGH_SECONDS) is None


def test_what_was_interrupted_before_it_began_has_no_result(hands: Crew) -> None:
    hands._watch.interrupt()
    hands.begin_aside(operator.add, 1, 2, then=operator.neg)
    assert hands.finish_aside(ENOUGH_SECONDS) is None


def test_a_new_process_is_there_after_one_was_left(hands: Crew) -> None:
    assert hands.aside(time.sleep, 600, seconds=LATE_SECONDS) is None
    hands.begin_aside(operator.add, 1, 2)
    assert hands.finish_aside(ENOUGH_SECONDS) == 3


def test_nobody_waits_for_what_was_under_way_in_a_process_that_was_left(hands: Crew) -> None:
    """And nothing follows from it in the next one, which has its own work and keeps it."""
    hands.begin_aside(operator.add, 1, 2, then=operator.neg)
    hands._under_way[0].result(ENOUGH_SECONDS)
    assert hands.aside(time.sleep, 600, seconds=LATE_SECONDS) is None
    assert hands.aside(operator.add, 1, 1, seconds=None) == 2
    wait_for_workers(hands)
    assert hands.finish_aside(ENOUGH_SECONDS) is None
    assert hands.aside(operator.add, 1, 1, seconds=None) == 2
    assert not hands._watch.warnings
