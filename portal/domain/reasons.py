"""Why a request was declined, as it is kept with the request, and what of it a tenant reads.

A plan's reason is kept as JSON with all the plan says (``code``, ``text``, ``start``, ``short``, ``holders``,
``price_to_win_usd``: the provider's alone) and with the sentence ``for_tenant``, which names nobody else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.domain.days import day_text

PROVIDER = "provider"
"""The code of a reason that an approver wrote."""
WINDOW = "window"
"""The code of a request whose last start has passed; a plan uses it as well."""


@dataclass(frozen=True, slots=True)
class TenantReason:
    """A reason without anyone's name, size or price but the tenant's own. ``start``: the start that came closest."""

    code: str
    sentence: str
    start: dt.date | None


def for_tenant(reason: Mapping[str, Any] | None) -> TenantReason | None:
    """The reason as the tenant may read it; null where there is none."""
    if reason is None:
        return None
    start = reason.get("start")
    return TenantReason(reason["code"], reason["for_tenant"], dt.date.fromisoformat(start) if start else None)


def by_provider(text: str) -> dict[str, Any]:
    """The reason that an approver wrote for the tenant."""
    return {"code": PROVIDER, "text": text, "for_tenant": text}


def by_plan(reason: Mapping[str, Any], sentence: str) -> dict[str, Any]:
    """A plan's reason with the sentence for the tenant beside it."""
    return {**reason, "for_tenant": sentence}


def window_passed(latest_start: dt.date) -> dict[str, Any]:
    """The reason of a request whose last start has passed before a plan could take it."""
    text = f"The last start asked for, {day_text(latest_start)}, has passed."
    return {"code": WINDOW, "text": text, "for_tenant": text}
