"""The family of refusals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from portal.domain import errors


def family(base: type[errors.DomainError] = errors.DomainError) -> Iterator[type[errors.DomainError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from family(kind)


def test_every_refusal_has_a_code_of_its_own_or_that_of_the_kind_it_refines():
    codes = [kind.code for kind in family() if "code" in vars(kind)]

    assert len(set(codes)) == len(codes)
    assert errors.DomainError.code not in codes


def test_a_stale_plan_says_what_changed_and_what_to_do():
    refusal = errors.StalePlan(("The day is new.", "Rack r1 failed."))

    assert refusal.changes == ("The day is new.", "Rack r1 failed.")
    assert refusal.sentence == "The day is new. Rack r1 failed. Run the solver again to plan with what is true now."


def test_a_refused_notice_carries_the_first_date():
    refusal = errors.NoticeRefused("Not yet.", dt.date(2026, 10, 1))

    assert (refusal.sentence, refusal.first_date) == ("Not yet.", dt.date(2026, 10, 1))


def test_a_refusal_has_a_sentence_of_its_own_where_none_is_given():
    assert "Reload" in errors.StaleVersion().sentence
    assert "nearest blocks" in errors.CapacityTaken().sentence
    assert "list" in errors.NotFound().sentence


def test_states_are_named_in_words():
    assert "ended by notice" in errors.IllegalTransition("ended_by_notice", "active").sentence
