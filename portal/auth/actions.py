"""What people do with their access: sign in and out, and, for admins, people themselves. The caller commits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.auth import sessions
from portal.auth.passwords import Passwords
from portal.auth.queries import user_by_email
from portal.domain.errors import Invalid, NotFound
from portal.domain.states import Role
from portal.models.users import User
from portal.web.actor import Actor

_LONGEST_EMAIL = 254


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the sign-in form sends, and the browser that sends it."""

    email: str
    password: str = field(repr=False)
    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class NewUser:
    """A person to be added; `tenant_id` exactly for tenant roles."""

    email: str
    name: str
    role: Role
    tenant_id: int | None
    password: str = field(repr=False)


def check_credentials(session: Session, given: Credentials, *, passwords: Passwords) -> int | None:
    """The id of the person whose password this is; None for wrong, unknown and disabled alike, after the same work."""
    user = user_by_email(session, given.email)
    is_right = passwords.is_right(user.password_hash if user else None, given.password)
    return user.id if user and is_right and user.disabled_at is None else None


def sign_in(
    session: Session,
    given: Credentials,
    *,
    user_id: int,
    passwords: Passwords,
    lifetime: dt.timedelta,
    now: dt.datetime,
) -> str:
    """Start a new session for a person whose credentials were right and return its token.

    A password hashed at an older cost is hashed again while we know it.
    """
    user = session.get_one(User, user_id)
    if passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.rehash(given.password)
    token = sessions.start(session, user=user, now=now, lifetime=lifetime, user_agent=given.user_agent)
    by = actor_of(user, given.address)
    record(session, by=by, action="signed in", thing=f"user {user.email}", now=now)
    return token


def sign_out(session: Session, *, token: str, by: Actor, now: dt.datetime) -> None:
    """End the session of this token."""
    sessions.end(session, token=token, now=now)
    record(session, by=by, action="signed out", thing=f"user {by.email}", now=now)


def sign_out_everywhere(session: Session, *, by: Actor, now: dt.datetime) -> int:
    """End every session of this person, this one included; how many there were."""
    count = sessions.end_all(session, user_id=_id(by), now=now)
    record(session, by=by, action="signed out everywhere", thing=f"user {by.email}", after={"ended": count}, now=now)
    return count


def end_session(session: Session, *, key: str, by: Actor, now: dt.datetime) -> None:
    """End one of the person's own sessions. Raises `NotFound`."""
    if not sessions.end_one(session, user_id=_id(by), key=key, now=now):
        raise NotFound("This session has ended already.")
    record(session, by=by, action="ended a session", thing=f"user {by.email}", now=now)


def change_password(session: Session, *, old: str, new: str, passwords: Passwords, by: Actor, now: dt.datetime) -> None:
    """Change the person's own password and end all of the person's sessions. Raises `Invalid`."""
    user = session.get_one(User, _id(by))
    if not passwords.is_right(user.password_hash, old):
        raise Invalid("The current password is not right.")
    user.password_hash = passwords.hash(new)
    sessions.end_all(session, user_id=user.id, now=now)
    record(session, by=by, action="changed the password", thing=f"user {user.email}", now=now)


def add_user(
    session: Session,
    *,
    new: NewUser,
    passwords: Passwords,
    by: Actor,
    now: dt.datetime,
) -> User:
    """Add a person who can sign in at once. Raises `Invalid` with the sentence to show."""
    email, name = new.email.strip().lower(), new.name.strip()
    _check_new(session, new, email=email, name=name)
    user = User(
        email=email,
        name=name,
        role=new.role,
        tenant_id=new.tenant_id,
        password_hash=passwords.hash(new.password),
        created_at=now,
    )
    session.add(user)
    after = {"name": name, "role": new.role}
    record(session, by=by, action="added", thing=f"user {email}", after=after, tenant_id=new.tenant_id, now=now)
    return user


def disable_user(session: Session, *, user_id: int, by: Actor, now: dt.datetime) -> User:
    """Keep a person from signing in, and end all of the person's sessions. Raises `Invalid`."""
    user = _other_user(session, user_id, by)
    if user.disabled_at is None:
        user.disabled_at = now
        sessions.end_all(session, user_id=user.id, now=now)
        record(session, by=by, action="disabled", thing=f"user {user.email}", tenant_id=user.tenant_id, now=now)
    return user


def enable_user(session: Session, *, user_id: int, by: Actor, now: dt.datetime) -> User:
    """Let a disabled person sign in again."""
    user = _other_user(session, user_id, by)
    if user.disabled_at is not None:
        user.disabled_at = None
        record(session, by=by, action="enabled", thing=f"user {user.email}", tenant_id=user.tenant_id, now=now)
    return user


def actor_of(user: User, address: str) -> Actor:
    """The person as one who acts from this address."""
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email,
        role=user.role,
        tenant_id=user.tenant_id,
        address=address,
    )


def _check_new(session: Session, new: NewUser, *, email: str, name: str) -> None:
    local, at, domain = email.partition("@")
    if not (local and at and domain) or any(character.isspace() for character in email) or len(email) > _LONGEST_EMAIL:
        raise Invalid("Write an e-mail address, such as name@example.com.")
    if not name:
        raise Invalid("Write the person's name.")
    if new.role.is_tenant_role and new.tenant_id is None:
        raise Invalid(f"A person with the role {new.role} belongs to a tenant: choose one.")
    if not new.role.is_tenant_role and new.tenant_id is not None:
        raise Invalid(f"The role {new.role} is the provider's: leave the tenant empty.")
    if user_by_email(session, email) is not None:
        raise Invalid(f"There is a person with the address {email} already.")


def _other_user(session: Session, user_id: int, by: Actor) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound
    if user.id == by.user_id:
        raise Invalid("Nobody can lock themselves out: ask another admin.")
    return user


def _id(by: Actor) -> int:
    if by.user_id is None:
        raise Invalid("A process has no sessions.")
    return by.user_id
