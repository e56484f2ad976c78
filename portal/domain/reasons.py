"""What a tenant is told of a refusal. A plan's reason names who stands in the way; a tenant reads *other commitments*.

A reason is kept on its request as JSON: the plan's own (``code``, ``text``, ``start``, ``short``, ``holders``,
``price_to_win_usd``), or one of an approver (``code`` ``provider``, ``text`` as written for the tenant).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PROVIDER = "provider"
"""The code of a reason that an approver wrote."""
WINDOW = "window"

_WHOLE = {
    WINDOW: "No start of your window lies between today and the end of what is planned so far.",
    "contract": "Your contract does not cover this block on all of its days.",
    "quota": "With this block you would hold more GPUs than your limit allows.",
    "outbid": "Other commitments were served first on these days.",
}
_SHORT = {
    "capacity": "{gpus:,} GPUs are missing {days}: other commitments take the rest.",
    "topology": "Enough GPUs are free, but not close enough together: {gpus:,} are missing {days}.",
    "hold": "{gpus:,} GPUs are missing {days}: they are kept for other commitments.",
}
_UNKNOWN = "Other commitments leave no room for this block."


@dataclass(frozen=True, slots=True)
class Shortage:
    """``gpus`` GPUs are missing on each day of ``[start, end)``."""

    start: dt.date
    end: dt.date
    gpus: int


@dataclass(frozen=True, slots=True)
class TenantReason:
    """A reason without anyone's name, size or price but the tenant's own. ``start``: the start that came closest."""

    code: str
    sentence: str
    start: dt.date | None
    short: tuple[Shortage, ...]


def for_tenant(reason: Mapping[str, Any] | None) -> TenantReason | None:
    """The reason as the tenant may read it; null where there is none."""
    if reason is None:
        return None
    short = tuple(_shortage(item) for item in reason.get("short", ()))
    start = reason.get("start")
    return TenantReason(
        code=reason["code"],
        sentence=_sentence(reason, short),
        start=dt.date.fromisoformat(start) if start else None,
        short=short,
    )


def by_provider(text: str) -> dict[str, Any]:
    """The reason that an approver wrote for the tenant."""
    return {"code": PROVIDER, "text": text}


def window_passed(latest_start: dt.date) -> dict[str, Any]:
    """The reason of a request whose last start has passed before a plan could take it."""
    return {
        "code": WINDOW,
        "text": f"The last start asked for, {latest_start}, has passed.",
        "short": [],
        "start": None,
    }


def _sentence(reason: Mapping[str, Any], short: Sequence[Shortage]) -> str:
    code = reason["code"]
    if code == PROVIDER:
        return str(reason["text"])
    if code in _SHORT and short:
        worst = max(short, key=lambda item: item.gpus)
        return _SHORT[code].format(gpus=worst.gpus, days=_days(short))
    return _WHOLE.get(code, _UNKNOWN)


def _days(short: Sequence[Shortage]) -> str:
    first = min(item.start for item in short)
    last = max(item.end for item in short) - dt.timedelta(days=1)
    if first == last:
        return f"on {_day(first)}"
    return f"between {_day(first)} and {_day(last)}"


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%b %Y}"


def _shortage(item: Mapping[str, Any]) -> Shortage:
    return Shortage(dt.date.fromisoformat(item["start"]), dt.date.fromisoformat(item["end"]), item["gpus"])
