"""Signing in and out in the browser, and what a session lives through."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from portal.auth.passwords import Passwords
from portal.clock import FixedClock
from portal.config import Settings
from portal.domain.states import Role
from portal.models.audit import AuditEntry
from portal.models.users import User, UserSession
from tests.portal import factories
from tests.portal.web.fixtures import Enter
from tests.portal.web.visitor import Page, Visitor

PASSWORD = "quiet harbour lamp"
WRONG = "That e-mail address and password do not belong together."


@pytest.fixture
def person(rows: Session, settings: Settings) -> User:
    """An approver who has a password."""
    user = factories.user(rows, email="ada@example.com", password_hash=Passwords.of(settings).hash(PASSWORD))
    rows.commit()
    return user


def is_in(page: Page) -> bool:
    return "Sign out" in [button.text for button in page.tree.all("button")]


def cookie(visitor: Visitor) -> str | None:
    kept = visitor.client.get_cookie("berth_session")
    return kept.value if kept else None


def test_the_right_password_leads_in(person: User, visitor: Visitor) -> None:
    """To the page that was asked for."""
    page = visitor.get("/account?x=1")
    assert page.heading == "Sign in"

    page = visitor.press(page, "Sign in", email="ada@example.com", password=PASSWORD)

    assert is_in(page)
    assert page.path == "/account?x=1"


@pytest.mark.parametrize("email", ["ADA@example.com ", "ada@example.com"])
def test_the_address_may_be_written_in_capitals(person: User, visitor: Visitor, email: str) -> None:
    """It is kept in lower case."""
    assert is_in(visitor.sign_in(email, PASSWORD))


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "quiet harbour lamps"),
        ("eve@example.com", PASSWORD),
        ("", PASSWORD),
        ("ada@example.com", ""),
    ],
)
def test_a_wrong_password_and_an_unknown_person_are_told_alike(
    person: User, visitor: Visitor, email: str, password: str
) -> None:
    """The page says nothing of whose address it is; what was typed stays, except the password."""
    page = visitor.sign_in(email, password, status=422)

    assert WRONG in page.text
    fields = {field["name"]: field["value"] for field in page.tree.all("input")}
    assert (fields["email"], fields["password"]) == (email, "")
    assert cookie(visitor) is None


def test_a_disabled_person_is_told_the_same(person: User, rows: Session, visitor: Visitor, clock: FixedClock) -> None:
    """With the right password too."""
    person.disabled_at = clock.now()
    rows.commit()

    assert WRONG in visitor.sign_in("ada@example.com", PASSWORD, status=422).text


def test_being_disabled_ends_a_session_at_once(person: User, rows: Session, enter: Enter, clock: FixedClock) -> None:
    """The next page asks to sign in."""
    visitor = enter(person)
    assert is_in(visitor.get("/account"))

    person.disabled_at = clock.now()
    rows.commit()

    assert visitor.get("/account").heading == "Sign in"


def test_only_the_hash_of_a_token_is_stored(person: User, visitor: Visitor, rows: Session) -> None:
    """A copy of the database opens no session."""
    visitor.sign_in("ada@example.com", PASSWORD)

    token = cookie(visitor)
    assert token is not None
    assert len(token) >= 40
    assert rows.scalars(sa.select(UserSession.token_hash)).all() == [hashlib.sha256(token.encode()).hexdigest()]


def test_the_cookie_is_for_the_server_alone(person: User, visitor: Visitor) -> None:
    """No script reads it, no other site sends it."""
    page = visitor.get("/sign-in")
    page = visitor.press(page, "Sign in", email="ada@example.com", password=PASSWORD, status=302, follow=False)

    (text,) = (each for each in page.response.headers.getlist("Set-Cookie") if each.startswith("berth_session="))
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"} <= set(text.split("; "))


def test_signing_in_starts_a_new_session_and_a_new_form_token(person: User, visitor: Visitor, rows: Session) -> None:
    """What someone planted in the browser before is worth nothing afterwards."""
    visitor.client.set_cookie("berth_session", "planted")
    before = _form_token(visitor)

    visitor.sign_in("ada@example.com", PASSWORD)

    assert cookie(visitor) != "planted"
    assert _form_token(visitor) != before


def test_signing_out_ends_the_session_on_the_server(person: User, visitor: Visitor, rows: Session) -> None:
    """A kept cookie opens nothing."""
    page = visitor.sign_in("ada@example.com", PASSWORD)
    token = cookie(visitor)

    page = visitor.press(page, "Sign out")

    assert page.heading == "Sign in"
    assert "You have signed out." in page.text
    assert cookie(visitor) is None
    visitor.client.set_cookie("berth_session", token or "")
    assert visitor.get("/account").heading == "Sign in"


def test_a_session_ends_after_its_hours_however_used(person: User, enter: Enter, clock: FixedClock) -> None:
    """12 hours by default."""
    visitor = enter(person)
    for _ in range(11):
        clock.move(dt.timedelta(hours=1))
        assert is_in(visitor.get("/account"))

    clock.move(dt.timedelta(hours=1))

    assert visitor.get("/account").heading == "Sign in"


def test_a_session_ends_when_it_is_not_used(person: User, enter: Enter, clock: FixedClock) -> None:
    """120 minutes by default, counted from the last page."""
    visitor = enter(person)
    clock.move(dt.timedelta(minutes=119))
    assert is_in(visitor.get("/account"))
    clock.move(dt.timedelta(minutes=119))
    assert is_in(visitor.get("/account"))

    clock.move(dt.timedelta(minutes=120))

    assert visitor.get("/account").heading == "Sign in"


def test_a_person_sees_the_own_sessions_and_ends_one(
    person: User, enter: Enter, rows: Session, clock: FixedClock
) -> None:
    """The others go on."""
    first = enter(person)
    clock.move(dt.timedelta(minutes=1))
    second = enter(person)

    page = second.get("/account")
    assert "signed in on 2 browsers" in page.text
    page = second.press(page, "End")

    assert "That session has ended." in page.text
    assert first.get("/account").heading == "Sign in"
    assert is_in(second.get("/account"))


def test_nobody_ends_another_persons_session(person: User, enter: Enter, rows: Session) -> None:
    """Its key is answered like one that never was."""
    theirs = enter(person)
    key = rows.scalars(sa.select(UserSession.token_hash)).one()[:16]
    other = enter(Role.ADMIN)

    assert "ended already" in other.post(f"/account/sessions/{key}/end", status=404).text
    assert (
        "ended already"
        in other.post("/account/sessions/%25%25%25%25%25%25%25%25%25%25%25%25%25%25%25%25/end", status=404).text
    )
    assert is_in(theirs.get("/account"))


def test_signing_out_everywhere_ends_them_all(person: User, enter: Enter) -> None:
    """And no one else's."""
    first, second, other = enter(person), enter(person), enter(Role.ADMIN)

    page = second.press(second.get("/account"), "Sign out everywhere")

    assert "You have signed out everywhere." in page.text
    assert first.get("/account").heading == "Sign in"
    assert second.get("/account").heading == "Sign in"
    assert is_in(other.get("/account"))


