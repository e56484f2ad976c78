"""What a rule answers when it refuses: one family, each with a stable code and a sentence that says what to do next.

The sentence is for the person who asked, so it never names another tenant. Status codes are the web's business.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar


class DomainError(Exception):
    """A refusal by a rule of the domain."""

    code: ClassVar[str] = "refused"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotFound(DomainError):
    """There is no such thing, or none that this person may know of."""

    code = "not_found"

    def __init__(self, sentence: str = "There is nothing here. Go back to the list and choose again.") -> None:
        super().__init__(sentence)


class NotAllowed(DomainError):
    """The person's role does not include this."""

    code = "not_allowed"


class Invalid(DomainError):
    """A value breaks a rule."""

    code = "invalid"


class IllegalTransition(DomainError):
    """A life cycle does not lead from one state to the other."""

    code = "illegal_transition"

    def __init__(self, current: str, following: str) -> None:
        self.current, self.following = str(current), str(following)
        super().__init__(
            f"This is {_words(self.current)} and cannot become {_words(self.following)}. "
            "Reload the page to see what can be done now."
        )


class Conflict(DomainError):
    """Someone else changed the same thing in between."""

    code = "conflict"


class ConsequencesChanged(Conflict):
    """What a change would bring about is no longer what the person read and confirmed."""

    code = "consequences_changed"


class StaleVersion(Conflict):
    """The version that was edited is no longer the newest."""

    code = "stale_version"

    def __init__(
        self, sentence: str = "Someone changed this while you were editing. Reload the page and make your change again."
    ) -> None:
        super().__init__(sentence)


class StalePlan(Conflict):
    """The database is no longer what the plan's snapshot said; ``changes`` are sentences that name the differences."""

    code = "stale_plan"

    def __init__(self, changes: tuple[str, ...]) -> None:
        self.changes = changes
        super().__init__(" ".join((*changes, "Run the solver again to plan with what is true now.")))


class CapacityTaken(Conflict):
    """The block no longer fits: others took the room first."""

    code = "capacity_taken"

    def __init__(
        self, sentence: str = "Other commitments have taken this capacity. Choose one of the nearest blocks that fit."
    ) -> None:
        super().__init__(sentence)


class OfferClosed(Conflict):
    """The offer has been answered, withdrawn or has expired."""

    code = "offer_closed"


class TooManyOffers(DomainError):
    """A tenant has as many standing offers as may stand."""

    code = "too_many_offers"


class NoticeRefused(DomainError):
    """Notice cannot be given (yet); ``first_date`` is the first day on which it can be, null where there is none."""

    code = "notice_refused"

    def __init__(self, sentence: str, first_date: dt.date | None) -> None:
        self.first_date = first_date
        super().__init__(sentence)


class NoRate(DomainError):
    """The rate card has no rate for what was asked on that day."""

    code = "no_rate"


def _words(state: str) -> str:
    return state.replace("_", " ")
