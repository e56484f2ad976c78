"""Every check constraint refuses: a valid row is changed so that it breaks this one and no other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.domain.states import NoticeState, OfferState, Party, PlanState, RequestState, ReservationState, Role
from portal.models.base import Base
from portal.models.capacity import Capacity
from portal.models.metadata import METADATA
from portal.models.settings import Settings
from portal.models.users import UserSession
from tests.portal import factories
from tests.portal.factories import NOW, TODAY
from tests.portal.models.refusals import refused

SOMEONE = "someone"
"""Stands for the id of a user."""
SOME_CONTRACT = "some contract"
"""Stands for the id of a contract of the row's tenant."""


def user_session(session: Session) -> UserSession:
    row = UserSession(
        token_hash="0" * 64,
        user=factories.user(session),
        created_at=NOW,
        last_seen_at=NOW,
        expires_at=NOW + dt.timedelta(hours=1),
    )
    session.add(row)
    session.flush()
    return row


def placement(session: Session) -> Base:
    racks = factories.cluster(session).racks
    return factories.reservation(session, racks=racks[:1]).placements[0]


VALID_ROWS: dict[str, Callable[[Session], Base]] = {
    "capacity": lambda session: session.scalars(sa.select(Capacity)).one(),
    "settings": lambda session: session.scalars(sa.select(Settings)).one(),
    "rates": factories.rate,
    "tenants": factories.tenant,
    "users": factories.user,
    "user_sessions": user_session,
    "halls": lambda session: factories.cluster(session).halls[0],
    "outages": lambda session: factories.outage(session, factories.cluster(session).racks[0]),
    "power_limits": lambda session: factories.power_limit(session, factories.cluster(session).sites[0]),
    "contracts": factories.contract,
    "commitment_steps": lambda session: factories.contract(session).commitment_steps[0],
    "fee_steps": lambda session: factories.contract(session).fee_steps[0],
    "notices": lambda session: factories.notice(session, factories.contract(session)),
    "requests": factories.request,
    "offers": factories.offer,
    "reservations": factories.reservation,
    "placements": placement,
    "runs": factories.run,
    "plans": factories.plan,
}

