"""What each role may do. Rights accumulate along each side; the auditor stands apart."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from portal.domain.errors import NotAllowed
from portal.domain.states import Role


class Permission(StrEnum):
    """One thing a person may do; grouped by side, alphabetical within the group."""

    # Tenant, always within the person's own tenant
    ANSWER_OFFERS = "answer_offers"
    BOOK = "book"  # request, amend, withdraw
    CANCEL_RESERVATIONS = "cancel_reservations"
    GIVE_NOTICE = "give_notice"
    MANAGE_TEAM = "manage_team"
    MANAGE_TOKENS = "manage_tokens"
    SEE_OWN = "see_own"

    # Provider
    CHANGE_SETTINGS = "change_settings"
    DECIDE_PLANS = "decide_plans"
    DECIDE_REQUESTS = "decide_requests"
    GIVE_PROVIDER_NOTICE = "give_provider_notice"
    KEEP_CLUSTER = "keep_cluster"  # sites, racks, outages, maintenance, power limits
    MAKE_OFFERS = "make_offers"
    MANAGE_CONTRACTS = "manage_contracts"
    MANAGE_RATES = "manage_rates"
    MANAGE_TENANTS = "manage_tenants"
    MANAGE_USERS = "manage_users"
    OVERRIDE_MOVE_NOTICE = "override_move_notice"  # maintenance that starts within a reservation's move notice
    PIN = "pin"
    RUN_SOLVER = "run_solver"
    SEE_ALL = "see_all"
    SEE_AUDIT = "see_audit"


_VIEWER = frozenset({Permission.SEE_OWN})
_BOOKER = _VIEWER | {Permission.BOOK, Permission.ANSWER_OFFERS, Permission.CANCEL_RESERVATIONS}
_OWNER = _BOOKER | {Permission.GIVE_NOTICE, Permission.MANAGE_TEAM, Permission.MANAGE_TOKENS}

_OPERATOR = frozenset({Permission.SEE_ALL, Permission.KEEP_CLUSTER})
_APPROVER = _OPERATOR | {
    Permission.DECIDE_PLANS,
    Permission.DECIDE_REQUESTS,
    Permission.MAKE_OFFERS,
    Permission.PIN,
    Permission.RUN_SOLVER,
}
_ADMIN = _APPROVER | {
    Permission.CHANGE_SETTINGS,
    Permission.GIVE_PROVIDER_NOTICE,
    Permission.MANAGE_CONTRACTS,
    Permission.MANAGE_RATES,
    Permission.MANAGE_TENANTS,
    Permission.MANAGE_USERS,
    Permission.OVERRIDE_MOVE_NOTICE,
    Permission.SEE_AUDIT,
}

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.BOOKER: _BOOKER,
    Role.OWNER: _OWNER,
    Role.OPERATOR: _OPERATOR,
    Role.APPROVER: _APPROVER,
    Role.ADMIN: _ADMIN,
    Role.AUDITOR: frozenset({Permission.SEE_ALL, Permission.SEE_AUDIT}),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether a person of this role may do this."""
    return permission in PERMISSIONS[role]


def check_may(role: Role, permission: Permission) -> None:
    """Raise `NotAllowed` where a person of this role may not do this."""
    if not may(role, permission):
        raise NotAllowed("Your role does not include this. Ask someone whose role does.")
