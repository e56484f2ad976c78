"""Passwords as argon2id hashes. A check takes as long for a person we do not know as for one we do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.config import Settings
from portal.domain.errors import Invalid

SHORTEST = 12
LONGEST = 200


class WeakPassword(Invalid):
    """A password that is too short, too long or too plain."""

    code = "weak_password"


@dataclass(frozen=True, slots=True)
class Passwords:
    """Hashes and checks at one cost: `time_cost` passes over `memory_kib`."""

    time_cost: int
    memory_kib: int

    @classmethod
    def of(cls, settings: Settings) -> Passwords:
        return cls(time_cost=settings.password_time_cost, memory_kib=settings.password_memory_kib)

    def hash(self, password: str) -> str:
        """The hash to store. Raises `WeakPassword`."""
        check_strength(password)
        return _hasher(self).hash(password)

    def rehash(self, password: str) -> str:
        """The hash of a password that was good enough when it was chosen."""
        return _hasher(self).hash(password)

    def is_right(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the hashed one; without a hash, the same work for the answer no."""
        try:
            _hasher(self).verify(password_hash or _hash_of_nobody(self), password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made at another cost, so that it should be made again."""
        return _hasher(self).check_needs_rehash(password_hash)


def check_strength(password: str) -> None:
    """Length is what counts; raises `WeakPassword` with the sentence to show."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"Use {SHORTEST} characters or more; a few unrelated words are easy to keep in mind.")
    if len(password) > LONGEST:
        raise WeakPassword(f"Use {LONGEST} characters or fewer.")
    if len(set(password)) < 5:
        raise WeakPassword("Use more different characters.")


@lru_cache
def _hasher(passwords: Passwords) -> PasswordHasher:
    return PasswordHasher(time_cost=passwords.time_cost, memory_cost=passwords.memory_kib, parallelism=1)


@lru_cache
def _hash_of_nobody(passwords: Passwords) -> str:
    return _hasher(passwords).hash("nobody has this password")