def test_a_new_password_needs_the_old_one_and_ends_every_session(person: User, enter: Enter, visitor: Visitor) -> None:
    """Whoever knew the old one is out."""
    here, there = enter(person), enter(person)
    page = here.press(here.get("/account"), "Change the password", old="wrong", new="another harbour lamp", status=422)
    assert "The current password is not right." in page.text
    page = here.press(page, "Change the password", old=PASSWORD, new="short", status=422)
    assert "Use 12 characters or more" in page.text

    page = here.press(page, "Change the password", old=PASSWORD, new="another harbour lamp")

    assert "Your password is changed." in page.text
    assert there.get("/account").heading == "Sign in"
    assert WRONG in visitor.sign_in("ada@example.com", PASSWORD, status=422).text
    assert is_in(visitor.sign_in("ada@example.com", "another harbour lamp"))


def test_a_hash_of_an_older_cost_is_made_again_at_sign_in(
    person: User, visitor: Visitor, rows: Session, settings: Settings
) -> None:
    """While the password is known."""
    person.password_hash = Passwords(time_cost=2, memory_kib=64).hash(PASSWORD)
    rows.commit()

    assert is_in(visitor.sign_in("ada@example.com", PASSWORD))

    rows.refresh(person)
    assert not Passwords.of(settings).is_outdated(person.password_hash)
    assert Passwords.of(settings).is_right(person.password_hash, PASSWORD)


