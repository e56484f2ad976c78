"""Each life cycle, over the full square of its states."""

from __future__ import annotations

from enum import StrEnum
from itertools import product

import pytest

from portal.domain.errors import IllegalTransition
from portal.domain.states import (
    PROVIDER_ROLES,
    TENANT_ROLES,
    TRANSITIONS,
    NoticeState,
    OfferState,
    PlanState,
    RequestState,
    ReservationState,
    Role,
    RunState,
    check_transition,
    may_become,
)

# As product.md tells the life cycles, written a second time: "from>to".
ALLOWED: dict[type[StrEnum], set[str]] = {
    RequestState: {
        "draft>submitted",
        "draft>withdrawn",
        "submitted>accepted",
        "submitted>waitlisted",
        "submitted>declined",
        "submitted>withdrawn",
        "submitted>draft",
        "waitlisted>accepted",
        "waitlisted>declined",
        "waitlisted>withdrawn",
        "waitlisted>draft",
    },
    OfferState: {"standing>taken", "standing>refused", "standing>expired", "standing>withdrawn"},
    ReservationState: {
        "scheduled>active",
        "scheduled>cancelled",
        "scheduled>recalled",
        "scheduled>ended_by_notice",
        "active>completed",
        "active>cancelled",
        "active>recalled",
        "active>ended_by_notice",
    },
    NoticeState: {"running>effective", "running>withdrawn"},
    RunState: {"queued>running", "queued>cancelled", "running>finished", "running>failed", "running>cancelled"},
    PlanState: {"proposed>published", "proposed>discarded", "published>superseded"},
}
SQUARE = [pair for states in ALLOWED for pair in product(states, states)]


@pytest.mark.parametrize(("current", "following"), SQUARE, ids=lambda state: f"{type(state).__name__}.{state}")
def test_a_state_is_followed_by_those_of_its_life_cycle_and_by_no_other(current, following):
    if f"{current}>{following}" in ALLOWED[type(current)]:
        assert check_transition(current, following) is following
        assert may_become(current, following)
    else:
        with pytest.raises(IllegalTransition, match="cannot become"):
            check_transition(current, following)
        assert not may_become(current, following)


def test_every_state_of_every_life_cycle_has_its_row():
    assert {cycle: set(rows) for cycle, rows in TRANSITIONS.items()} == {cycle: set(cycle) for cycle in ALLOWED}


def test_a_state_of_another_life_cycle_never_follows():
    assert not may_become(RequestState.SUBMITTED, PlanState.DISCARDED)


def test_every_role_belongs_to_one_side():
    assert set(Role) == TENANT_ROLES | PROVIDER_ROLES
    assert not TENANT_ROLES & PROVIDER_ROLES
    assert Role.OWNER.is_tenant_role
    assert not Role.AUDITOR.is_tenant_role
