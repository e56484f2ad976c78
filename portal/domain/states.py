"""Roles, life cycles and the other closed lists of words, as data.

Each life cycle is a mapping from a state to the states that may follow it; `check_transition` is the one place
that consults them. States that no mapping leads out of are final.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from portal.domain.errors import IllegalTransition


class Role(StrEnum):
    """What a person is to Berth. The first three belong to a tenant, the others to the provider."""

    VIEWER = "viewer"
    BOOKER = "booker"
    OWNER = "owner"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"
    AUDITOR = "auditor"

    @property
    def is_tenant_role(self) -> bool:
        return self in TENANT_ROLES


TENANT_ROLES = frozenset({Role.VIEWER, Role.BOOKER, Role.OWNER})
PROVIDER_ROLES = frozenset(Role) - TENANT_ROLES


class TenantKind(StrEnum):
    """Who a tenant is to the provider: a customer, a public agency, or a part of the provider itself."""

    CUSTOMER = "customer"
    PUBLIC_AGENCY = "public_agency"
    INTERNAL = "internal"


class Party(StrEnum):
    """A side of a contract; `EITHER` only where a contract says who may give notice."""

    TENANT = "tenant"
    PROVIDER = "provider"
    EITHER = "either"


class Scope(StrEnum):
    """R5: the unit of the cluster in which all racks of a block lie (`ANY`: no rule), narrowest first."""

    POD = "pod"
    HALL = "hall"
    SITE = "site"
    ANY = "any"


class OutageKind(StrEnum):
    """Why a rack is out of use; `ABSENT` is not delivered yet, or retired."""

    FAILURE = "failure"
    MAINTENANCE = "maintenance"
    ABSENT = "absent"


class RequestState(StrEnum):
    """A tenant's wish on its way to a decision."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    WAITLISTED = "waitlisted"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class OfferState(StrEnum):
    """A block held for a tenant's answer."""

    STANDING = "standing"
    TAKEN = "taken"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ReservationState(StrEnum):
    """The first three follow from a reservation's dates, the last three are recorded on it."""

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    RECALLED = "recalled"
    ENDED_BY_NOTICE = "ended_by_notice"


RECORDED_ENDINGS = frozenset({ReservationState.CANCELLED, ReservationState.RECALLED, ReservationState.ENDED_BY_NOTICE})


class NoticeState(StrEnum):
    """A contract's notice from its receipt to its effect."""

    RUNNING = "running"
    EFFECTIVE = "effective"
    WITHDRAWN = "withdrawn"


class RunState(StrEnum):
    """One run of the solver."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunCause(StrEnum):
    """Why a run was queued: a person asked, the clock struck, or capacity was lost."""

    ASKED = "asked"
    NIGHTLY = "nightly"
    REPAIR = "repair"


class PlanState(StrEnum):
    """A plan from the run that made it to the one that replaces it."""

    PROPOSED = "proposed"
    PUBLISHED = "published"
    DISCARDED = "discarded"
    SUPERSEDED = "superseded"


State = TypeVar("State", RequestState, OfferState, ReservationState, NoticeState, RunState, PlanState)

REQUEST_TRANSITIONS: Mapping[RequestState, frozenset[RequestState]] = {
    RequestState.DRAFT: frozenset({RequestState.SUBMITTED, RequestState.WITHDRAWN}),
    # Back to draft: a notice returns the requests of its contract that reach beyond the contract's new end.
    RequestState.SUBMITTED: frozenset(
        {
            RequestState.ACCEPTED,
            RequestState.WAITLISTED,
            RequestState.DECLINED,
            RequestState.WITHDRAWN,
            RequestState.DRAFT,
        }
    ),
    RequestState.WAITLISTED: frozenset(
        {RequestState.ACCEPTED, RequestState.DECLINED, RequestState.WITHDRAWN, RequestState.DRAFT}
    ),
    RequestState.ACCEPTED: frozenset(),
    RequestState.DECLINED: frozenset(),
    RequestState.WITHDRAWN: frozenset(),
}

OFFER_TRANSITIONS: Mapping[OfferState, frozenset[OfferState]] = {
    OfferState.STANDING: frozenset({OfferState.TAKEN, OfferState.REFUSED, OfferState.EXPIRED, OfferState.WITHDRAWN}),
    OfferState.TAKEN: frozenset(),
    OfferState.REFUSED: frozenset(),
    OfferState.EXPIRED: frozenset(),
    OfferState.WITHDRAWN: frozenset(),
}

RESERVATION_TRANSITIONS: Mapping[ReservationState, frozenset[ReservationState]] = {
    ReservationState.SCHEDULED: RECORDED_ENDINGS | {ReservationState.ACTIVE},
    ReservationState.ACTIVE: RECORDED_ENDINGS | {ReservationState.COMPLETED},
    ReservationState.COMPLETED: frozenset(),
    ReservationState.CANCELLED: frozenset(),
    ReservationState.RECALLED: frozenset(),
    ReservationState.ENDED_BY_NOTICE: frozenset(),
}

NOTICE_TRANSITIONS: Mapping[NoticeState, frozenset[NoticeState]] = {
    NoticeState.RUNNING: frozenset({NoticeState.EFFECTIVE, NoticeState.WITHDRAWN}),
    NoticeState.EFFECTIVE: frozenset(),
    NoticeState.WITHDRAWN: frozenset(),
}

RUN_TRANSITIONS: Mapping[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.CANCELLED}),
    RunState.RUNNING: frozenset({RunState.FINISHED, RunState.FAILED, RunState.CANCELLED}),
    RunState.FINISHED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}

PLAN_TRANSITIONS: Mapping[PlanState, frozenset[PlanState]] = {
    PlanState.PROPOSED: frozenset({PlanState.PUBLISHED, PlanState.DISCARDED}),
    PlanState.PUBLISHED: frozenset({PlanState.SUPERSEDED}),
    PlanState.DISCARDED: frozenset(),
    PlanState.SUPERSEDED: frozenset(),
}

TRANSITIONS: Mapping[type[StrEnum], Mapping[Any, frozenset[Any]]] = {
    RequestState: REQUEST_TRANSITIONS,
    OfferState: OFFER_TRANSITIONS,
    ReservationState: RESERVATION_TRANSITIONS,
    NoticeState: NOTICE_TRANSITIONS,
    RunState: RUN_TRANSITIONS,
    PlanState: PLAN_TRANSITIONS,
}


def may_become(current: State, following: State) -> bool:
    """Whether ``following`` may follow ``current`` in their life cycle."""
    return following in TRANSITIONS[type(current)][current]


def check_transition(current: State, following: State) -> State:
    """Return ``following``, or raise `IllegalTransition` where it may not follow ``current``."""
    if not may_become(current, following):
        raise IllegalTransition(current, following)
    return following
