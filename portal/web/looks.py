"""How each state looks: a tone, a shape and a word, so that no state is told by colour alone.

Red (`bad`) is kept for what needs someone now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.states import (
    NoticeState,
    OfferState,
    OutageKind,
    PlanState,
    RequestState,
    ReservationState,
    RunState,
)
from portal.web.format import words

TONES = ("neutral", "info", "ok", "wait", "bad")
SHAPES = ("dot", "ring", "half", "check", "cross", "triangle", "bars", "diamond")


@dataclass(frozen=True, slots=True)
class Look:
    """A chip: what it says, in which tone, with which shape before it."""

    word: str
    tone: str
    shape: str


# By kind first: enums of text are equal where their words are, and several life cycles know "cancelled".
_LOOKS: Mapping[type[StrEnum], Mapping[str, tuple[str, str]]] = {
    RequestState: {
        RequestState.DRAFT: ("neutral", "ring"),
        RequestState.SUBMITTED: ("info", "half"),
        RequestState.WAITLISTED: ("wait", "bars"),
        RequestState.ACCEPTED: ("ok", "check"),
        RequestState.DECLINED: ("neutral", "cross"),
        RequestState.WITHDRAWN: ("neutral", "ring"),
    },
    OfferState: {
        OfferState.STANDING: ("info", "diamond"),
        OfferState.TAKEN: ("ok", "check"),
        OfferState.REFUSED: ("neutral", "cross"),
        OfferState.EXPIRED: ("neutral", "ring"),
        OfferState.WITHDRAWN: ("neutral", "ring"),
    },
    ReservationState: {
        ReservationState.SCHEDULED: ("info", "ring"),
        ReservationState.ACTIVE: ("ok", "dot"),
        ReservationState.COMPLETED: ("neutral", "check"),
        ReservationState.CANCELLED: ("neutral", "cross"),
        ReservationState.RECALLED: ("wait", "triangle"),
        ReservationState.ENDED_BY_NOTICE: ("neutral", "bars"),
    },
    NoticeState: {
        NoticeState.RUNNING: ("wait", "half"),
        NoticeState.EFFECTIVE: ("neutral", "check"),
        NoticeState.WITHDRAWN: ("neutral", "ring"),
    },
    RunState: {
        RunState.QUEUED: ("neutral", "ring"),
        RunState.RUNNING: ("info", "half"),
        RunState.FINISHED: ("ok", "check"),
        RunState.FAILED: ("bad", "cross"),
        RunState.CANCELLED: ("neutral", "ring"),
    },
    PlanState: {
        PlanState.PROPOSED: ("wait", "half"),
        PlanState.PUBLISHED: ("ok", "check"),
        PlanState.DISCARDED: ("neutral", "cross"),
        PlanState.SUPERSEDED: ("neutral", "ring"),
    },
    OutageKind: {
        OutageKind.FAILURE: ("bad", "triangle"),
        OutageKind.MAINTENANCE: ("wait", "bars"),
        OutageKind.ABSENT: ("neutral", "ring"),
    },
}


def look_of(state: StrEnum) -> Look:
    """The look of a state; raises `KeyError` for one that has none."""
    tone, shape = _LOOKS[type(state)][state]
    return Look(word=words(state), tone=tone, shape=shape)