@pytest.mark.parametrize("after", ["https://example.com/", "//example.com", "/%5Cexample.com", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(person: User, visitor: Visitor, after: str) -> None:
    """A link to our sign-in page with another site behind it leads to our start."""
    page = visitor.get(f"/sign-in?next={after}")

    page = visitor.press(page, "Sign in", email="ada@example.com", password=PASSWORD, status=302, follow=False)

    assert page.response.headers["Location"] == "/"


def test_who_is_in_needs_no_sign_in_page(person: User, enter: Enter) -> None:
    """It leads on."""
    assert enter(person).get("/sign-in?next=/account").path == "/account"


def test_failed_attempts_for_one_account_are_limited(person: User, app: Flask) -> None:
    """10 in 15 minutes, from wherever; the right password is then refused too, and others are not."""
    for number in range(10):
        Visitor(app, f"192.0.2.{number}").sign_in("ada@example.com", "a wrong password", status=422)

    page = Visitor(app, "198.51.100.1").sign_in("ada@example.com", PASSWORD, status=429)

    assert page.heading == "Too many attempts"
    assert 0 < int(page.response.headers["Retry-After"]) <= 15 * 60
    Visitor(app, "198.51.100.1").sign_in("eve@example.com", PASSWORD, status=422)


def test_failed_attempts_from_one_address_are_limited(person: User, app: Flask) -> None:
    """30 in 15 minutes, for whatever accounts; other addresses are not."""
    visitor = Visitor(app)
    for number in range(30):
        visitor.sign_in(f"eve-{number}@example.com", "a wrong password", status=422)

    visitor.sign_in("ada@example.com", PASSWORD, status=429)

    assert is_in(Visitor(app, "198.51.100.1").sign_in("ada@example.com", PASSWORD))


def test_good_attempts_do_not_count(person: User, app: Flask) -> None:
    """A person may sign in as often as pleases."""
    for _ in range(12):
        assert is_in(Visitor(app).sign_in("ada@example.com", PASSWORD))


def test_coming_and_going_is_in_the_audit_trail(person: User, visitor: Visitor, rows: Session) -> None:
    """With the address it came from; failures are in the log, not here."""
    visitor.sign_in("ada@example.com", "a wrong password", status=422)
    visitor.press(visitor.sign_in("ada@example.com", PASSWORD), "Sign out")

    entries = rows.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(each.action, each.thing, each.actor, each.origin) for each in entries] == [
        ("signed in", "user ada@example.com", "ada@example.com", "192.0.2.1"),
        ("signed out", "user ada@example.com", "ada@example.com", "192.0.2.1"),
    ]


def test_a_busy_database_does_not_stop_a_page(
    person: User, enter: Enter, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noting when a session was last seen can wait for the next page."""

    def busy(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("UPDATE", {}, Exception("database is locked"))

    visitor = enter(person)
    clock.move(dt.timedelta(minutes=5))
    monkeypatch.setattr("portal.auth.sessions.note_seen", busy)

    assert is_in(visitor.get("/account"))


def _form_token(visitor: Visitor) -> str:
    with visitor.client.session_transaction() as kept:
        if "csrf_token" not in kept:
            visitor.get("/sign-in")
    with visitor.client.session_transaction() as kept:
        return str(kept["csrf_token"])
