"""Who may do what, as the table of roles in the product's description says it."""

from __future__ import annotations

import pytest

from portal.domain.errors import NotAllowed
from portal.domain.permissions import PERMISSIONS, Permission, check_may, may
from portal.domain.states import PROVIDER_ROLES, TENANT_ROLES, Role

FIRST_ROLE_WITH = {
    Permission.SEE_OWN: Role.VIEWER,
    Permission.BOOK: Role.BOOKER,
    Permission.ANSWER_OFFERS: Role.BOOKER,
    Permission.CANCEL_RESERVATIONS: Role.BOOKER,
    Permission.GIVE_NOTICE: Role.OWNER,
    Permission.MANAGE_TEAM: Role.OWNER,
    Permission.MANAGE_TOKENS: Role.OWNER,
    Permission.SEE_ALL: Role.OPERATOR,
    Permission.KEEP_CLUSTER: Role.OPERATOR,
    Permission.DECIDE_REQUESTS: Role.APPROVER,
    Permission.DECIDE_PLANS: Role.APPROVER,
    Permission.RUN_SOLVER: Role.APPROVER,
    Permission.PIN: Role.APPROVER,
    Permission.MAKE_OFFERS: Role.APPROVER,
    Permission.MANAGE_TENANTS: Role.ADMIN,
    Permission.MANAGE_CONTRACTS: Role.ADMIN,
    Permission.MANAGE_USERS: Role.ADMIN,
    Permission.MANAGE_RATES: Role.ADMIN,
    Permission.GIVE_PROVIDER_NOTICE: Role.ADMIN,
    Permission.CHANGE_SETTINGS: Role.ADMIN,
    Permission.OVERRIDE_MOVE_NOTICE: Role.ADMIN,
    Permission.SEE_AUDIT: Role.ADMIN,
}
LADDERS = [[Role.VIEWER, Role.BOOKER, Role.OWNER], [Role.OPERATOR, Role.APPROVER, Role.ADMIN]]


def test_every_permission_is_somebodys():
    assert set(FIRST_ROLE_WITH) == set(Permission)


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("ladder", LADDERS, ids=["tenant", "provider"])
def test_rights_accumulate_along_each_side(permission, ladder):
    first = FIRST_ROLE_WITH[permission]
    expected = ladder[ladder.index(first) :] if first in ladder else []

    assert [role for role in ladder if may(role, permission)] == expected


def test_the_auditor_sees_everything_and_changes_nothing():
    assert PERMISSIONS[Role.AUDITOR] == {Permission.SEE_ALL, Permission.SEE_AUDIT}


def test_no_role_of_one_side_has_a_right_of_the_other():
    tenants = set().union(*(PERMISSIONS[role] for role in TENANT_ROLES))
    providers = set().union(*(PERMISSIONS[role] for role in PROVIDER_ROLES))

    assert not tenants & providers


def test_a_viewer_may_look():
    check_may(Role.VIEWER, Permission.SEE_OWN)


def test_a_viewer_may_not_book():
    with pytest.raises(NotAllowed, match="Ask someone whose role does"):
        check_may(Role.VIEWER, Permission.BOOK)
