"""Passwords as hashes."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import pytest

from portal.auth.passwords import Passwords, WeakPassword

CHEAP = Passwords(time_cost=1, memory_kib=64)
GOOD = "quiet harbour lamp"


def test_the_right_password_is_right_and_any_other_is_not() -> None:
    """Compared through the hash only."""
    kept = CHEAP.hash(GOOD)

    assert GOOD not in kept
    assert kept.startswith("$argon2id$")
    assert CHEAP.is_right(kept, GOOD)
    assert not CHEAP.is_right(kept, GOOD.upper())
    assert not CHEAP.is_right(kept, "")


def test_equal_passwords_have_different_hashes() -> None:
    """Each has its salt."""
    assert CHEAP.hash(GOOD) != CHEAP.hash(GOOD)


def test_nobody_has_a_password() -> None:
    """Neither the one behind the stand-in hash, nor an account whose hash is not one."""
    assert not CHEAP.is_right(None, "nobody has this password")
    assert not CHEAP.is_right("!", GOOD)


def test_a_hash_of_another_cost_is_outdated() -> None:
    """So that it is made again at the next sign-in."""
    kept = CHEAP.hash(GOOD)

    assert not CHEAP.is_outdated(kept)
    assert Passwords(time_cost=2, memory_kib=64).is_outdated(kept)


@pytest.mark.parametrize("password", ["short", "x" * 201, "ababababababab"])
def test_a_weak_password_is_refused(password: str) -> None:
    """12 to 200 characters, not all alike."""
    with pytest.raises(WeakPassword):
        CHEAP.hash(password)


def test_an_unknown_person_takes_as_long_as_a_known_one() -> None:
    """Else the time would say who has an account. The same work: the medians are within a factor of two."""
    costly = Passwords(time_cost=1, memory_kib=8_192)
    kept = costly.hash(GOOD)

    def taken(password_hash: str | None) -> float:
        times = []
        for _ in range(7):
            start = perf_counter()
            costly.is_right(password_hash, "a wrong password")
            times.append(perf_counter() - start)
        return median(times)

    taken(None)  # the first one makes the stand-in
    assert 0.5 < taken(None) / taken(kept) < 2