ENDED: dict[str, Any] = {"ended_on": TODAY, "ended_at": NOW, "ended_by_id": SOMEONE}
BLOCK_CASES: dict[str, dict[str, Any]] = {
    "gpus_positive": {"gpus": 0, "min_gpus": 0},
    "gpus_multiple": {"gpus": 74},
    "tier_and_value_not_negative": {"tier": -1},
    "rate_not_negative": {"rate": -1},
    "interruptible_has_recall_notice": {"interruptible": True},
    "recall_notice_days_not_negative": {"interruptible": True, "recall_notice_days": -1},
    "interruptible_on_demand": {"interruptible": True, "recall_notice_days": 2, "contract_id": SOME_CONTRACT},
}
INTERVALS = (
    "contracts",
    "commitment_steps",
    "fee_steps",
    "outages",
    "power_limits",
    "offers",
    "reservations",
    "placements",
)

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "ck_capacity_only_row": ("capacity", {"id": 2}),
    "ck_settings_only_row": ("settings", {"id": 2}),
    "ck_settings_ranges": ("settings", {"horizon_days": 0}),
    "ck_rates_usd_per_gpu_hour_not_negative": ("rates", {"usd_per_gpu_hour": -1}),
    "ck_tenants_max_gpus_not_negative": ("tenants", {"max_gpus": -1}),
    "ck_users_email_lower_case": ("users", {"email": "Person@example.com"}),
    "ck_users_named": ("users", {"name": ""}),
    "ck_users_tenant_role_has_tenant": ("users", {"role": Role.VIEWER}),
    "ck_user_sessions_expires_after_creation": ("user_sessions", {"expires_at": NOW}),
    "ck_halls_spare_racks_not_negative": ("halls", {"spare_racks": -1}),
    "ck_power_limits_kw_not_negative": ("power_limits", {"kw": -1.0}),
    "ck_contracts_lock_in_not_before_start": ("contracts", {"lock_in_until": dt.date(2026, 6, 30)}),
    "ck_contracts_days_not_negative": ("contracts", {"notice_days": -1}),
    "ck_contracts_cancellation_fee_percent": ("contracts", {"cancellation_fee_percent": 101}),
    "ck_contracts_overage_has_rate": ("contracts", {"overage": True}),
    "ck_contracts_overage_rate_not_negative": ("contracts", {"overage": True, "overage_rate": -1}),
    "ck_commitment_steps_gpus_not_negative": ("commitment_steps", {"gpus": -72}),
    "ck_fee_steps_monthly_fee_not_negative": ("fee_steps", {"monthly_fee": -1}),
    "ck_notices_ends_on_not_before_given_on": ("notices", {"ends_on": TODAY - dt.timedelta(1)}),
    "ck_notices_party_is_a_side": ("notices", {"party": Party.EITHER}),
    "ck_notices_withdrawn_state": ("notices", {"state": NoticeState.WITHDRAWN}),
    "ck_notices_withdrawn_at_and_by": ("notices", {"state": NoticeState.WITHDRAWN, "withdrawn_at": NOW}),
    "ck_requests_min_gpus_range": ("requests", {"min_gpus": 144}),
    "ck_requests_min_gpus_multiple": ("requests", {"min_gpus": 4}),
    "ck_requests_latest_start_not_before_earliest": ("requests", {"latest_start": TODAY}),
    "ck_requests_days_positive": ("requests", {"days": 0}),
    "ck_requests_submitted_state": ("requests", {"state": RequestState.SUBMITTED}),
    "ck_requests_submitted_at_and_by": ("requests", {"submitted_at": NOW}),
    "ck_requests_approved_at_and_by": ("requests", {"approved_at": NOW}),
    "ck_requests_held_at_and_by": ("requests", {"held_by_id": SOMEONE}),
    "ck_requests_decided_at_and_by": ("requests", {"decided_at": NOW}),
    "ck_requests_withdrawn_at_and_by": ("requests", {"withdrawn_by_id": SOMEONE}),
    "ck_offers_expires_after_made": ("offers", {"expires_at": NOW}),
    "ck_offers_answered_state": ("offers", {"state": OfferState.TAKEN}),
    "ck_offers_answered_at_and_by": ("offers", {"state": OfferState.TAKEN, "answered_at": NOW}),
    "ck_offers_withdrawn_state": ("offers", {"state": OfferState.WITHDRAWN}),
    "ck_offers_withdrawn_at_and_by": ("offers", {"state": OfferState.WITHDRAWN, "withdrawn_at": NOW}),
    "ck_reservations_move_notice_days_not_negative": ("reservations", {"move_notice_days": -1}),
    "ck_reservations_original_end_not_before_end": ("reservations", {"original_end": dt.date(2027, 1, 30)}),
    "ck_reservations_ended_as_recorded_ending": (
        "reservations",
        {"ended_as": ReservationState.COMPLETED, **ENDED},
    ),
    "ck_reservations_ended_as_and_on": (
        "reservations",
        {"ended_as": ReservationState.CANCELLED, **ENDED, "ended_on": None},
    ),
    "ck_reservations_ended_as_and_at": (
        "reservations",
        {"ended_as": ReservationState.CANCELLED, "ended_on": TODAY},
    ),
    "ck_reservations_ended_at_and_by": (
        "reservations",
        {"ended_as": ReservationState.CANCELLED, **ENDED, "ended_by_id": None},
    ),
    "ck_placements_one_owner": ("placements", {"reservation_id": None}),
    "ck_placements_gpus_whole_trays": ("placements", {"gpus": 70}),
    "ck_runs_started_by_a_process": ("runs", {"state": "running", "started_at": NOW, "pid": 1, "host": "h1"}),
    "ck_runs_finished_state": ("runs", {"finished_at": NOW}),
    "ck_runs_time_limit_positive": ("runs", {"time_limit_s": 0.0}),
    "ck_plans_status": ("plans", {"status": "unknown"}),
    "ck_plans_published_state": ("plans", {"state": PlanState.PUBLISHED}),
    "ck_plans_published_at_and_by": ("plans", {"state": PlanState.PUBLISHED, "published_at": NOW}),
    "ck_plans_closed_state": ("plans", {"closed_at": NOW}),
}
CASES |= {f"ck_{table}_end_after_start": (table, {"end": dt.date(2026, 1, 1)}) for table in INTERVALS}
CASES |= {
    f"ck_{table}_{name}": (table, {key: value for key, value in values.items() if key in METADATA.tables[table].c})
    for table in ("requests", "offers", "reservations")
    for name, values in BLOCK_CASES.items()
}
WORDS = [column for table in METADATA.sorted_tables for column in table.c if isinstance(column.type, sa.Enum)]


@pytest.mark.parametrize("constraint", CASES)
def test_a_row_that_breaks_this_check_is_refused(session, constraint):
    table, values = CASES[constraint]
    row = VALID_ROWS[table](session)
    values = _filled_in(session, row, values)

    with refused(session, constraint):
        session.execute(sa.update(METADATA.tables[table]).where(METADATA.tables[table].c.id == row.id).values(**values))


@pytest.mark.parametrize("column", WORDS, ids=str)
def test_a_word_that_is_not_in_the_list_is_refused(session, column):
    row = VALID_ROWS[column.table.name](session)
    unlisted = sa.literal("nonsense", sa.String)

    with pytest.raises(IntegrityError, match=f"ck_{column.table.name}_"):
        session.execute(sa.update(column.table).where(column.table.c.id == row.id).values({column: unlisted}))


def test_every_check_has_its_case():
    named = {
        str(constraint.name)
        for table in METADATA.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint) and not constraint._type_bound
    }

    assert set(CASES) == named


def test_every_pair_of_when_and_who_is_checked():
    """``x_at`` beside ``x_by_id`` asks for a check that both are set or none."""
    pairs = {
        f"ck_{table.name}_{column.name.removesuffix('_id').removesuffix('_by')}_at_and_by"
        for table in METADATA.sorted_tables
        for column in table.c
        if column.name.endswith("_by_id") and column.nullable
    }
    # Set at once, with who left out where it was the clock or an import.
    never_paired = {"ck_runs_queued_at_and_by", "ck_outages_recorded_at_and_by", "ck_power_limits_recorded_at_and_by"}

    assert pairs - never_paired <= set(CASES)


def _filled_in(session: Session, row: Any, values: dict[str, Any]) -> dict[str, Any]:
    stand_ins: dict[str, Callable[[], int]] = {
        SOMEONE: lambda: factories.user(session).id,
        SOME_CONTRACT: lambda: factories.contract(session, tenant_id=row.tenant_id).id,
    }
    return {
        name: stand_ins[value]() if isinstance(value, str) and value in stand_ins else value
        for name, value in values.items()
    }
