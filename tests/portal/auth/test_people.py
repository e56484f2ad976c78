"""The admin's people: added, disabled, enabled."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.states import Role
from portal.models.audit import AuditEntry
from portal.models.users import User
from tests.portal import factories
from tests.portal.web.fixtures import Enter
from tests.portal.web.visitor import Visitor

PASSWORD = "quiet harbour lamp"
NEW = {"name": "Ada", "email": "Ada@Example.com", "role": "approver", "password": PASSWORD}


def test_a_person_who_is_added_can_sign_in_at_once(enter: Enter, visitor: Visitor, rows: Session) -> None:
    """With the first password, which the audit trail never sees."""
    admin = enter(Role.ADMIN)

    page = admin.press(admin.get("/users/new"), "Add the person", **NEW)

    assert "Ada can sign in now." in page.text
    assert "ada@example.com" in page.text
    assert visitor.sign_in("ada@example.com", PASSWORD).heading != "Sign in"
    entry = rows.scalars(sa.select(AuditEntry).where(AuditEntry.action == "added")).one()
    assert entry.after == {"name": "Ada", "role": "approver"}


def test_a_tenants_person_belongs_to_the_tenant(enter: Enter, rows: Session) -> None:
    """Chosen by name."""
    tenant = factories.tenant(rows, name="Aurora Labs", public_id="aurora")
    rows.commit()
    admin = enter(Role.ADMIN)

    admin.press(admin.get("/users/new"), "Add the person", **{**NEW, "role": "owner", "tenant": "aurora"})

    user = rows.scalars(sa.select(User).where(User.email == "ada@example.com")).one()
    assert (user.role, user.tenant_id) == (Role.OWNER, tenant.id)


def test_what_does_not_fit_is_refused_with_a_sentence_and_kept(enter: Enter, rows: Session) -> None:
    """Each refusal says what to change; the form keeps what was typed."""
    factories.tenant(rows, public_id="aurora")
    rows.commit()
    admin = enter(Role.ADMIN)
    page = admin.get("/users/new")

    for changes, sentence in (
        ({"role": "owner"}, "A person with the role owner belongs to a tenant: choose one."),
        ({"tenant": "aurora"}, "The role approver is the provider's: leave the tenant empty."),
        ({"password": "short"}, "Use 12 characters or more"),
        ({"email": "ada at example"}, "Write an e-mail address, such as name@example.com."),
        ({"name": " "}, "Write the person's name."),
    ):
        refused = admin.press(page, "Add the person", **{**NEW, **changes}, status=422)
        assert sentence in refused.text
        assert any(field["value"] == {**NEW, **changes}["email"] for field in refused.tree.all("input"))
    assert rows.scalar(sa.select(sa.func.count()).select_from(User)) == 1


def test_an_address_is_one_persons(enter: Enter, rows: Session) -> None:
    """In whatever capitals."""
    factories.user(rows, email="ada@example.com")
    rows.commit()
    admin = enter(Role.ADMIN)

    page = admin.press(admin.get("/users/new"), "Add the person", **NEW, status=422)

    assert "There is a person with the address ada@example.com already." in page.text


def test_a_disabled_person_is_out_until_enabled(enter: Enter, rows: Session) -> None:
    """Signed out at once; signing in again needs the admin."""
    user = factories.user(rows, name="Ada")
    rows.commit()
    admin, person = enter(Role.ADMIN), enter(user)

    page = admin.post(f"/users/{user.id}/disable")

    assert "Ada can no longer sign in." in page.text
    assert person.get("/account").heading == "Sign in"
    page = admin.press(page, "Enable")
    assert "Ada can sign in again." in page.text
    assert person.get("/account").heading == "Sign in", "the old session stays ended"
    assert enter(user).get("/account").heading == "Your account"


def test_nobody_locks_themselves_out(enter: Enter, rows: Session) -> None:
    """The last admin could."""
    admin = enter(Role.ADMIN)
    own = rows.scalars(sa.select(User)).one()

    assert "Nobody can lock themselves out" in admin.post(f"/users/{own.id}/disable", status=422).text
    assert "Disable" not in admin.get("/users").text


def test_a_person_who_is_not_there_is_404(enter: Enter) -> None:
    """For enabling as for disabling."""
    admin = enter(Role.ADMIN)

    admin.post("/users/999/disable", status=404)
    admin.post("/users/999/enable", status=404)
