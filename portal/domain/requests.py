"""What may happen to a request, and what follows from its window."""

from __future__ import annotations

import datetime as dt

from portal.domain.errors import Invalid
from portal.domain.states import RequestState, may_become
from solver.terms import block_multiple, is_block_size

TIER_DRAWDOWN = 0
TIER_ON_DEMAND = 1
TIER_INTERRUPTIBLE = 2

OPEN_STATES = frozenset({RequestState.SUBMITTED, RequestState.WAITLISTED})
"""States in which a request waits for a plan's answer."""


def default_tier(*, drawdown: bool, interruptible: bool) -> int:
    """The tier that a request has unless the provider says otherwise. Tenants never see it."""
    if drawdown:
        return TIER_DRAWDOWN
    return TIER_INTERRUPTIBLE if interruptible else TIER_ON_DEMAND


def can_amend(state: RequestState) -> bool:
    """Whether the tenant may still change it: until it is decided or withdrawn."""
    return state is RequestState.DRAFT or state in OPEN_STATES


def can_withdraw(state: RequestState) -> bool:
    """Whether the tenant may still take it back: any time before acceptance."""
    return may_become(state, RequestState.WITHDRAWN)


def window_has_passed(latest_start: dt.date, today: dt.date) -> bool:
    """Whether no start of the window lies today or later: the request is declined (``window``)."""
    return latest_start < today


def state_after_decline(*, wants_waitlist: bool, latest_start: dt.date, today: dt.date) -> RequestState:
    """Where a request goes that the published plan declines: it waits where its tenant ticked that and still can."""
    if wants_waitlist and latest_start > today:
        return RequestState.WAITLISTED
    return RequestState.DECLINED


def reaches_beyond(earliest_start: dt.date, days: int, end: dt.date) -> bool:
    """Whether the block cannot be over by ``end`` (exclusive) whichever start of its window it gets."""
    return (end - earliest_start).days < days


def check_size(gpus: int, min_gpus: int) -> None:
    """Raise `Invalid` unless both are sizes of a block and the least lies in the multiple of the full one (R4)."""
    if not is_block_size(gpus):
        raise Invalid(f"{gpus} GPUs are no block: below 72 a multiple of 4, from 72 on a multiple of 72.")
    multiple = block_multiple(gpus)
    if not 0 < min_gpus <= gpus or min_gpus % multiple:
        raise Invalid(f"The least size must be a multiple of {multiple}, at least {multiple} and at most {gpus}.")
