"""Public ids: what people and machines see of a row. They are random, so that they count nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTVWXYZ"
"""No letter that reads like a digit, and no U, so that fewer words appear by chance."""
LENGTH = 8
"""31**8 ids: among a million, a new one meets an old one once in 850,000 draws; the unique key has the last word."""


def public_id(kind: str) -> str:
    """A new id such as ``R-7GK2QX4M``; ``kind`` is the letter of the kind of thing."""
    return f"{kind}-{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"


def maker(kind: str) -> Callable[[], str]:
    """A column default that makes ids of this kind."""
    return lambda: public_id(kind)
