"""What of a reason a tenant reads."""

from __future__ import annotations

import datetime as dt

from portal.domain import reasons
from portal.domain.reasons import TenantReason, for_tenant

OF_PLAN = {
    "code": "outbid",
    "text": "rsv-1 of a rival took the room.",
    "start": "2027-01-04",
    "short": [],
    "holders": [{"kind": "reservation", "id": "rsv-1", "gpus": 72}],
    "price_to_win_usd": 1000.0,
}


def test_a_tenant_reads_the_sentence_that_names_nobody() -> None:
    kept = reasons.by_plan(OF_PLAN, "Other commitments leave no room.")

    assert for_tenant(kept) == TenantReason("outbid", "Other commitments leave no room.", dt.date(2027, 1, 4))


def test_the_provider_keeps_all_that_the_plan_says() -> None:
    kept = reasons.by_plan(OF_PLAN, "Other commitments leave no room.")

    assert {name: kept[name] for name in OF_PLAN} == OF_PLAN


def test_what_an_approver_wrote_is_what_the_tenant_reads() -> None:
    assert for_tenant(reasons.by_provider("Too short.")) == TenantReason("provider", "Too short.", None)


def test_a_window_that_passed_names_its_last_day() -> None:
    told = for_tenant(reasons.window_passed(dt.date(2026, 11, 21)))

    assert told == TenantReason("window", "The last start asked for, 21 Nov 2026, has passed.", None)


def test_without_a_reason_there_is_none_to_read() -> None:
    assert for_tenant(None) is None
