"""How tests say that the database refuses something, on either database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

# SQLite names checks and triggers, but neither keys nor foreign keys.
_SQLITE_WORDS = {"uq": "UNIQUE constraint failed", "fk": "FOREIGN KEY constraint failed"}


@contextmanager
def refused(session: Session, constraint: str) -> Iterator[None]:
    """The block, flushed, breaks this constraint; the session can be used again after it."""
    kind = constraint.partition("_")[0]
    sqlite = session.get_bind().dialect.name == "sqlite"
    words = _SQLITE_WORDS.get(kind, constraint) if sqlite else constraint
    try:
        yield
        session.flush()
    except IntegrityError as error:
        if not re.search(rf"{words}\b", str(error.orig)):
            raise
        session.rollback()
    else:
        pytest.fail(f"{constraint} refused nothing")
